// Which target groups a group's instances are registered with, and which of its processes are suspended.
import type { TrafficSourceIdentifier } from '@aws-sdk/client-auto-scaling'
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
  | 'attachTrafficSources'
  | 'detachTrafficSources'
  | 'describeTrafficSources'
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

  function attach(context: Context, group: GroupRow, given: string[] = []) {
    const arns = requireTargetGroups(deps, context, [...listOf(group.targetGroups), ...given])
    updateGroup(store, group, { targetGroups: JSON.stringify(arns) })
  }

  function detach(group: GroupRow, given: string[] = []) {
    const attached = listOf(group.targetGroups)
    const wrong = given.filter((arn) => !attached.includes(arn))
    if (wrong.length > 0)
      throw validation(`Trying to remove Target Groups that are not part of the group: ${wrong.join(', ')}`)
    const left = attached.filter((arn) => !given.includes(arn))
    updateGroup(store, group, { targetGroups: JSON.stringify(left) })
  }

  function stateOf(group: GroupRow, arn: string): 'Added' | 'Adding' {
    const members = membersOf(store, group).filter((member) => member.lifecycleState === 'InService')
    const isAdded = members.every((member) => listOf(member.registered).includes(arn))
    return members.length > 0 && isAdded ? 'Added' : 'Adding'
  }

  return {
    attachLoadBalancerTargetGroups(context, input) {
      attach(context, requireGroup(context, input.AutoScalingGroupName), input.TargetGroupARNs)
      return {}
    },
    detachLoadBalancerTargetGroups(context, input) {
      detach(requireGroup(context, input.AutoScalingGroupName), input.TargetGroupARNs)
      return {}
    },
    attachTrafficSources(context, input) {
      refuseOthers(input, ['AutoScalingGroupName', 'TrafficSources'], unsupported)
      attach(context, requireGroup(context, input.AutoScalingGroupName), targetGroupsOf(input.TrafficSources))
      return {}
    },
    detachTrafficSources(context, input) {
      detach(requireGroup(context, input.AutoScalingGroupName), targetGroupsOf(input.TrafficSources))
      return {}
    },
    describeTrafficSources(context, input) {
      refuseOthers(
        input,
        ['AutoScalingGroupName', 'TrafficSourceType', 'MaxRecords', 'NextToken'],
        unsupported,
      )
      const group = requireGroup(context, input.AutoScalingGroupName)
      const limits = { token: input.NextToken, max: input.MaxRecords }
      const arns = (input.TrafficSourceType ?? 'elbv2') === 'elbv2' ? listOf(group.targetGroups) : []
      const page = pageOf(arns, (arn) => arn, limits, paging(50, 50))
      const sources = page.items.map((arn) => ({
        ...{ TrafficSource: arn, Identifier: arn, Type: 'elbv2', State: stateOf(group, arn) },
      }))
      return { NextToken: page.next, TrafficSources: sources }
    },
    describeLoadBalancerTargetGroups(context, input) {
      refuseOthers(input, ['AutoScalingGroupName', 'MaxRecords', 'NextToken'], unsupported)
      const group = requireGroup(context, input.AutoScalingGroupName)
      const limits = { token: input.NextToken, max: input.MaxRecords }
      const page = pageOf(listOf(group.targetGroups), (arn) => arn, limits, paging(100))
      return {
        NextToken: page.next,
        LoadBalancerTargetGroups: page.items.map((arn) => ({
          LoadBalancerTargetGroupARN: arn,
          State: stateOf(group, arn),
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

/** Of a Classic Load Balancer and of VPC Lattice there is nothing to attach. */
function targetGroupsOf(sources: TrafficSourceIdentifier[] = []): string[] {
  return sources.map(({ Identifier = '', Type = 'elbv2' }) => {
    if (Type !== 'elbv2') throw unsupported(`TrafficSources.Type ${Type}`)
    return Identifier
  })
}
