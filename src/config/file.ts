// <home>/config.yaml: read with limits, since whatever lies there may be anything.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { EngineError, reasonOf } from '../kernel/errors.ts'
import { parseConfig, type Given, type Problem } from './parse.ts'
import { configOf, type Config, type Key } from './settings.ts'

export const FILE = 'config.yaml'
const BYTES_MAX = 65_536
const PROBLEMS_SHOWN = 5

export const configPath = (homeDir: string): string => join(homeDir, FILE)

/** Values that win over the file: those of the command line's flags. */
export type Flags = ReadonlyMap<Key, unknown>

/** What the file of a home says now. Throws a sentence with file and line when it is broken. */
export function readConfig(homeDir: string, flags: Flags = new Map()): Config {
  const given = [...readGiven(homeDir)].map(([key, { value }]): [Key, unknown] => [key, value])
  return configOf(new Map([...given, ...flags]))
}

/** What the file gives, nothing when there is no file. Throws a sentence with file and line when it is broken. */
export function readGiven(homeDir: string): ReadonlyMap<Key, Given> {
  const path = configPath(homeDir)
  const text = readText(path)
  if (text === undefined) return new Map()
  const { given, problems } = parseConfig(text)
  if (problems.length > 0) throw new EngineError(sayProblems(path, problems))
  return given
}

/** `/var/lib/polebean/config.yaml:12: api.port must be …`, one a line. */
export function sayProblems(path: string, problems: Problem[]): string {
  const shown = problems.slice(0, PROBLEMS_SHOWN).map(({ line, sentence }) => `${path}:${line}: ${sentence}`)
  const more = problems.length - shown.length
  return [...shown, ...(more > 0 ? [`and ${more} more`] : [])].join('\n')
}

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
    if (stat.size > BYTES_MAX)
      throw new EngineError(`${path} has more than ${BYTES_MAX} bytes, so it is no configuration`)
    const isForeign = stat.uid !== 0 || (stat.mode & 0o022) !== 0
    if (process.getuid!() === 0 && isForeign)
      throw new EngineError(
        `${path} can be written by other users than root; chown root ${path}; chmod go-w ${path}`,
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
