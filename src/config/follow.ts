// The configuration that a running server follows: that of its start, and settings that take effect at once as the file
// changes. A file that is broken changes nothing.
import { reasonOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { configFrom, readSources, type Flags, type Source, type Sources } from './file.ts'
import { keys, rowOf, type Config, type Key } from './settings.ts'

export type FollowedConfig = {
  /** What is in force. Cheap: ask at each use instead of keeping it. */
  now(): Config
  sources(): Sources
  /** Why the file is not followed; null when it is. */
  problem(): string | null
  /** Reads the file again. */
  look(): void
}

/** Throws a sentence when the file is broken now: a server does not start with it. */
export function followConfig(homeDir: string, flags: Flags, log: Log): FollowedConfig {
  const first = readSources(homeDir, flags)
  let sources = first
  let config = configFrom(first)
  let problem: string | null = null
  return {
    now: () => config,
    sources: () => sources,
    problem: () => problem,
    look() {
      const before = problem
      try {
        sources = following(first, readSources(homeDir, flags))
        config = configFrom(sources)
        problem = null
      } catch (error) {
        problem = reasonOf(error)
        if (problem !== before) log.warn('the configuration is broken; what is in force stays', { problem })
      }
      if (problem === null && before !== null) log.info('the configuration is whole again')
    },
  }
}

/** Of `first` what takes effect at start, of `now` what does at once. */
function following(first: Sources, now: Sources): Sources {
  const entries = keys.map(
    (key) => [key, (rowOf(key).takesEffect === 'start' ? first : now).get(key)] as const,
  )
  return new Map(entries.filter((entry): entry is [Key, Source] => entry[1] !== undefined))
}
