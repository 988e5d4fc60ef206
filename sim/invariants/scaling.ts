// What scales environments, at rest: each behind a load balancer has its trigger whole, or the policy in its place; nothing of
// either is left of who has none, and alarms act on policies that there are. Users delete some: those are told as gone.
import type { World } from '../world.ts'
import { column, environmentsOf, resourcesOf, same } from './rows.ts'

/** Those that environments make are named as CloudFormation would. */
const POLICIES = `select arn from autoscaling_policy where name like 'awseb-%'`
const ALARMS = `select name from cloudwatch_alarm where name like 'awseb-%'`
/** Of policies that track a target. */
const OWN_ALARMS = `select name from cloudwatch_alarm where name like 'TargetTracking-%'`
const NAMED_ALARMS = `select alarm.value ->> '$.name' from autoscaling_policy, json_each(alarms) alarm`

const TRIGGER = ['scaleUpPolicyArn', 'scaleDownPolicyArn', 'highAlarmName', 'lowAlarmName']
const TRACKING = ['trackingPolicyArn']

export function scaling(world: World): string[] {
  const owned = environmentsOf(world).map(resourcesOf)
  const named = (...members: string[]) =>
    owned.flatMap((resources) => members.flatMap((member) => resources[member] ?? []))
  const isThere = (one: string) => !world.unscaled.has(one)
  return [
    ...same(
      'policies',
      column(world, POLICIES),
      'environments that name them',
      named('scaleUpPolicyArn', 'scaleDownPolicyArn', 'trackingPolicyArn').filter(isThere),
    ),
    ...same(
      'alarms',
      column(world, ALARMS),
      'environments that name them',
      named('highAlarmName', 'lowAlarmName').filter(isThere),
    ),
    ...same('alarms of tracking', column(world, OWN_ALARMS), 'policies', column(world, NAMED_ALARMS)),
    ...complete(world),
  ]
}

const complete = (world: World): string[] =>
  environmentsOf(world).flatMap((row) => {
    const resources = resourcesOf(row)
    const { front, autoScalingGroupName } = resources
    // One whose launch failed on its way may have come to neither.
    if (front === undefined || autoScalingGroupName === undefined) return []
    const there = [...TRIGGER, ...TRACKING].filter((member) => resources[member] !== undefined)
    const wanted = front === 'elastic address' ? [[]] : [TRIGGER, TRACKING]
    return wanted.some((members) => members.join() === there.join())
      ? []
      : [`${row.name} is scaled by ${there.join(', ') || 'nothing'}`]
  })
