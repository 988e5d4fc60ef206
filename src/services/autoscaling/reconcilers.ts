// autoscaling.groups: keeps each group at its desired capacity. It looks and acts only through operations of ec2 and
// elasticloadbalancingv2, which are rows in the same database: each decision is one transaction, so there is no moment
// at which an instance is launched but not a member.
import type { Reconciler } from '../../control/reconciler.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { systemContext, type ServiceDeps } from '../service.ts'
import type { Context } from '../context.ts'
import { currentTemplate, templateMadeAt, templateOf } from './launch-template.ts'
import { isLeaving } from './lifecycle.ts'
import { unlessGone } from './members.ts'
import { makePerform } from './perform.ts'
import { planGroup, type GroupView, type MemberView } from './plan.ts'
import { sourceOfLaunch, viewOf } from './refresh.ts'
import { ACTIVE_REFRESH, type HookRow, type LifecycleActionRow, type RefreshRow } from './rows.ts'
import { launchConfigurationOf, listOf, membersOf, type GroupRow, type MemberRow } from './store.ts'

/** What is asked once a pass for all groups. */
type Known = {
  /** State of each member's instance. */
  states: ReadonlyMap<string, string>
  hooks: HookRow[]
  waits: ReadonlyMap<string, LifecycleActionRow[]>
  refreshes: RefreshRow[]
}

export function makeGroupsReconciler(deps: ServiceDeps): Reconciler {
  const { store, clock, cloud, log } = deps
  const perform = makePerform(deps)
  return {
    name: 'autoscaling.groups',
    everyMs: 5_000,
    wakes: [
      'autoscaling_group',
      'autoscaling_instance',
      'autoscaling_lifecycle_action',
      'autoscaling_refresh',
      'ec2_instance',
      'elbv2_target',
    ],
    async reconcile() {
      const groups = store.all<GroupRow>('select * from autoscaling_group')
      const known = store.remember('autoscaling.groups known', lookAround)
      const broken: string[] = []
      let acted = 0
      for (const group of groups)
        // One group that cannot be looked at keeps nobody else waiting.
        attempt(broken, group, 'look', () => {
          acted += passOf(group, known, broken)
        })
      return { groups: groups.length, actions: acted, broken }
    },
  }

  function lookAround(): Known {
    const waits = store.all<LifecycleActionRow>('select * from autoscaling_lifecycle_action')
    return {
      states: statesOf(store.all<MemberRow>('select * from autoscaling_instance')),
      hooks: store.all<HookRow>('select * from autoscaling_hook'),
      waits: Map.groupBy(waits, (one) => one.instanceId),
      refreshes: store
        .all<RefreshRow>('select * from autoscaling_refresh where ended_at is null')
        .filter(({ status }) => ACTIVE_REFRESH.includes(status)),
    }
  }

  function passOf(group: GroupRow, known: Known, broken: string[]): number {
    const context = systemContext(group.account, group.region, group.requestId)
    const isOurs = (one: { account: string; region: string; groupName: string }) =>
      one.groupName === group.name && one.account === group.account && one.region === group.region
    const refresh = known.refreshes.find(isOurs)
    const view: GroupView = {
      hooks: known.hooks.filter(isOurs).map(({ transition }) => transition),
      refresh: refresh ? viewOf(refresh) : null,
    }
    const actions = planGroup(group, viewsOf(context, group, known, view), clock.now(), view)
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

  function viewsOf(context: Context, group: GroupRow, known: Known, { refresh }: GroupView): MemberView[] {
    const members = membersOf(store, group)
    const isChanging = refresh !== null || group.maxInstanceLifetime > 0
    const targetStates = targetStatesOf(context, group, members, isChanging)
    const madeAt = makeMadeAt(context, group)
    const isCurrent = refresh?.preferences.SkipMatching ? makeIsCurrent(context, group) : () => false
    return members.map((member) => ({
      ...member,
      registered: listOf(member.registered),
      ec2State: known.states.get(member.instanceId) ?? null,
      launchConfigurationAt: madeAt(member),
      targetStates: targetStates.get(member.instanceId) ?? [],
      waits: known.waits.get(member.instanceId) ?? [],
      isCurrent: isCurrent(member),
    }))
  }

  function makeIsCurrent(context: Context, group: GroupRow) {
    const { launchConfigurationName, launchTemplate } = sourceOfLaunch(store, group)
    const template = currentTemplate(deps, context, launchTemplate)
    return (member: MemberRow) =>
      template === null
        ? member.launchConfigurationName === launchConfigurationName
        : member.launchTemplate === template
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
  function targetStatesOf(
    context: Context,
    group: GroupRow,
    members: MemberRow[],
    isChanging: boolean,
  ): Map<string, string[]> {
    const states = new Map<string, string[]>()
    const leaving = members.some(
      ({ lifecycleState, terminateSent }) =>
        (isLeaving(lifecycleState) && !terminateSent) ||
        lifecycleState === 'EnteringStandby' ||
        lifecycleState === 'Detaching',
    )
    const hasExcess = members.length > group.desiredCapacity
    if (!leaving && !hasExcess && !isChanging && group.healthCheckType !== 'ELB') return states
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
}
