// PowerDNS Authoritative, driven through its HTTP API (decision 022). Its database is its own: what it holds follows from what was
// put, and a zone is put whole, as the difference to what is there, in one call that is one transaction there.
import { existsSync, lchownSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError, reasonOf } from '../../kernel/errors.ts'
import { readFileIfAny, writeFileAtomic } from '../../kernel/files.ts'
import type { Service, Supervisor } from '../supervisor/engine.ts'
import { askServer } from './ask.ts'
import { checkZone } from './check-zone.ts'
import type { DnsEngine, Name, Zone } from './engine.ts'
import { DATABASE, type PowerdnsSettings, renderPowerdns } from './powerdns-config.ts'
import { type KeyThere, keyChanges } from './powerdns-keys.ts'
import { makeLastPut } from './last-put.ts'
import { changesBetween, isOrdered, type Rrset, rrsetsOf, serialIn, unfinished } from './powerdns-records.ts'

/** Of the packages of Debian (pdns-backend-sqlite3), of Fedora and of Arch. */
const SCHEMAS = [
  '/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql',
  '/usr/share/doc/pdns/schema.sqlite3.sql',
  '/usr/share/doc/powerdns/schema.sqlite3.sql',
]
const CALL_MS = 10_000
const COMING_MS = 10_000
const POLL_MS = 20
/** What proves that a name is not there names no other one: hashed once, without salt (RFC 9276 §3.1). */
const NSEC3 = '1 0 0 -'
/** Two of the largest zones, or many small ones: some megabytes. */
const KEPT_SETS_MAX = 20_000
const ANSWER_BYTES_MAX = 256 * 2 ** 20

/** A zone, as it is there. */
type Told = { rrsets: Rrset[]; serial: number; kind: string; api_rectify: boolean } & ToldOfKeys
type ToldOfKeys = { dnssec: boolean; nsec3param: string }

type Zones = Awaited<ReturnType<DnsEngine['zones']>>

type Options = {
  clock: Clock
  supervisor: Supervisor
  /** Of the service that keeps it running. */
  name: string
  settings: PowerdnsSettings
}

export function makePowerdns({ clock, supervisor, name: daemon, settings }: Options): DnsEngine & {
  /** Makes it run with these settings, and waits until it can be asked. */
  ensure(): Promise<void>
} {
  const { dir, api, listens } = settings
  // One that is given away has another content, too: it is to be put again when that was changed.
  const isGiven = settings.secondaries.length > 0
  const kind = isGiven ? 'Master' : 'Native'
  const lastPut = makeLastPut<Rrset>(KEPT_SETS_MAX)
  const service: Service = {
    name: daemon,
    argv: ['pdns_server', `--config-dir=${dir}`],
    env: { MALLOC_ARENA_MAX: '1' },
    filesMax: null,
  }

  async function ensure(): Promise<void> {
    prepareDatabase(settings)
    const file = join(dir, 'pdns.conf')
    const config = renderPowerdns(settings)
    const isChanged = readFileIfAny(file) !== config
    if (isChanged) writeFileAtomic(file, config, 0o600)
    const wasRunning = (await supervisor.list()).some(({ name, running }) => name === service.name && running)
    await supervisor.ensure(service)
    if (isChanged && wasRunning) await supervisor.signal(service.name, 'TERM')
    for (const end = clock.monotonic() + COMING_MS; ; await clock.sleep(POLL_MS))
      try {
        await call('GET', '')
        return
      } catch (error) {
        if (clock.monotonic() > end) throw error
      }
  }

  /** Undefined = it is not there. @throws EngineError what PowerDNS says, or that it does not answer. */
  async function call<T>(method: string, path: string, body?: object): Promise<T | undefined> {
    const { status, text } = await exchange(api, method, `/api/v1/servers/localhost${path}`, body)
    if (status === 404 && (method === 'GET' || method === 'DELETE')) return undefined
    if (status >= 300) throw new EngineError(`PowerDNS: ${method} ${path}: ${status} ${errorIn(text)}`)
    return (text === '' ? {} : JSON.parse(text)) as T
  }
  const pathOf = (name: Name) => `/zones/${encodeURIComponent(`${name}.`)}`

  /** A large zone takes longer to read than to change: its serial alone is asked for while it is the one that was put last. */
  async function read(name: Name): Promise<Told | undefined> {
    const kept = lastPut.get(name)
    if (kept) {
      const there = await call<Omit<Told, 'rrsets'>>('GET', `${pathOf(name)}?rrsets=false`)
      if (!there) return undefined
      if (there.serial === serialIn(kept)) return { ...there, rrsets: kept }
    }
    return call<Told>('GET', pathOf(name))
  }

  /** Before the records, since what they are told with makes the order. */
  async function putKeys({ name, keys = [] }: Zone, { dnssec, nsec3param }: ToldOfKeys) {
    if (!dnssec && keys.length === 0) return
    const path = `${pathOf(name)}/cryptokeys`
    const { added, removed } = keyChanges((await call<KeyThere[]>('GET', path)) ?? [], keys)
    for (const key of added) await call('POST', path, key)
    if (keys.length > 0 && nsec3param !== NSEC3) await call('PUT', pathOf(name), { nsec3param: NSEC3 })
    for (const id of removed) await call('DELETE', `${path}/${id}`)
  }

  return {
    ensure,
    async put(zone) {
      checkZone(zone)
      const wanted = rrsetsOf(zone, settings.inside)
      const there = await read(zone.name)
      // Who is not heard to have taken it has who knows what.
      lastPut.forget(zone.name)
      if (!there) {
        const rrsets = unfinished(wanted)
        const made = { name: `${zone.name}.`, kind, soa_edit_api: '', rrsets }
        await call('POST', '/zones?rrsets=false', made)
      }
      await putKeys(zone, there ?? { dnssec: false, nsec3param: '' })
      // Once it has an order it keeps it, also to undo it.
      if (isOrdered(zone) && !there?.api_rectify) await call('PUT', pathOf(zone.name), { api_rectify: true })
      // Also of what is as it was: with a change it forgets what it remembers of all names of the zone, and that is what it said
      // while it had no such zone, or other keys, too (POST forgets nothing). The serial comes last: who is killed before has said none.
      const before = (there?.rrsets ?? wanted).filter(({ type }) => type !== 'SOA')
      await call('PATCH', pathOf(zone.name), { rrsets: changesBetween(before, wanted) })
      lastPut.keep(zone.name, wanted)
      if (there && there.kind !== kind) await call('PUT', pathOf(zone.name), { kind })
      if (isGiven) await call('PUT', `${pathOf(zone.name)}/notify`)
    },
    async remove(name) {
      lastPut.forget(name)
      await call('DELETE', pathOf(name))
    },
    async zones() {
      const all = (await call<(Zones[number] & { kind: string })[]>('GET', '/zones?dnssec=false')) ?? []
      return all
        .map((one) => ({
          name: one.name.replace(/\.$/, ''),
          serial: one.kind === kind ? one.serial : 0,
        }))
        .sort((a, b) => (a.name < b.name ? -1 : 1))
    },
    settle: async () => undefined,
    query: (name, type) => askServer(clock, listens[0]!, name, type),
  }
}

/** `data` is that of a user who talks to strangers: nothing in it is written to, or followed. */
function prepareDatabase({ dir, user }: PowerdnsSettings): void {
  const file = join(dir, DATABASE)
  mkdirSync(dir, { recursive: true, mode: 0o711 })
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  if (!existsSync(file)) {
    const schema = SCHEMAS.map((path) => readFileIfAny(path)).find((text) => text !== undefined)
    if (schema === undefined)
      throw new EngineError(`${SCHEMAS[0]} is not there (package pdns-backend-sqlite3)`)
    const unfinished = join(dir, 'unfinished.sqlite3')
    rmSync(unfinished, { force: true })
    const database = new DatabaseSync(unfinished)
    try {
      database.exec(schema)
    } finally {
      database.close()
    }
    renameSync(unfinished, file)
  }
  for (const one of [dirname(file), file])
    lchownSync(one, idOf('/etc/passwd', user.name), idOf('/etc/group', user.group))
}

/** The number of a user or group, from its line. */
function idOf(file: string, name: string): number {
  const [, id] = new RegExp(`^${name}:[^:]*:(\\d+)`, 'm').exec(readFileIfAny(file) ?? '') ?? []
  if (id === undefined) throw new EngineError(`${file} has no ${name}`)
  return Number(id)
}

function errorIn(text: string): string {
  try {
    return String((JSON.parse(text) as { error?: string }).error ?? text).slice(0, 300)
  } catch {
    return text.slice(0, 300)
  }
}

function exchange(
  { port, key }: PowerdnsSettings['api'],
  method: string,
  path: string,
  body: object | undefined,
): Promise<{ status: number; text: string }> {
  const payload = body === undefined ? '' : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => reject(new EngineError(`PowerDNS does not answer: ${reasonOf(error)}`))
    const headers = { 'x-api-key': key, 'content-type': 'application/json' }
    const asked = request({ host: '127.0.0.1', port, method, path, headers, timeout: CALL_MS }, (answer) => {
      const chunks: Buffer[] = []
      let bytes = 0
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes > ANSWER_BYTES_MAX) asked.destroy(new Error('its answer is too long'))
        chunks.push(chunk)
      })
      answer.on('error', fail)
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }),
      )
    })
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${CALL_MS} ms`)))
    asked.on('error', fail)
    asked.end(payload)
  })
}
