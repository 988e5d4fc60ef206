// Scaling policies: simple, step and target tracking.
import type { Alarm, ScalingPolicy, StepAdjustment } from '@aws-sdk/client-auto-scaling'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import * as causes from '../causes.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { paging, requireString, unsupported, validation } from '../errors.ts'
import { requireGroup } from '../lookup.ts'
import { ADJUSTMENT_TYPES, requirePolicy } from '../policy-input.ts'
import { ofGroup, policiesOf, policyByArn, type OwnAlarm, type PolicyRow } from '../rows.ts'
import { decideAdjustment, setCapacity } from '../scaling/act.ts'
import { deleteOwnAlarms, ownAlarmsOf, putOwnAlarms, targetOf } from '../scaling/alarms.ts'
import { isCooling } from '../scaling/cooldown.ts'
import { groupOf, groupsOf, membersOf, type GroupRow } from '../store.ts'
import { requireName } from './launch-configurations.ts'

type Implemented = Pick<
  AutoscalingOperations,
  'putScalingPolicy' | 'describePolicies' | 'deletePolicy' | 'executePolicy' | 'describeAdjustmentTypes'
>

/** AWS: per group. */
const POLICIES_MAX = 50

/** Makes a policy, or changes the one of that name; with the alarms that target tracking has of its own. `alarmPoints`: how many
 *  periods those look at, where that is not as AWS has it. */
export function putPolicy(
  deps: AutoscalingDeps,
  context: Context,
  group: GroupRow,
  name: string,
  policy: ReturnType<typeof requirePolicy>,
  alarmPoints: { high: number; low: number } | null = null,
): { arn: string; alarms: OwnAlarm[] } {
  const { store, ids } = deps
  const all = policiesOf(store, group)
  const former = all.find((one) => one.name === name)
  if (!former && all.length >= POLICIES_MAX)
    throw new DeclaredError('LimitExceeded', `ScalingPolicies limit of ${POLICIES_MAX} exceeded.`)
  const { account, region } = context
  const row: PolicyRow = {
    ...policy,
    ...ofGroup(group),
    name,
    arn:
      former?.arn ??
      `arn:aws:autoscaling:${region}:${account}:scalingPolicy:${ids.uuid()}:autoScalingGroupName/${group.name}:policyName/${name}`,
    alarms: '[]',
    alarmPoints: alarmPoints && JSON.stringify(alarmPoints),
  }
  const own = former ? ownAlarmsOf(former) : []
  // First the policy: its alarms name it.
  store.put('autoscaling_policy', row)
  if (row.type !== 'TargetTrackingScaling') {
    deleteOwnAlarms(deps, context, own)
    return { arn: row.arn, alarms: [] }
  }
  const alarms = putOwnAlarms(deps, context, row, own)
  store.put('autoscaling_policy', { ...row, alarms: JSON.stringify(alarms) })
  return { arn: row.arn, alarms }
}

export function makePolicyOperations(deps: AutoscalingDeps): Implemented {
  const { store, clock, cloud } = deps
  return {
    putScalingPolicy: (context, input) => {
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const name = requireName(requireString(input.PolicyName, 'PolicyName'))
      const { arn, alarms } = putPolicy(deps, context, group, name, requirePolicy(group, input))
      return { PolicyARN: arn, Alarms: alarms.map(describeOwn) }
    },
    describePolicies(context, input) {
      refuseOthers(
        input,
        ['AutoScalingGroupName', 'PolicyNames', 'PolicyTypes', 'MaxRecords', 'NextToken'],
        unsupported,
      )
      const { AutoScalingGroupName: groupName, PolicyNames: names = [], PolicyTypes: types = [] } = input
      const groups = groupName ? [requireGroup(store, context, groupName)] : groupsOf(store, context)
      const rows = groups
        .flatMap((group) => policiesOf(store, group))
        .filter((row) => names.length === 0 || names.includes(row.name) || names.includes(row.arn))
        .filter((row) => types.length === 0 || types.includes(row.type))
      const limits = { token: input.NextToken, max: input.MaxRecords }
      const page = pageOf(rows, (row) => `${row.groupName}\0${row.name}`, limits, paging(50))
      return { NextToken: page.next, ScalingPolicies: page.items.map((row) => describe(context, row)) }
    },
    deletePolicy(context, input) {
      refuseOthers(input, ['AutoScalingGroupName', 'PolicyName'], unsupported)
      const { policy, group } = requirePolicyOf(context, input)
      deleteOwnAlarms(deps, context, ownAlarmsOf(policy))
      store.remove('autoscaling_policy', { ...ofGroup(group), name: policy.name })
      return {}
    },
    executePolicy(context, input) {
      refuseOthers(
        input,
        ['AutoScalingGroupName', 'PolicyName', 'HonorCooldown', 'MetricValue', 'BreachThreshold'],
        unsupported,
      )
      const { policy, group } = requirePolicyOf(context, input)
      const { MetricValue, BreachThreshold } = input
      if (policy.type === 'TargetTrackingScaling')
        throw validation('ExecutePolicy is not supported for a TargetTracking policy')
      const isStep = policy.type === 'StepScaling'
      if (isStep && (MetricValue === undefined || BreachThreshold === undefined))
        throw validation('MetricValue and BreachThreshold must be specified for a StepScaling policy')
      if (!isStep && (MetricValue !== undefined || BreachThreshold !== undefined))
        throw validation('MetricValue and BreachThreshold are not supported for a SimpleScaling policy')
      if (isStep && input.HonorCooldown)
        throw validation('HonorCooldown is not supported for a StepScaling policy')
      if (input.HonorCooldown) requireWarm(group)
      const { capacity, reason } = decideAdjustment(
        deps,
        group,
        policy,
        isStep ? MetricValue! - BreachThreshold! : null,
      )
      if (reason) throw validation(reason)
      const sizes = { from: group.desiredCapacity, to: capacity }
      setCapacity(deps, group, policy, capacity, causes.executed(clock.now(), policy.name, sizes))
      return {}
    },
    describeAdjustmentTypes: () => ({
      AdjustmentTypes: ADJUSTMENT_TYPES.map((AdjustmentType) => ({ AdjustmentType })),
    }),
  }

  function requireWarm(group: GroupRow) {
    if (isCooling(group, membersOf(store, group), clock.now())) throw inCooldown(group.name)
  }

  function requirePolicyOf(
    context: Context,
    input: { AutoScalingGroupName?: string | undefined; PolicyName: string | undefined },
  ): { policy: PolicyRow; group: GroupRow } {
    const asked = requireString(input.PolicyName, 'PolicyName')
    const isArn = asked.startsWith('arn:')
    if (!isArn && !input.AutoScalingGroupName)
      throw validation('AutoScalingGroupName is required when a policy is given by its name')
    const byArn = isArn ? policyByArn(store, asked) : undefined
    const groupName = input.AutoScalingGroupName ?? byArn?.groupName ?? ''
    const group = groupOf(store, context, groupName)
    const policy = group && policiesOf(store, group).find((one) => [one.name, one.arn].includes(asked))
    if (!policy) throw validation(`PolicyName not found: '${asked}'`)
    return { policy, group: requireGroup(store, context, group.name) }
  }

  function describe(context: Context, row: PolicyRow): ScalingPolicy {
    const given = <T>(member: string, value: T | null) => (value === null ? {} : { [member]: value })
    return {
      AutoScalingGroupName: row.groupName,
      PolicyName: row.name,
      PolicyARN: row.arn,
      PolicyType: row.type,
      ...given('AdjustmentType', row.adjustmentType),
      ...given('MinAdjustmentMagnitude', row.minAdjustmentMagnitude),
      ...given('ScalingAdjustment', row.scalingAdjustment),
      ...given('Cooldown', row.cooldown),
      ...given('MetricAggregationType', row.metricAggregationType),
      ...given('EstimatedInstanceWarmup', row.estimatedInstanceWarmup),
      StepAdjustments: JSON.parse(row.steps) as StepAdjustment[],
      ...(row.target !== null && { TargetTrackingConfiguration: targetOf(row) }),
      Enabled: row.enabled === 1,
      Alarms: row.target === null ? alarmsThatCall(context, row) : ownAlarmsOf(row).map(describeOwn),
    }
  }

  function alarmsThatCall(context: Context, { arn }: PolicyRow): Alarm[] {
    const { MetricAlarms = [] } = cloud.cloudwatch.describeAlarms(context, { ActionPrefix: arn })
    return MetricAlarms.map(({ AlarmName, AlarmArn }) => ({ AlarmName, AlarmARN: AlarmArn }))
  }
}

const describeOwn = ({ name, arn }: { name: string; arn: string }): Alarm => ({
  AlarmName: name,
  AlarmARN: arn,
})

export const inCooldown = (groupName: string) =>
  new DeclaredError(
    'ScalingActivityInProgress',
    `Scaling activities of the Auto Scaling group ${groupName} are in progress, or its cooldown period has not ended.`,
  )
