// A name server in memory. It keeps what was put, and answers by the rules of RFC 1034 §4.3.2 as far as conformance.ts asks.
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import { checkZone } from './check-zone.ts'
import { dnskeyOf } from '../../kernel/zone-key.ts'
import type { Answered, DnsEngine, Name, RecordSet, Zone } from './engine.ts'

/** `never`: the deed is done, its answer never comes. */
export type DnsFault = 'error before' | 'error after' | 'never'

export type FakeDnsWorld = {
  engine(own?: Clock): DnsEngine
  /** Names of the zones that there are. */
  names(): Name[]
  /** Its database is gone. */
  lose(): void
  /** Asked before each call of the engine; what it answers goes wrong. */
  fault: (call: keyof DnsEngine) => DnsFault | undefined
  latencyMs: () => number
  /** `from`: who asks. */
  query(name: string, type: string, from?: 'inside' | 'outside'): Answered
}

const CHAIN_MAX = 10
const ANSWERED_MAX = 8

export function makeFakeDnsWorld(clock: Clock): FakeDnsWorld {
  const zones = new Map<Name, Zone>()
  let draws = 0
  const makeCall =
    (own: Clock) =>
    async <T>(what: keyof DnsEngine, effect: () => T): Promise<T> => {
      const fault = world.fault(what)
      const latencyMs = world.latencyMs()
      if (latencyMs > 0) await own.sleep(latencyMs)
      if (fault === 'error before') throw new EngineError(`dns.${what}: ${fault}`)
      const answer = effect()
      if (fault === 'error after') throw new EngineError(`dns.${what}: ${fault}`)
      if (fault === 'never') await new Promise(() => undefined)
      return answer
    }

  const zoneFor = (name: Name): Zone | undefined =>
    [...zones.values()]
      .filter((zone) => name === zone.name || name.endsWith(`.${zone.name}`))
      .sort((a, b) => b.name.length - a.name.length)[0]

  /** What stands at the name, or at the wildcard that covers it; undefined = nothing is there, nor below. */
  function setsAt({ name: top, recordSets }: Zone, name: Name): RecordSet[] | undefined {
    const own = recordSets.filter((set) => set.name === name)
    if (own.length > 0) return own
    const isAbove = (one: Name) => recordSets.some((set) => set.name === one || set.name.endsWith(`.${one}`))
    if (isAbove(name)) return []
    // RFC 4592 §3.3.1: of the closest name that there is.
    let above = name
    while (above !== top && !isAbove(above)) above = above.slice(above.indexOf('.') + 1)
    const wild = recordSets.filter((set) => set.name === `*.${above}`)
    return wild.length > 0 ? wild.map((set) => ({ ...set, name })) : undefined
  }

  function valuesOf(set: RecordSet, from: 'inside' | 'outside'): string[] {
    if ('values' in set) return set.values
    const choice = from === 'inside' && set.inside ? set.inside : set.chosen
    if ('anyOf' in choice) return choice.anyOf.slice(0, ANSWERED_MAX)
    const nobody = choice.weighted.every(({ weight }) => weight === 0)
    const total = choice.weighted.reduce((sum, { weight }) => sum + (nobody ? 1 : weight), 0)
    let place = draws++ % total
    for (const { values, weight } of choice.weighted) {
      place -= nobody ? 1 : weight
      if (place < 0) return values
    }
    return []
  }

  const world: FakeDnsWorld = {
    engine(own = clock) {
      const call = makeCall(own)
      return {
        put: (zone) =>
          call('put', () => {
            checkZone(zone)
            zones.set(zone.name, structuredClone(zone))
          }),
        remove: (name) => call('remove', () => void zones.delete(name)),
        zones: () =>
          call('zones', () =>
            [...zones.values()].map((zone) => ({ name: zone.name, serial: serialOf(zone) })).sort(byName),
          ),
        settle: () => call('settle', () => undefined),
        query: (name, type) => call('query', () => world.query(name, type)),
      }
    },
    names: () => [...zones.keys()].sort(),
    lose: () => zones.clear(),
    fault: () => undefined,
    latencyMs: () => 0,
    query(asked, type, from = 'outside') {
      const answers: string[] = []
      let name = asked.toLowerCase().replace(/\.$/, '')
      for (let step = 0; step < CHAIN_MAX; step++) {
        const zone = zoneFor(name)
        if (!zone) return { rcode: answers.length > 0 ? 'NOERROR' : 'REFUSED', answers, authority: [] }
        const keys = type === 'DNSKEY' && name === zone.name ? (zone.keys ?? []) : []
        if (keys.length > 0) {
          answers.push(...keys.map((key) => `${name} DNSKEY ${dnskeyOf(key)}`))
          return { rcode: 'NOERROR', answers, authority: [] }
        }
        const sets = setsAt(zone, name)
        if (!sets) return { rcode: 'NXDOMAIN', answers, authority: ['SOA'] }
        const found = sets.filter((set) => set.type === type)
        if (found.length > 0) {
          for (const set of found)
            answers.push(...valuesOf(set, from).map((value) => `${name} ${type} ${value}`))
          return { rcode: 'NOERROR', answers, authority: [] }
        }
        const alias = sets.find((set) => set.type === 'CNAME')
        if (!alias) return { rcode: 'NOERROR', answers, authority: ['SOA'] }
        const [target = ''] = valuesOf(alias, from)
        answers.push(`${name} CNAME ${target}`)
        name = target.replace(/\.$/, '').toLowerCase()
      }
      return { rcode: 'NOERROR', answers, authority: [] }
    },
  }
  return world
}

const byName = (a: { name: Name }, b: { name: Name }) => (a.name < b.name ? -1 : 1)
const serialOf = ({ recordSets }: Zone) => {
  const soa = recordSets.find(({ type }) => type === 'SOA')
  return Number(soa && 'values' in soa ? soa.values[0]?.split(' ')[2] : 0)
}
