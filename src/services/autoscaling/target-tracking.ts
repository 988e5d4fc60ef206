// Target tracking in seconds, which AWS's API has no members for: Beanstalk asks for it (cloud.ts, AutoscalingInternal).
import type { Context, TargetTracking } from '../cloud.ts'
import type { AutoscalingDeps } from './deps.ts'
import { requireGroup } from './lookup.ts'
import { putPolicy } from './operations/policies.ts'
import { trackingPolicy } from './policy-input.ts'

/** Of one period above the target chance is as good a reason as load. */
const HIGH_POINTS = 2

export const makePutTargetTracking =
  (deps: AutoscalingDeps) =>
  (
    context: Context,
    groupName: string,
    policyName: string,
    tracking: TargetTracking,
  ): { policyArn: string } => {
    const { metric, seconds, scaleInSeconds, targetValue, warmupSeconds, scalesIn } = tracking
    const policy = trackingPolicy({
      ...{ TargetValue: targetValue, DisableScaleIn: !scalesIn },
      CustomizedMetricSpecification: {
        ...{ Namespace: metric.namespace, MetricName: metric.metricName, Period: seconds },
        Dimensions: Object.entries(metric.dimensions).map(([Name, Value]) => ({ Name, Value })),
        Statistic: metric.statistic as 'Average' | 'Sum' | 'Minimum' | 'Maximum',
      },
    })
    const group = requireGroup(deps.store, context, groupName)
    const { arn } = putPolicy(
      ...([deps, context, group, policyName] as const),
      { ...policy, estimatedInstanceWarmup: warmupSeconds },
      { high: HIGH_POINTS, low: Math.max(1, Math.ceil(scaleInSeconds / seconds)) },
    )
    return { policyArn: arn }
  }
