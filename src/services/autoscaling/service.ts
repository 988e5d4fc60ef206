// EC2 Auto Scaling: groups that keep their desired count. Scaling policies, scheduled actions, lifecycle hooks, warm
// pools and instance refresh are not implemented yet: the gateway refuses them by name.
import { inTransactions } from '../in-transactions.ts'
import type { Service, ServiceDeps } from '../service.ts'
import { makeMetricsReconciler } from './metrics.ts'
import { makeActivityOperations } from './operations/activities.ts'
import { makeDescribeGroupOperations } from './operations/describe-groups.ts'
import { makeGroupOperations } from './operations/groups.ts'
import { makeInstanceOperations } from './operations/instances.ts'
import { makeLaunchConfigurationOperations } from './operations/launch-configurations.ts'
import { makeTagOperations } from './operations/tags.ts'
import { makeTargetGroupOperations } from './operations/target-groups.ts'
import { makeGroupsReconciler } from './reconcilers.ts'

export function makeAutoscalingService(deps: ServiceDeps) {
  const operations = inTransactions(deps.store, {
    ...makeLaunchConfigurationOperations(deps),
    ...makeGroupOperations(deps),
    ...makeDescribeGroupOperations(deps),
    ...makeInstanceOperations(deps),
    ...makeTargetGroupOperations(deps),
    ...makeActivityOperations(deps),
    ...makeTagOperations(deps),
  })
  return {
    operations,
    internal: {},
    reconcilers: [makeGroupsReconciler(deps), makeMetricsReconciler(deps)],
    workflows: [],
  } satisfies Service<typeof operations>
}
