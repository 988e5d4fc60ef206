// Scaling activities: the history of a group, kept beyond its end.
import type { Clock } from '../../kernel/clock.ts'
import type { Ids } from '../../kernel/ids.ts'
import type { Store } from '../../store/store.ts'
import type { ActivityRow, GroupRow } from './store.ts'

type Deps = { store: Store; clock: Clock; ids: Ids }

/** AWS keeps them six weeks. */
const KEPT_MS = 42 * 24 * 3_600_000
/** Of one group; a group that cannot launch writes one each time it tries. */
const KEPT_MAX = 1_000

/** Writes an activity that begins (or, with a failure, already ended) now; answers its id. */
export function beginActivity(
  { store, clock, ids }: Deps,
  group: GroupRow,
  activity: { description: string; cause: string; zone: string | null; failure?: string; progress?: number },
): string {
  const id = ids.uuid()
  const now = clock.now()
  const failed = activity.failure !== undefined
  const row: Omit<ActivityRow, 'seq'> = {
    id,
    account: group.account,
    region: group.region,
    groupName: group.name,
    groupArn: group.arn,
    description: activity.description,
    cause: activity.cause.slice(0, 1023),
    status: failed ? 'Failed' : 'InProgress',
    statusMessage: activity.failure?.slice(0, 255) ?? null,
    progress: failed ? 100 : (activity.progress ?? 0),
    details: JSON.stringify(activity.zone ? { 'Availability Zone': activity.zone } : {}),
    startedAt: now,
    endedAt: failed ? now : null,
  }
  store.insert('autoscaling_activity', row)
  prune({ store, clock }, group)
  return id
}

export function endActivity({ store, clock }: Pick<Deps, 'store' | 'clock'>, id: string | null): void {
  end({ store, clock }, id, { status: 'Successful' })
}

/** While a member waits for its hooks, its activity says so. */
export function noteWaiting({ store }: Pick<Deps, 'store'>, id: string | null, waiting: boolean): void {
  const [from, to] = waiting ? ['InProgress', 'MidLifecycleAction'] : ['MidLifecycleAction', 'InProgress']
  if (id !== null) store.update('autoscaling_activity', { id, status: from }, { status: to })
}

function end(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  id: string | null,
  set: Pick<ActivityRow, 'status'> & Partial<ActivityRow>,
) {
  if (id === null) return
  for (const status of ['InProgress', 'MidLifecycleAction'])
    store.update('autoscaling_activity', { id, status }, { ...set, progress: 100, endedAt: clock.now() })
}

/** Ends an activity whose instance went away before it was done. */
export function failActivity(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  id: string | null,
  message: string,
  status: 'Failed' | 'Cancelled' = 'Failed',
): void {
  end({ store, clock }, id, { status, statusMessage: message.slice(0, 255) })
}

function prune({ store, clock }: Pick<Deps, 'store' | 'clock'>, { account, region, name }: GroupRow) {
  store.run('delete from autoscaling_activity where ended_at <= :until', { until: clock.now() - KEPT_MS })
  store.run(
    `delete from autoscaling_activity where account = :account and region = :region and group_name = :name and seq <= (
       select seq from autoscaling_activity where account = :account and region = :region and group_name = :name
       order by seq desc limit 1 offset :max)`,
    { account, region, name, max: KEPT_MAX },
  )
}
