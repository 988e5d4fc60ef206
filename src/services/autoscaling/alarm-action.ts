// What CloudWatch calls when an alarm whose action is a scaling policy changes its state, and each period that it stays so.
import type { AlarmAction, AlarmActionResult, Context } from '../cloud.ts'
import * as causes from './causes.ts'
import type { AutoscalingDeps } from './deps.ts'
import { policyByArn, type PolicyRow } from './rows.ts'
import { decideAdjustment, decideTracking, setCapacity, type Decision } from './scaling/act.ts'
import { ownAlarmsOf } from './scaling/alarms.ts'
import { isCooling } from './scaling/cooldown.ts'
import { groupOf, listOf, membersOf, type GroupRow } from './store.ts'

export function makeAlarmAction(deps: AutoscalingDeps) {
  const { store, clock } = deps
  return function alarmAction(context: Context, action: AlarmAction): AlarmActionResult {
    const policy = policyByArn(store, action.policyArn)
    const group = policy && groupOf(store, context, policy.groupName)
    if (!policy || !group || group.deleting) return refused(`There is no scaling policy ${action.policyArn}`)
    if (!policy.enabled) return refused(`Scaling policy ${policy.name} is disabled`)
    if (listOf(group.suspended).includes('AlarmNotification'))
      return refused(`AlarmNotification of Auto Scaling group ${group.name} is suspended`)
    if (policy.type === 'SimpleScaling' && isCooling(group, membersOf(store, group), clock.now()))
      return refused(`Auto Scaling group ${group.name} is in its cooldown`)
    const { capacity, reason } = decide(context, group, policy, action)
    if (capacity === group.desiredCapacity) return refused(reason || 'the desired capacity stays as it is')
    const sizes = { from: group.desiredCapacity, to: capacity }
    const cause = causes.alarmed(clock.now(), action.alarmName, action.state, policy.name, sizes)
    setCapacity(deps, group, policy, capacity, cause)
    return { changed: true, reason: cause }
  }

  function decide(context: Context, group: GroupRow, policy: PolicyRow, action: AlarmAction): Decision {
    if (policy.type !== 'TargetTrackingScaling')
      return decideAdjustment(deps, group, policy, differenceOf(context, policy, action))
    const alarm = ownAlarmsOf(policy).find(({ name }) => name === action.alarmName)
    if (!alarm || action.state !== 'ALARM')
      return { capacity: group.desiredCapacity, reason: `${action.alarmName} is no alarm of ${policy.name}` }
    return decideTracking(deps, context, group, policy, { kind: alarm.kind, value: action.value })
  }

  // A step policy may look at the smallest or largest point of the alarm's period instead of what the alarm reads.
  function differenceOf(context: Context, { type, metricAggregationType }: PolicyRow, action: AlarmAction) {
    const { value, threshold } = action
    if (value === null) return null
    if (type !== 'StepScaling' || metricAggregationType === 'Average' || !metricAggregationType)
      return value - threshold
    const { MetricAlarms = [] } = deps.cloud.cloudwatch.describeAlarms(context, {
      AlarmNames: [action.alarmName],
    })
    const { Namespace, MetricName, Dimensions = [], Period = 60 } = MetricAlarms[0] ?? {}
    if (!Namespace || !MetricName) return value - threshold
    const read = deps.cloud.cloudwatch.figure(context, {
      ...{ namespace: Namespace, metricName: MetricName, statistic: metricAggregationType },
      dimensions: Object.fromEntries(Dimensions.map(({ Name = '', Value = '' }) => [Name, Value])),
      ...{ from: action.at - Period * 1000, to: action.at },
    })
    return (read ?? value) - threshold
  }
}

const refused = (reason: string): AlarmActionResult => ({ changed: false, reason })
