// The configuration that a running server follows: that of its start, and settings that take effect at once as the file
// changes. A file that is broken changes nothing.
import { reasonOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { readConfig, type Flags } from './file.ts'
import { configOf, keys, rowOf, valueOf, type Config } from './settings.ts'

export type FollowedConfig = {
  /** What is in force. Cheap: ask at each use instead of keeping it. */
  now(): Config
  /** Reads the file again; answers why it was not followed, null when it was. */
  look(): string | null
}

/** Throws a sentence when the file is broken now: a server does not start with it. */
export function followConfig(homeDir: string, flags: Flags, log: Log): FollowedConfig {
  const first = readConfig(homeDir, flags)
  let current = first
  let problem: string | null = null
  return {
    now: () => current,
    look() {
      const before = problem
      try {
        current = following(first, readConfig(homeDir, flags))
        problem = null
      } catch (error) {
        problem = reasonOf(error)
        if (problem !== before) log.warn('the configuration is broken; what is in force stays', { problem })
      }
      if (problem === null && before !== null) log.info('the configuration is whole again')
      return problem
    },
  }
}

/** `first` where a setting takes effect at start, `now` where at once. */
const following = (first: Config, now: Config): Config =>
  configOf(new Map(keys.map((key) => [key, valueOf(rowOf(key).takesEffect === 'start' ? first : now, key)])))
