// Warm-up and cooldown of a group: what counts as there. Pure.
import { isComing, isLeaving } from '../lifecycle.ts'
import type { GroupRow, MemberRow } from '../store.ts'
import type { Capacity } from './adjust.ts'

type Cooling = Pick<GroupRow, 'defaultCooldown' | 'cooldownSeconds' | 'cooldownFrom'>

type Member = Pick<MemberRow, 'lifecycleState' | 'inServiceAt'>

/** A cooldown begins when the last launch or termination has ended, so that it lasts while anything is under way. */
export function isCooling(group: Cooling, members: Member[], now: number): boolean {
  const isBusy = members.some(
    ({ lifecycleState }) =>
      isComing(lifecycleState) || isLeaving(lifecycleState) || lifecycleState === 'Detaching',
  )
  if (isBusy) return true
  const ms = (group.cooldownSeconds ?? group.defaultCooldown) * 1000
  const coolsMs = group.cooldownFrom === null ? Infinity : now - group.cooldownFrom
  // A clock that was set back does not hold a group for ever.
  return coolsMs >= -ms && coolsMs < ms
}

/** Seconds that an instance warms up for a policy: its own, else the group's, else the cooldown, as on AWS. */
export const warmupSeconds = (
  group: Pick<GroupRow, 'defaultInstanceWarmup' | 'defaultCooldown'>,
  own: number | null,
) => own ?? group.defaultInstanceWarmup ?? group.defaultCooldown

/** `warmupMs`: how long a member serves until the policy counts it. */
export function capacityOf(
  group: Pick<GroupRow, 'minSize' | 'maxSize' | 'desiredCapacity'>,
  members: Member[],
  warmupMs: number,
  now: number,
): Capacity {
  const serving = members.filter(({ lifecycleState }) => lifecycleState === 'InService')
  const warm = serving.filter(
    ({ inServiceAt }) => inServiceAt === null || inServiceAt > now || now - inServiceAt >= warmupMs,
  )
  const leaving = members.filter(({ lifecycleState }) => isLeaving(lifecycleState))
  return {
    min: group.minSize,
    max: group.maxSize,
    desired: group.desiredCapacity,
    // Of a group that is all new, what there is: a tenth of nothing would never be anything.
    warm: warm.length > 0 ? warm.length : serving.length,
    serving: serving.length + leaving.length,
    isWarming: warm.length < serving.length || members.some(({ lifecycleState }) => isComing(lifecycleState)),
  }
}
