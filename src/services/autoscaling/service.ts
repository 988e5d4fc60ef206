// EC2 Auto Scaling: groups that keep their desired count, and what changes it. Warm pools, predictive scaling, mixed
// instances, notifications and traffic sources other than target groups are refused by name.
import { inTransactions } from '../in-transactions.ts'
import type { AutoscalingInternal } from '../cloud.ts'
import type { Service, ServiceDeps } from '../service.ts'
import { makeAlarmAction } from './alarm-action.ts'
import { makeMetricsReconciler } from './metrics.ts'
import { makeActivityOperations } from './operations/activities.ts'
import { makeDescribeGroupOperations } from './operations/describe-groups.ts'
import { makeGroupOperations } from './operations/groups.ts'
import { makeHookOperations } from './operations/hooks.ts'
import { makeInstanceOperations } from './operations/instances.ts'
import { makeLaunchConfigurationOperations } from './operations/launch-configurations.ts'
import { makeMembershipOperations } from './operations/membership.ts'
import { makePolicyOperations } from './operations/policies.ts'
import { makeRefreshOperations } from './operations/refreshes.ts'
import { makeScheduledActionOperations } from './operations/scheduled-actions.ts'
import { makeTagOperations } from './operations/tags.ts'
import { makeTargetGroupOperations } from './operations/target-groups.ts'
import { makeTypeOperations } from './operations/types.ts'
import { makeGroupsReconciler } from './reconcilers.ts'
import { makeScheduledReconciler } from './scheduled-reconciler.ts'
import { shiftWaits } from './rows.ts'
import { makePutTargetTracking } from './target-tracking.ts'

type Internal = AutoscalingInternal & {
  /** Moves what waits by time in which nobody could answer: the machine slept, or its clock was set. */
  shiftDeadlines(ms: number): void
}

export function makeAutoscalingService(deps: ServiceDeps) {
  const { store } = deps
  const operations = inTransactions(store, {
    ...makeLaunchConfigurationOperations(deps),
    ...makeGroupOperations(deps),
    ...makeDescribeGroupOperations(deps),
    ...makeInstanceOperations(deps),
    ...makeMembershipOperations(deps),
    ...makeTargetGroupOperations(deps),
    ...makeActivityOperations(deps),
    ...makePolicyOperations(deps),
    ...makeScheduledActionOperations(deps),
    ...makeHookOperations(deps),
    ...makeRefreshOperations(deps),
    ...makeTypeOperations(deps),
    ...makeTagOperations(deps),
  })
  const alarmAction = makeAlarmAction(deps)
  const putTargetTracking = makePutTargetTracking(deps)
  const internal: Internal = {
    alarmAction: (context, action) => store.transaction(() => alarmAction(context, action)),
    putTargetTracking: (...asked) => store.transaction(() => putTargetTracking(...asked)),
    shiftDeadlines: (ms) => shiftWaits(store, ms),
  }
  return {
    operations,
    internal,
    reconcilers: [makeGroupsReconciler(deps), makeScheduledReconciler(deps), makeMetricsReconciler(deps)],
    workflows: [],
  } satisfies Service<typeof operations, Internal>
}
