// Options of `server` and `start` that win over the file of settings for as long as that server runs.
import { Option } from 'commander'
import type { Flags } from '../config/file.ts'
import { keys, rowOf, type Key } from '../config/settings.ts'
import { EXIT, Failure } from './failure.ts'

/** As commander hands them over: `httpPort`. */
export type FlagOptions = { [name: string]: unknown }

const WORDS: Partial<Record<Key, string>> = {
  'listeners.http': 'port of public listeners',
  'api.port': 'port of the AWS API',
  'dns.domain': 'domain of environments',
}

export const flagOptions = (): Option[] =>
  flagged().map(
    ({ key, flag }) =>
      new Option(
        `${flag} <${key.split('.').at(-1)}>`,
        `${WORDS[key] ?? key}, instead of ${key} in config.yaml`,
      ),
  )

/** Throws a Failure when a value is none. */
export function flagsOf(options: FlagOptions): Flags {
  const flags = new Map<Key, unknown>()
  for (const { key, flag } of flagged()) {
    const given = options[nameOf(flag)]
    if (typeof given !== 'string') continue
    const read = rowOf(key).type.read(/^\d+$/.test(given) ? Number(given) : given)
    if ('wrong' in read) throw new Failure(`${flag} ${read.wrong}`, EXIT.usage)
    flags.set(key, read.value)
  }
  return flags
}

/** The same as words of a command line. */
export const wordsOf = (flags: Flags): string[] =>
  flagged().flatMap(({ key, flag }) => (flags.has(key) ? [flag, String(flags.get(key))] : []))

const flagged = () =>
  keys.flatMap((key) => {
    const { flag } = rowOf(key)
    return flag === undefined ? [] : [{ key, flag }]
  })

const nameOf = (flag: string) => new Option(flag).attributeName()
