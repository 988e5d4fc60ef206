// Moves of one member, used by operations and by the reconciler; each runs inside the caller's transaction.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import { beginActivity, failActivity, noteWaiting } from './activities.ts'
import type { AutoscalingDeps } from './deps.ts'
import { endLifecycleActions, hooksOf, ofGroup, type HookRow, type LifecycleActionRow } from './rows.ts'
import { listOf, updateMember, type GroupRow, type MemberRow } from './store.ts'

/** Out of its target groups, on its way to its end. Answers the id of the activity. */
export function takeOutOfService(
  deps: AutoscalingDeps,
  context: Context,
  group: GroupRow,
  member: MemberRow,
  cause: string,
): string {
  takeOutOfTargets(deps, context, member)
  failActivity(deps, member.activityId, 'The instance was taken out of service before it was in service.')
  endLifecycleActions(deps.store, member.instanceId)
  const description = `Terminating EC2 instance: ${member.instanceId}`
  const activityId = beginActivity(deps, group, { description, cause, zone: member.zone })
  updateMember(deps.store, member, { lifecycleState: 'Terminating', activityId })
  return activityId
}

/** Out of its target groups, and to where an activity of that description leads. Answers the id of the activity. */
export function moveAside(
  deps: AutoscalingDeps,
  context: Context,
  group: GroupRow,
  member: MemberRow,
  move: { state: 'EnteringStandby' | 'Detaching'; description: string; cause: string },
): string {
  takeOutOfTargets(deps, context, member)
  const { description, cause } = move
  const activityId = beginActivity(deps, group, { description, cause, zone: member.zone, progress: 50 })
  updateMember(deps.store, member, { lifecycleState: move.state, activityId })
  return activityId
}

function takeOutOfTargets(deps: AutoscalingDeps, context: Context, member: MemberRow) {
  for (const arn of listOf(member.registered)) deregister(deps, context, arn, member.instanceId)
}

/** AWS: a wait ends after two days, or after a hundred times the hook's timeout, whatever comes first. */
const WAIT_MAX_MS = 48 * 3_600_000

/** From now on the member waits for every hook of the transition. */
export function beginWait(
  { store, clock, ids }: Pick<AutoscalingDeps, 'store' | 'clock' | 'ids'>,
  group: GroupRow,
  member: MemberRow,
  transition: HookRow['transition'],
): void {
  const now = clock.now()
  endLifecycleActions(store, member.instanceId)
  for (const hook of hooksOf(store, group).filter((one) => one.transition === transition)) {
    const ms = hook.heartbeatSeconds * 1000
    const row: LifecycleActionRow = {
      ...ofGroup(group),
      token: ids.uuid(),
      hookName: hook.name,
      instanceId: member.instanceId,
      transition,
      heartbeatSeconds: hook.heartbeatSeconds,
      defaultResult: hook.defaultResult,
      deadline: now + ms,
      lastDeadline: now + Math.min(WAIT_MAX_MS, 100 * ms),
      result: null,
    }
    store.insert('autoscaling_lifecycle_action', row)
  }
  noteWaiting({ store }, member.activityId, true)
  const lifecycleState = transition === 'launching' ? 'Pending:Wait' : 'Terminating:Wait'
  updateMember(store, member, { lifecycleState })
}

/** A target group that is gone takes nobody in: its group of instances goes on without it. */
export function register(
  { cloud }: AutoscalingDeps,
  context: Context,
  TargetGroupArn: string,
  Id: string,
): void {
  unlessGone(() =>
    cloud.elasticloadbalancingv2.registerTargets(context, { TargetGroupArn, Targets: [{ Id }] }),
  )
}

/** A target group that is gone has no target any more: that is what was wanted. */
export function deregister(
  { cloud }: AutoscalingDeps,
  context: Context,
  TargetGroupArn: string,
  Id: string,
): void {
  unlessGone(() =>
    cloud.elasticloadbalancingv2.deregisterTargets(context, { TargetGroupArn, Targets: [{ Id }] }),
  )
}

/** What `ask` answers; undefined when the target group that it asks of is gone. */
export function unlessGone<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch (error) {
    if (error instanceof DeclaredError && error.code === 'TargetGroupNotFound') return undefined
    throw error
  }
}
