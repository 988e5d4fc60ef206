// autoscaling.groups: keeps each group at its desired capacity. It looks and acts only through operations of ec2 and
// elasticloadbalancingv2, which are rows in the same database: each decision is one transaction, so there is no moment
// at which an instance is launched but not a member.
import type { Reconciler } from '../../control/reconciler.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { systemContext, type ServiceDeps } from '../service.ts'
import type { Context } from '../context.ts'
import { endActivity } from './activities.ts'
import * as causes from './causes.ts'
import { launchMember } from './launch.ts'
import { templateMadeAt, templateOf } from './launch-template.ts'
import { deregister, register, takeOutOfService, unlessGone } from './members.ts'
import { planGroup, type GroupAction, type MemberView } from './plan.ts'
import {
  groupOf,
  launchConfigurationOf,
  listOf,
  memberOf,
  membersOf,
  updateGroup,
  updateMember,
  type GroupRow,
  type MemberRow,
} from './store.ts'

export function makeGroupsReconciler(deps: ServiceDeps): Reconciler {
  const { store, clock, cloud, log } = deps
  return {
    name: 'autoscaling.groups',
    everyMs: 5_000,
    wakes: ['autoscaling_group', 'autoscaling_instance', 'ec2_instance', 'elbv2_target'],
    async reconcile() {
      const groups = store.all<GroupRow>('select * from autoscaling_group')
      const states = statesOf(store.all<MemberRow>('select * from autoscaling_instance'))
      const broken: string[] = []
      let acted = 0
      for (const group of groups)
        // One group that cannot be looked at keeps nobody else waiting.
        attempt(broken, group, 'look', () => {
          acted += passOf(group, states, broken)
        })
      return { groups: groups.length, actions: acted, broken }
    },
  }

  function passOf(group: GroupRow, states: ReadonlyMap<string, string>, broken: string[]): number {
    const context = systemContext(group.account, group.region, group.requestId)
    const actions = planGroup(group, viewsOf(context, group, states), clock.now())
    // Nor does an action that fails keep the others of its group: an instance that cannot be registered would stop
    // all replacing.
    for (const action of actions)
      attempt(broken, group, action.do, () => store.transaction(() => perform(context, action, group.name)))
    return actions.length
  }

  function attempt(broken: string[], group: GroupRow, what: string, body: () => void): void {
    try {
      body()
    } catch (error) {
      log.error('autoscaling group', { group: group.name, what, error })
      broken.push(`${group.name}: ${what}: ${reasonOf(error)}`)
    }
  }

  function viewsOf(context: Context, group: GroupRow, states: ReadonlyMap<string, string>): MemberView[] {
    const members = membersOf(store, group)
    const targetStates = targetStatesOf(context, group, members)
    const madeAt = makeMadeAt(context, group)
    return members.map((member) => ({
      ...member,
      registered: listOf(member.registered),
      ec2State: states.get(member.instanceId) ?? null,
      launchConfigurationAt: madeAt(member),
      targetStates: targetStates.get(member.instanceId) ?? [],
    }))
  }

  // When what a member was launched by was made; asked once for each template and version.
  function makeMadeAt(context: Context, group: GroupRow) {
    const known = new Map<string, number>()
    return ({ launchConfigurationName, launchTemplate }: MemberRow): number => {
      const asked = templateOf(launchTemplate)
      if (!asked || !launchTemplate)
        return launchConfigurationOf(store, group, launchConfigurationName)?.createdAt ?? 0
      const at = known.get(launchTemplate) ?? templateMadeAt(deps, context, asked)
      known.set(launchTemplate, at)
      return at
    }
  }

  // One question for all groups of an account and region, not one for each.
  function statesOf(members: MemberRow[]): Map<string, string> {
    const states = new Map<string, string>()
    for (const some of Map.groupBy(members, (member) => `${member.account}/${member.region}`).values()) {
      const context = systemContext(some[0]!.account, some[0]!.region, '')
      const Filters = [{ Name: 'instance-id', Values: some.map((member) => member.instanceId) }]
      let NextToken: string | undefined
      do {
        const answer = cloud.ec2.describeInstances(context, { Filters, NextToken })
        for (const { Instances = [] } of answer.Reservations ?? [])
          for (const { InstanceId, State } of Instances) states.set(InstanceId ?? '', State?.Name ?? '')
        NextToken = answer.NextToken
      } while (NextToken)
    }
    return states
  }

  // Asked only when something depends on it: health by load balancer, a member that drains, or one too many.
  function targetStatesOf(context: Context, group: GroupRow, members: MemberRow[]): Map<string, string[]> {
    const states = new Map<string, string[]>()
    const leaving = members.some((member) => member.lifecycleState === 'Terminating' && !member.terminateSent)
    const hasExcess = members.length > group.desiredCapacity
    if (!leaving && !hasExcess && group.healthCheckType !== 'ELB') return states
    const arns = new Set([
      ...listOf(group.targetGroups),
      ...members.flatMap((member) => listOf(member.registered)),
    ])
    for (const TargetGroupArn of arns) {
      for (const { Target, TargetHealth } of healthOf(context, TargetGroupArn)) {
        const id = Target?.Id ?? ''
        states.set(id, [...(states.get(id) ?? []), TargetHealth?.State ?? ''])
      }
    }
    return states
  }

  function healthOf(context: Context, TargetGroupArn: string) {
    const answer = unlessGone(() =>
      cloud.elasticloadbalancingv2.describeTargetHealth(context, { TargetGroupArn }),
    )
    return answer?.TargetHealthDescriptions ?? []
  }

  function perform(context: Context, action: GroupAction, name: string) {
    const group = groupOf(store, context, name)
    if (!group) return
    if (action.do === 'remove-group') return removeGroup(group)
    if (action.do === 'launch') return launch(context, group, action.count)
    const member = memberOf(store, context, action.id)
    if (member) performOn(context, action, group, member)
  }

  function performOn(
    context: Context,
    action: Exclude<GroupAction, { do: 'launch' | 'remove-group' }>,
    group: GroupRow,
    member: MemberRow,
  ) {
    const now = clock.now()
    const registered = listOf(member.registered)
    switch (action.do) {
      case 'in-service':
        endActivity(deps, member.activityId)
        return void updateMember(store, member, {
          lifecycleState: 'InService',
          inServiceAt: now,
          activityId: null,
        })
      case 'replace':
        takeOutOfService(deps, context, group, member, causes.unhealthy(now, action.check))
        updateMember(store, member, { healthStatus: 'Unhealthy' })
        return void updateGroup(store, group, { cause: group.cause ?? causes.replaced(now) })
      case 'scale-in': {
        const from = membersOf(store, group).filter((one) => one.lifecycleState !== 'Terminating').length
        const shrunk = causes.shrunk(now, from, group.deleting ? 0 : group.desiredCapacity, member.instanceId)
        return void takeOutOfService(deps, context, group, member, causes.causeOf(group.cause, shrunk))
      }
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
      case 'terminate':
        cloud.ec2.terminateInstances(context, { InstanceIds: [action.id] })
        return void updateMember(store, member, { terminateSent: 1 })
      case 'forget':
        endActivity(deps, member.activityId)
        return void store.remove('autoscaling_instance', { instanceId: action.id })
    }
  }

  function launch(context: Context, group: GroupRow, count: number) {
    const from = membersOf(store, group).filter((one) => one.lifecycleState !== 'Terminating').length
    for (let index = 0; index < count; index++)
      if (!launchMember(deps, context, group, { from, to: group.desiredCapacity })) return
    const complete = from + count >= group.desiredCapacity
    updateGroup(store, group, { launchFailures: 0, launchRetryAt: null, ...(complete && { cause: null }) })
  }

  function removeGroup({ account, region, name }: GroupRow) {
    store.remove('autoscaling_tag', { account, region, groupName: name })
    store.remove('autoscaling_group', { account, region, name })
  }
}
