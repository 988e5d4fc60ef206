// What a scaling policy may be, as AWS words what it may not.
import type {
  PutScalingPolicyType,
  StepAdjustment,
  TargetTrackingConfiguration,
} from '@aws-sdk/client-auto-scaling'
import { refuseOthers } from '../parameters.ts'
import { unsupported, validation } from './errors.ts'
import type { PolicyRow } from './rows.ts'
import { listOf, type GroupRow } from './store.ts'
import { PERIODS } from './scaling/alarms.ts'
import { requireSeconds } from './validate.ts'

/** AWS: per policy. */
const STEPS_MAX = 20
const SECONDS_MAX = 2_147_483_647

export const ADJUSTMENT_TYPES = ['ChangeInCapacity', 'ExactCapacity', 'PercentChangeInCapacity'] as const
const AGGREGATIONS = ['Minimum', 'Maximum', 'Average'] as const
const PREDEFINED = [
  'ASGAverageCPUUtilization',
  'ASGAverageNetworkIn',
  'ASGAverageNetworkOut',
  'ALBRequestCountPerTarget',
] as const

type PolicyOf = Omit<
  PolicyRow,
  'account' | 'region' | 'groupName' | 'name' | 'arn' | 'alarms' | 'alarmPoints'
>

const COMMON = ['AutoScalingGroupName', 'PolicyName', 'PolicyType', 'Enabled'] as const

/** Members that a type of policy takes beside those of all. */
const MEMBERS = {
  SimpleScaling: ['AdjustmentType', 'ScalingAdjustment', 'Cooldown', 'MinAdjustmentMagnitude'],
  StepScaling: [
    'AdjustmentType',
    'StepAdjustments',
    'MetricAggregationType',
    'EstimatedInstanceWarmup',
    'MinAdjustmentMagnitude',
  ],
  TargetTrackingScaling: ['TargetTrackingConfiguration', 'EstimatedInstanceWarmup'],
} as const satisfies Record<PolicyRow['type'], readonly (keyof PutScalingPolicyType)[]>

const BLANK = {
  adjustmentType: null,
  minAdjustmentMagnitude: null,
  scalingAdjustment: null,
  cooldown: null,
  metricAggregationType: null,
  steps: '[]',
  estimatedInstanceWarmup: null,
  target: null,
  enabled: 1,
}

/** A target tracking policy, whose target is right. */
export const trackingPolicy = (target: TargetTrackingConfiguration): PolicyOf => ({
  ...{ ...BLANK, type: 'TargetTrackingScaling' },
  target: JSON.stringify(target),
})

export function requirePolicy(group: GroupRow, input: PutScalingPolicyType): PolicyOf {
  const { PolicyType: type = 'SimpleScaling' } = input
  if (type === 'PredictiveScaling') throw unsupported('PredictiveScalingConfiguration')
  if (!isType(type)) throw validation(notOneOf(type, 'policyType', Object.keys(MEMBERS)))
  if (input.MinAdjustmentStep !== undefined) throw unsupported('MinAdjustmentStep')
  refuseOthers(input, [...COMMON, ...MEMBERS[type]], (member) =>
    validation(
      type === 'TargetTrackingScaling'
        ? `${member} are not supported for a TargetTracking policy`
        : `${member} is not supported for a ${type} policy`,
    ),
  )
  const warmup = input.EstimatedInstanceWarmup
  const common = {
    ...BLANK,
    type,
    estimatedInstanceWarmup:
      warmup === undefined ? null : requireSeconds(warmup, 'estimatedInstanceWarmup', SECONDS_MAX),
    enabled: input.Enabled === false ? 0 : 1,
  }
  if (type === 'TargetTrackingScaling')
    return { ...common, target: JSON.stringify(requireTarget(group, input.TargetTrackingConfiguration)) }
  const adjusting = { ...common, ...requireAdjustment(type, input) }
  if (type === 'StepScaling')
    return {
      ...adjusting,
      steps: JSON.stringify(requireSteps(input.StepAdjustments)),
      metricAggregationType: oneOf(
        input.MetricAggregationType ?? 'Average',
        'metricAggregationType',
        AGGREGATIONS,
      ),
    }
  const { ScalingAdjustment, Cooldown } = input
  if (ScalingAdjustment === undefined)
    throw validation('Scaling increment must be specified for a SimpleScaling policy')
  if (adjusting.adjustmentType === 'ExactCapacity') requireNotNegative(ScalingAdjustment)
  return {
    ...adjusting,
    scalingAdjustment: ScalingAdjustment,
    cooldown: Cooldown === undefined ? null : requireSeconds(Cooldown, 'cooldown', SECONDS_MAX),
  }
}

function requireAdjustment(type: PolicyRow['type'], input: PutScalingPolicyType) {
  const { AdjustmentType, MinAdjustmentMagnitude: magnitude } = input
  if (!AdjustmentType) throw validation(`You must specify an AdjustmentType for policy type: ${type}`)
  const adjustmentType = oneOf(AdjustmentType, 'adjustmentType', ADJUSTMENT_TYPES)
  if (magnitude !== undefined && adjustmentType !== 'PercentChangeInCapacity')
    throw validation('MinAdjustmentMagnitude is only supported for AdjustmentType PercentChangeInCapacity')
  if (magnitude !== undefined && magnitude < 0)
    throw validation('MinAdjustmentMagnitude must be greater than or equal to 0')
  const steps = input.StepAdjustments ?? []
  if (adjustmentType === 'ExactCapacity')
    for (const step of steps) requireNotNegative(step.ScalingAdjustment ?? 0)
  return { adjustmentType, minAdjustmentMagnitude: magnitude ?? null }
}

function requireNotNegative(adjustment: number) {
  if (adjustment < 0)
    throw validation('ScalingAdjustment must be greater than or equal to 0 for AdjustmentType ExactCapacity')
}

/** Steps of a policy: together they cover one range without a gap, from or to infinity where they reach beyond the threshold. */
export function requireSteps(steps: StepAdjustment[] = []): StepAdjustment[] {
  if (steps.length === 0)
    throw validation('At least one StepAdjustment must be specified for a StepScaling policy')
  if (steps.length > STEPS_MAX)
    throw validation(`There can be at most ${STEPS_MAX} step adjustments per scaling policy`)
  const intervals = steps.map((step) => ({
    lower: step.MetricIntervalLowerBound ?? null,
    upper: step.MetricIntervalUpperBound ?? null,
    by: step.ScalingAdjustment,
  }))
  for (const { lower, upper, by } of intervals) {
    if (by === undefined) throw validation('ScalingAdjustment must be specified for each StepAdjustment')
    if (lower === null && upper === null)
      throw validation('Both lower and upper bounds of a StepAdjustment cannot be left unspecified')
    if (lower !== null && upper !== null && lower >= upper)
      throw validation(
        `LowerBound must be less than the UpperBound for StepAdjustment: {lower: ${lower}, upper: ${upper}}`,
      )
  }
  const open = (bound: 'lower' | 'upper') => intervals.filter((one) => one[bound] === null).length
  for (const bound of ['lower', 'upper'] as const)
    if (open(bound) > 1) throw validation(`At most one StepAdjustment may have an unspecified ${bound} bound`)
  if (open('lower') === 0 && intervals.some(({ lower }) => lower! < 0))
    throw validation(
      'There must be a StepAdjustment with an unspecified lower bound (i.e., lower bound is null) when one StepAdjustment has a negative lower bound',
    )
  if (open('upper') === 0 && intervals.some(({ upper }) => upper! > 0))
    throw validation(
      'There must be a StepAdjustment with an unspecified upper bound (i.e., upper bound is null) when one StepAdjustment has a positive upper bound',
    )
  const ordered = intervals.toSorted((a, b) => (a.lower ?? -Infinity) - (b.lower ?? -Infinity))
  for (const [index, { lower }] of ordered.entries()) {
    const before = ordered[index - 1]
    if (!before) continue
    const end = before.upper ?? Infinity
    if (end > (lower ?? -Infinity)) throw validation('StepAdjustment intervals cannot overlap')
    if (end < (lower ?? -Infinity)) throw validation('StepAdjustment intervals cannot have gaps between them')
  }
  return steps
}

function requireTarget(
  group: GroupRow,
  target: TargetTrackingConfiguration | undefined,
): TargetTrackingConfiguration {
  if (!target) throw validation('You should provide a TargetTrackingConfiguration')
  const {
    TargetValue,
    PredefinedMetricSpecification: predefined,
    CustomizedMetricSpecification: custom,
  } = target
  if (!predefined === !custom)
    throw validation(
      'You should provide either a CustomizedMetricSpecification or a PredefinedMetricSpecification',
    )
  // The range of a target, as the API reference gives it.
  if (TargetValue === undefined || !(TargetValue >= 8.51592e-109 && TargetValue <= 1.174271e108))
    throw validation(`The target value ${TargetValue} must be a positive number.`)
  if (predefined) requirePredefined(group, predefined)
  if (custom) requireCustomized(custom)
  return target
}

function requirePredefined(
  group: GroupRow,
  {
    PredefinedMetricType,
    ResourceLabel: label,
  }: NonNullable<TargetTrackingConfiguration['PredefinedMetricSpecification']>,
) {
  const type = oneOf(PredefinedMetricType ?? '', 'predefinedMetricType', PREDEFINED)
  if (type !== 'ALBRequestCountPerTarget') {
    if (label) throw validation(`Resource label should not be specified for predefined metric type ${type}`)
    return
  }
  if (!label)
    throw validation('Resource label should be specified for predefined metric type ALBRequestCountPerTarget')
  const targetGroup = /^app\/[^/]+\/[^/]+\/(targetgroup\/[^/]+\/[^/]+)$/.exec(label)?.[1]
  if (!targetGroup)
    throw validation(
      `The resource label ${label} is invalid. It must be app/<load-balancer-name>/<load-balancer-id>/targetgroup/<target-group-name>/<target-group-id>.`,
    )
  if (!listOf(group.targetGroups).some((arn) => arn.endsWith(`:${targetGroup}`)))
    throw validation(
      `The resource label ${label} is invalid: the target group is not attached to the Auto Scaling group ${group.name}.`,
    )
}

function requireCustomized(
  custom: NonNullable<TargetTrackingConfiguration['CustomizedMetricSpecification']>,
) {
  refuseOthers(custom, ['MetricName', 'Namespace', 'Dimensions', 'Statistic', 'Unit', 'Period'], unsupported)
  for (const member of ['MetricName', 'Namespace', 'Statistic'] as const)
    if (!custom[member]) throw validation(`${member} must be specified in a CustomizedMetricSpecification`)
  oneOf(custom.Statistic!, 'statistic', ['Average', 'Minimum', 'Maximum', 'Sum'] as const)
  const { Period = 60 } = custom
  if (Period > 60) throw validation("A metric period greater than 60 isn't supported")
  if (!PERIODS.includes(Period))
    throw validation(`The metric period ${Period} is not one of ${PERIODS.join(', ')} seconds.`)
}

const isType = (type: string): type is PolicyRow['type'] => Object.hasOwn(MEMBERS, type)

function oneOf<T extends string>(value: string, member: string, words: readonly T[]): T {
  const found = words.find((word) => word === value)
  if (found === undefined) throw validation(notOneOf(value, member, words))
  return found
}

const notOneOf = (value: string, member: string, words: readonly string[]) =>
  `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must satisfy enum value set: [${words.join(', ')}]`
