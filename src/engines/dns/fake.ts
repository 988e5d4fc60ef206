// A name server in memory. It keeps what was put, and answers by the rules of RFC 1034 §4.3.2 as far as conformance.ts asks.
import { checkZone } from './check-zone.ts'
import type { DnsEngine, Name, RecordSet, Zone } from './engine.ts'

export type Answered = {
  rcode: 'NOERROR' | 'NXDOMAIN' | 'REFUSED'
  /** `www.example.com A 192.0.2.1`, in the order of a chain. */
  answers: string[]
  /** Types of the records that say who is responsible. */
  authority: string[]
}

export type FakeDnsWorld = {
  engine(): DnsEngine
  query(name: string, type: string): Answered
}

const CHAIN_MAX = 10
const ANSWERED_MAX = 8

export function makeFakeDns(): FakeDnsWorld {
  const zones = new Map<Name, Zone>()
  let draws = 0
  const call = async <T>(effect: () => T): Promise<T> => effect()

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

  function valuesOf(set: RecordSet): string[] {
    if ('values' in set) return set.values
    if ('anyOf' in set) return set.anyOf.slice(0, ANSWERED_MAX)
    const nobody = set.weighted.every(({ weight }) => weight === 0)
    const shares = set.weighted.flatMap(({ value, weight }) =>
      Array.from({ length: nobody ? 1 : weight }, () => value),
    )
    return [shares[draws++ % shares.length]!]
  }

  return {
    engine: () => ({
      put: (zone) =>
        call(() => {
          checkZone(zone)
          zones.set(zone.name, structuredClone(zone))
        }),
      remove: (name) => call(() => void zones.delete(name)),
      zones: () => call(() => [...zones.keys()].sort()),
      zone: (name) => call(() => structuredClone(zones.get(name))),
    }),
    query(asked, type) {
      const answers: string[] = []
      let name = asked.toLowerCase().replace(/\.$/, '')
      for (let step = 0; step < CHAIN_MAX; step++) {
        const zone = zoneFor(name)
        if (!zone) return { rcode: answers.length > 0 ? 'NOERROR' : 'REFUSED', answers, authority: [] }
        const sets = setsAt(zone, name)
        if (!sets) return { rcode: 'NXDOMAIN', answers, authority: ['SOA'] }
        const found = sets.filter((set) => set.type === type)
        if (found.length > 0) {
          for (const set of found) answers.push(...valuesOf(set).map((value) => `${name} ${type} ${value}`))
          return { rcode: 'NOERROR', answers, authority: [] }
        }
        const alias = sets.find((set) => set.type === 'CNAME')
        if (!alias || !('values' in alias)) return { rcode: 'NOERROR', answers, authority: ['SOA'] }
        const [target = ''] = alias.values
        answers.push(`${name} CNAME ${target}`)
        name = target.replace(/\.$/, '').toLowerCase()
      }
      return { rcode: 'NOERROR', answers, authority: [] }
    },
  }
}
