// A batch of changes to a zone: all of it or none (ChangeResourceRecordSets). What is wrong is told in AWS's words, all at once.
import type { Change } from '@aws-sdk/client-route-53'
import type { Store } from '../../store/store.ts'
import { invalidBatch, noHealthCheck } from './errors.ts'
import { isWithin, shownName, sortKeyOf } from './names.ts'
import { gistOf, readRecordSet, RECORDS_MAX, toldOf } from './record-set.ts'
import {
  aliasOf,
  countRecordSets,
  keyOfRecordSet,
  policyOf,
  recordSetsAt,
  type RecordSetRow,
  valuesOf,
  type ZoneRow,
} from './store.ts'
import { problemOf, readValue } from './values.ts'

/** AWS: of one request, counted twice for UPSERT. */
const RECORDS_AT_ONCE_MAX = 1_000
const CHARACTERS_AT_ONCE_MAX = 32_000
/** AWS: of one name, type and policy. */
const SETS_OF_NAME_MAX = 100
/** AWS: of one hosted zone. */
export const RECORD_SETS_MAX = 10_000

type Deps = {
  store: Store
  /** Id of the load balancer or elastic address that a name leads to; undefined for what an alias cannot lead to. */
  hostOf(host: string): string | undefined
  hasHealthCheck(id: string): boolean
}

/** Changes the rows of a zone. Throws InvalidInput, or InvalidChangeBatch with all that is wrong. */
export function applyChanges(
  { store, hostOf, hasHealthCheck }: Deps,
  zone: ZoneRow,
  changes: Change[],
): void {
  const asked = changes.map((change) => ({ action: change.Action!, row: readRecordSet(zone.id, change) }))
  for (const { row } of asked)
    if (row.healthCheckId !== null && !hasHealthCheck(row.healthCheckId))
      throw noHealthCheck(row.healthCheckId)
  refuseTooMuch(asked)
  const before = new Map<string, RecordSetRow>()
  for (const sortKey of new Set(asked.map(({ row }) => row.sortKey)))
    for (const row of recordSetsAt(store, zone.id, sortKey)) before.set(keyOf(row), row)
  const after = new Map(before)
  const problems: string[] = [...repeated(asked), ...asked.flatMap(({ row }) => own(zone, row))]
  for (const { action, row } of asked) {
    const there = after.get(keyOf(row))
    if (action === 'DELETE') {
      if (!there) problems.push(`Tried to delete resource record set ${toldOf(row)} but it was not found`)
      else if (gistOf(there) !== gistOf(row))
        problems.push(
          `Tried to delete resource record set ${toldOf(row)} but the values provided do not match the current values`,
        )
      after.delete(keyOf(row))
    } else {
      if (action === 'CREATE' && there)
        problems.push(`Tried to create resource record set ${toldOf(row)} but it already exists`)
      after.set(keyOf(row), row)
    }
  }
  const kept = asked.filter(({ action, row }) => action !== 'DELETE' && after.get(keyOf(row)) === row)
  const atName = Map.groupBy(after.values(), ({ name }) => name)
  problems.push(...tooMany(atName))
  if (problems.length > 0) throw invalidBatch([...new Set(problems)])
  for (const { row } of kept) problems.push(...beside(zone, row, atName.get(row.name) ?? []))
  problems.push(...missingOf(zone, before, after))
  const touched = new Set(asked.map(({ row }) => row.sortKey))
  const inTheEnd = (name: string) =>
    touched.has(sortKeyOf(name)) ? [...after.values()] : recordSetsAt(store, zone.id, sortKeyOf(name))
  const isIn = (name: string, type: string) =>
    inTheEnd(name).some((one) => one.name === name && one.type === type)
  for (const { row } of kept) problems.push(...heldByOthers(row, hostOf))
  for (const { row } of kept) problems.push(...sharedOut(row, atName.get(row.name) ?? [], hostOf))
  for (const { row } of kept) problems.push(...aliasProblems(zone, row, hostOf, isIn))
  if (countRecordSets(store, zone.id) + after.size - before.size > RECORD_SETS_MAX)
    problems.push(`A hosted zone has at most ${RECORD_SETS_MAX} resource record sets.`)
  if (problems.length > 0) throw invalidBatch([...new Set(problems)])
  for (const [key, row] of before)
    if (!after.has(key)) store.remove('route53_record_set', keyOfRecordSet(row))
  for (const [key, row] of after) if (before.get(key) !== row) store.put('route53_record_set', row)
}

type Asked = { action: string; row: RecordSetRow }[]

const keyOf = ({ sortKey, type, setIdentifier }: RecordSetRow) => `${sortKey} ${type} ${setIdentifier}`

function refuseTooMuch(asked: Asked): void {
  const times = ({ action }: Asked[number]) => (action === 'UPSERT' ? 2 : 1)
  const records = asked.reduce((sum, one) => sum + times(one) * Math.max(1, valuesOf(one.row).length), 0)
  if (records > RECORDS_AT_ONCE_MAX)
    throw invalidBatch([`Number of records limit of ${RECORDS_AT_ONCE_MAX} exceeded.`])
  const lengthOf = ({ row }: Asked[number]) => valuesOf(row).reduce((sum, value) => sum + value.length, 0)
  if (asked.reduce((sum, one) => sum + times(one) * lengthOf(one), 0) > CHARACTERS_AT_ONCE_MAX)
    throw invalidBatch([`Number of characters limit of ${CHARACTERS_AT_ONCE_MAX} exceeded.`])
}

/** A set may be deleted and made anew in a batch, and be in it twice in no other way. */
function repeated(asked: Asked): string[] {
  return [...Map.groupBy(asked, ({ row }) => keyOf(row)).values()].flatMap((some) => {
    if (
      some.length === 1 ||
      (some.length === 2 && some[0]!.action === 'DELETE' && some[1]!.action !== 'DELETE')
    )
      return []
    const { type, name } = some[0]!.row
    return [
      `The request contains an invalid set of changes for a resource record set '${type} ${shownName(name)}'`,
    ]
  })
}

/** What is wrong with a set whatever is beside it. */
function own(zone: ZoneRow, row: RecordSetRow): string[] {
  const { name, type } = row
  const values = valuesOf(row)
  const at = `RRSet of type ${type} with DNS name ${shownName(name)} is not permitted`
  const policy = policyOf(row).type
  return [
    ...(isWithin(name, zone.name)
      ? []
      : [`RRSet with DNS name ${shownName(name)} is not permitted in zone ${shownName(zone.name)}`]),
    ...(type === 'CNAME' && name === zone.name ? [`${at} at apex in zone ${shownName(zone.name)}`] : []),
    ...(type === 'SOA' && name !== zone.name ? [`${at} below the apex of zone ${shownName(zone.name)}`] : []),
    ...(row.alias !== null && ['NS', 'SOA'].includes(type) ? [`${at} as an alias`] : []),
    ...(values.length > RECORDS_MAX ? [`Cannot have more than ${RECORDS_MAX} records in a RRSet.`] : []),
    ...(['CNAME', 'SOA'].includes(type) && values.length > 1
      ? [`${at} with more than one resource record`]
      : []),
    ...(policy !== 'simple' && ['NS', 'SOA'].includes(type) ? [`${at} with a routing policy`] : []),
    ...(policy === 'multivalue' && (type === 'CNAME' || row.alias !== null || values.length > 1)
      ? [`${at} with MultiValueAnswer: it takes one resource record, and no CNAME and no alias`]
      : []),
    ...(policy === 'weighted' && !['A', 'AAAA', 'CNAME'].includes(type)
      ? [`${at} with a Weight: Polebean weights A, AAAA and CNAME`]
      : []),
    ...values.filter((value) => readValue(type, value) === undefined).map((value) => problemOf(type, value)),
    ...(new Set(values.map((value) => readValue(type, value))).size < values.length
      ? [
          `Duplicate Resource Record: '${values.find((value, index) => values.indexOf(value) !== index) ?? values[0]}'`,
        ]
      : []),
  ]
}

/** Together they are one answer of the name server, which has as many values as a set may have. */
function tooMany(atName: ReadonlyMap<string, RecordSetRow[]>): string[] {
  return [...atName].flatMap(([name, rows]) =>
    [...Map.groupBy(rows, ({ type }) => type)].flatMap(([type, some]) => {
      const values = some.reduce((sum, row) => sum + valuesOf(row).length, 0)
      return some.length > SETS_OF_NAME_MAX || (some.length > 1 && values > RECORDS_MAX)
        ? [
            `There are more than ${SETS_OF_NAME_MAX} resource record sets, or ${RECORDS_MAX} records in them, with DNS name ${shownName(name)}, type ${type}.`,
          ]
        : []
    }),
  )
}

/** What is wrong with a set beside those that are there in the end. */
function beside(zone: ZoneRow, row: RecordSetRow, all: RecordSetRow[]): string[] {
  const { name, type, setIdentifier } = row
  const others = all.filter((one) => one.name === name && one !== row)
  const dns = shownName(name)
  if (type === 'CNAME' && others.some((one) => one.type !== 'CNAME'))
    return [
      `RRSet of type CNAME with DNS name ${dns} is not permitted as it conflicts with other records with the same DNS name in zone ${shownName(zone.name)}`,
    ]
  if (type !== 'CNAME' && others.some((one) => one.type === 'CNAME'))
    return [
      `RRSet of type ${type} with DNS name ${dns} is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone ${shownName(zone.name)}`,
    ]
  const same = others.filter((one) => one.type === type)
  const policy = policyOf(row)
  if (same.length === 0) return []
  if (policy.type === 'simple')
    return [
      `RRSet with DNS name ${dns}, type ${type} cannot be created as other RRSets exist with the same name and type.`,
    ]
  const told = `RRSet with DNS name ${dns}, type ${type}, SetIdentifier ${setIdentifier} cannot be created`
  const policies = same.map(policyOf)
  if (policies.some((one) => one.type !== policy.type))
    return [
      policy.type === 'multivalue'
        ? `${told} because a non multivalue answer rrset exists with the same name and type.`
        : `${told} as a non-${policy.type} set exists with the same name and type.`,
    ]
  if (policy.type === 'failover')
    return policies.some((one) => one.type === 'failover' && one.role === policy.role)
      ? [`${told} as a ${policy.role.toLowerCase()} set exists with the same name and type.`]
      : []
  return row.ttl !== null && same.some(({ ttl }) => ttl !== null && ttl !== row.ttl)
    ? [`${told} as ${policy.type} sets must contain the same TTL.`]
    : []
}

function missingOf(
  zone: ZoneRow,
  before: Map<string, RecordSetRow>,
  after: Map<string, RecordSetRow>,
): string[] {
  const has = (rows: Map<string, RecordSetRow>, type: string) =>
    [...rows.values()].some((row) => row.name === zone.name && row.type === type)
  return [
    ...(has(before, 'SOA') && !has(after, 'SOA')
      ? ['A HostedZone must contain exactly one SOA record.']
      : []),
    ...(has(before, 'NS') && !has(after, 'NS')
      ? ['A HostedZone must contain at least one NS record for the zone itself.']
      : []),
  ]
}

function aliasProblems(
  zone: ZoneRow,
  row: RecordSetRow,
  hostOf: Deps['hostOf'],
  isIn: (name: string, type: string) => boolean,
): string[] {
  const alias = aliasOf(row)
  if (!alias) return []
  const { dnsName, hostedZoneId } = alias
  const tried = `Tried to create an alias that targets ${shownName(dnsName)}, type ${row.type} in zone ${hostedZoneId}, but`
  if (hostedZoneId === zone.id) {
    if (!isWithin(dnsName, zone.name))
      return [`${tried} the alias target name does not lie within the target zone`]
    if (dnsName === row.name) return [`${tried} it is the alias itself`]
    return isIn(dnsName, row.type) ? [] : [`${tried} that target was not found`]
  }
  if (hostOf(dnsName) === undefined) return [`${tried} that target was not found`]
  return ['A', 'AAAA'].includes(row.type) ? [] : [`${tried} a load balancer has addresses alone`]
}

/** Load balancers of this machine have one address, and whoever asks by a name comes to one of them. */
function sharedOut(row: RecordSetRow, all: RecordSetRow[], hostOf: Deps['hostOf']): string[] {
  const { name, type } = row
  if (policyOf(row).type !== 'weighted') return []
  const targets = all
    .filter((one) => one.name === name && one.type === type && policyOf(one).type === 'weighted')
    .flatMap((one) => [
      aliasOf(one)?.dnsName ?? '',
      ...valuesOf(one).map((value) => value.toLowerCase().replace(/\.$/, '')),
    ])
    .flatMap((host) => hostOf(host) ?? [])
  return new Set(targets).size > 1
    ? [
        `RRSet with DNS name ${shownName(name)}, type ${type} weights load balancers of Polebean, which is not supported: weight the target groups of a listener.`,
      ]
    : []
}

/** A name that an environment has by its settings leads to that one and no other. */
function heldByOthers(row: RecordSetRow, hostOf: Deps['hostOf']): string[] {
  const { name, type } = row
  if (row.alias === null && type !== 'CNAME') return []
  const [holder, target] = [
    hostOf(name),
    hostOf(aliasOf(row)?.dnsName ?? (valuesOf(row)[0] ?? '').toLowerCase().replace(/\.$/, '')),
  ]
  return holder === undefined || target === undefined || holder === target
    ? []
    : [
        `RRSet with DNS name ${shownName(name)}, type ${type} leads to another environment than the one that has the name (polebean:domains).`,
      ]
}
