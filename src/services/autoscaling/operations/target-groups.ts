// Which target groups a group's instances are registered with, and which of its processes are suspended.
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { noGroup, paging, requireString, unsupported, validation } from '../errors.ts'
import { groupOf, listOf, membersOf, updateGroup, type GroupRow } from '../store.ts'
import { requireTargetGroups } from '../validate.ts'

type Implemented = Pick<
  AutoscalingOperations,
  | 'attachLoadBalancerTargetGroups'
  | 'detachLoadBalancerTargetGroups'
  | 'describeLoadBalancerTargetGroups'
  | 'suspendProcesses'
  | 'resumeProcesses'
>

/** AZRebalance has nothing to do: zones of one machine do not fail by themselves. */
export const PROCESSES = [
  'Launch',
  'Terminate',
  'HealthCheck',
  'ReplaceUnhealthy',
  'AddToLoadBalancer',
  'AZRebalance',
  'AlarmNotification',
  'ScheduledActions',
  'InstanceRefresh',
]

export function makeTargetGroupOperations(deps: AutoscalingDeps): Implemented {
  const { store } = deps

  function requireGroup(context: Context, given: string | undefined): GroupRow {
    const name = requireString(given, 'AutoScalingGroupName')
    const group = groupOf(store, context, name)
    if (!group) throw noGroup(name)
    return group
  }

  function processesOf(given: string[] | undefined): string[] {
    const unknown = given?.find((name) => !PROCESSES.includes(name))
    if (unknown !== undefined)
      throw validation(`${unknown} is not a valid scaling process: ${PROCESSES.join(', ')}`)
    return given?.length ? given : PROCESSES
  }

  return {
    attachLoadBalancerTargetGroups(context, input) {
      const group = requireGroup(context, input.AutoScalingGroupName)
      const arns = requireTargetGroups(deps, context, [
        ...listOf(group.targetGroups),
        ...(input.TargetGroupARNs ?? []),
      ])
      updateGroup(store, group, { targetGroups: JSON.stringify(arns) })
      return {}
    },
    detachLoadBalancerTargetGroups(context, input) {
      const group = requireGroup(context, input.AutoScalingGroupName)
      const attached = listOf(group.targetGroups)
      const wrong = (input.TargetGroupARNs ?? []).filter((arn) => !attached.includes(arn))
      if (wrong.length > 0)
        throw validation(`Trying to remove Target Groups that are not part of the group: ${wrong.join(', ')}`)
      const left = attached.filter((arn) => !input.TargetGroupARNs?.includes(arn))
      updateGroup(store, group, { targetGroups: JSON.stringify(left) })
      return {}
    },
    describeLoadBalancerTargetGroups(context, input) {
      refuseOthers(input, ['AutoScalingGroupName', 'MaxRecords', 'NextToken'], unsupported)
      const group = requireGroup(context, input.AutoScalingGroupName)
      const members = membersOf(store, group).filter((member) => member.lifecycleState === 'InService')
      const limits = { token: input.NextToken, max: input.MaxRecords }
      const page = pageOf(listOf(group.targetGroups), (arn) => arn, limits, paging(100))
      const stateOf = (arn: string) =>
        members.length === 0
          ? 'Adding'
          : members.every((member) => listOf(member.registered).includes(arn))
            ? 'Added'
            : 'Adding'
      return {
        NextToken: page.next,
        LoadBalancerTargetGroups: page.items.map((arn) => ({
          LoadBalancerTargetGroupARN: arn,
          State: stateOf(arn),
        })),
      }
    },
    suspendProcesses(context, input) {
      const group = requireGroup(context, input.AutoScalingGroupName)
      const suspended = [...new Set([...listOf(group.suspended), ...processesOf(input.ScalingProcesses)])]
      updateGroup(store, group, { suspended: JSON.stringify(suspended) })
      return {}
    },
    resumeProcesses(context, input) {
      const group = requireGroup(context, input.AutoScalingGroupName)
      const resumed = processesOf(input.ScalingProcesses)
      updateGroup(store, group, {
        suspended: JSON.stringify(listOf(group.suspended).filter((name) => !resumed.includes(name))),
      })
      return {}
    },
  }
}
