// <home>/config.yaml: read with limits, since whatever lies there may be anything.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { EngineError, reasonOf } from '../kernel/errors.ts'
import { parseConfig, type Problem } from './parse.ts'
import { configOf, rowOf, type Config, type Key } from './settings.ts'

export const BYTES_MAX = 65_536
const PROBLEMS_SHOWN = 5

export const configPath = (homeDir: string): string => join(homeDir, 'config.yaml')

/** Values that win over the file: those of the command line's flags. */
export type Flags = ReadonlyMap<Key, unknown>

/** What is given, and by whom; a setting that nobody gives has its default. `where` begins a sentence about it. */
export type Source = { value: unknown; source: 'file' | 'flag'; where: string }
export type Sources = ReadonlyMap<Key, Source>

/** What the file of a home says now. Throws a sentence with file and line when it is broken. */
export const readConfig = (homeDir: string, flags: Flags = new Map()): Config =>
  configFrom(readSources(homeDir, flags))

/** The same for who only looks; where the file is broken, the defaults. */
export function readConfigIfWhole(homeDir: string): Config {
  try {
    return readConfig(homeDir)
  } catch {
    return configOf(new Map())
  }
}

export const configFrom = (sources: Sources): Config =>
  configOf(new Map([...sources].map(([key, { value }]) => [key, value])))

/** Throws a sentence with file and line when the file is broken; no file gives nothing. */
export const readSources = (homeDir: string, flags: Flags = new Map()): Sources =>
  sourcesOf(configPath(homeDir), readText(configPath(homeDir)) ?? '', flags)

/** The same of a text that shall become the file. */
export function sourcesOf(path: string, text: string, flags: Flags): Sources {
  if (Buffer.byteLength(text) > BYTES_MAX) throw new EngineError(tooLarge(path))
  const { given, problems } = parseConfig(text)
  if (problems.length > 0) throw new EngineError(sayProblems(path, problems))
  const sources = new Map<Key, Source>()
  for (const [key, { value, line }] of given)
    sources.set(key, { value, source: 'file', where: `${path}:${line}: ${key}` })
  for (const [key, value] of flags) sources.set(key, { value, source: 'flag', where: rowOf(key).flag ?? key })
  return sources
}

/** `/var/lib/polebean/config.yaml:12: api.port must be …`, one a line. */
function sayProblems(path: string, problems: Problem[]): string {
  const shown = problems.slice(0, PROBLEMS_SHOWN).map(({ line, sentence }) => `${path}:${line}: ${sentence}`)
  const more = problems.length - shown.length
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')
}

const tooLarge = (path: string) => `${path} has more than ${BYTES_MAX / 1024} KiB, so it is no configuration`

/** The text of the file, or undefined when there is none. Throws a sentence when it is none that may be read. */
export function readText(path: string): string | undefined {
  let fd: number
  try {
    // A pipe must not keep us waiting; a link could lead out of the home.
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP')
      throw new EngineError(`${path} is a symbolic link; put the file itself there`, { cause })
    throw new EngineError(`${path} cannot be read: ${reasonOf(cause)}`, { cause })
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw new EngineError(`${path} is not a file`)
    if (stat.size > BYTES_MAX) throw new EngineError(tooLarge(path))
    const isForeign = stat.uid !== 0 || (stat.mode & 0o022) !== 0
    if (process.getuid!() === 0 && isForeign)
      throw new EngineError(
        `${path} can be written by other users than root; run: chown root ${path}; chmod go-w ${path}`,
      )
    const bytes = Buffer.alloc(BYTES_MAX + 1)
    const length = readSync(fd, bytes)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, length))
  } catch (cause) {
    if (cause instanceof TypeError) throw new EngineError(`${path} is not text in UTF-8`, { cause })
    throw cause
  } finally {
    closeSync(fd)
  }
}
