// Record sets as PowerDNS's API writes them (JSON of /api/v1, "rrsets"), both ways. Choices are records of type LUA, which are code:
// made of nothing but numbers and addresses that were checked. Pure.
import type { Name, RecordSet, RecordType, Zone } from './engine.ts'

export type Rrset = {
  name: string
  type: string
  ttl: number
  records: { content: string; disabled?: boolean }[]
}

const absolute = (name: Name) => `${name}.`

export function rrsetsOf({ recordSets }: Zone): Rrset[] {
  const plain = recordSets.flatMap((set): Rrset[] =>
    'values' in set
      ? [
          {
            ...{ name: absolute(set.name), type: set.type, ttl: set.ttl },
            records: set.values.map((content) => ({ content })),
          },
        ]
      : [],
  )
  // All choices of a name are one set of the type LUA.
  const chosen = Map.groupBy(
    recordSets.filter((set) => !('values' in set)),
    ({ name }) => name,
  )
  return [
    ...plain,
    ...[...chosen].map(([name, sets]) => ({
      ...{ name: absolute(name), type: 'LUA', ttl: Math.min(...sets.map(({ ttl }) => ttl)) },
      records: sets.map((set) => ({ content: `${set.type} "${programOf(set)}"` })),
    })),
  ]
}

/** PowerDNS's own functions (lua-records/functions): `pickwrandom`, `pickrandomsample`. */
function programOf(set: RecordSet): string {
  if ('weighted' in set) {
    const nobody = set.weighted.every(({ weight }) => weight === 0)
    const shares = set.weighted
      .filter(({ weight }) => nobody || weight > 0)
      .map(({ value, weight }) => `{${nobody ? 1 : weight},'${value}'}`)
    return `pickwrandom({${shares.join(',')}})`
  }
  const all = 'anyOf' in set ? set.anyOf : []
  return `pickrandomsample(${Math.min(ANSWERED_MAX, all.length)},{${all.map((value) => `'${value}'`).join(',')}})`
}
/** Route 53: "up to eight healthy records". */
const ANSWERED_MAX = 8

export const zoneOf = (name: Name, rrsets: Rrset[]): Zone => ({
  name,
  recordSets: rrsets.flatMap((set): RecordSet[] => {
    const common = { name: set.name.replace(/\.$/, ''), ttl: set.ttl }
    const contents = set.records.map(({ content }) => content)
    if (set.type !== 'LUA') return [{ ...common, type: set.type as RecordType, values: contents }]
    return contents.map((content) => {
      const [, type = '', program = ''] = /^(\S+) "(.*)"$/.exec(content) ?? []
      const weighted = [...program.matchAll(/\{(\d+),'([^']*)'\}/g)].map(([, weight = '', value = '']) => ({
        ...{ value, weight: Number(weight) },
      }))
      return program.startsWith('pickwrandom')
        ? { ...common, type: type as RecordType, weighted }
        : {
            ...common,
            type: type as RecordType,
            anyOf: [...program.matchAll(/'([^']*)'/g)].map(([, one = '']) => one),
          }
    })
  }),
})

/** What must be sent so that `before` becomes `after`: PATCH's `rrsets`. The serial is the server's to count. */
export function changesBetween(before: Rrset[], after: Rrset[]) {
  const keyOf = ({ name, type }: Rrset) => `${name} ${type}`
  const gist = (set: Rrset) =>
    JSON.stringify([set.ttl, set.records.map(({ content }) => withoutSerial(set.type, content)).toSorted()])
  const known = new Map(before.map((set) => [keyOf(set), gist(set)]))
  const wanted = new Set(after.map(keyOf))
  return [
    ...before
      .filter((set) => !wanted.has(keyOf(set)))
      .map(({ name, type }) => ({ name, type, changetype: 'DELETE' as const })),
    ...after
      .filter((set) => known.get(keyOf(set)) !== gist(set))
      .map((set) => ({ ...set, changetype: 'REPLACE' as const })),
  ]
}

const withoutSerial = (type: string, content: string) =>
  type === 'SOA' ? content.split(' ').toSpliced(2, 1).join(' ') : content
