// What changes the size of an environment's group by itself: two policies with an alarm each, as AWS makes them, or one policy
// that tracks a target. All of it is told in place, whenever settings are; what somebody deleted is made anew.
import type { PutScalingPolicyType } from '@aws-sdk/client-auto-scaling'
import type { PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { TargetTracking } from '../../cloud.ts'
import { loadBalancerName, metricOf, targetGroupName, type Measured } from '../configuration/measures.ts'
import type { EnvironmentConfiguration, Scaling, Tracking } from '../configuration/types.ts'
import { ofEnvironment } from '../events.ts'
import { isGone } from '../gone.ts'
import { resourcesOf, type EnvironmentResources } from '../store.ts'
import { current, forget, remember, required, stackName, type Work } from './work.ts'

type Context = Pick<Work, 'parts' | 'row' | 'context'>

export const POLICIES = ['scaleDownPolicyArn', 'scaleUpPolicyArn', 'trackingPolicyArn'] as const
export const ALARMS = ['lowAlarmName', 'highAlarmName'] as const
type PolicyMember = (typeof POLICIES)[number]
type AlarmMember = (typeof ALARMS)[number]

/** CloudFormation's logical names. */
const LOGICAL: Record<PolicyMember | AlarmMember, string> = {
  scaleDownPolicyArn: 'AWSEBAutoScalingScaleDownPolicy',
  scaleUpPolicyArn: 'AWSEBAutoScalingScaleUpPolicy',
  trackingPolicyArn: 'AWSEBAutoScalingTargetTrackingPolicy',
  lowAlarmName: 'AWSEBCloudwatchAlarmLow',
  highAlarmName: 'AWSEBCloudwatchAlarmHigh',
}

/** Policies and alarms as the settings ask for them; what they do not ask for goes. A measure of a load balancer that is still to
 *  be made has its alarms later. Joins a transaction. */
export function putScaling(work: Work): void {
  const { scaling } = work.configuration
  if (!resourcesOf(current(work.parts, work.row.id)).autoScalingGroupName) return
  forgetDeleted(work)
  const alarms = alarmsOf(scaling, measuredOf(work))
  // An alarm goes before the policy that it would ask.
  for (const member of ALARMS) if (!alarms[member] && scaling?.by !== 'trigger') removeAlarm(work, member)
  for (const member of POLICIES) if (!wants(scaling, member)) removePolicy(work, member)
  for (const member of POLICIES) if (wants(scaling, member)) putPolicy(work, member)
  for (const member of ALARMS) if (alarms[member]) putAlarm(work, member, alarms[member])
}

const wants = (scaling: Scaling | null, member: PolicyMember): boolean =>
  (member === 'trackingPolicyArn' ? 'tracking' : 'trigger') === scaling?.by

type Alarm = Omit<PutMetricAlarmInput, 'AlarmName' | 'AlarmActions'>

/** What the two alarms of a trigger look at. Pure. */
export function alarmsOf(
  scaling: EnvironmentConfiguration['scaling'],
  measured: Measured,
): Partial<Record<AlarmMember, Alarm>> {
  if (scaling?.by !== 'trigger') return {}
  const metric = metricOf(scaling.measure, measured)
  if (!metric) return {}
  const { statistic, periodSeconds, periods, upper, lower } = scaling
  const common = { ...metric, Statistic: statistic, Period: periodSeconds, EvaluationPeriods: periods }
  return {
    highAlarmName: {
      AlarmDescription: 'ElasticBeanstalk Default Scale Up alarm',
      ...common,
      ComparisonOperator: 'GreaterThanThreshold',
      Threshold: upper.threshold,
    },
    lowAlarmName: {
      AlarmDescription: 'ElasticBeanstalk Default Scale Down alarm',
      ...common,
      ComparisonOperator: 'LessThanThreshold',
      Threshold: lower.threshold,
    },
  }
}

/** Null = what is measured is not there. Pure. */
export function trackingOf(tracking: Tracking, measured: Measured): TargetTracking | null {
  const { metric, target, seconds, scaleInSeconds, warmupSeconds, scalesIn } = tracking
  const common = { seconds, scaleInSeconds, warmupSeconds, scalesIn }
  if (metric === 'CPUUtilization')
    return {
      ...common,
      metric: {
        ...{ namespace: 'AWS/EC2', metricName: metric, statistic: 'Average' },
        dimensions: { AutoScalingGroupName: measured.groupName },
      },
      targetValue: target,
    }
  const { loadBalancerArn, targetGroupArn } = measured
  if (loadBalancerArn === '' || targetGroupArn === '') return null
  return {
    ...common,
    metric: {
      ...{ namespace: 'AWS/ApplicationELB', metricName: metric, statistic: 'Sum' },
      dimensions: {
        TargetGroup: targetGroupName(targetGroupArn),
        LoadBalancer: loadBalancerName(loadBalancerArn),
      },
    },
    // It is given for a minute, as AWS's ALBRequestCountPerTarget is.
    targetValue: (target * seconds) / 60,
  }
}

function measuredOf({ parts, row }: Context): Measured {
  const resources = resourcesOf(current(parts, row.id))
  const { autoScalingGroupName, loadBalancerArn, targetGroupArn, loadBalancerName: name } = resources
  return {
    groupName: autoScalingGroupName ?? '',
    loadBalancerArn: loadBalancerArn ?? '',
    targetGroupArn: targetGroupArn ?? '',
    classicName: name,
    isShared: resources.sharesLoadBalancer !== undefined,
  }
}

function putPolicy(work: Work, member: PolicyMember): void {
  const { parts, row, context, configuration } = work
  const { autoscaling } = parts.cloud
  const resources = resourcesOf(current(parts, row.id))
  const { scaling } = configuration
  const known = resources[member]
  const name =
    known?.slice(known.lastIndexOf('/') + 1) ?? parts.ids.upper(`${stackName(row)}-${LOGICAL[member]}-`, 12)
  const group = required(resources.autoScalingGroupName, 'the environment')
  let arn: string | undefined
  if (scaling?.by === 'trigger') {
    const { change } = member === 'scaleUpPolicyArn' ? scaling.upper : scaling.lower
    arn = autoscaling.putScalingPolicy(context, simplePolicy(group, name, change)).PolicyARN
  } else if (scaling?.by === 'tracking') {
    const tracking = trackingOf(scaling, measuredOf(work))
    if (!tracking) return
    arn = autoscaling.putTargetTracking(context, group, name, tracking).policyArn
  }
  remember(parts, row.id, { [member]: required(arn, 'putScalingPolicy') })
  if (known === undefined)
    parts.events.write(ofEnvironment(row), 'INFO', `Created Auto Scaling group policy named: ${arn}`)
}

/** Its cooldown is the group's. */
const simplePolicy = (group: string, name: string, change: number): PutScalingPolicyType => ({
  AutoScalingGroupName: group,
  PolicyName: name,
  PolicyType: 'SimpleScaling',
  AdjustmentType: 'ChangeInCapacity',
  ScalingAdjustment: change,
})

function putAlarm({ parts, row, context }: Work, member: AlarmMember, alarm: Alarm): void {
  const resources = resourcesOf(current(parts, row.id))
  const known = resources[member]
  const name = known ?? parts.ids.upper(`${stackName(row)}-${LOGICAL[member]}-`, 12)
  const policy = member === 'highAlarmName' ? resources.scaleUpPolicyArn : resources.scaleDownPolicyArn
  parts.cloud.cloudwatch.putMetricAlarm(context, {
    AlarmName: name,
    ...alarm,
    AlarmActions: [required(policy, 'the environment')],
  })
  if (known !== undefined) return
  remember(parts, row.id, { [member]: name })
  parts.events.write(ofEnvironment(row), 'INFO', `Created CloudWatch alarm named: ${name}`)
}

/** What is not there any more is remembered no more: a group takes its policies with it. */
function forgetDeleted(work: Context): void {
  const { parts, row, context } = work
  const resources = resourcesOf(current(parts, row.id))
  const policies = policiesThere(work)
  for (const member of POLICIES)
    if (resources[member] && !policies.has(resources[member])) forget(parts, row.id, member)
  const names = ALARMS.flatMap((member) => resources[member] ?? [])
  if (names.length === 0) return
  const { MetricAlarms = [] } = parts.cloud.cloudwatch.describeAlarms(context, { AlarmNames: names })
  for (const member of ALARMS)
    if (resources[member] && MetricAlarms.every(({ AlarmName }) => AlarmName !== resources[member]))
      forget(parts, row.id, member)
}

function policiesThere({ parts, row, context }: Context): Set<string> {
  const { autoScalingGroupName: AutoScalingGroupName } = resourcesOf(current(parts, row.id))
  const arns = new Set<string>()
  const look = () => {
    const { ScalingPolicies = [] } = parts.cloud.autoscaling.describePolicies(context, {
      AutoScalingGroupName,
    })
    for (const { PolicyARN = '' } of ScalingPolicies) arns.add(PolicyARN)
  }
  try {
    isGone(look)
  } catch (error) {
    // A group that is being deleted takes its policies with it.
    if (!(error instanceof DeclaredError) || error.code !== 'ScalingActivityInProgress') throw error
  }
  return arns
}

/** Unless it is not there. Joins a transaction. */
export function removeAlarm({ parts, row, context }: Context, member: AlarmMember): void {
  const name = resourcesOf(current(parts, row.id))[member]
  if (name === undefined) return
  parts.cloud.cloudwatch.removeAlarms(context, [name])
  forget(parts, row.id, member)
  parts.events.write(ofEnvironment(row), 'INFO', `Deleted CloudWatch alarm named: ${name}`)
}

/** Unless it is not there. Joins a transaction. */
export function removePolicy(work: Context, member: PolicyMember): void {
  const { parts, row, context } = work
  const resources = resourcesOf(current(parts, row.id))
  const arn = resources[member]
  if (arn === undefined) return
  if (policiesThere(work).has(arn))
    parts.cloud.autoscaling.deletePolicy(context, {
      AutoScalingGroupName: resources.autoScalingGroupName,
      PolicyName: arn,
    })
  forget(parts, row.id, member)
  parts.events.write(ofEnvironment(row), 'INFO', `Deleted Auto Scaling group policy named: ${arn}`)
}

/** For a client who asks what scales an environment: its alarms, or the policy that makes its own. */
export const triggersOf = ({
  highAlarmName,
  lowAlarmName,
  trackingPolicyArn,
}: EnvironmentResources): string[] =>
  [highAlarmName, lowAlarmName, trackingPolicyArn].flatMap((name) => name ?? [])
