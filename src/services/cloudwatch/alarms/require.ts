// What PutMetricAlarm takes, and what it refuses (CloudWatch API reference).
import type { PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch'
import type { Context } from '../../context.ts'
import { refuseOthers } from '../../parameters.ts'
import { unsupported, validation } from '../errors.ts'
import { requireDimensions, requireNamespace, requireText, requireUnit } from '../names.ts'
import { percentOf, STATISTICS } from '../points/sample.ts'
import type { AlarmSettings } from '../store.ts'
import { comparisons, type Missing, type Rule } from './judge.ts'

const DAY_S = 86_400
const ACTIONS_MAX = 5
const MISSING: readonly Missing[] = ['missing', 'ignore', 'breaching', 'notBreaching']

const KNOWN = [
  ...(['AlarmName', 'AlarmDescription', 'ActionsEnabled', 'OKActions', 'AlarmActions'] as const),
  ...(['InsufficientDataActions', 'MetricName', 'Namespace', 'Statistic', 'ExtendedStatistic'] as const),
  ...(['Dimensions', 'Period', 'Unit', 'EvaluationPeriods', 'DatapointsToAlarm', 'Threshold'] as const),
  ...(['ComparisonOperator', 'TreatMissingData', 'Metrics', 'Tags'] as const),
] as const

/** Throws what AWS refuses, and what has no effect here; `checkQueries` the same of metric math. */
export function requireAlarm(
  context: Context,
  input: PutMetricAlarmInput,
  checkQueries: (context: Context, input: PutMetricAlarmInput) => void,
): AlarmSettings {
  // What `evaluate` means is what is done.
  const { EvaluateLowSampleCountPercentile: low, ...rest } = input
  if (low !== undefined && low !== 'evaluate') throw unsupported('EvaluateLowSampleCountPercentile')
  refuseOthers(rest, KNOWN, unsupported)
  requireText(input.AlarmName ?? '', 'AlarmName', 255)
  if ((input.AlarmDescription?.length ?? 0) > 1024)
    throw constraint(input.AlarmDescription!, 'alarmDescription', 'have length less than or equal to 1024')
  const periods = requireCount(input.EvaluationPeriods, 'evaluationPeriods')
  const wanted = requireCount(input.DatapointsToAlarm ?? periods, 'datapointsToAlarm')
  if (wanted > periods) throw validation('DatapointsToAlarm must be less than or equal to EvaluationPeriods.')
  if (!comparisons.some((one) => one === input.ComparisonOperator))
    throw constraint(
      String(input.ComparisonOperator),
      'comparisonOperator',
      `satisfy enum value set: [${comparisons.join(', ')}]`,
    )
  if (input.Threshold === undefined || !Number.isFinite(input.Threshold))
    throw validation('The parameter Threshold must be a number.')
  const missing = input.TreatMissingData ?? 'missing'
  if (!MISSING.some((one) => one === missing))
    throw validation(
      `The value ${missing} for parameter TreatMissingData is not one of [${MISSING.join(', ')}].`,
    )
  for (const member of ['OKActions', 'AlarmActions', 'InsufficientDataActions'] as const)
    requireActions(context, input[member] ?? [], member)
  if (input.Metrics?.length) requireMath(input, () => checkQueries(context, input))
  else requireMetric(input, periods)
  const { AlarmName: _name, Tags: _tags, ActionsEnabled: _enabled, ...settings } = rest
  return { ...settings, DatapointsToAlarm: input.DatapointsToAlarm }
}

function requireMetric(input: PutMetricAlarmInput, periods: number): void {
  requireNamespace(input.Namespace ?? '')
  requireText(input.MetricName ?? '', 'MetricName', 255)
  requireDimensions(input.Dimensions, 'Dimensions')
  requireUnit(input.Unit, 'Unit')
  if (input.Statistic && input.ExtendedStatistic)
    throw validation('Statistic and ExtendedStatistic are mutually exclusive and you have specified both.')
  if (!input.Statistic && !input.ExtendedStatistic)
    throw validation('Exactly one of Statistic and ExtendedStatistic must be specified.')
  if (input.Statistic && !STATISTICS.some((one) => one === input.Statistic))
    throw constraint(input.Statistic, 'statistic', `satisfy enum value set: [${STATISTICS.join(', ')}]`)
  if (input.ExtendedStatistic && percentOf(input.ExtendedStatistic) === undefined)
    throw validation(`The value ${input.ExtendedStatistic} for parameter ExtendedStatistic is not supported.`)
  const period = requireCount(input.Period, 'period')
  requireAlarmPeriod(period, periods)
}

/** AWS: 10, 20, 30 or a multiple of 60; here any number of seconds below a minute, for scaling in seconds. */
export function requireAlarmPeriod(period: number, periods: number): void {
  if (period > 60 && period % 60 !== 0) throw validation('Period must be from 1 to 60 or a multiple of 60')
  const most = period >= 3600 ? 7 * DAY_S : DAY_S
  if (period * periods > most)
    throw validation(
      `Metrics cannot be checked across more than ${most === DAY_S ? 'a day' : 'seven days'} (EvaluationPeriods * Period must be <= ${most}).`,
    )
}

function requireMath(input: PutMetricAlarmInput, checkQueries: () => void): void {
  const own = [
    'MetricName',
    'Namespace',
    'Statistic',
    'ExtendedStatistic',
    'Dimensions',
    'Period',
    'Unit',
  ] as const
  const both = own.find((member) => input[member] !== undefined && !isEmptyList(input[member]))
  if (both) throw validation(`Metrics and ${both} are mutually exclusive and you have specified both.`)
  checkQueries()
}

const isEmptyList = (value: unknown) => Array.isArray(value) && value.length === 0

/** Scaling policies are what alarms drive here. */
const POLICY =
  /^arn:aws:autoscaling:([^:]+):([^:]+):scalingPolicy:[^:]+:autoScalingGroupName\/[^:]+:policyName\/.+$/

function requireActions(context: Context, actions: string[], member: string): void {
  if (actions.length > ACTIONS_MAX)
    throw validation(`The collection ${member} must not have a size greater than ${ACTIONS_MAX}.`)
  for (const action of actions) {
    const [, region, account] = POLICY.exec(action) ?? []
    if (region === context.region && account === context.account) continue
    if (!action.startsWith('arn:')) throw validation(`Invalid arn syntax: ${action}`)
    if (region !== undefined) throw validation(`Invalid region or account in action: ${action}`)
    throw validation(
      `The action ${action} is not supported by Polebean: alarms act on scaling policies (arn:aws:autoscaling:…:scalingPolicy:…).`,
    )
  }
}

function requireCount(count: number | undefined, member: string): number {
  if (count === undefined || !Number.isInteger(count) || count < 1)
    throw constraint(String(count ?? null), member, 'have value greater than or equal to 1')
  return count
}

const constraint = (value: string, member: string, rule: string) =>
  validation(
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must ${rule}`,
  )

export const ruleOf = (settings: AlarmSettings): Rule => ({
  evaluationPeriods: settings.EvaluationPeriods ?? 1,
  datapointsToAlarm: settings.DatapointsToAlarm ?? settings.EvaluationPeriods ?? 1,
  threshold: settings.Threshold ?? 0,
  comparison: settings.ComparisonOperator as Rule['comparison'],
  missing: (settings.TreatMissingData ?? 'missing') as Missing,
})
