// Moves of one member, used by operations and by the reconciler; each runs inside the caller's transaction.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import { beginActivity, failActivity } from './activities.ts'
import type { AutoscalingDeps } from './deps.ts'
import { listOf, updateMember, type GroupRow, type MemberRow } from './store.ts'

/** Out of its target groups, on its way to its end. Answers the id of the activity. */
export function takeOutOfService(
  deps: AutoscalingDeps,
  context: Context,
  group: GroupRow,
  member: MemberRow,
  cause: string,
): string {
  for (const arn of listOf(member.registered)) deregister(deps, context, arn, member.instanceId)
  failActivity(deps, member.activityId, 'The instance was taken out of service before it was in service.')
  const description = `Terminating EC2 instance: ${member.instanceId}`
  const activityId = beginActivity(deps, group, { description, cause, zone: member.zone })
  updateMember(deps.store, member, { lifecycleState: 'Terminating', activityId })
  return activityId
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
