// Which names of hosted zones lead to a load balancer or elastic address of this home: the balancer serves them there. Pure.
import type { HostName } from '../cloud.ts'
import { groupOf, makeHealth } from './compile.ts'
import { upwards } from './names.ts'
import { aliasOf, policyOf, type RecordSetRow, valuesOf } from './store.ts'

export type Candidates = {
  byName: ReadonlyMap<string, RecordSetRow[]>
  /** Of each zone by its id, by name and type. */
  groups: ReadonlyMap<string, ReadonlyMap<string, RecordSetRow[]>>
}

/** By name, the sets that may lead elsewhere: aliases of addresses, and CNAMEs. Those of a zone that another one of its names answers
 *  for count for nothing. `rows`: all that are an alias, a CNAME or have a health check. */
export function candidatesOf(rows: RecordSetRow[], zones: { id: string; name: string }[]): Candidates {
  const names = new Map(zones.map(({ id, name }) => [name, id]))
  const answers = ({ name, zoneId }: RecordSetRow) =>
    upwards(name).flatMap((above) => names.get(above) ?? [])[0] === zoneId
  const leading = rows.filter(
    (row) =>
      (row.type === 'CNAME' || (row.alias !== null && (row.type === 'A' || row.type === 'AAAA'))) &&
      answers(row),
  )
  const groups = new Map(
    [...Map.groupBy(rows, ({ zoneId }) => zoneId)].map(([id, some]) => [id, Map.groupBy(some, groupOf)]),
  )
  return { byName: Map.groupBy(leading, ({ name }) => name), groups }
}

/** Name → the name of Polebean's own that it leads to. Of a failover set the active one counts. */
export function customNames(
  { byName, groups }: Candidates,
  hosts: ReadonlyMap<string, Pick<HostName, 'isHealthy'>>,
  failing: ReadonlySet<string>,
): Map<string, string> {
  const known = new Map<string, string | undefined>()
  const health = new Map([...groups].map(([id, some]) => [id, makeHealth(some, { hosts, failing })]))
  const found = new Map<string, string>()
  for (const name of byName.keys()) {
    const host = hosts.has(name) ? undefined : leadsTo(name)
    if (host !== undefined) found.set(name, host)
  }
  return found

  // Each name once; one that leads back to itself leads nowhere.
  function leadsTo(name: string): string | undefined {
    if (hosts.has(name)) return name
    if (known.has(name)) return known.get(name)
    known.set(name, undefined)
    for (const row of inOrder(byName.get(name) ?? [])) {
      const host = leadsTo(targetOf(row))
      if (host === undefined) continue
      known.set(name, host)
      return host
    }
    return undefined
  }

  /** Who is healthy first, and the primary one of a pair. */
  function inOrder(rows: RecordSetRow[]): RecordSetRow[] {
    const rank = (row: RecordSetRow) => {
      const policy = policyOf(row)
      const isSecondary = policy.type === 'failover' && policy.role === 'SECONDARY'
      const isIdle = policy.type === 'weighted' && policy.weight === 0
      return (health.get(row.zoneId)!(row) ? 0 : 2) + (isSecondary || isIdle ? 1 : 0)
    }
    return rows.length < 2 ? rows : rows.toSorted((a, b) => rank(a) - rank(b))
  }
}

const targetOf = (row: RecordSetRow): string =>
  aliasOf(row)?.dnsName ?? (valuesOf(row)[0] ?? '').toLowerCase().replace(/\.$/, '')
