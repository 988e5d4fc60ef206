// Rows of cloudwatch: alarms and their history. Points of metrics are in a file of their own (points/file.ts).
import type { PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch'
import type { Migration, Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import type { State } from './alarms/judge.ts'

export const cloudwatchMigrations: Migration[] = [
  {
    id: 'cloudwatch.1',
    sql: `
    create table cloudwatch_alarm (
      account text not null, region text not null, name text not null, arn text not null unique, settings text not null,
      actions_enabled integer not null, state text not null check (state in ('OK', 'ALARM', 'INSUFFICIENT_DATA')),
      state_reason text not null, state_reason_data text not null, state_at integer not null, transition_at integer not null,
      tags text not null, created_at integer not null, configured_at integer not null, request_id text not null,
      primary key (account, region, name)) strict;
    create table cloudwatch_alarm_history (
      seq integer primary key, account text not null, region text not null, name text not null, at integer not null,
      type text not null check (type in ('ConfigurationUpdate', 'StateUpdate', 'Action')), summary text not null,
      data text not null) strict;
    create index cloudwatch_alarm_history_alarm on cloudwatch_alarm_history (account, region, name, seq);
    create index cloudwatch_alarm_history_at on cloudwatch_alarm_history (at);`,
  },
]

/** What PutMetricAlarm said, with its defaults. */
export type AlarmSettings = Omit<PutMetricAlarmInput, 'AlarmName' | 'Tags' | 'ActionsEnabled'>

export type AlarmRow = {
  account: string
  region: string
  name: string
  arn: string
  /** JSON of AlarmSettings. */
  settings: string
  actionsEnabled: number
  state: State
  stateReason: string
  /** JSON; '' = none. */
  stateReasonData: string
  /** When the state, or why it is so, was last written; `transitionAt`: when it was another before. */
  stateAt: number
  transitionAt: number
  /** JSON object. */
  tags: string
  createdAt: number
  configuredAt: number
  requestId: string
}

export type HistoryRow = {
  seq: number
  account: string
  region: string
  name: string
  at: number
  type: 'ConfigurationUpdate' | 'StateUpdate' | 'Action'
  summary: string
  data: string
}

type Owner = Pick<Context, 'account' | 'region'>
const OF_OWNER = 'account = :account and region = :region'

export const alarmRows = (store: Store, { account, region }: Owner) =>
  store.all<AlarmRow>(`select * from cloudwatch_alarm where ${OF_OWNER} order by name`, { account, region })

export const alarmRow = (store: Store, { account, region }: Owner, name: string) =>
  store.get<AlarmRow>(`select * from cloudwatch_alarm where ${OF_OWNER} and name = :name`, {
    ...{ account, region, name },
  })

export const settingsOf = ({ settings }: Pick<AlarmRow, 'settings'>) => JSON.parse(settings) as AlarmSettings
export const tagsOf = ({ tags }: Pick<AlarmRow, 'tags'>) => JSON.parse(tags) as Record<string, string>

/** AWS keeps it for thirty days. */
const HISTORY_MS = 30 * 24 * 3_600_000
/** Of one alarm: one that flutters by the second leaves no more. */
const HISTORY_MAX = 2_000

export function addHistory(
  store: Store,
  { account, region, name }: Pick<AlarmRow, 'account' | 'region' | 'name'>,
  item: Pick<HistoryRow, 'at' | 'type' | 'summary'> & { data: object },
): void {
  store.insert('cloudwatch_alarm_history', {
    account,
    region,
    name,
    ...item,
    data: JSON.stringify(item.data),
  })
  store.run('delete from cloudwatch_alarm_history where at < :until', { until: item.at - HISTORY_MS })
  store.run(
    `delete from cloudwatch_alarm_history where ${OF_OWNER} and name = :name and seq <= (
       select seq from cloudwatch_alarm_history where ${OF_OWNER} and name = :name order by seq desc limit 1 offset :most)`,
    { account, region, name, most: HISTORY_MAX },
  )
}
