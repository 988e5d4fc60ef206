// Rows of a zone → what a name server is to answer. Pure. Who is unhealthy is left out here (Route 53, "How Amazon Route 53 chooses
// records when health checking is configured"); where all of a choice are, all of them are answered.
import { type Choice, isAnswerable, type RecordSet, type RecordType } from '../../engines/dns/engine.ts'
import type { HostName } from '../cloud.ts'
import { aliasOf, type Alias, policyOf, type RecordSetRow, valuesOf, type ZoneRow } from './store.ts'
import { readValue } from './values.ts'

/** What answers depend on besides the rows of a zone. */
export type Facts = {
  hosts: ReadonlyMap<string, Pick<HostName, 'inside' | 'isHealthy'>>
  /** Addresses by which clients elsewhere reach this machine. */
  outside: { A: string[]; AAAA: string[] }
  /** Ids of health checks that fail. */
  failing: ReadonlySet<string>
  /** By name, texts that show authorities of certificates that names are ours. */
  challenges: ReadonlyMap<string, string[]>
}

/** AWS: an alias of a load balancer is answered with this. */
const ALIAS_TTL = 60
const ANSWERED_MAX = 8
/** A challenge goes as soon as it was asked for. */
const CHALLENGE_TTL = 5
/** Of one answer; shares of shares multiply. */
const ENTRIES_MAX = 200
/** Shares of shares are written in parts of this. */
const PARTS = 100_000

type Resolved = { outside: Choice; inside: Choice; ttl: number }

export function compileRecordSets(zone: ZoneRow, rows: RecordSetRow[], facts: Facts): RecordSet[] {
  const groups = Map.groupBy(rows, groupOf)
  const resolve = makeResolver(zone, groups, facts)
  return [...groups].flatMap(([key, some]): RecordSet[] => {
    const [row] = some as [RecordSetRow]
    const { name, type } = row
    // Most sets: there is nothing to choose, and a zone has thousands.
    if (some.length === 1 && row.alias === null && !(zone.private && type === 'CNAME')) {
      const { values, ttl } = ownValues(row)
      const set = { name, type, ttl, values: [...new Set(values)] }
      return values.length > 0 && isAnswerable(set, zone.name) ? [set] : []
    }
    const resolved = resolve(key)
    if (!resolved) return []
    const { inside, ttl } = resolved
    const outside = zone.private ? inside : resolved.outside
    // Their server follows no CNAME to a name of another one, nor does the resolver of instances (dnsmasq).
    const own = zone.private && type === 'CNAME' ? ownHost(outside, facts) : undefined
    if (own) return [{ name, type: 'A', ttl, values: own.inside }]
    const isSame = JSON.stringify(outside) === JSON.stringify(inside)
    const plain = isSame ? onlyOf(outside) : undefined
    // Types other than these cannot be chosen at each answer.
    const isPlain = plain !== undefined || !['A', 'AAAA', 'CNAME'].includes(type)
    const set: RecordSet = isPlain
      ? { name, type, ttl, values: [...new Set(plain ?? firstOf(outside))] }
      : { name, type, ttl, chosen: outside, ...(isSame ? {} : { inside }) }
    // One that no name server takes must not keep all others of the zone from being answered.
    return isAnswerable(set, zone.name) ? [set] : []
  })
}

export const groupOf = ({ name, type }: Pick<RecordSetRow, 'name' | 'type'>): string => `${name} ${type}`

/** The group of the own zone that an alias leads to. */
const targetOf = ({ hostedZoneId, dnsName }: Alias, type: RecordType, zoneId: string): string | undefined =>
  hostedZoneId === zoneId ? groupOf({ name: dnsName, type }) : undefined

/** Each group once, however many aliases lead to it; an alias that leads back to itself leads nowhere. */
function makeResolver(zone: ZoneRow, groups: ReadonlyMap<string, RecordSetRow[]>, facts: Facts) {
  const known = new Map<string, Resolved | undefined>()
  const isHealthy = makeHealth(groups, facts)
  const resolve = (key: string): Resolved | undefined => {
    if (known.has(key)) return known.get(key)
    known.set(key, undefined)
    const resolved = resolveGroup(groups.get(key) ?? [])
    known.set(key, resolved)
    return resolved
  }
  return resolve

  function resolveGroup(rows: RecordSetRow[]): Resolved | undefined {
    const resolvable = rows.flatMap((row) => {
      const resolved = resolveRow(row)
      return resolved ? [{ row, resolved, policy: policyOf(row) }] : []
    })
    if (resolvable.length === 0) return undefined
    const healthy = resolvable.filter(({ row }) => isHealthy(row))
    const [{ policy }] = resolvable as [(typeof resolvable)[number]]
    if (policy.type === 'failover') {
      const role = (wanted: string) => (one: (typeof resolvable)[number]) =>
        one.policy.type === 'failover' && one.policy.role === wanted
      const chosen =
        healthy.find(role('PRIMARY')) ?? healthy.find(role('SECONDARY')) ?? resolvable.find(role('PRIMARY'))
      return (chosen ?? resolvable[0]!).resolved
    }
    const chosen = healthy.length > 0 ? healthy : resolvable
    const join = (side: 'outside' | 'inside'): Choice => {
      if (policy.type === 'multivalue') {
        const anyOf = [...new Set(chosen.flatMap(({ resolved }) => firstOf(resolved[side])))]
        return anyOf.length === 1 ? single(anyOf) : { anyOf }
      }
      if (policy.type === 'simple') return chosen[0]!.resolved[side]
      return weighted(
        chosen.map((one) => ({
          choice: one.resolved[side],
          weight: one.policy.type === 'weighted' ? one.policy.weight : 1,
        })),
      )
    }
    const ttl = Math.min(...chosen.map(({ resolved }) => resolved.ttl))
    return { outside: join('outside'), inside: join('inside'), ttl }
  }

  function resolveRow(row: RecordSetRow): Resolved | undefined {
    const alias = aliasOf(row)
    if (!alias) {
      const { values, ttl } = ownValues(row)
      return values.length > 0 ? { outside: single(values), inside: single(values), ttl } : undefined
    }
    const target = targetOf(alias, row.type, zone.id)
    if (target !== undefined) return resolve(target)
    const host = facts.hosts.get(alias.dnsName)
    return host && (row.type === 'A' || row.type === 'AAAA')
      ? resolvedHost(host, row.type, facts.outside)
      : undefined
  }
}

const ownValues = (row: RecordSetRow) => ({
  values: valuesOf(row).flatMap((value) => readValue(row.type, value) ?? []),
  ttl: row.ttl ?? ALIAS_TTL,
})

/** Whether a set is to be answered, by its own health check and those of who it leads to. `groups`: of its zone. */
export function makeHealth(
  groups: ReadonlyMap<string, RecordSetRow[]>,
  {
    hosts,
    failing,
  }: { hosts: ReadonlyMap<string, Pick<HostName, 'isHealthy'>>; failing: ReadonlySet<string> },
): (row: RecordSetRow) => boolean {
  const known = new Map<string, boolean>()
  const isWell = (key: string): boolean => {
    const before = known.get(key)
    if (before !== undefined) return before
    known.set(key, true)
    const rows = groups.get(key) ?? []
    const well = rows.length === 0 || rows.some(isHealthy)
    known.set(key, well)
    return well
  }
  const isHealthy = (row: RecordSetRow): boolean => {
    if (row.healthCheckId !== null && failing.has(row.healthCheckId)) return false
    const alias = aliasOf(row)
    if (!alias?.evaluateTargetHealth) return true
    const target = targetOf(alias, row.type, row.zoneId)
    return target === undefined ? (hosts.get(alias.dnsName)?.isHealthy ?? true) : isWell(target)
  }
  return isHealthy
}

function ownHost(choice: Choice, { hosts }: Facts) {
  const [target = ''] = onlyOf(choice) ?? []
  const host = hosts.get(target.toLowerCase().replace(/\.$/, ''))
  return host && host.inside.length > 0 ? host : undefined
}

/** What shows an authority of certificates that a name is ours (RFC 8555 §8.4). */
export const challengeSet = (name: string, texts: string[]): RecordSet => ({
  ...{ name, type: 'TXT', ttl: CHALLENGE_TTL, values: texts.map((text) => `"${text}"`) },
})

/**
 * `own`: challenges whose names are in the zone. They stand beside texts of the zone's owner, and in place of a CNAME that leads to
 * them; a CNAME to elsewhere is for elsewhere to answer.
 */
export function withChallenges(
  zone: string,
  sets: RecordSet[],
  own: ReadonlyMap<string, string[]>,
  { challenges }: Pick<Facts, 'challenges'>,
): RecordSet[] {
  const leadsTo = (set: RecordSet) => ('values' in set ? (set.values[0] ?? '').replace(/\.$/, '') : '')
  const isAlias = (set: RecordSet) => set.type === 'CNAME' && own.has(set.name)
  const isElsewhere = (set: RecordSet) => isAlias(set) && !challenges.has(leadsTo(set).toLowerCase())
  const left = new Set(sets.filter(isElsewhere).map(({ name }) => name))
  const there = new Map(
    sets.flatMap((set) => (set.type === 'TXT' && 'values' in set ? [[set.name, set.values]] : [])),
  )
  const texts = [...own]
    .filter(([name]) => !left.has(name))
    .map(([name, some]) => {
      const set = challengeSet(name, some)
      const values = [...(there.get(name) ?? []), ...('values' in set ? set.values : [])]
      return { ...set, values: [...new Set(values)] }
    })
    .filter((set) => isAnswerable(set, zone))
  const names = new Set(texts.map(({ name }) => name))
  const isReplaced = (set: RecordSet) => names.has(set.name) && (set.type === 'TXT' || set.type === 'CNAME')
  return [
    ...sets.filter((set) => !isReplaced(set)),
    ...texts,
    ...[...names].flatMap((name) => uncovered(zone, sets, name)),
  ]
}

/**
 * A name that comes to be makes those above it be, too, and a wildcard answers for none that is there (RFC 4592 §2.2.2): what it
 * answered before is said at each of them.
 */
function uncovered(zone: string, sets: RecordSet[], name: string): RecordSet[] {
  const isThere = (one: string) => sets.some((set) => set.name === one || set.name.endsWith(`.${one}`))
  const above = (one: string) => one.slice(one.indexOf('.') + 1)
  const missing: string[] = []
  let closest = above(name)
  for (; closest !== zone && !isThere(closest); closest = above(closest)) missing.push(closest)
  const wild = sets.filter((set) => set.name === `*.${closest}`)
  return missing.flatMap((one) => wild.map((set) => ({ ...set, name: one })))
}

/** Undefined where there is no address of that kind for somebody. */
export function resolvedHost(
  { inside }: Pick<HostName, 'inside'>,
  type: 'A' | 'AAAA',
  outside: Facts['outside'],
): Resolved | undefined {
  if (outside[type].length === 0 || (type === 'A' && inside.length === 0)) return undefined
  const own = single(type === 'A' ? inside : outside[type])
  return { outside: single(outside[type]), inside: own, ttl: ALIAS_TTL }
}

const single = (values: string[]): Choice => ({ weighted: [{ values, weight: 1 }] })
const onlyOf = (choice: Choice) =>
  'weighted' in choice && choice.weighted.length === 1 ? choice.weighted[0]!.values : undefined
const firstOf = (choice: Choice): string[] =>
  'anyOf' in choice ? choice.anyOf.slice(0, ANSWERED_MAX) : (choice.weighted[0]?.values ?? [])

/** What each part is chosen from is a choice itself: the shares multiply. */
function weighted(parts: { choice: Choice; weight: number }[]): Choice {
  const flat = parts.map(({ choice, weight }) => ({
    weight,
    entries: 'anyOf' in choice ? [{ values: firstOf(choice), weight: 1 }] : choice.weighted,
  }))
  const values = flat.flatMap(({ entries }) => entries.map((one) => JSON.stringify(one.values)))
  if (new Set(values).size === 1) return single(flat[0]!.entries[0]!.values)
  if (flat.every(({ entries }) => entries.length === 1))
    return { weighted: flat.map(({ weight, entries }) => ({ values: entries[0]!.values, weight })) }
  const total = sum(flat.map(({ weight }) => weight)) || flat.length
  const everybody = flat.every(({ weight }) => weight === 0)
  const all = flat.flatMap(({ weight, entries }) => {
    const share = (everybody ? 1 : weight) / total
    const inner = sum(entries.map((one) => one.weight))
    return entries.map((one) => ({
      values: one.values,
      weight: Math.round(PARTS * share * (inner === 0 ? 1 / entries.length : one.weight / inner)),
    }))
  })
  return { weighted: all.toSorted((a, b) => b.weight - a.weight).slice(0, ENTRIES_MAX) }
}

const sum = (numbers: number[]) => numbers.reduce((total, one) => total + one, 0)
