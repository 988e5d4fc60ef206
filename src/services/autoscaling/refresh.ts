// How an instance refresh is kept, and what is launched meanwhile.
import type { RefreshPreferences, RollbackDetails } from '@aws-sdk/client-auto-scaling'
import type { Store } from '../../store/store.ts'
import type { AutoscalingDeps } from './deps.ts'
import type { RefreshChange, RefreshView } from './replacement.ts'
import { activeRefreshOf, type RefreshRow } from './rows.ts'
import { updateGroup, type GroupRow } from './store.ts'

/** A rollback as it is kept: AWS's details, with times in milliseconds since 1970. */
export type Rollback = Omit<RollbackDetails, 'RollbackStartTime'> & { at: number }

export const preferencesOf = ({ preferences }: RefreshRow) => JSON.parse(preferences) as RefreshPreferences
export const rollbackOf = ({ rollback }: RefreshRow) =>
  rollback === null ? null : (JSON.parse(rollback) as Rollback)

export const viewOf = (row: RefreshRow): RefreshView => ({
  status: row.status,
  startedAt: row.startedAt,
  progressAt: row.progressAt,
  instances: row.instances,
  toUpdate: row.toUpdate,
  preferences: preferencesOf(row),
  rollbackAt: rollbackOf(row)?.at ?? null,
})

/** The group as its members are launched now: by the template that a refresh brings, while it goes forward. */
export function sourceOfLaunch(store: Store, group: GroupRow): GroupRow {
  const refresh = activeRefreshOf(store, group)
  if (!refresh || refresh.desired === null || refresh.rollback !== null) return group
  return { ...group, launchConfigurationName: '', launchTemplate: refresh.desired }
}

export function percentageOf({ instances, toUpdate, status }: RefreshRow): number {
  if (status === 'Successful' || status === 'RollbackSuccessful') return 100
  return instances === 0 ? 0 : Math.max(0, Math.floor((100 * (instances - toUpdate)) / instances))
}

const ENDED = ['Successful', 'Failed', 'Cancelled', 'RollbackSuccessful', 'RollbackFailed']

export function changeRefresh(
  { store, clock }: Pick<AutoscalingDeps, 'store' | 'clock'>,
  group: GroupRow,
  set: RefreshChange,
): void {
  const refresh = activeRefreshOf(store, group)
  if (!refresh) return
  if (set.status === 'Failed' && preferencesOf(refresh).AutoRollback)
    return beginRollback({ store, clock }, group, refresh, set.statusReason ?? '')
  const ends = set.status !== undefined && ENDED.includes(set.status)
  store.update('autoscaling_refresh', { id: refresh.id }, { ...set, ...(ends && { endedAt: clock.now() }) })
  if (set.status === 'Successful' && refresh.desired !== null)
    updateGroup(store, group, { launchConfigurationName: '', launchTemplate: refresh.desired })
}

export function beginRollback(
  { store, clock }: Pick<AutoscalingDeps, 'store' | 'clock'>,
  group: GroupRow,
  refresh: RefreshRow,
  reason: string,
): void {
  const now = clock.now()
  const rollback: Rollback = {
    at: now,
    RollbackReason: reason,
    PercentageCompleteOnRollback: percentageOf(refresh),
    InstancesToUpdateOnRollback: refresh.toUpdate,
  }
  const replaced = store.all(
    `select 1 from autoscaling_instance where account = :account and region = :region and group_name = :name
       and created_at >= :since`,
    { account: group.account, region: group.region, name: group.name, since: refresh.startedAt },
  ).length
  store.update(
    'autoscaling_refresh',
    { id: refresh.id },
    {
      ...{ status: 'RollbackInProgress', statusReason: reason, rollback: JSON.stringify(rollback) },
      ...{ instances: replaced, toUpdate: replaced, progressAt: now },
    },
  )
}
