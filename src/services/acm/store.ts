// Rows of acm. A private key is in clear, since the balancer needs it; the database is its owner's alone.
import type { Challenge } from '../../engines/acme/engine.ts'
import type { KeyAlgorithm } from '../../engines/authority/engine.ts'
import type { Migration, Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import type { ServerCertificate } from '../server-certificate.ts'

export const acmMigrations: Migration[] = [
  {
    id: 'acm.1',
    sql: `
    create table acm_certificate (
      arn text primary key, account text not null, region text not null, certificate text not null, chain text not null,
      private_key text not null, tags text not null, created_at integer not null, imported_at integer not null) strict;`,
  },
  {
    id: 'acm.2',
    sql: `
    create table acm_order (
      arn text primary key references acm_certificate (arn) on delete cascade, account text not null, region text not null,
      names text not null, method text not null check (method in ('DNS', 'HTTP')), key_algorithm text not null,
      idempotency_token text not null, requested_at integer not null,
      stage text not null check (stage in ('rehearsal', 'production', 'issued', 'timed out')),
      directory text not null, url text, is_answered integer not null, private_key text not null,
      began_at integer not null, failures integer not null, next_at integer not null, reason text not null, told_at integer,
      step integer not null) strict;
    create table acm_challenge (arn text primary key references acm_order (arn) on delete cascade, challenges text not null) strict;
    create table acm_account (directory text primary key, key text not null) strict;
    create table acm_authority (id integer primary key check (id = 1), certificate text not null, key text not null) strict;`,
  },
]

/** `certificate` and `private_key` are '' until it is issued. */
export type CertificateRow = ServerCertificate & {
  arn: string
  account: string
  region: string
  /** JSON object. */
  tags: string
  createdAt: number
  importedAt: number
}

const OF_OWNER = 'account = :account and region = :region'

export const certificateRow = (store: Store, { account, region }: Context, arn: string) =>
  store.get<CertificateRow>(`select * from acm_certificate where arn = :arn and ${OF_OWNER}`, {
    ...{ arn, account, region },
  })

export const certificateRows = (store: Store, { account, region }: Context) =>
  store.all<CertificateRow>(`select * from acm_certificate where ${OF_OWNER} order by created_at, arn`, {
    ...{ account, region },
  })

export type Method = 'DNS' | 'HTTP'

/** A certificate that was asked for, and how far that is. */
export type OrderRow = {
  arn: string
  account: string
  region: string
  /** JSON list; the first is the certificate's own. */
  names: string
  method: Method
  keyAlgorithm: KeyAlgorithm
  /** '' = none. */
  idempotencyToken: string
  requestedAt: number
  /** A rehearsal is an order at a directory whose certificates nobody trusts. */
  stage: 'rehearsal' | 'production' | 'issued' | 'timed out'
  /** Of the order that is under way; '' = of the home's own authority, or none. */
  directory: string
  /** Null = there is none. */
  url: string | null
  /** Whether the authority was told to ask. */
  isAnswered: 0 | 1
  /** Of the certificate that is being made; '' = there is none yet. */
  privateKey: string
  /** When the order was made. */
  beganAt: number
  /** Orders that failed, one after the other. */
  failures: number
  /** When it is looked at again. */
  nextAt: number
  /** Why it is not issued, or not renewed; '' = all is well. */
  reason: string
  /** When the owners of environments were told last that it is in trouble. */
  toldAt: number | null
  /** Counts up with each time that it is written: who read an older one writes nothing. */
  step: number
}

/** What an order under way has, when there is none. */
export const NO_ORDER: Pick<OrderRow, 'directory' | 'url' | 'isAnswered' | 'privateKey' | 'beganAt'> = {
  directory: '',
  url: null,
  isAnswered: 0,
  privateKey: '',
  beganAt: 0,
}

export const orderRow = (store: Store, arn: string) =>
  store.get<OrderRow>('select * from acm_order where arn = :arn', { arn })

export const ordersOf = (store: Store) => store.all<OrderRow>('select * from acm_order order by arn')

export const namesOfOrder = ({ names }: Pick<OrderRow, 'names'>) => JSON.parse(names) as string[]
/** Those of its order that are to be answered now. They are apart from the order, which is written often: balancer and name server read
 *  them anew with each change. */
export const challengesOf = (store: Store, arn: string): Challenge[] =>
  listIn(store.get<{ challenges: string }>('select challenges from acm_challenge where arn = :arn', { arn }))

export const allChallenges = (store: Store) =>
  store
    .all<{ account: string; challenges: string }>(
      'select o.account, c.challenges from acm_challenge c join acm_order o on o.arn = c.arn order by c.arn',
    )
    .flatMap((row) => listIn(row).map((challenge) => ({ ...challenge, account: row.account })))

export function putChallenges(store: Store, arn: string, challenges: Challenge[]): void {
  if (challenges.length > 0) store.put('acm_challenge', { arn, challenges: JSON.stringify(challenges) })
  else store.remove('acm_challenge', { arn })
}

const listIn = (row: { challenges: string } | undefined): Challenge[] =>
  row ? (JSON.parse(row.challenges) as Challenge[]) : []

export const tagsOf = ({ tags }: CertificateRow) => JSON.parse(tags) as Record<string, string>
