// Tables of route53. `route53_carried` is what was seen of the name server last, `route53_health_seen` and `health`
// of health checks what was seen of who they ask; all others are intent.
import type { RecordType } from '../../engines/dns/engine.ts'
import type { ZoneKey } from '../../kernel/zone-key.ts'
import type { Migration, Store } from '../../store/store.ts'
import type { Context } from '../context.ts'

export const route53Migrations: Migration[] = [
  {
    id: 'route53.1',
    sql: `
    create table route53_zone (
      id text primary key, account text not null, name text not null, private integer not null check (private in (0, 1)),
      caller_reference text not null, comment text not null, revision integer not null, created_at integer not null,
      signed integer not null check (signed in (0, 1)),
      unique (name, private), unique (account, caller_reference)) strict;
    create table route53_key_signing_key (
      zone_id text not null references route53_zone (id) on delete cascade, name text not null, kms_arn text not null,
      status text not null check (status in ('ACTIVE', 'INACTIVE')), public_key text not null, private_key text not null,
      created_at integer not null, modified_at integer not null, primary key (zone_id, name)) strict, without rowid;
    create table route53_record_set (
      zone_id text not null references route53_zone (id) on delete cascade, sort_key text not null, name text not null,
      type text not null, set_identifier text not null, ttl integer, records text not null, alias text, policy text not null,
      health_check_id text, primary key (zone_id, sort_key, type, set_identifier)) strict, without rowid;
    create index route53_record_set_depends on route53_record_set (zone_id) where alias is not null or health_check_id is not null;
    create table route53_change (
      id text primary key, account text not null, zone_id text not null, zone_name text not null, private integer not null,
      revision integer not null, comment text, submitted_at integer not null) strict;
    create index route53_change_time on route53_change (submitted_at);
    create table route53_carried (
      name text not null, private integer not null, zone_id text not null, revision integer not null, facts text not null,
      digest text not null, serial integer not null, put_serial integer not null, put_revision integer not null,
      primary key (name, private)) strict, without rowid;
    create table route53_health_check (
      id text primary key, account text not null, caller_reference text not null, config text not null, version integer not null,
      created_at integer not null, health text not null check (health in ('healthy', 'unhealthy', 'unknown')),
      unique (account, caller_reference)) strict;
    create table route53_health_seen (
      id text primary key references route53_health_check (id) on delete cascade, told text not null, checked_at integer not null,
      last_failure text not null, last_failure_at integer) strict, without rowid;
    create table route53_host (name text primary key, problem text not null) strict, without rowid;
    create table route53_tag (
      resource_type text not null, resource_id text not null, key text not null, value text not null,
      primary key (resource_type, resource_id, key)) strict, without rowid;`,
  },
]

export type ZoneRow = {
  /** `Z…` */
  id: string
  account: string
  /** In lower case, without the point at the end. */
  name: string
  /** 1 = instances alone ask for it. */
  private: 0 | 1
  callerReference: string
  comment: string
  /** Counts up with each batch of changes. */
  revision: number
  createdAt: number
  /** 1 = by its keys that are active. */
  signed: 0 | 1
}

/** In clear, since the name server needs it; the database is its owner's alone. */
export type KeyRow = ZoneKey & {
  zoneId: string
  name: string
  /** Echoed: Polebean has no KMS. */
  kmsArn: string
  status: 'ACTIVE' | 'INACTIVE'
  createdAt: number
  modifiedAt: number
}

export type Alias = { hostedZoneId: string; dnsName: string; evaluateTargetHealth: boolean }

export type Policy =
  | { type: 'simple' }
  | { type: 'weighted'; weight: number }
  | { type: 'failover'; role: 'PRIMARY' | 'SECONDARY' }
  | { type: 'multivalue' }

export type RecordSetRow = {
  zoneId: string
  /** Labels from the last to the first: the order of lists. */
  sortKey: string
  name: string
  type: RecordType
  /** '' of a simple one. */
  setIdentifier: string
  /** Null of an alias. */
  ttl: number | null
  /** JSON list, as the caller wrote them. */
  records: string
  /** JSON of an Alias. */
  alias: string | null
  /** JSON of a Policy. */
  policy: string
  healthCheckId: string | null
}

export type ChangeRow = {
  /** `C…` */
  id: string
  account: string
  zoneId: string
  zoneName: string
  private: 0 | 1
  /** Of the zone, that this change made. */
  revision: number
  comment: string | null
  submittedAt: number
}

/** What the name server was told of a zone. */
export type CarriedRow = {
  name: string
  /** Of the server of private zones. */
  private: 0 | 1
  /** Of the hosted zone; '' of Polebean's own. A zone that is made anew is another one. */
  zoneId: string
  /** Of the zone, from which `digest` was made; and a digest of what else it was made from. */
  revision: number
  facts: string
  digest: string
  /** Counts up with each digest. */
  serial: number
  /** What the server answers, of this zone. */
  putSerial: number
  putRevision: number
}

type Owner = Pick<Context, 'account'>

export const zoneOf = (store: Store, { account }: Owner, id: string) =>
  store.get<ZoneRow>('select * from route53_zone where id = :id and account = :account', { id, account })

export const zonesOf = (store: Store, { account }: Owner) =>
  store.all<ZoneRow>('select * from route53_zone where account = :account order by id', { account })

export const zoneWith = (
  store: Store,
  { account }: Owner,
  is: Pick<ZoneRow, 'name' | 'private'> | { callerReference: string },
) =>
  'name' in is
    ? store.get<ZoneRow>(
        'select * from route53_zone where name = :name and private = :private and account = :account',
        { ...is, account },
      )
    : store.get<ZoneRow>(
        'select * from route53_zone where caller_reference = :callerReference and account = :account',
        { ...is, account },
      )

/** Whoever it belongs to. */
export const zoneNamed = (store: Store, is: Pick<ZoneRow, 'name' | 'private'>) =>
  store.get<ZoneRow>('select * from route53_zone where name = :name and private = :private', { ...is })

export const countZones = (store: Store, { account }: Owner) =>
  store.get<{ n: number }>('select count(*) as n from route53_zone where account = :account', { account })!.n

export const keysOf = (store: Store, zoneId: string) =>
  store.all<KeyRow>('select * from route53_key_signing_key where zone_id = :zoneId order by name', { zoneId })

export const recordSetsOf = (store: Store, zoneId: string) =>
  store.all<RecordSetRow>(
    'select * from route53_record_set where zone_id = :zoneId order by sort_key, type, set_identifier',
    { zoneId },
  )

export const recordSetsAt = (store: Store, zoneId: string, sortKey: string) =>
  store.all<RecordSetRow>(
    'select * from route53_record_set where zone_id = :zoneId and sort_key = :sortKey order by type, set_identifier',
    { zoneId, sortKey },
  )

export const countRecordSets = (store: Store, zoneId: string) =>
  store.get<{ n: number }>('select count(*) as n from route53_record_set where zone_id = :zoneId', {
    zoneId,
  })!.n

export const keyOfRecordSet = ({ zoneId, sortKey, type, setIdentifier }: RecordSetRow) => ({
  ...{ zoneId, sortKey, type, setIdentifier },
})

export const changeOf = (store: Store, { account }: Owner, id: string) =>
  store.get<ChangeRow>('select * from route53_change where id = :id and account = :account', { id, account })

export const carriedOf = (store: Store, { name, private: ofPrivate }: Pick<CarriedRow, 'name' | 'private'>) =>
  store.get<CarriedRow>('select * from route53_carried where name = :name and private = :ofPrivate', {
    ...{ name, ofPrivate },
  })

export const valuesOf = ({ records }: RecordSetRow) => JSON.parse(records) as string[]
export const aliasOf = ({ alias }: RecordSetRow) => (alias === null ? null : (JSON.parse(alias) as Alias))
export const policyOf = ({ policy }: RecordSetRow) => JSON.parse(policy) as Policy
