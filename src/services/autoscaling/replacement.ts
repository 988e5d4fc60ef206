// Which members make room for new ones: those that an instance refresh replaces, and those that got too old. New ones come
// first where the group's largest size has room for them. Pure.
import type { RefreshPreferences } from '@aws-sdk/client-auto-scaling'
import type { MemberView } from './plan.ts'
import type { RefreshRow } from './rows.ts'
import type { GroupRow } from './store.ts'

export type Replacing = 'refresh' | 'rollback' | 'lifetime'

export type RefreshView = Pick<
  RefreshRow,
  'status' | 'startedAt' | 'progressAt' | 'instances' | 'toUpdate'
> & {
  preferences: RefreshPreferences
  /** When it began to go back; null = it goes forward. */
  rollbackAt: number | null
}
export type RefreshChange = Partial<Pick<RefreshRow, 'status' | 'statusReason' | 'progressAt' | 'toUpdate'>>

type Replacement = {
  /** How many members there may be beyond the desired capacity meanwhile. */
  surge: number
  retiring: MemberView[]
  because: Replacing | null
  /** How the refresh goes on. */
  change: RefreshChange | null
}

const NOTHING: Replacement = { surge: 0, retiring: [], because: null, change: null }
/** AWS waits as long for standby or protected instances; here for anything that keeps a refresh from going on. */
export const STALLED_MS = 60 * 60_000

export function planReplacement(
  group: GroupRow,
  { refresh, changing }: { refresh: RefreshView | null; changing: boolean },
  staying: MemberView[],
  standby: MemberView[],
  now: number,
): Replacement {
  if (group.deleting) return NOTHING
  if (refresh?.status === 'Cancelling') return { ...NOTHING, change: { status: 'Cancelled' } }
  if (!refresh) return changing ? byAge(group, staying, now) : NOTHING
  const {
    StandbyInstances,
    ScaleInProtectedInstances,
    MinHealthyPercentage = 90,
    MaxHealthyPercentage = 100,
  } = refresh.preferences
  const inService = staying.filter((member) => isOutdated(refresh, member))
  const aside = StandbyInstances === 'Ignore' ? [] : standby.filter((member) => isOutdated(refresh, member))
  const outdated = [
    ...inService.filter((member) => !member.protected || ScaleInProtectedInstances !== 'Ignore'),
    ...aside,
  ]
  const open = inService.filter((member) => !member.protected || ScaleInProtectedInstances === 'Refresh')
  const warmupMs = (refresh.preferences.InstanceWarmup ?? 0) * 1000
  const isReady = (member: MemberView) =>
    serves(member) && (isOutdated(refresh, member) || isWarm(member, warmupMs, now))
  const plan = changing
    ? exchange(group, staying, open, isReady, { least: MinHealthyPercentage, most: MaxHealthyPercentage })
    : { surge: 0, retiring: [] }
  const ended = outdated.length === 0 && staying.length >= group.desiredCapacity && staying.every(isReady)
  return {
    surge: plan.surge,
    retiring: [...plan.retiring, ...(StandbyInstances === 'Terminate' ? aside : [])],
    because: refresh.rollbackAt === null ? 'refresh' : 'rollback',
    change: progress(refresh, outdated.length, ended, now),
  }
}

function isOutdated({ startedAt, rollbackAt, preferences }: RefreshView, member: MemberView): boolean {
  if (rollbackAt !== null) return member.createdAt >= startedAt && member.createdAt < rollbackAt
  return member.createdAt < startedAt && !(preferences.SkipMatching && member.isCurrent)
}

function progress(refresh: RefreshView, left: number, ended: boolean, now: number): RefreshChange | null {
  const goesBack = refresh.rollbackAt !== null
  if (ended) return { status: goesBack ? 'RollbackSuccessful' : 'Successful', toUpdate: 0 }
  if (left !== refresh.toUpdate || refresh.status === 'Pending')
    return { status: goesBack ? 'RollbackInProgress' : 'InProgress', toUpdate: left, progressAt: now }
  if (now - refresh.progressAt < STALLED_MS) return null
  const statusReason = 'Instances were not replaced, or not healthy, within an hour.'
  return { status: goesBack ? 'RollbackFailed' : 'Failed', statusReason }
}

// One after the other, the new one first.
function byAge(group: GroupRow, staying: MemberView[], now: number): Replacement {
  const ageMs = group.maxInstanceLifetime * 1000
  const old = ageMs === 0 ? [] : staying.filter((member) => now - member.createdAt > ageMs)
  if (old.length === 0) return NOTHING
  const one = old.toSorted((a, b) => a.createdAt - b.createdAt).slice(0, 1)
  return {
    ...exchange(group, staying, one, serves, { least: 100, most: 100 }),
    because: 'lifetime',
    change: null,
  }
}

/** How many more there may be, and who goes now so that enough stay ready. `least` and `most`: percent of the desired capacity. */
function exchange(
  { desiredCapacity: desired, maxSize }: GroupRow,
  staying: MemberView[],
  open: MemberView[],
  isReady: (member: MemberView) => boolean,
  { least, most }: { least: number; most: number },
): Pick<Replacement, 'surge' | 'retiring'> {
  const more = Math.max(Math.floor((desired * (most - 100)) / 100), least === 100 || most > 100 ? 1 : 0)
  const room = Math.max(0, Math.min(maxSize - desired, more, open.length))
  const healthy = Math.ceil((desired * least) / 100)
  // Where no more fit, at least one at a time goes before its successor comes.
  const floor = room > 0 ? healthy : Math.min(healthy, desired - 1)
  const ready = staying.filter(isReady).length
  const serving = open.filter(isReady).slice(0, Math.max(0, ready - floor))
  const retiring = [...open.filter((member) => !isReady(member)), ...serving]
  // The last one's successor is there already.
  return { surge: Math.min(room, open.length - retiring.length), retiring }
}

const serves = ({ lifecycleState, targetStates, registered }: MemberView) =>
  lifecycleState === 'InService' &&
  !targetStates.some((state) => state === 'unhealthy' || state === 'initial') &&
  targetStates.length >= registered.length

const isWarm = ({ inServiceAt }: MemberView, warmupMs: number, now: number) =>
  inServiceAt !== null && (inServiceAt > now || now - inServiceAt >= warmupMs)
