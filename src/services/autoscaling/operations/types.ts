// What there is of each kind, and which figures of a group are collected (cloudwatch publishes them).
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { validation } from '../errors.ts'
import { requireGroup } from '../lookup.ts'
import { groupsOf, launchConfigurationsOf, listOf, updateGroup } from '../store.ts'
import { terminationPolicies } from '../termination.ts'
import { GROUPS_MAX } from './groups.ts'
import { CONFIGURATIONS_MAX } from './launch-configurations.ts'
import { PROCESSES } from './target-groups.ts'

type Implemented = Pick<
  AutoscalingOperations,
  | 'describeScalingProcessTypes'
  | 'describeTerminationPolicyTypes'
  | 'describeMetricCollectionTypes'
  | 'enableMetricsCollection'
  | 'disableMetricsCollection'
  | 'describeAccountLimits'
>

/** Without those of warm pools. */
const METRICS = [
  'GroupMinSize',
  'GroupMaxSize',
  'GroupDesiredCapacity',
  'GroupInServiceInstances',
  'GroupPendingInstances',
  'GroupStandbyInstances',
  'GroupTerminatingInstances',
  'GroupTotalInstances',
  'GroupInServiceCapacity',
  'GroupPendingCapacity',
  'GroupStandbyCapacity',
  'GroupTerminatingCapacity',
  'GroupTotalCapacity',
]
const GRANULARITY = '1Minute'

export function makeTypeOperations({ store }: Pick<AutoscalingDeps, 'store'>): Implemented {
  return {
    describeScalingProcessTypes: () => ({
      Processes: PROCESSES.toSorted().map((ProcessName) => ({ ProcessName })),
    }),
    describeTerminationPolicyTypes: () => ({ TerminationPolicyTypes: terminationPolicies }),
    describeMetricCollectionTypes: () => ({
      Metrics: METRICS.map((Metric) => ({ Metric })),
      Granularities: [{ Granularity: GRANULARITY }],
    }),
    enableMetricsCollection(context, input) {
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      if (input.Granularity !== GRANULARITY)
        throw validation(`Valid metrics granularity type is: [${GRANULARITY}].`)
      const enabled = new Set([...listOf(group.enabledMetrics), ...metricsOf(input.Metrics)])
      updateGroup(store, group, { enabledMetrics: JSON.stringify([...enabled]) })
      return {}
    },
    disableMetricsCollection(context, input) {
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const disabled = metricsOf(input.Metrics)
      const left = listOf(group.enabledMetrics).filter((metric) => !disabled.includes(metric))
      updateGroup(store, group, { enabledMetrics: JSON.stringify(left) })
      return {}
    },
    describeAccountLimits: (context) => ({
      MaxNumberOfAutoScalingGroups: GROUPS_MAX,
      MaxNumberOfLaunchConfigurations: CONFIGURATIONS_MAX,
      NumberOfAutoScalingGroups: groupsOf(store, context).length,
      NumberOfLaunchConfigurations: launchConfigurationsOf(store, context).length,
    }),
  }
}

// None named means all.
function metricsOf(given: string[] | undefined): string[] {
  if (!given?.length) return METRICS
  if (given.some((metric) => !METRICS.includes(metric)))
    throw validation(`Valid metrics collection types are: [${METRICS.join(', ')}].`)
  return given
}
