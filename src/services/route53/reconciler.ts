// route53.names: the name server answers what the rows say. Each state of a zone has a serial, which the server tells, so nothing else
// must be remembered of what it was told.
import { hash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Reconciler } from '../../control/reconciler.ts'
import type { Zone } from '../../engines/dns/engine.ts'
import { withTimeout } from '../../kernel/clock.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { compileRecordSets, type Facts, withChallenges } from './compile.ts'
import type { Route53Internal } from '../cloud.ts'
import type { ZoneKey } from '../../kernel/zone-key.ts'
import type { Route53Deps } from './deps.ts'
import { failingIn, healthChecksOf } from './health-checks.ts'
import { isWithin, upwards } from './names.ts'
import { type CarriedRow, carriedOf, keysOf, recordSetsOf, zoneNamed, type ZoneRow } from './store.ts'
import { systemZoneNames, systemZoneOf, systemZones } from './system-zones.ts'

const EVERY_MS = 5_000
/** The next pass comes at once when there is more to do than in one. */
const BUSY_MS = 1
/** A pass is short, so that a change does not wait for thousands of others. */
const ZONES_AT_ONCE = 50
/** How often the server is asked whether it still has what it was told. */
const AUDIT_MS = 30_000
const CALL_MS = 20_000
/** A zone that the server did not take is tried again after the first, then twice as long, up to the second; at once when it is changed. */
const REFUSED_FIRST_MS = 500
const REFUSED_MOST_MS = 60_000
/** The first Thursday was day 0. */
const WEEK_MS = 7 * 24 * 3_600_000
/** AWS answers GetChange for at least so long. */
const CHANGES_KEPT_MS = 24 * 3_600_000

/** `zone`: undefined = it is to go. */
type Due = { name: string; zone?: Zone; serial: number; revision: number }

/** `isPrivate`: of the zones that instances alone ask for, which have a server of their own. */
export function makeNamesReconciler(
  deps: Route53Deps,
  isPrivate: 0 | 1,
): { reconciler: Reconciler; isServed(): boolean } & Pick<Route53Internal, 'areServed' | 'hasZoneOf'> {
  const { store, clock, domain, log } = deps
  const dns = isPrivate ? deps.privateDns : deps.dns
  let isBusy = false
  let isRefused = false
  let auditedAt: number | undefined
  /** Zones that the server did not take: which state, when and why. */
  const refused = new Map<string, { serial: number; times: number; until: number; reason: string }>()

  const reconciler: Reconciler = {
    name: isPrivate ? 'route53.private-names' : 'route53.names',
    get everyMs() {
      return isBusy ? BUSY_MS : isRefused ? REFUSED_FIRST_MS : EVERY_MS
    },
    wakes: [
      'route53_zone',
      'route53_record_set',
      'route53_health_check',
      'elbv2_load_balancer',
      'elbv2_sharer',
      'elbv2_target',
      'elbv2_listener',
      'elbv2_rule',
      'ec2_address',
      'ec2_instance',
      'acm_challenge',
    ],
    async reconcile() {
      isBusy = false
      await audit()
      const { due, isAll } = store.transaction(decide)
      const done: Due[] = []
      let silence: unknown
      for (const one of due) {
        try {
          const { name, zone } = one
          await call(`dns.${zone ? 'put' : 'remove'} ${name}`, () =>
            zone ? dns.put(zone) : dns.remove(name),
          )
          refused.delete(name)
          done.push(one)
        } catch (error) {
          // One zone that the server does not take keeps no other waiting; a server that does not answer does.
          refuse(one, reasonOf(error))
          silence = await call('dns.zones', dns.zones).then(
            () => undefined,
            (reason: unknown) => reason,
          )
          if (silence) break
        }
      }
      if (done.length > 0) {
        await call('dns.settle', dns.settle)
        store.transaction(() => done.forEach(record))
      }
      // Who does not answer has refused nothing.
      if (silence) {
        refused.clear()
        throw silence
      }
      isBusy = !isAll
      isRefused = refused.size > 0
      return {
        changed: done.length,
        isAll,
        refused: [...refused].map(([name, { reason }]) => `${name}: ${reason}`),
      }
    },
  }

  return {
    reconciler,
    isServed: () => systemZones(domain, factsOf()).every((zone) => isCarried(zone, 0)),
    areServed(names) {
      const facts = factsOf()
      const own = systemZones(domain, facts).map(({ name }) => name)
      const zones = new Set(names.map((name) => zoneOfName(name)?.name ?? ''))
      // What no zone here has is shown at a name of Polebean's own zones.
      const asked = [...zones].flatMap((name) => (name === '' ? own : [name]))
      return wantedZones(facts, asked).every(({ make, week }) => isCarried(make(), week))
    },
    hasZoneOf: (name) => zoneOfName(name) !== undefined,
  }

  /** Who answers for a name: the longest zone that has it, Polebean's own before others. */
  function zoneOfName(name: string): { name: string } | undefined {
    const own = systemZoneOf(name, domain)
    if (own !== undefined) return { name: own }
    for (const above of upwards(name)) {
      const row = zoneNamed(store, { name: above, private: isPrivate })
      if (row) return row
    }
    return undefined
  }

  function isCarried(zone: Zone, week: number): boolean {
    const carried = carriedOf(store, { name: zone.name, private: isPrivate })
    return carried?.digest === digestOfState(zone, week) && carried.putSerial === carried.serial
  }

  function call<T>(what: string, ask: () => Promise<T>): Promise<T> {
    return withTimeout(clock, CALL_MS, what, ask)
  }

  function factsOf(): Facts {
    return {
      hosts: deps.cloud.elasticloadbalancingv2.hostNames(),
      outside: deps.outside(),
      failing: failingIn(healthChecksOf(store)),
      challenges: isPrivate ? NONE : deps.cloud.acm.challenges().dns,
    }
  }

  function allCarried(): CarriedRow[] {
    return store.all<CarriedRow>('select * from route53_carried where private = :isPrivate', { isPrivate })
  }

  /** What the server must be told next, and whether that is all of it. */
  function decide(): { due: Due[]; isAll: boolean } {
    const facts = factsOf()
    const gist = digestOf([[...facts.hosts], facts.outside, [...facts.failing]])
    const carried = new Map(allCarried().map((row) => [row.name, row]))
    const due: Due[] = []
    let isAll = true
    for (const { id, name, revision, depends, week, shown, make } of wantedZones(facts)) {
      const factsNow = depends ? `${gist} ${week} ${shown}` : ''
      const before = carried.get(name)
      carried.delete(name)
      const own = before?.zoneId === id ? before : undefined
      const isKnown = own !== undefined && own.revision === revision && own.facts === factsNow
      if (isKnown && (own.putSerial === own.serial || isResting(own))) continue
      if (due.length >= ZONES_AT_ONCE) {
        isAll = false
        continue
      }
      const zone = make()
      const digest = digestOfState(zone, week)
      const serial = own?.digest === digest ? own.serial : nextSerial(before?.serial ?? 0)
      const putSerial = own?.putSerial ?? 0
      const row: CarriedRow = {
        ...{ name, private: isPrivate, zoneId: id, revision, facts: factsNow },
        ...{ digest, serial, putSerial },
        // What changes nothing is in sync at once.
        putRevision: putSerial === serial ? revision : (own?.putRevision ?? 0),
      }
      if (!isDeepStrictEqual(row, { ...own })) store.put('route53_carried', row)
      if (putSerial !== serial && !isResting(row))
        due.push({ name, zone: withSerial(zone, serial), serial, revision })
    }
    store.run('delete from route53_change where submitted_at < :before', {
      before: clock.now() - CHANGES_KEPT_MS,
    })
    const gone = [...carried.values()].filter((row) => !isResting(row))
    const removals = gone.slice(0, ZONES_AT_ONCE).map(({ name, serial }) => ({ name, serial, revision: 0 }))
    return { due: [...removals, ...due], isAll: isAll && gone.length <= ZONES_AT_ONCE }
  }

  function isResting({ name, serial }: Pick<CarriedRow, 'name' | 'serial'>): boolean {
    const last = refused.get(name)
    return last !== undefined && last.serial === serial && clock.monotonic() < last.until
  }

  function refuse({ name, serial }: Due, reason: string): void {
    const before = refused.get(name)
    const times = before?.serial === serial ? before.times + 1 : 1
    if (times === 1 || times % 10 === 0) log.warn('a zone is not taken', { zone: name, times, reason })
    const waitMs = Math.min(REFUSED_MOST_MS, REFUSED_FIRST_MS * 2 ** (times - 1))
    refused.set(name, { serial, times, until: clock.monotonic() + waitMs, reason })
  }

  /** Polebean's own zones come first; a hosted zone among their names, of a home that had another domain, is not answered. */
  function wantedZones(facts: Facts, only?: string[]) {
    const own = systemZoneNames(domain)
    const isAsked = only === undefined ? () => true : ({ name }: { name: string }) => only.includes(name)
    const rows = store
      .all<ZoneRow & { depends: number }>(
        `select *, exists (select 1 from route53_record_set where zone_id = id and (alias is not null or health_check_id is not null))
           as depends from route53_zone where private = :isPrivate ${only === undefined ? '' : 'and name in (select value from json_each(:only))'}`,
        { isPrivate, ...(only === undefined ? {} : { only: JSON.stringify(only) }) },
      )
      .filter(({ name }) => !own.some((zone) => isWithin(name, zone)))
    const byName = new Map(rows.map((row) => [row.name, row]))
    const challenges = Map.groupBy(
      facts.challenges,
      ([name]) => upwards(name).flatMap((above) => byName.get(above) ?? [])[0],
    )
    return [
      ...(isPrivate ? [] : systemZones(domain, facts)).filter(isAsked).map((zone) => ({
        ...{ id: '', name: zone.name, revision: 0, depends: true, week: 0 },
        ...{ shown: digestOf([...facts.challenges]), make: () => zone },
      })),
      ...rows.map((row) => ({
        ...{ id: row.id, name: row.name, revision: row.revision },
        depends: row.depends === 1 || row.signed === 1 || challenges.has(row),
        week: row.signed ? weekOf(clock.now()) : 0,
        shown: challenges.has(row) ? digestOf(challenges.get(row)) : '',
        make: (): Zone => ({
          name: row.name,
          recordSets: withChallenges(
            row.name,
            compileRecordSets(row, recordSetsOf(store, row.id), facts),
            new Map(challenges.get(row)),
            facts,
          ),
          ...(row.signed ? { keys: signingKeys(row) } : {}),
        }),
      })),
    ]
  }

  function signingKeys({ id }: ZoneRow): ZoneKey[] {
    return keysOf(store, id)
      .filter(({ status }) => status === 'ACTIVE')
      .map(({ privateKey, publicKey }) => ({ privateKey, publicKey }))
  }

  // Unless it was to be another one meanwhile, which then is put next.
  function record({ name, zone, serial, revision }: Due) {
    const which = { name, private: isPrivate, serial }
    if (zone) store.update('route53_carried', which, { putSerial: serial, putRevision: revision })
    else store.remove('route53_carried', which)
  }

  /** The server may have lost what it had, have what nobody knows of, or have taken what it was not heard to take. */
  async function audit() {
    const now = clock.monotonic()
    if (auditedAt !== undefined && now - auditedAt < AUDIT_MS) return
    const there = new Map((await call('dns.zones', dns.zones)).map(({ name, serial }) => [name, serial]))
    store.transaction(() => {
      for (const { name, serial, revision, putSerial, putRevision } of allCarried()) {
        const seen = there.get(name) ?? 0
        const seenRevision = seen === serial ? revision : seen === putSerial ? putRevision : 0
        if (seen !== putSerial || seenRevision !== putRevision)
          store.update(
            'route53_carried',
            { name, private: isPrivate },
            { putSerial: seen, putRevision: seenRevision },
          )
        there.delete(name)
      }
      for (const [name, serial] of there)
        store.insert('route53_carried', {
          ...{ name, private: isPrivate, zoneId: '', revision: 0, facts: '', digest: '' },
          ...{ serial, putSerial: serial, putRevision: 0 },
        })
    })
    auditedAt = now
  }
}

const NONE: Facts['challenges'] = new Map()

const digestOfState = (zone: Zone, week: number) => digestOf(week === 0 ? zone : [zone, week])

const digestOf = (what: unknown) => hash('sha256', JSON.stringify(what), 'base64')

/** Signatures are renewed as Thursday begins, and end two weeks later: who has fetched the zone must see another serial each week. */
const weekOf = (now: number) => Math.floor(now / WEEK_MS)

/** RFC 1982: it counts round; 0 is none. */
const nextSerial = (serial: number) => (serial >= 4_294_967_295 ? 1 : serial + 1)

const withSerial = (zone: Zone, serial: number): Zone => ({
  ...zone,
  recordSets: zone.recordSets.map((set) =>
    set.type === 'SOA' && 'values' in set
      ? { ...set, values: set.values.map((value) => value.split(' ').with(2, String(serial)).join(' ')) }
      : set,
  ),
})
