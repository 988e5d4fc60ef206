import { refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import * as causes from '../causes.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { requireString, unsupported, validation } from '../errors.ts'
import { counts, isLeaving } from '../lifecycle.ts'
import { takeOutOfService } from '../members.ts'
import { groupOf, memberOf, membersOf, updateGroup, updateMember, type ActivityRow } from '../store.ts'
import { describeActivity } from './activities.ts'

type Implemented = Pick<
  AutoscalingOperations,
  'terminateInstanceInAutoScalingGroup' | 'setInstanceHealth' | 'setInstanceProtection'
>

export function makeInstanceOperations(deps: AutoscalingDeps): Implemented {
  const { store, clock } = deps
  return {
    terminateInstanceInAutoScalingGroup(context, input) {
      refuseOthers(input, ['InstanceId', 'ShouldDecrementDesiredCapacity'], unsupported)
      const { group, member } = find(context, input.InstanceId)
      const from = group.desiredCapacity
      // Who stands by is not counted, so that its end takes nothing away.
      const decrement = input.ShouldDecrementDesiredCapacity === true && counts(member.lifecycleState)
      if (isLeaving(member.lifecycleState))
        throw validation(`Instance ${member.instanceId} is not in InService or Pending or Standby`)
      if (decrement && from <= group.minSize)
        throw validation(
          `Currently, desiredSize equals minSize (${group.minSize}). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.`,
        )
      const cause = causes.userTerminated(
        clock.now(),
        member.instanceId,
        decrement ? { from, to: from - 1 } : null,
      )
      if (decrement) updateGroup(store, group, { desiredCapacity: from - 1 })
      const id = takeOutOfService(deps, context, group, member, cause)
      const activity = store.get<ActivityRow>('select * from autoscaling_activity where id = :id', { id })
      return { Activity: activity && describeActivity(activity) }
    },
    setInstanceHealth(context, input) {
      refuseOthers(input, ['InstanceId', 'HealthStatus', 'ShouldRespectGracePeriod'], unsupported)
      const { group, member } = find(context, input.InstanceId)
      const { HealthStatus: status } = input
      if (status !== 'Healthy' && status !== 'Unhealthy')
        throw validation('Invalid HealthStatus: use Healthy or Unhealthy')
      const graceMs = group.healthCheckGraceSeconds * 1000
      const inGrace = member.inServiceAt !== null && clock.now() - member.inServiceAt < graceMs
      if (status === 'Unhealthy' && input.ShouldRespectGracePeriod !== false && inGrace) return {}
      updateMember(store, member, { healthStatus: status })
      return {}
    },
    setInstanceProtection(context, input) {
      refuseOthers(input, ['InstanceIds', 'AutoScalingGroupName', 'ProtectedFromScaleIn'], unsupported)
      const name = requireString(input.AutoScalingGroupName, 'AutoScalingGroupName')
      const group = groupOf(store, context, name)
      const members = group ? membersOf(store, group) : []
      const wrong = (input.InstanceIds ?? []).filter(
        (id) => !members.some((member) => member.instanceId === id),
      )
      if (wrong.length > 0)
        throw validation(`The instance ${wrong.join(', ')} is not part of Auto Scaling group ${name}.`)
      for (const member of members)
        if (input.InstanceIds?.includes(member.instanceId))
          updateMember(store, member, { protected: input.ProtectedFromScaleIn ? 1 : 0 })
      return {}
    },
  }

  function find(context: Context, given: string | undefined) {
    const id = requireString(given, 'InstanceId')
    const member = memberOf(store, context, id)
    const group = member && groupOf(store, context, member.groupName)
    if (!member || !group)
      throw validation(`Instance Id not found - No managed instance found for instance ID ${id}`)
    return { group, member }
  }
}
