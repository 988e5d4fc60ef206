// autoscaling.metrics: sizes of groups as points of AWS/AutoScaling, once a minute, of groups whose metrics collection is enabled
// (EC2 Auto Scaling user guide, "Auto Scaling group metrics"). There are no warm pools, so there are no metrics of them.
import type { Reconciler } from '../../control/reconciler.ts'
import type { MetricPoint } from '../cloud.ts'
import { pointsOf, secondOf, untilNextMinute } from '../measure.ts'
import type { ServiceDeps } from '../service.ts'
import { listOf, membersOf, type GroupRow } from './store.ts'

type Sizes = Pick<GroupRow, 'name' | 'minSize' | 'maxSize' | 'desiredCapacity'>
type Member = { lifecycleState: string }

const count = (members: Member[], ...states: string[]) =>
  members.filter(({ lifecycleState }) => states.includes(lifecycleState.split(':')[0]!)).length

const BY_STATE: [name: string, count: (members: Member[]) => number][] = [
  ['InService', (members) => count(members, 'InService')],
  ['Pending', (members) => count(members, 'Pending')],
  ['Standby', (members) => count(members, 'Standby', 'EnteringStandby')],
  ['Terminating', (members) => count(members, 'Terminating')],
  // AWS: those in service, pending and terminating.
  ['Total', (members) => count(members, 'InService', 'Pending', 'Terminating')],
]

/** What can be enabled, in AWS's order. Instances have no weights, so as much capacity is in a state as instances are. */
const METRICS: [metricName: string, value: (group: Sizes, members: Member[]) => number][] = [
  ['GroupMinSize', ({ minSize }) => minSize],
  ['GroupMaxSize', ({ maxSize }) => maxSize],
  ['GroupDesiredCapacity', ({ desiredCapacity }) => desiredCapacity],
  ...['Instances', 'Capacity'].flatMap((what) =>
    BY_STATE.map(([state, counted]): (typeof METRICS)[number] => [
      `Group${state}${what}`,
      (_group, members) => counted(members),
    ]),
  ),
]
export const GROUP_METRICS: readonly string[] = METRICS.map(([metricName]) => metricName)

/** Pure. `enabled`: names of metrics. */
export function groupPoints(group: Sizes, members: Member[], enabled: string[], at: number): MetricPoint[] {
  const points: MetricPoint[] = []
  const point = pointsOf(points, 'AWS/AutoScaling', { AutoScalingGroupName: group.name })
  for (const [metricName, value] of METRICS)
    if (enabled.includes(metricName)) point(metricName, 'None', at, value(group, members))
  return points
}

export function makeMetricsReconciler({ store, clock, cloud }: ServiceDeps): Reconciler {
  return {
    name: 'autoscaling.metrics',
    get everyMs() {
      return untilNextMinute(clock)
    },
    wakes: [],
    // eslint-disable-next-line -- all of it is rows
    async reconcile() {
      const at = secondOf(clock.now())
      const groups = store
        .all<GroupRow>('select * from autoscaling_group')
        .map((group) => ({ group, enabled: listOf(group.enabledMetrics) }))
        .filter(({ enabled }) => enabled.length > 0)
      for (const { group, enabled } of groups)
        cloud.cloudwatch.record(group, groupPoints(group, membersOf(store, group), enabled, at))
      return { groups: groups.length }
    },
  }
}
