// What measuring, CloudWatch and Auto Scaling say to each other beside AWS's operations.
import type { StandardUnit, Statistic } from '@aws-sdk/client-cloudwatch'
import type { Context } from './context.ts'

/** A metric's name: what AWS calls namespace, name and dimensions together. */
export type MetricName = {
  namespace: string
  metricName: string
  /** In any order. */
  dimensions: Record<string, string>
}

/** What was seen of a metric in one moment: a single value, or several of which sum, least and most are known. */
export type MetricPoint = MetricName & {
  unit: StandardUnit
  /** Milliseconds since 1970; it counts for the second that it is in. */
  at: number
  value:
    | number
    | { count: number; sum: number; min: number; max: number; values?: [value: number, count: number][] }
}

export type CloudwatchInternal = {
  /** Takes in what this machine measured; such names may begin with `AWS/`. No transaction: points are not rows. */
  record(context: Pick<Context, 'account' | 'region'>, points: MetricPoint[]): void
  /** One figure of `from` ≤ time < `to` (milliseconds since 1970); undefined when there is no point. `value` of SampleCount is the
   *  count itself. */
  figure(
    context: Pick<Context, 'account' | 'region'>,
    metric: MetricName & { statistic: Statistic; from: number; to: number },
  ): number | undefined
  /** Deletes alarms; those that are not there are none. Joins a transaction. */
  removeAlarms(context: Context, names: string[]): void
}

/** What an alarm's change, and each period while it stays, means to a scaling policy. Joins a transaction. */
export type AlarmAction = {
  policyArn: string
  alarmName: string
  alarmArn: string
  state: 'ALARM' | 'OK' | 'INSUFFICIENT_DATA'
  /** Milliseconds since 1970. */
  at: number
  /** The newest datapoint that the alarm looked at; null = there was none. */
  value: number | null
  threshold: number
}

/** `reason`: the cause of the change, or why there is none. */
export type AlarmActionResult = { changed: boolean; reason: string }

export type AutoscalingInternal = {
  /** Called when the alarm gets into a state that has the action, and again each period that it stays in ALARM. Joins a transaction. */
  alarmAction(context: Context, action: AlarmAction): AlarmActionResult
  /**
   * PutScalingPolicy of the type TargetTrackingScaling, in seconds: AWS's API has no member for how long its two alarms look.
   * A policy of that name is changed in place, its ARN stays. The policy's alarms are made and deleted by autoscaling as those of
   * PutScalingPolicy are (names `TargetTracking-<group>-AlarmHigh|Low-<uuid>`): both with Period = `seconds`; high: above
   * `targetValue` in 2 periods in a row; low: below 90 % of it in ceil(`scaleInSeconds` / `seconds`) periods in a row, and not made where
   * `scalesIn` is false. DescribePolicies shows a CustomizedMetricSpecification with Period = `seconds`, and EstimatedInstanceWarmup =
   * `warmupSeconds`. Joins a transaction.
   * @throws DeclaredError where PutScalingPolicy throws it
   */
  putTargetTracking(
    context: Context,
    groupName: string,
    policyName: string,
    tracking: TargetTracking,
  ): { policyArn: string }
}

export type TargetTracking = {
  metric: MetricName & { statistic: Statistic }
  /** What the metric's statistic of one period shall be. */
  targetValue: number
  /** Length of a period, 1 to 60. */
  seconds: number
  scaleInSeconds: number
  /** How long an instance is in service until it counts. */
  warmupSeconds: number
  scalesIn: boolean
}
