// Rows of logs in the main database: the groups, which are settings. Their streams and events are in a file of their own
// (events/file.ts, decision 028).
import type { Migration, Store } from '../../store/store.ts'
import type { Context } from '../context.ts'

export const logsMigrations: Migration[] = [
  {
    id: 'logs.1',
    sql: `
    create table logs_group (
      id text primary key, account text not null, region text not null, name text not null, created_at integer not null,
      retention_days integer, asked_retention_days integer, tags text not null,
      unique (account, region, name)) strict;`,
  },
]

export type GroupRow = {
  /** By it the file of events knows the group: another one of the same name has none of its events. */
  id: string
  account: string
  region: string
  name: string
  createdAt: number
  /** null = its events never expire. */
  retentionDays: number | null
  /** What another service asked for last: until that changes, whoever sets another one keeps it. */
  askedRetentionDays: number | null
  /** JSON object. */
  tags: string
}

type Owner = Pick<Context, 'account' | 'region'>

export const groupRow = (store: Store, { account, region }: Owner, name: string) =>
  store.get<GroupRow>(
    'select * from logs_group where account = :account and region = :region and name = :name',
    { account, region, name },
  )

/** By name. */
export const groupRows = (store: Store, { account, region }: Owner) =>
  store.all<GroupRow>(
    'select * from logs_group where account = :account and region = :region order by name',
    { account, region },
  )

export const allGroups = (store: Store) => store.all<GroupRow>('select * from logs_group order by id')

export const tagsOf = ({ tags }: GroupRow) => JSON.parse(tags) as Record<string, string>

/** Before it nothing of the group is shown any more; 0 = everything is. */
export const expiredBefore = ({ retentionDays }: Pick<GroupRow, 'retentionDays'>, now: number): number =>
  retentionDays === null ? 0 : now - retentionDays * DAY_MS

export const DAY_MS = 24 * 3_600_000
