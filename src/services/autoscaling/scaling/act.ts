// Executes a policy: what it makes of its group's desired capacity now. Runs inside the caller's transaction.
import type { StepAdjustment } from '@aws-sdk/client-auto-scaling'
import type { Context } from '../../context.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { policiesOf, type PolicyRow } from '../rows.ts'
import { membersOf, updateGroup, type GroupRow } from '../store.ts'
import { simpleCapacity, stepCapacity, stepFor, type Adjustment, type Capacity } from './adjust.ts'
import { metricOf, ownAlarmsOf, targetOf } from './alarms.ts'
import { capacityOf, warmupSeconds } from './cooldown.ts'
import { scaleIn, scaleOut, type Reading } from './track.ts'

/** `capacity` is what the group should have; `reason` says why that is not what the policy would have it be, '' = it is. */
export type Decision = { capacity: number; reason: string }

type Deps = Pick<AutoscalingDeps, 'store' | 'clock' | 'cloud'>

export function decideAdjustment(
  { store, clock }: Deps,
  group: GroupRow,
  policy: PolicyRow,
  difference: number | null,
): Decision {
  const unchanged = (reason: string) => ({ capacity: group.desiredCapacity, reason })
  if (policy.type === 'SimpleScaling') {
    const capacity = capacityOf(group, membersOf(store, group), 0, clock.now())
    return { capacity: simpleCapacity(capacity, adjustmentOf(policy, policy.scalingAdjustment!)), reason: '' }
  }
  if (difference === null) return unchanged('there is no metric value')
  const step = stepFor(JSON.parse(policy.steps) as StepAdjustment[], difference)
  if (!step)
    return unchanged(
      `No step adjustment found for a metric value that is ${difference} from the breach threshold`,
    )
  const capacity = capacityNow({ store, clock }, group, policy, 0)
  return { capacity: stepCapacity(capacity, adjustmentOf(policy, step.ScalingAdjustment!)), reason: '' }
}

/** `value`: what the policy's alarm read last. */
export function decideTracking(
  deps: Deps,
  context: Context,
  group: GroupRow,
  policy: PolicyRow,
  alarm: { kind: 'high' | 'low'; value: number | null },
): Decision {
  const { store, clock } = deps
  const unchanged = (reason: string) => ({ capacity: group.desiredCapacity, reason })
  if (alarm.value === null) return unchanged('there is no metric value')
  const target = targetOf(policy)
  const periodMs = metricOf(group.name, target).periodSeconds * 1000
  // What the metric says of a member is known after a period with it.
  const capacity = capacityNow(deps, group, policy, periodMs)
  const reading = { value: alarm.value, target: target.TargetValue! }
  if (alarm.kind === 'high') return { capacity: scaleOut(capacity, reading), reason: '' }
  const sinceMs = group.cooldownFrom === null ? Infinity : clock.now() - group.cooldownFrom
  if (sinceMs >= 0 && sinceMs < periodMs)
    return unchanged('the metric still holds what was before the last change')
  const others = policiesOf(store, group).filter((one) => one.name !== policy.name && scalesIn(one))
  const readings = others.map((one) => readyToScaleIn(deps, context, group, one))
  const agreed = readings.filter((one): one is Reading => one !== null)
  if (agreed.length < others.length)
    return unchanged('not all target tracking policies are ready to scale in')
  return { capacity: scaleIn(capacity, [reading, ...agreed]), reason: '' }
}

function capacityNow(
  { store, clock }: Pick<Deps, 'store' | 'clock'>,
  group: GroupRow,
  policy: PolicyRow,
  periodMs: number,
): Capacity {
  const warmupMs = warmupSeconds(group, policy.estimatedInstanceWarmup) * 1000
  return capacityOf(group, membersOf(store, group), warmupMs + periodMs, clock.now())
}

const scalesIn = (policy: PolicyRow) =>
  policy.type === 'TargetTrackingScaling' && policy.enabled === 1 && !targetOf(policy).DisableScaleIn

/** What its metric reads, if its low alarm is on. */
function readyToScaleIn(
  { cloud, clock }: Deps,
  context: Context,
  group: GroupRow,
  policy: PolicyRow,
): Reading | null {
  const low = ownAlarmsOf(policy).find(({ kind }) => kind === 'low')
  if (!low) return null
  const { MetricAlarms = [] } = cloud.cloudwatch.describeAlarms(context, { AlarmNames: [low.name] })
  if (MetricAlarms[0]?.StateValue !== 'ALARM') return null
  const target = targetOf(policy)
  const { namespace, metricName, dimensions, statistic, periodSeconds } = metricOf(group.name, target)
  const to = clock.now()
  const value = cloud.cloudwatch.figure(context, {
    ...{ namespace, metricName, statistic, from: to - periodSeconds * 1000, to },
    dimensions: Object.fromEntries(dimensions.map(({ Name, Value }) => [Name, Value])),
  })
  return value === undefined ? null : { value, target: target.TargetValue! }
}

const adjustmentOf = (policy: PolicyRow, by: number): Adjustment => ({
  type: policy.adjustmentType!,
  by,
  minMagnitude: policy.minAdjustmentMagnitude,
})

/** Sets what was decided; the cooldown begins now, and again when what it causes has ended. */
export function setCapacity(
  { store, clock }: Deps,
  group: GroupRow,
  policy: PolicyRow,
  capacity: number,
  cause: string,
): void {
  if (capacity === group.desiredCapacity) return
  updateGroup(store, group, {
    desiredCapacity: capacity,
    cause,
    cooldownSeconds: policy.type === 'SimpleScaling' ? policy.cooldown : null,
    cooldownFrom: clock.now(),
  })
}
