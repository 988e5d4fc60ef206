// Standby, attaching and detaching: members that leave a group's counted ones, or come to them, and go on running.
import { DeclaredError } from '../../../kernel/errors.ts'
import { refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import { systemContext } from '../../service.ts'
import { beginActivity } from '../activities.ts'
import * as causes from '../causes.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { unsupported, validation } from '../errors.ts'
import { newMember } from '../launch.ts'
import { counts } from '../lifecycle.ts'
import { requireGroup, requireMembers } from '../lookup.ts'
import { moveAside } from '../members.ts'
import {
  listOf,
  updateGroup,
  updateMember,
  type ActivityRow,
  type GroupRow,
  type MemberRow,
} from '../store.ts'
import { describeActivity } from './activities.ts'

type Implemented = Pick<
  AutoscalingOperations,
  'enterStandby' | 'exitStandby' | 'attachInstances' | 'detachInstances'
>

/** AWS: in one call. */
const INSTANCES_MAX = 20

export function makeMembershipOperations(deps: AutoscalingDeps): Implemented {
  const { store, clock, cloud } = deps
  return {
    enterStandby(context, input) {
      refuseOthers(
        input,
        ['InstanceIds', 'AutoScalingGroupName', 'ShouldDecrementDesiredCapacity'],
        unsupported,
      )
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const members = requireSome(group, input.InstanceIds)
      requireState(members, ['InService'])
      const sizes = shrink(group, members.length, input.ShouldDecrementDesiredCapacity, 'place into standby')
      const activities = members.map((member, index) =>
        moveAside(deps, context, group, member, {
          state: 'EnteringStandby',
          description: `Moving EC2 instance to Standby: ${member.instanceId}`,
          cause: causes.standby(clock.now(), member.instanceId, changeAt(sizes, index)),
        }),
      )
      return { Activities: activities.map(activityOf) }
    },
    exitStandby(context, input) {
      refuseOthers(input, ['InstanceIds', 'AutoScalingGroupName'], unsupported)
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const members = requireSome(group, input.InstanceIds)
      requireState(members, ['Standby'])
      const sizes = grow(group, members.length, 'exit standby')
      const activities = members.map((member, index) => {
        const activityId = beginActivity(deps, group, {
          description: `Moving EC2 instance out of Standby: ${member.instanceId}`,
          cause: causes.outOfStandby(clock.now(), member.instanceId, {
            from: sizes.from + index,
            to: sizes.from + index + 1,
          }),
          zone: member.zone,
          progress: 30,
        })
        updateMember(store, member, { lifecycleState: 'Pending', activityId })
        return activityId
      })
      return { Activities: activities.map(activityOf) }
    },
    attachInstances(context, input) {
      refuseOthers(input, ['InstanceIds', 'AutoScalingGroupName'], unsupported)
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const ids = [...new Set(input.InstanceIds)]
      requireCount(ids.length)
      const rows = ids.map((id) => attachable(context, group, id))
      const sizes = grow(group, ids.length, 'attach')
      for (const [index, row] of rows.entries()) {
        const { instanceId } = row
        const activityId = beginActivity(deps, group, {
          description: `Attaching an existing EC2 instance: ${instanceId}`,
          cause: causes.attached(clock.now(), instanceId, {
            from: sizes.from + index,
            to: sizes.from + index + 1,
          }),
          zone: row.zone,
        })
        store.insert('autoscaling_instance', { ...row, activityId })
        cloud.ec2.createTags(systemContext(group.account, group.region, context.requestId), {
          Resources: [instanceId],
          Tags: [{ Key: 'aws:autoscaling:groupName', Value: group.name }],
        })
      }
      return {}
    },
    detachInstances(context, input) {
      refuseOthers(
        input,
        ['InstanceIds', 'AutoScalingGroupName', 'ShouldDecrementDesiredCapacity'],
        unsupported,
      )
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const members = requireSome(group, input.InstanceIds)
      requireState(members, ['InService', 'Standby'])
      // Who stands by is not counted, so that it takes nothing away.
      const counted = members.filter(({ lifecycleState }) => counts(lifecycleState))
      const sizes = shrink(group, counted.length, input.ShouldDecrementDesiredCapacity, 'detach')
      const activities = members.map((member) =>
        moveAside(deps, context, group, member, {
          state: 'Detaching',
          description: `Detaching EC2 instance: ${member.instanceId}`,
          cause: causes.detached(clock.now(), member.instanceId, changeAt(sizes, counted.indexOf(member))),
        }),
      )
      return { Activities: activities.map(activityOf) }
    },
  }

  function requireSome(group: GroupRow, ids: string[] | undefined): MemberRow[] {
    requireCount(ids?.length ?? 0)
    return requireMembers(store, group, ids)
  }

  function shrink(group: GroupRow, by: number, decrements: boolean | undefined, doing: string) {
    if (decrements === undefined)
      throw validation(
        "1 validation error detected: Value null at 'shouldDecrementDesiredCapacity' failed to satisfy constraint: Member must not be null",
      )
    if (!decrements || by === 0) return null
    const to = group.desiredCapacity - by
    if (to < group.minSize) throw sizesForbid(group, by, doing)
    updateGroup(store, group, { desiredCapacity: to })
    return { from: group.desiredCapacity }
  }

  function grow(group: GroupRow, by: number, doing: string) {
    const to = group.desiredCapacity + by
    if (to > group.maxSize) throw sizesForbid(group, by, doing)
    updateGroup(store, group, { desiredCapacity: to })
    return { from: group.desiredCapacity }
  }

  function activityOf(id: string) {
    return describeActivity(
      store.get<ActivityRow>('select * from autoscaling_activity where id = :id', { id })!,
    )
  }

  function attachable(context: Context, group: GroupRow, id: string): MemberRow {
    const found = cloud.ec2.describeInstances(context, { InstanceIds: [id] }).Reservations?.[0]
      ?.Instances?.[0]
    if (!found) throw validation(`Invalid Instance ID: ${id}`)
    if (store.get('select 1 from autoscaling_instance where instance_id = :id', { id }))
      throw validation(`Instance ${id} is already part of an AutoScalingGroup`)
    if (found.State?.Name !== 'running') throw validation(`Instance ${id} is not in correct state`)
    const zone = found.Placement?.AvailabilityZone ?? ''
    if (!listOf(group.zones).includes(zone))
      throw validation(
        `Instance ${id} is in the Availability Zone ${zone}, which the Auto Scaling group does not have`,
      )
    return newMember(group, found, clock.now(), { launchConfigurationName: '', launchTemplate: null })
  }
}

function requireState(members: MemberRow[], states: MemberRow['lifecycleState'][]) {
  const wrong = members.find(({ lifecycleState }) => !states.includes(lifecycleState))
  if (wrong) throw validation(`The instance ${wrong.instanceId} is not in ${states.join(' or ')}.`)
}

function requireCount(count: number) {
  if (count === 0) throw validation('At least one instance ID must be specified')
  if (count > INSTANCES_MAX)
    throw validation(`At most ${INSTANCES_MAX} instance IDs can be given in one call`)
}

/** The part of the change that is the n-th one's; null = it is counted by none. */
const changeAt = (sizes: { from: number } | null, index: number) =>
  sizes && index >= 0 ? { from: sizes.from - index, to: sizes.from - index - 1 } : null

const sizesForbid = (
  { name, minSize, maxSize, desiredCapacity }: GroupRow,
  by: number,
  doing: string,
): DeclaredError =>
  validation(
    `AutoScalingGroup ${name} has min-size=${minSize}, max-size=${maxSize}, and desired-size=${desiredCapacity}. To ${doing} ${by} instance${by === 1 ? '' : 's'}, please update the AutoScalingGroup sizes appropriately.`,
  )
