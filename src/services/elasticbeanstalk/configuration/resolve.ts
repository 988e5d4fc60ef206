// From given, stored and template settings to one checked configuration. Pure: no rows, no clock.
import type { ConfigurationOptionSetting, OptionSpecification } from '@aws-sdk/client-elastic-beanstalk'
import { DeclaredError } from '../../../kernel/errors.ts'
import { changeOf } from './change.ts'
import { configurationOf, givenIn, readerOf } from './effective.ts'
import { INSTANCE_TYPE, INSTANCE_TYPES, mergeSettings } from './merge.ts'
import type { Names } from './names.ts'
import { shownSettings } from './shown.ts'
import { settingsWithoutEffect, validateSettings } from './validate.ts'
import type {
  ConfigurationChange,
  EnvironmentConfiguration,
  Finding,
  Setting,
  ShownSetting,
  WithoutEffect,
} from './types.ts'

export type * from './types.ts'
export { configurationOf } from './effective.ts'
export { shownSettings } from './shown.ts'

export type ResolveInput = {
  /** Platform family of the environment (`python`, `nodejs`): decides which `aws:elasticbeanstalk:container:*` exist. */
  platform: string
  /** What the environment (or the template that is changed) already holds; null when it is being created. */
  stored: Setting[] | null
  /** Settings of the saved configuration that the call names; below `given`, above `stored`. */
  template?: Setting[] | undefined
  /** `OptionSettings` of the call, as parsed. */
  given?: ConfigurationOptionSetting[] | undefined
  /** `OptionsToRemove` of the call, as parsed. They leave `stored` and `template`, never what the same call gives. */
  remove?: OptionSpecification[] | undefined
  /** What exists that settings may name; without it any well-formed name passes. */
  names?: Names | undefined
  /** It is a saved configuration that is changed: nothing is for good there. */
  isTemplate?: boolean
}

export type Resolved = {
  /** What to keep with the environment or template (levels 1 and 2 of the precedence): values verbatim. */
  stored: Setting[]
  /** All settings with defaults, in the order of DescribeConfigurationSettings. */
  shown: ShownSetting[]
  configuration: EnvironmentConfiguration
  /** Kept values that have no effect here and are not the default: a WARN event once per environment names them. */
  withoutEffect: WithoutEffect[]
  /** Compared with `stored` (on creation: with the defaults). */
  change: ConfigurationChange
}

/** Precedence: given > template > stored > defaults; then validation of the whole.
 *  @throws DeclaredError `ConfigurationValidationException` with the first finding, worded as AWS words it. */
export function resolveConfiguration(input: ResolveInput): Resolved {
  const { settings, findings } = examine(input)
  const first = findings[0]
  if (first)
    throw new DeclaredError(
      'ConfigurationValidationException',
      `Configuration validation exception: ${first.message}`,
    )
  return {
    stored: settings,
    shown: shownSettings(input.platform, settings),
    configuration: configurationOf(input.platform, settings),
    withoutEffect: settingsWithoutEffect(input.platform, settings),
    change: changeOf(input.platform, input.stored ?? [], settings),
  }
}

/** The same without throwing: every finding, errors and then warnings, for ValidateConfigurationSettings. */
export function validateConfiguration(input: ResolveInput): Finding[] {
  const { settings, findings } = examine(input)
  const warnings = settingsWithoutEffect(input.platform, settings).map(
    ({ namespace, optionName, reason }): Finding => ({
      severity: 'warning',
      namespace,
      optionName,
      message: `This value has no effect here (Namespace: '${namespace}', OptionName: '${optionName}'): ${reason}`,
    }),
  )
  return [...findings, ...warnings]
}

function examine(input: ResolveInput) {
  const { platform, stored, template = [], given = [], remove = [], names, isTemplate = false } = input
  const merged = mergeSettings({ platform, stored: stored ?? [], template, given, remove })
  const settings = withTypeOffered(platform, merged.settings, names?.instanceTypes)
  const errors = validateSettings({ platform, settings, before: stored, names, isTemplate })
  return { settings, findings: [...merged.findings, ...errors] }
}

// AWS's default is an x86 type: where that is not offered the smallest one that is takes its place.
function withTypeOffered(
  platform: string,
  settings: Setting[],
  offered: ReadonlySet<string> | undefined,
): Setting[] {
  const read = readerOf(platform, settings)
  if (!offered || [INSTANCE_TYPE, INSTANCE_TYPES].some((key) => givenIn(settings, key))) return settings
  if (offered.has(read(INSTANCE_TYPE.namespace, INSTANCE_TYPE.optionName))) return settings
  const value = [...offered].find((name) => name.endsWith('.micro'))
  return value === undefined ? settings : [...settings, { ...INSTANCE_TYPE, value }]
}
