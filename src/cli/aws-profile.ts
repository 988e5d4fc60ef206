// The profile `polebean` in the user's own AWS files. Every other line of them stays as it is.
import { chownSync, lstatSync, readlinkSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { readFileIfAny, writeFileAtomic } from '../kernel/files.ts'
import type { Api } from './client.ts'

/** Writes the profile; answers the files that hold it. */
export function writeProfile({ home, endpoint, credentials }: Api): string[] {
  return changeFiles([`region = ${home.region}`, `endpoint_url = ${endpoint}`], {
    aws_access_key_id: credentials.accessKeyId,
    aws_secret_access_key: credentials.secretAccessKey,
  })
}

/** Removes the profile; answers the files that it was looked for in. */
export const removeProfile = (): string[] => changeFiles(undefined, undefined)

/** Does the profile lead there? Another home may have written it since. */
export function profileLeadsTo(endpoint: string): boolean {
  const lines = (readFileIfAny(fileOf('AWS_CONFIG_FILE', 'config')) ?? '').split('\n')
  const from = lines.findIndex((line) => headerOf(line) === 'profile polebean')
  if (from === -1) return false
  const next = lines.findIndex((line, at) => at > from && headerOf(line) !== undefined)
  const section = lines.slice(from + 1, next === -1 ? lines.length : next)
  return section.some((line) => /^\s*endpoint_url\s*=\s*(\S*)/.exec(line)?.[1] === endpoint)
}

function changeFiles(config: string[] | undefined, keys: Record<string, string> | undefined): string[] {
  const lines = keys && Object.entries(keys).map(([name, value]) => `${name} = ${value}`)
  const files: [path: string, header: string, lines: string[] | undefined][] = [
    [fileOf('AWS_CONFIG_FILE', 'config'), 'profile polebean', config],
    [fileOf('AWS_SHARED_CREDENTIALS_FILE', 'credentials'), 'polebean', lines],
  ]
  return files.map(([path, header, section]) => {
    const before = readFileIfAny(path) ?? ''
    const after = withSection(before, header, section)
    if (after !== before) replace(path, after)
    return path
  })
}

// botocore: both variables are paths, in which ~ is the user's home.
function fileOf(variable: string, name: string): string {
  const given = process.env[variable]?.replace(/^~(?=\/)/, homedir())
  return target(resolve(given || join(homedir(), '.aws', name)))
}

/** The file behind a link (dotfiles are often links into a folder under version control), also one that dangles. */
function target(path: string, depth = 0): string {
  if (depth > 20 || !lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return path
  return target(resolve(dirname(path), readlinkSync(path)), depth + 1)
}

function replace(path: string, content: string): void {
  const before = statSync(path, { throwIfNoEntry: false })
  writeFileAtomic(path, content, before ? before.mode & 0o777 : 0o600)
  if (before && process.getuid!() === 0) chownSync(path, before.uid, before.gid)
}

/**
 * The text with the section put where it was, or at the end; without it when `lines` is undefined. Comments and empty
 * lines before the next section belong to that one.
 */
export function withSection(text: string, header: string, lines: string[] | undefined): string {
  const section = lines ? [`[${header}]`, ...lines] : []
  const all = text.split('\n')
  const from = all.findIndex((line) => headerOf(line) === header)
  if (from === -1) {
    if (section.length === 0) return text
    return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${section.join('\n')}\n`
  }
  const next = all.findIndex((line, at) => at > from && headerOf(line) !== undefined)
  let to = next === -1 ? all.length : next
  while (to > from + 1 && /^\s*([#;].*)?$/.test(all[to - 1]!)) to--
  const after = all.slice(to)
  // Of a file that was written by hand there may be two.
  const rest = after.length === 0 ? '' : withSection(after.join('\n'), header, undefined)
  return [...all.slice(0, from), ...section, rest].join('\n')
}

/** `profile polebean` of `[profile "polebean"]`; undefined when the line begins no section. */
function headerOf(line: string): string | undefined {
  const [, name] = /^\s*\[\s*(.*?)\s*\]/.exec(line) ?? []
  return name?.replaceAll(/["']/g, '').replace(/\s+/, ' ')
}
