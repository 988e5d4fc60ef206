// Rows of what scales a group: policies, scheduled actions, lifecycle hooks and what waits for them, instance refreshes.
import type { Store } from '../../store/store.ts'
import type { GroupRow } from './store.ts'

type GroupKey = Pick<GroupRow, 'account' | 'region' | 'name'>
type OfGroup = { account: string; region: string; groupName: string }

export type PolicyRow = OfGroup & {
  name: string
  arn: string
  type: 'SimpleScaling' | 'StepScaling' | 'TargetTrackingScaling'
  adjustmentType: 'ChangeInCapacity' | 'ExactCapacity' | 'PercentChangeInCapacity' | null
  minAdjustmentMagnitude: number | null
  scalingAdjustment: number | null
  /** Seconds; null = the group's default. */
  cooldown: number | null
  metricAggregationType: 'Minimum' | 'Maximum' | 'Average' | null
  /** JSON list of StepAdjustment. */
  steps: string
  /** Seconds; null = the group's. */
  estimatedInstanceWarmup: number | null
  /** JSON of TargetTrackingConfiguration. */
  target: string | null
  enabled: number
  /** JSON list of the alarms that target tracking made (OwnAlarm). */
  alarms: string
  /** JSON: how many periods its alarms look at, `high` and `low`; null = as many as on AWS. */
  alarmPoints: string | null
}

export type OwnAlarm = { name: string; arn: string; kind: 'high' | 'low' }

export type ScheduledActionRow = OfGroup & {
  name: string
  arn: string
  /** Milliseconds since 1970. */
  startAt: number | null
  endAt: number | null
  /** Cron; null = once, at its start. */
  recurrence: string | null
  /** Of the IANA database; null = UTC. */
  timeZone: string | null
  minSize: number | null
  maxSize: number | null
  desiredCapacity: number | null
  /** When it is to run next; null = never again. */
  nextAt: number | null
}

export type HookRow = OfGroup & {
  name: string
  transition: 'launching' | 'terminating'
  metadata: string | null
  heartbeatSeconds: number
  defaultResult: 'CONTINUE' | 'ABANDON'
}

/** One member that waits for one hook. */
export type LifecycleActionRow = OfGroup & {
  token: string
  hookName: string
  instanceId: string
  transition: HookRow['transition']
  heartbeatSeconds: number
  defaultResult: HookRow['defaultResult']
  /** Milliseconds since 1970; a heartbeat moves it, never beyond the last. */
  deadline: number
  lastDeadline: number
  /** Null = it is waited for. */
  result: HookRow['defaultResult'] | null
}

export type RefreshRow = OfGroup & {
  seq: number
  id: string
  status:
    | 'Pending'
    | 'InProgress'
    | 'Successful'
    | 'Failed'
    | 'Cancelling'
    | 'Cancelled'
    | 'RollbackInProgress'
    | 'RollbackSuccessful'
    | 'RollbackFailed'
  statusReason: string | null
  startedAt: number
  endedAt: number | null
  /** When an instance was replaced last. */
  progressAt: number
  /** How many there were to replace when it began, and how many are left. */
  instances: number
  toUpdate: number
  /** JSON of RefreshPreferences, with all defaults. */
  preferences: string
  /** JSON of the launch template that it brings; null = what the group has. */
  desired: string | null
  /** JSON of RollbackDetails; null = it goes forward. */
  rollback: string | null
}

export const ACTIVE_REFRESH = ['Pending', 'InProgress', 'Cancelling', 'RollbackInProgress']

const OF_GROUP = 'account = :account and region = :region and group_name = :groupName'
export const ofGroup = ({ account, region, name }: GroupKey): OfGroup => ({
  account,
  region,
  groupName: name,
})
const allOf = <T>(store: Store, table: string, group: GroupKey, order: string) =>
  store.all<T>(`select * from ${table} where ${OF_GROUP} order by ${order}`, ofGroup(group))

export const policiesOf = (store: Store, group: GroupKey) =>
  allOf<PolicyRow>(store, 'autoscaling_policy', group, 'name')

export const policyByArn = (store: Store, arn: string) =>
  store.get<PolicyRow>('select * from autoscaling_policy where arn = :arn', { arn })

export const scheduledActionsOf = (store: Store, group: GroupKey) =>
  allOf<ScheduledActionRow>(store, 'autoscaling_scheduled_action', group, 'name')

export const hooksOf = (store: Store, group: GroupKey) =>
  allOf<HookRow>(store, 'autoscaling_hook', group, 'name')

export const lifecycleActionsOf = (store: Store, group: GroupKey) =>
  allOf<LifecycleActionRow>(store, 'autoscaling_lifecycle_action', group, 'token')

export const refreshesOf = (store: Store, group: GroupKey) =>
  allOf<RefreshRow>(store, 'autoscaling_refresh', group, 'seq desc')

export const activeRefreshOf = (store: Store, group: GroupKey) =>
  refreshesOf(store, group).find(({ status }) => ACTIVE_REFRESH.includes(status))

export const endLifecycleActions = (store: Store, instanceId: string) =>
  store.remove('autoscaling_lifecycle_action', { instanceId })

/** All that goes with its group; alarms of policies are not among it. */
export function removeAllOf(store: Store, group: GroupKey): void {
  for (const table of ['policy', 'scheduled_action', 'hook', 'lifecycle_action', 'refresh'])
    store.remove(`autoscaling_${table}`, ofGroup(group))
}

export const shiftWaits = (store: Store, ms: number): void =>
  void store.run(
    `update autoscaling_lifecycle_action set deadline = deadline + :ms, last_deadline = last_deadline + :ms
     where result is null`,
    { ms },
  )
