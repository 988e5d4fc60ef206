// The group that a request names, if it may be changed.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import { noGroup, requireString, validation } from './errors.ts'
import { groupOf, membersOf, type GroupRow, type MemberRow } from './store.ts'

export function requireGroup(store: Store, context: Context, given: string | undefined): GroupRow {
  const name = requireString(given, 'AutoScalingGroupName')
  const group = groupOf(store, context, name)
  if (!group) throw noGroup(name)
  if (group.deleting)
    throw new DeclaredError(
      'ScalingActivityInProgress',
      `You cannot change an AutoScalingGroup while it is pending delete: ${name}`,
    )
  return group
}

/** Members of the group by the ids that a request gives. */
export function requireMembers(store: Store, group: GroupRow, given: string[] | undefined): MemberRow[] {
  const ids = [...new Set(given)]
  if (ids.length === 0) throw validation('At least one instance ID must be specified')
  const members = membersOf(store, group)
  return ids.map((id) => {
    const member = members.find((one) => one.instanceId === id)
    if (!member) throw validation(`The instance ${id} is not part of Auto Scaling group ${group.name}.`)
    return member
  })
}
