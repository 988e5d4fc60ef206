// docs/options.md from the tables of options.
import { writeFileSync } from 'node:fs'
import { namespaces } from '../../src/services/elasticbeanstalk/options/catalogue.ts'
import type { Namespace, Option } from '../../src/services/elasticbeanstalk/options/option.ts'

export const OPTIONS_DOC = 'docs/options.md'

export const generateOptionsDoc = () => writeFileSync(OPTIONS_DOC, renderOptionsDoc())

/** The whole document. */
export function renderOptionsDoc(): string {
  return [
    '# Configuration options',
    '',
    'Generated from the tables in `src/services/elasticbeanstalk/options/`; edit those, then run `npm run generate`.',
    '',
    'An option is **effective** (Polebean carries it out), **accepted** (stored and shown, without effect: the list below',
    'gives each reason, and an environment that uses one gets a WARN event that says so) or **refused** (any value other',
    'than the default is answered by a `ConfigurationValidationException`; the option waits for its implementation).',
    '“Only” names the values that are taken of an option; the others are refused.',
    '',
    'Two defaults differ from those of the AWS API: `LoadBalancerType` is `application` (AWS: `classic`; the console and',
    '`eb` send `application`), and `SystemType` is `enhanced`, as on all current AWS platforms (AWS: `basic`).',
    '',
    '## Accepted, without effect',
    '',
    '| namespace | option | values | why |',
    '|---|---|---|---|',
    ...namespaces.flatMap(acceptedRows),
    '',
    '## All options',
    '',
    'Severity is what a change does in AWS: NoInterruption and RestartApplicationServer are carried out on the running',
    'instances, RestartEnvironment replaces them.',
    ...namespaces.flatMap(section),
    '',
  ].join('\n')
}

const acceptedRows = (namespace: Namespace): string[] =>
  namespace.options.flatMap((option) => {
    if (option.effect.kind !== 'accepted') return []
    const values = option.effect.only ? option.effect.only.map(code).join(', ') : 'any that is valid'
    return [row(nameOf(namespace), option.name, values, cell(option.effect.reason))]
  })

function section(namespace: Namespace): string[] {
  const { anyName, platform, resourceNamed } = namespace
  const notes = [
    ...(platform === undefined ? [] : [`Platforms: ${platform}.`]),
    ...(resourceNamed ? ['Each setting needs a ResourceName.'] : []),
    ...(anyName ? [`Options of any name: ${anyName.effect.kind}, ${anyName.severity}.`] : []),
  ]
  return [
    '',
    `### ${nameOf(namespace)}`,
    ...(notes.length === 0 ? [] : ['', notes.join(' ')]),
    ...(namespace.options.length === 0
      ? []
      : ['', '| option | default | values | severity | here |', '|---|---|---|---|---|']),
    ...namespace.options.map((option) => optionRow(option)),
  ]
}

const optionRow = (option: Option): string =>
  row(option.name, presetOf(option), valuesOf(option), option.severity, effectOf(option))

function presetOf({ default: preset, type }: Option): string {
  if (preset === undefined || preset === '') return '—'
  return type === 'Json' ? 'no metrics' : code(preset)
}

function valuesOf({ type, values, min, max, regex, maxLength, number }: Option): string {
  if (values !== undefined) return values.map(code).join(', ')
  if (type === 'Boolean') return '`true`, `false`'
  if (min !== undefined || max !== undefined) return `${min ?? ''}–${max ?? ''}`
  if (number !== undefined) return number
  if (regex !== undefined) return code(regex)
  if (type !== 'Scalar') return type
  return maxLength === undefined ? 'text' : `up to ${maxLength} characters`
}

function effectOf({ effect }: Option): string {
  if (effect.kind === 'refused' || effect.only === undefined) return effect.kind
  return `${effect.kind}, only ${effect.only.map(code).join(', ')}`
}

const nameOf = ({ name, named }: Namespace) => code(named === undefined ? name : `${name}:${named}`)
const row = (...cells: string[]) => `| ${cells.join(' | ')} |`
const code = (text: string) => `\`${cell(text)}\``
const cell = (text: string) => text.replaceAll('|', '\\|')
