// Performs what the plan says, each action inside a transaction of its caller.
import type { ServiceDeps } from '../service.ts'
import type { Context } from '../context.ts'
import { endActivity, failActivity, noteWaiting } from './activities.ts'
import * as causes from './causes.ts'
import { launchMember } from './launch.ts'
import { counts } from './lifecycle.ts'
import { beginWait, deregister, register, takeOutOfService } from './members.ts'
import { RETRY_FIRST_MS, type GroupAction } from './plan.ts'
import { changeRefresh, sourceOfLaunch } from './refresh.ts'
import { endLifecycleActions, lifecycleActionsOf, removeAllOf } from './rows.ts'
import {
  groupOf,
  listOf,
  memberOf,
  membersOf,
  updateGroup,
  updateMember,
  type GroupRow,
  type MemberRow,
} from './store.ts'

type OfMember = Extract<GroupAction, { id: string }>

export function makePerform(deps: ServiceDeps) {
  const { store, clock, cloud } = deps
  return function perform(context: Context, action: GroupAction, name: string): void {
    const group = groupOf(store, context, name)
    if (!group) return
    if (action.do === 'remove-group') return removeGroup(group)
    if (action.do === 'launch') return launch(context, group, action.count, action.because)
    if (action.do === 'refresh') return changeRefresh(deps, group, action.set)
    const member = memberOf(store, context, action.id)
    if (member) performOn(context, action, group, member)
  }

  function performOn(context: Context, action: OfMember, group: GroupRow, member: MemberRow) {
    const now = clock.now()
    const registered = listOf(member.registered)
    switch (action.do) {
      case 'in-service':
        endActivity(deps, member.activityId)
        endLifecycleActions(store, action.id)
        updateGroup(store, group, { cooldownFrom: now })
        return void updateMember(store, member, {
          lifecycleState: 'InService',
          inServiceAt: now,
          activityId: null,
        })
      case 'replace':
        takeOutOfService(deps, context, group, member, causes.unhealthy(now, action.check))
        updateMember(store, member, { healthStatus: 'Unhealthy' })
        return void updateGroup(store, group, { cause: group.cause ?? causes.replaced(now) })
      case 'retire':
        takeOutOfService(deps, context, group, member, causes.retired(now, action.because, action.id))
        return void updateGroup(store, group, {
          cause: group.cause ?? causes.launchedFor(now, action.because),
        })
      case 'abandon':
        return abandon(context, group, member)
      case 'scale-in':
        return scaleIn(context, group, member)
      case 'register':
        register(deps, context, action.targetGroup, action.id)
        return void updateMember(store, member, {
          registered: JSON.stringify([...registered, action.targetGroup]),
        })
      case 'deregister':
        deregister(deps, context, action.targetGroup, action.id)
        return void updateMember(store, member, {
          registered: JSON.stringify(registered.filter((arn) => arn !== action.targetGroup)),
        })
      case 'wait':
        return beginWait(deps, group, member, action.transition)
      case 'time-out':
        return timeOut(group, action.token)
      case 'proceed': {
        noteWaiting(deps, member.activityId, false)
        const goes = member.lifecycleState === 'Pending:Wait' ? 'Pending:Proceed' : 'Terminating:Proceed'
        return void updateMember(store, member, { lifecycleState: goes })
      }
      case 'stand-by':
        endActivity(deps, member.activityId)
        return void updateMember(store, member, {
          ...{ lifecycleState: 'Standby', activityId: null, registered: '[]', inServiceAt: null },
        })
      case 'let-go':
        // AWS takes its tag away with the membership.
        cloud.ec2.deleteTags(context, {
          Resources: [action.id],
          Tags: [{ Key: 'aws:autoscaling:groupName' }],
        })
        return forget(group, member)
      case 'terminate':
        cloud.ec2.terminateInstances(context, { InstanceIds: [action.id] })
        return void updateMember(store, member, { terminateSent: 1 })
      case 'forget':
        return forget(group, member)
    }
  }

  function forget(group: GroupRow, member: MemberRow) {
    endActivity(deps, member.activityId)
    endLifecycleActions(store, member.instanceId)
    store.remove('autoscaling_instance', { instanceId: member.instanceId })
    updateGroup(store, group, { cooldownFrom: clock.now() })
  }

  function scaleIn(context: Context, group: GroupRow, member: MemberRow) {
    const now = clock.now()
    const from = sizeOf(group)
    const to = group.deleting ? 0 : group.desiredCapacity
    const shrunk = causes.shrunk(now, from, to, member.instanceId)
    takeOutOfService(deps, context, group, member, causes.causeOf(group.cause, shrunk))
    if (from - 1 <= to && !group.deleting) updateGroup(store, group, { cause: null })
  }

  function abandon(context: Context, group: GroupRow, member: MemberRow) {
    const now = clock.now()
    const action = lifecycleActionsOf(store, group).find(
      (one) => one.instanceId === member.instanceId && one.result === 'ABANDON',
    )
    const why =
      action && action.deadline <= now
        ? 'Heartbeat Timeout'
        : 'Lifecycle Action Completed with ABANDON Result'
    const message = `Instance failed to complete user's Lifecycle Action: Lifecycle Action with token ${action?.token ?? ''} was abandoned: ${why}`
    failActivity(deps, member.activityId, message, 'Cancelled')
    takeOutOfService(deps, context, group, member, causes.abandoned(now))
    // What nobody lets into service would else be launched again at once, for ever.
    updateGroup(store, group, { launchRetryAt: now + RETRY_FIRST_MS })
  }

  function timeOut(group: GroupRow, token: string) {
    const action = lifecycleActionsOf(store, group).find((one) => one.token === token)
    if (action) store.update('autoscaling_lifecycle_action', { token }, { result: action.defaultResult })
  }

  function launch(context: Context, group: GroupRow, count: number, because: causes.Replacing | undefined) {
    const from = sizeOf(group)
    const to = because ? from + count : group.desiredCapacity
    const source = sourceOfLaunch(store, group)
    for (let index = 0; index < count; index++)
      if (!launchMember(deps, context, source, { from, to, ...(because && { because }) })) return
    const complete = from + count >= to
    updateGroup(store, group, { launchFailures: 0, launchRetryAt: null, ...(complete && { cause: null }) })
  }

  function sizeOf(group: GroupRow): number {
    return membersOf(store, group).filter(({ lifecycleState }) => counts(lifecycleState)).length
  }

  function removeGroup(group: GroupRow) {
    const { account, region, name } = group
    removeAllOf(store, group)
    store.remove('autoscaling_tag', { account, region, groupName: name })
    store.remove('autoscaling_group', { account, region, name })
  }
}
