// The two alarms of a target tracking policy: it makes, changes and deletes them, as on AWS. What they watch is pure.
import type { TargetTrackingConfiguration } from '@aws-sdk/client-auto-scaling'
import type { Dimension, PutMetricAlarmCommandInput, StandardUnit } from '@aws-sdk/client-cloudwatch'
import type { Context } from '../../context.ts'
import type { AutoscalingDeps } from '../deps.ts'
import type { OwnAlarm, PolicyRow } from '../rows.ts'
import { HIGH_POINTS, LOW_POINTS, lowThreshold } from './track.ts'

/** Seconds that a customized metric may have for its period; AWS has the last three. */
export const PERIODS = [1, 5, 10, 30, 60]

export type Metric = {
  namespace: string
  metricName: string
  dimensions: { Name: string; Value: string }[]
  statistic: 'Average' | 'Sum' | 'Minimum' | 'Maximum'
  unit: string | undefined
  periodSeconds: number
}

const OF_INSTANCES: Record<string, string> = {
  ASGAverageCPUUtilization: 'CPUUtilization',
  ASGAverageNetworkIn: 'NetworkIn',
  ASGAverageNetworkOut: 'NetworkOut',
}

export const targetOf = ({ target }: PolicyRow) => JSON.parse(target!) as TargetTrackingConfiguration
export const ownAlarmsOf = ({ alarms }: Pick<PolicyRow, 'alarms'>) => JSON.parse(alarms) as OwnAlarm[]

export function metricOf(groupName: string, target: TargetTrackingConfiguration): Metric {
  const { PredefinedMetricSpecification: predefined, CustomizedMetricSpecification: custom } = target
  const ofInstances = OF_INSTANCES[predefined?.PredefinedMetricType ?? '']
  if (ofInstances)
    return {
      namespace: 'AWS/EC2',
      metricName: ofInstances,
      dimensions: [{ Name: 'AutoScalingGroupName', Value: groupName }],
      ...{ statistic: 'Average', unit: undefined, periodSeconds: 60 },
    }
  if (predefined) {
    const label = predefined.ResourceLabel ?? ''
    const at = label.indexOf('/targetgroup/')
    return {
      namespace: 'AWS/ApplicationELB',
      metricName: 'RequestCountPerTarget',
      dimensions: [
        { Name: 'TargetGroup', Value: label.slice(at + 1) },
        { Name: 'LoadBalancer', Value: label.slice(0, at) },
      ],
      ...{ statistic: 'Sum', unit: undefined, periodSeconds: 60 },
    }
  }
  return {
    namespace: custom?.Namespace ?? '',
    metricName: custom?.MetricName ?? '',
    dimensions: (custom?.Dimensions ?? []).map(({ Name = '', Value = '' }) => ({ Name, Value })),
    statistic: custom?.Statistic as Metric['statistic'],
    unit: custom?.Unit,
    periodSeconds: custom?.Period ?? 60,
  }
}

type Deps = Pick<AutoscalingDeps, 'cloud' | 'ids'>

/** Makes the alarms that the policy's target asks for, and deletes those that it does not ask for any more. */
export function putOwnAlarms(
  deps: Deps,
  context: Context,
  policy: PolicyRow,
  former: OwnAlarm[],
): OwnAlarm[] {
  const { cloud, ids } = deps
  const target = targetOf(policy)
  const kinds = target.DisableScaleIn ? (['high'] as const) : (['high', 'low'] as const)
  const alarms = kinds.map((kind): OwnAlarm => {
    const known = former.find((one) => one.kind === kind)
    if (known) return known
    const { region, account } = context
    const name = `TargetTracking-${policy.groupName}-Alarm${kind === 'high' ? 'High' : 'Low'}-${ids.uuid()}`
    return { name, arn: `arn:aws:cloudwatch:${region}:${account}:alarm:${name}`, kind }
  })
  for (const alarm of alarms) cloud.cloudwatch.putMetricAlarm(context, alarmInput(policy, target, alarm))
  deleteOwnAlarms(
    deps,
    context,
    former.filter((one) => !alarms.some(({ name }) => name === one.name)),
  )
  return alarms
}

export function deleteOwnAlarms({ cloud }: Pick<Deps, 'cloud'>, context: Context, alarms: OwnAlarm[]): void {
  cloud.cloudwatch.removeAlarms(
    context,
    alarms.map(({ name }) => name),
  )
}

/** How many periods each of the two alarms looks at: as AWS has it, or as Beanstalk asks for it in seconds. */
const pointsOf = ({ alarmPoints }: PolicyRow): { high: number; low: number } =>
  alarmPoints === null
    ? { high: HIGH_POINTS, low: LOW_POINTS }
    : (JSON.parse(alarmPoints) as { high: number; low: number })

function alarmInput(
  policy: PolicyRow,
  target: TargetTrackingConfiguration,
  { name, kind }: OwnAlarm,
): PutMetricAlarmCommandInput {
  const { arn, groupName } = policy
  const { namespace, metricName, dimensions, statistic, unit, periodSeconds } = metricOf(groupName, target)
  return {
    AlarmName: name,
    AlarmDescription: `DO NOT EDIT OR DELETE. For TargetTrackingScaling policy ${arn}.`,
    ActionsEnabled: true,
    AlarmActions: [arn],
    Namespace: namespace,
    MetricName: metricName,
    Dimensions: dimensions satisfies Dimension[],
    Statistic: statistic,
    ...(unit && { Unit: unit as StandardUnit }),
    Period: periodSeconds,
    EvaluationPeriods: pointsOf(policy)[kind],
    Threshold: kind === 'high' ? target.TargetValue : lowThreshold(target.TargetValue!),
    ComparisonOperator: kind === 'high' ? 'GreaterThanThreshold' : 'LessThanThreshold',
  }
}
