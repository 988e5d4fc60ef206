// pip's configuration of the machine's owner as one file for the sandbox.
// Places and precedence: https://pip.pypa.io/en/stable/topics/configuration/ (environment over user over global).

export type ConfigurationSources = {
  env: Record<string, string | undefined>
  userHome: string
  readText: (path: string) => string | undefined
  /** Makes a host path visible in the sandbox and answers the path there; '' when it is not there. */
  local: (path: string) => string
}

const LISTS = ['extra-index-url', 'find-links', 'trusted-host', 'no-binary', 'only-binary']
const SCALARS = [
  'index-url',
  'cert',
  'client-cert',
  'proxy',
  'no-index',
  'timeout',
  'default-timeout',
  'retries',
  'prefer-binary',
  'pre',
]
const FILES = ['cert', 'client-cert']
const PLACES = ['index-url', 'extra-index-url', 'find-links']

/** What decides where packages come from; options about pip's own behaviour stay behind. */
export function pipConfiguration({ env, userHome, readText, local }: ConfigurationSources): string {
  const files = [
    '/etc/pip.conf',
    `${userHome}/.pip/pip.conf`,
    `${env['XDG_CONFIG_HOME'] ?? `${userHome}/.config`}/pip/pip.conf`,
    env['PIP_CONFIG_FILE'] ?? '',
  ]
  const values = new Map<string, string[]>()
  for (const path of files) {
    for (const section of ['global', 'install']) {
      for (const [key, value] of readSection(readText(path) ?? '', section)) values.set(key, value)
    }
  }
  for (const key of [...LISTS, ...SCALARS]) {
    const given = env[`PIP_${key.toUpperCase().replaceAll('-', '_')}`]
    if (given) values.set(key, given.split(/\s+/).filter(Boolean))
  }
  return render(values, local)
}

function render(values: Map<string, string[]>, local: (path: string) => string): string {
  const lines = [...LISTS, ...SCALARS].sort().flatMap((key) => {
    const translated = (values.get(key) ?? []).map((value) => translate(key, value, local)).filter(Boolean)
    // A list is continued on further lines; a single value must stand on the first, or it starts with a line break.
    const text = LISTS.includes(key)
      ? translated.map((value) => `\n    ${value}`).join('')
      : ` ${translated.at(-1)}`
    return translated.length ? [`${key} =${text}`] : []
  })
  return `[global]\n${lines.map((line) => `${line}\n`).join('')}`
}

function translate(key: string, value: string, local: (path: string) => string): string {
  if (FILES.includes(key)) return local(value)
  if (!PLACES.includes(key)) return value
  if (value.startsWith('file://')) {
    const seen = local(decodeURIComponent(value.slice('file://'.length)))
    return seen && `file://${seen}`
  }
  return value.startsWith('/') ? local(value) : value
}

// The dialect of Python's configparser that pip files use: `key = value` with indented continuation lines.
function readSection(text: string, wanted: string): Map<string, string[]> {
  const values = new Map<string, string[]>()
  let section = ''
  let current: string[] | undefined
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue
    const header = /^\[([^\]]+)\]/.exec(line)?.[1]
    if (header !== undefined) {
      section = header.trim()
      current = undefined
    } else if (/^\s/.test(line)) current?.push(...words(line))
    else {
      const [, key = '', value = ''] = /^([^=:]+?)\s*[=:]\s*(.*)$/.exec(line) ?? []
      current = words(value)
      if (section === wanted) values.set(key.toLowerCase().replaceAll('_', '-'), current)
    }
  }
  return values
}

const words = (text: string) => text.trim().split(/\s+/).filter(Boolean)
