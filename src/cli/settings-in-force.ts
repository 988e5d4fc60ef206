// The settings as people look at them: what is in force, by whom, and what the next start of the server makes of it.
import { isDeepStrictEqual } from 'node:util'
import { renderValue } from '../config/default-file.ts'
import { readSources, type Sources } from '../config/file.ts'
import { keys, rowOf, shownValue, type Key } from '../config/settings.ts'
import type { ConfigurationStatus } from '../home-config.ts'
import type { HomeSettings } from '../home.ts'
import { reasonOf } from '../kernel/errors.ts'
import { openApi } from './client.ts'
import { Failure } from './failure.ts'
import { note } from './output.ts'
import { answers } from './start-server.ts'

/** `next`: what the file says for the next start of the server, when that is something else. */
export type Entry = { key: Key; value: unknown; source: 'default' | 'file' | 'flag'; next?: unknown }

export async function readEntries(home: HomeSettings): Promise<Entry[]> {
  const status = await readStatus(home.dir)
  const wanted = readWanted(home.dir, status)
  return keys
    .map((key): Entry => {
      const given = status ? status.given[key] : wanted?.get(key)
      const value = resolved(
        home,
        key,
        given ? given.value : rowOf(key).default,
        status ? 'inForce' : 'chosen',
      )
      const entry: Entry = { key, value, source: given?.source ?? 'default' }
      if (!status || !wanted || given?.source === 'flag') return entry
      const next = resolved(
        home,
        key,
        wanted.has(key) ? wanted.get(key)!.value : rowOf(key).default,
        'chosen',
      )
      return isDeepStrictEqual(next, value) ? entry : { ...entry, next }
    })
    .map(shown)
}

const shown = (entry: Entry): Entry => ({
  ...entry,
  value: shownValue(entry.key, entry.value),
  ...('next' in entry ? { next: shownValue(entry.key, entry.next) } : {}),
})

/** What the file says; a broken one is no failure while the server keeps what is in force. */
function readWanted(homeDir: string, status: ConfigurationStatus | null): Sources | undefined {
  try {
    return readSources(homeDir)
  } catch (error) {
    if (!status) throw error
    note(`The file is broken, so what is in force stays: ${reasonOf(error)}`)
    return undefined
  }
}

/** What a server says that runs; null when none does, or when its key is not ours to read. */
export async function readStatus(homeDir: string): Promise<ConfigurationStatus | null> {
  if (!(await answers(homeDir))) return null
  try {
    const { configuration } = JSON.parse(await openApi(homeDir).get('/polebean/status')) as {
      configuration: ConfigurationStatus | null
    }
    return configuration
  } catch (error) {
    if (!(error instanceof Failure)) throw error
    note(`The server was not asked: ${error.message}`)
    return null
  }
}

/** The value in place of `null`: of the home's own choice, or of what its last start made of that. */
export function resolved(home: HomeSettings, key: Key, value: unknown, which: 'inForce' | 'chosen'): unknown {
  if (value !== null) return value
  const { ports, domain, cidr } = which === 'inForce' ? home : home.chosen
  if (key === 'listeners.http') return ports.http
  if (key === 'api.port') return ports.api
  if (key === 'dns.domain') return domain
  return key === 'network.cidr' ? cidr : value
}

export function sayOrigin(entry: Entry): string {
  const { key, source } = entry
  const { flag, default: preset } = rowOf(key)
  const chosen = source === 'default' && preset === null && entry.value !== null
  const origin = source === 'flag' ? `the option ${flag}` : source === 'file' ? 'config.yaml' : 'default'
  const next = 'next' in entry ? `; ${renderValue(key, entry.next)} from the next start on` : ''
  return `${origin}${chosen ? ' (chosen at first start)' : ''}${next}`
}
