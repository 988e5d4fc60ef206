// Record sets as PowerDNS's API writes them (JSON of /api/v1, "rrsets"), both ways. Choices are records of type LUA, which are code:
// made of nothing but numbers and addresses that were checked. Pure.
import type { Choice, Name, RecordSet, Zone } from './engine.ts'

export type Rrset = {
  name: string
  type: string
  ttl: number
  records: { content: string; disabled?: boolean }[]
}

const absolute = (name: Name) => `${name}.`

/** `inside`: ranges of addresses from which the resolver of instances asks. */
export function rrsetsOf({ recordSets }: Zone, inside: string[]): Rrset[] {
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
    recordSets.filter((set) => 'chosen' in set),
    ({ name }) => name,
  )
  return [
    ...plain,
    ...[...chosen].map(([name, sets]) => ({
      ...{ name: absolute(name), type: 'LUA', ttl: Math.min(...sets.map(({ ttl }) => ttl)) },
      records: sets.map((set) => ({ content: `${set.type} "${programOf(set, inside)}"` })),
    })),
  ]
}

/**
 * Whether more must be written of it than its records: names that are there because others are below them, what belongs to a zone below,
 * and the order in which names prove that others are not there.
 */
export const isOrdered = ({ name, keys = [], recordSets }: Zone): boolean =>
  keys.length > 0 ||
  recordSets.some(
    (set) => (set.name !== name && set.type === 'NS') || set.name.slice(0, -name.length - 1).includes('.'),
  )

/** Which state they are; 0 is none. */
export function serialIn(sets: Rrset[]): number {
  const [, , serial] = sets.find(({ type }) => type === 'SOA')?.records[0]?.content.split(' ') ?? []
  return Number(serial ?? 0)
}

/** With the serial that is none. */
export const unfinished = (sets: Rrset[]): Rrset[] =>
  sets.map((set) =>
    set.type === 'SOA'
      ? {
          ...set,
          records: set.records.map(({ content }) => ({ content: content.split(' ').with(2, '0').join(' ') })),
        }
      : set,
  )

function programOf(set: Chosen, inside: string[]): string {
  const outside = expressionOf(set.chosen)
  if (!set.inside) return `;return ${outside}`
  return `;if netmask({${quoted(inside)}}) then return ${expressionOf(set.inside)} else return ${outside} end`
}

type Chosen = Extract<RecordSet, { chosen: Choice }>

/** By PowerDNS's own functions (lua-records/functions): `pickwrandom`, `pickrandomsample`. */
function expressionOf(choice: Choice): string {
  if ('anyOf' in choice)
    return `pickrandomsample(${Math.min(ANSWERED_MAX, choice.anyOf.length)},{${quoted(choice.anyOf)}})`
  const nobody = choice.weighted.every(({ weight }) => weight === 0)
  const some = choice.weighted
    .filter(({ weight }) => nobody || weight > 0)
    .map(({ values, weight }) => ({ values: `{${quoted(values)}}`, weight: nobody ? 1 : weight }))
  if (some.length === 1) return some[0]!.values
  const places = some.map(({ weight }, index) => `{${weight},'${index + 1}'}`)
  return `({${some.map(({ values }) => values).join(',')}})[tonumber(pickwrandom({${places.join(',')}}))]`
}
const quoted = (values: string[]) => values.map((value) => `'${value}'`).join(',')

/** Route 53: "up to eight healthy records". */
const ANSWERED_MAX = 8

/** What must be sent so that `before` becomes `after`: PATCH's `rrsets`. */
export function changesBetween(before: Rrset[], after: Rrset[]) {
  const keyOf = ({ name, type }: Rrset) => `${name} ${type}`
  const gist = ({ ttl, records }: Rrset) => {
    const [first, ...others] = records.map(({ content }) => content)
    return others.length === 0 ? `${ttl} ${first}` : JSON.stringify([ttl, [first, ...others].toSorted()])
  }
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
