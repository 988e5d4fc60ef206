// What the trigger's MeasureNames are in CloudWatch.
import type { StandardUnit } from '@aws-sdk/client-cloudwatch'

/** Of a group's instances, in the namespace AWS/EC2. */
const OF_INSTANCES: Record<string, StandardUnit> = {
  CPUUtilization: 'Percent',
  NetworkIn: 'Bytes',
  NetworkOut: 'Bytes',
  DiskReadBytes: 'Bytes',
  DiskWriteBytes: 'Bytes',
  DiskReadOps: 'Count',
  DiskWriteOps: 'Count',
}

/** Of a load balancer. */
const OF_LOAD_BALANCER: Record<string, StandardUnit> = {
  RequestCount: 'Count',
  Latency: 'Seconds',
  TargetResponseTime: 'Seconds',
  HealthyHostCount: 'Count',
  UnHealthyHostCount: 'Count',
}

export const ownUnitOf = (measure: string): StandardUnit =>
  OF_INSTANCES[measure] ?? OF_LOAD_BALANCER[measure] ?? 'None'

/** Names of what is measured. */
export type Measured = {
  groupName: string
  /** '' = there is none (yet). */
  loadBalancerArn: string
  /** Of the default process; '' = there is none (yet). */
  targetGroupArn: string
  /** Of a classic load balancer. */
  classicName?: string | undefined
  /** Others have the load balancer too: what counts is what the environment's own target group gets. */
  isShared: boolean
}

export type MetricOf = {
  Namespace: string
  MetricName: string
  Dimensions: { Name: string; Value: string }[]
}

/** Null = what it is about is not there. */
export function metricOf(measure: string, measured: Measured): MetricOf | null {
  if (OF_INSTANCES[measure])
    return {
      Namespace: 'AWS/EC2',
      MetricName: measure,
      Dimensions: [{ Name: 'AutoScalingGroupName', Value: measured.groupName }],
    }
  const { loadBalancerArn, targetGroupArn, classicName, isShared } = measured
  if (loadBalancerArn === '' || targetGroupArn === '') return null
  if (classicName !== undefined)
    return {
      Namespace: 'AWS/ELB',
      // Of application load balancers, AWS knows it by another name.
      MetricName: measure === 'TargetResponseTime' ? 'Latency' : measure,
      Dimensions: [{ Name: 'LoadBalancerName', Value: classicName }],
    }
  const ofTargetGroup = isShared || measure.endsWith('HostCount')
  return {
    Namespace: 'AWS/ApplicationELB',
    MetricName: measure === 'Latency' ? 'TargetResponseTime' : measure,
    Dimensions: [
      ...(ofTargetGroup ? [{ Name: 'TargetGroup', Value: targetGroupName(targetGroupArn) }] : []),
      { Name: 'LoadBalancer', Value: loadBalancerName(loadBalancerArn) },
    ],
  }
}

/** `app/NAME/ID` of `arn:…:loadbalancer/app/NAME/ID`. */
export const loadBalancerName = (arn: string) =>
  arn.slice(arn.indexOf(':loadbalancer/') + ':loadbalancer/'.length)
/** `targetgroup/NAME/ID`. */
export const targetGroupName = (arn: string) => arn.slice(arn.lastIndexOf(':') + 1)
