// Pipfile and Pipfile.lock as requirements, since pip is the installer that every Python brings.
// Formats: https://github.com/pypa/pipfile and pipenv's lock of version 6.

export type Converted = { kind: 'requirements'; text: string } | { kind: 'problem'; problem: string }

/** The `default` section, pinned and with hashes where the lock has them. */
export function requirementsOfLock(text: string): Converted {
  let lock: unknown
  try {
    lock = JSON.parse(text)
  } catch {
    return { kind: 'problem', problem: 'Pipfile.lock is not valid JSON.' }
  }
  const section = isRecord(lock) ? lock['default'] : undefined
  if (!isRecord(section)) return { kind: 'problem', problem: "Pipfile.lock has no 'default' section." }
  const meta = isRecord(lock) && isRecord(lock['_meta']) ? lock['_meta'] : {}
  const indexes = indexLines(Array.isArray(meta['sources']) ? meta['sources'] : [])
  const lines = Object.entries(section).map(([name, value]) => lockLine(name, isRecord(value) ? value : {}))
  // pip demands hashes of all as soon as one has them: a git or path entry among them cannot be hashed.
  const hashable = lines.every((line) => line.hashes !== '')
  return {
    kind: 'requirements',
    text: join([...indexes, ...lines.map((line) => line.requirement + (hashable ? line.hashes : ''))]),
  }
}

/** `[packages]` and the sources of a Pipfile without a lock: versions are chosen at each new build. */
export function requirementsOfPipfile(text: string): Converted {
  const sections = readToml(text)
  if (!sections) return { kind: 'problem', problem: 'The Pipfile cannot be read.' }
  const packages = sections.find((section) => section.name === 'packages')
  if (!packages) return { kind: 'problem', problem: "The Pipfile has no '[packages]' section." }
  const sources = sections.filter((section) => section.name === 'source').map((section) => section.values)
  const lines = Object.entries(packages.values).map(([name, value]) =>
    typeof value === 'string'
      ? name + versionOf(value)
      : lockLine(name, isRecord(value) ? value : {}).requirement,
  )
  return { kind: 'requirements', text: join([...indexLines(sources), ...lines]) }
}

const join = (lines: string[]) => lines.map((line) => `${line}\n`).join('')
const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const textOf = (value: unknown) => (typeof value === 'string' ? value.replace(/[\r\n]/g, ' ') : '')
const listOf = (value: unknown) => (Array.isArray(value) ? value.map(textOf).filter(Boolean) : [])
const versionOf = (version: string) => (version.trim() === '*' ? '' : textOf(version))

// The default index is whatever the user's pip is configured for: a mirror must not be bypassed by a lock that names PyPI.
function indexLines(sources: unknown[]): string[] {
  return sources
    .map((source) => textOf(isRecord(source) ? source['url'] : ''))
    .filter((url) => url !== '' && !/^https?:\/\/pypi\.(python\.)?org\//.test(url))
    .map((url) => `--extra-index-url ${url}`)
}

function lockLine(name: string, value: Record<string, unknown>): { requirement: string; hashes: string } {
  const extras = listOf(value['extras'])
  const full = textOf(name) + (extras.length ? `[${extras.join(',')}]` : '')
  const markers = textOf(value['markers'])
  const marker = markers ? `; ${markers}` : ''
  const place = placeOf(value)
  const isPath = place.startsWith('-e ') || place.startsWith('./')
  if (place !== '') return { requirement: (isPath ? place : `${full} @ ${place}`) + marker, hashes: '' }
  const hashes = listOf(value['hashes']).map((hash) => ` --hash=${hash}`)
  return { requirement: full + versionOf(textOf(value['version'])) + marker, hashes: hashes.join('') }
}

function placeOf(value: Record<string, unknown>): string {
  const git = textOf(value['git'])
  const ref = textOf(value['ref'])
  if (git !== '') return `git+${git}${ref ? `@${ref}` : ''}`
  const path = textOf(value['path'])
  if (path !== '') return `${value['editable'] === true ? '-e ' : ''}./${path.replace(/^\.\//, '')}`
  return textOf(value['file']) || textOf(value['url'])
}

type Section = { name: string; values: Record<string, unknown> }

// The part of TOML that Pipfiles use: tables, arrays of tables, strings, booleans, arrays and inline tables on one line.
function readToml(text: string): Section[] | undefined {
  const sections: Section[] = []
  for (const raw of text.split(/\r?\n/)) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const header = /^\[{1,2}\s*([A-Za-z0-9_.-]+)\s*\]{1,2}\s*(#.*)?$/.exec(line)?.[1]
    if (header) {
      sections.push({ name: header, values: {} })
      continue
    }
    const [, quoted, bare, rest] = /^(?:"([^"]+)"|([A-Za-z0-9_.-]+))\s*=\s*(.+)$/.exec(line) ?? []
    const key = quoted ?? bare
    if (!key || !rest) return undefined
    const value = readValue(rest.trim())
    const section = sections.at(-1)
    if (!section || value === undefined) return undefined
    section.values[key] = value.value
  }
  return sections
}

function readValue(text: string): { value: unknown; rest: string } | undefined {
  const string = /^"((?:[^"\\]|\\.)*)"|^'([^']*)'/.exec(text)
  if (string)
    return {
      value: string[1]?.replace(/\\(["\\])/g, '$1') ?? string[2] ?? '',
      rest: text.slice(string[0].length),
    }
  const word = /^(true|false|-?[0-9][0-9._]*)/.exec(text)
  if (word?.[0])
    return {
      value: word[0] === 'true' ? true : word[0] === 'false' ? false : Number(word[0]),
      rest: text.slice(word[0].length),
    }
  if (text.startsWith('[')) return readList(text.slice(1))
  if (text.startsWith('{')) return readInlineTable(text.slice(1))
  return undefined
}

function readList(text: string): { value: unknown[]; rest: string } | undefined {
  const list: unknown[] = []
  let rest = text.trimStart()
  while (!rest.startsWith(']')) {
    const item = readValue(rest)
    if (!item) return undefined
    list.push(item.value)
    rest = item.rest.trimStart().replace(/^,/, '').trimStart()
  }
  return { value: list, rest: rest.slice(1) }
}

function readInlineTable(text: string): { value: Record<string, unknown>; rest: string } | undefined {
  const table: Record<string, unknown> = {}
  let rest = text.trimStart()
  while (!rest.startsWith('}')) {
    const [whole = '', key] = /^"?([A-Za-z0-9_.-]+)"?\s*=\s*/.exec(rest) ?? []
    const item = key ? readValue(rest.slice(whole.length)) : undefined
    if (!key || !item) return undefined
    table[key] = item.value
    rest = item.rest.trimStart().replace(/^,/, '').trimStart()
  }
  return { value: table, rest: rest.slice(1) }
}
