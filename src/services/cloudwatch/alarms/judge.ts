// The state of an alarm from the newest periods of its metric: pure (CloudWatch user guide, "Evaluating an alarm", "Configuring how
// alarms treat missing data").
import type { ComparisonOperator } from '@aws-sdk/client-cloudwatch'

export type State = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'
export type Missing = 'missing' | 'ignore' | 'breaching' | 'notBreaching'

export type Rule = {
  evaluationPeriods: number
  datapointsToAlarm: number
  threshold: number
  comparison: Comparison
  missing: Missing
}
export type Comparison = Extract<
  ComparisonOperator,
  | 'GreaterThanOrEqualToThreshold'
  | 'GreaterThanThreshold'
  | 'LessThanThreshold'
  | 'LessThanOrEqualToThreshold'
>

/** What is looked at beyond the evaluation periods, so that data that is late or lacking is made up for by what was there before. */
export const RANGE_MORE = 2

const COMPARISONS: Record<
  Comparison,
  { breaches(value: number, threshold: number): boolean; words: string }
> = {
  GreaterThanOrEqualToThreshold: {
    breaches: (value, threshold) => value >= threshold,
    words: 'greater than or equal to',
  },
  GreaterThanThreshold: { breaches: (value, threshold) => value > threshold, words: 'greater than' },
  LessThanThreshold: { breaches: (value, threshold) => value < threshold, words: 'less than' },
  LessThanOrEqualToThreshold: {
    breaches: (value, threshold) => value <= threshold,
    words: 'less than or equal to',
  },
}
export const comparisons = Object.keys(COMPARISONS) as Comparison[]

export type Datapoint = { at: number; value: number | null }

/** `range`: from the oldest to the newest, `evaluationPeriods + RANGE_MORE` of them. Null: the state stays as it is. */
export function judge(rule: Rule, range: readonly Datapoint[]): State | null {
  const { evaluationPeriods: periods, datapointsToAlarm: wanted, missing } = rule
  const breaches = (value: number) => COMPARISONS[rule.comparison].breaches(value, rule.threshold)
  const existing = range.flatMap(({ value }) => (value === null ? [] : [value]))
  if (existing.length >= periods)
    return existing.slice(-periods).filter(breaches).length >= wanted ? 'ALARM' : 'OK'

  const breaching = existing.filter(breaches).length
  const filled = periods - existing.length
  if (missing === 'breaching') return breaching + filled >= wanted ? 'ALARM' : 'OK'
  if (missing === 'notBreaching') return breaching >= wanted ? 'ALARM' : 'OK'
  if (existing.length === 0) return missing === 'ignore' ? null : 'INSUFFICIENT_DATA'
  if (breaching >= wanted) return 'ALARM'
  if (breaching < existing.length) return 'OK'
  if (missing === 'ignore') return null
  // All that is there breaches: an alarm once the oldest of it is as old as the datapoints that are wanted.
  const oldest = range.length - range.findIndex(({ value }) => value !== null)
  return oldest >= wanted ? 'ALARM' : null
}

/** Which datapoints the state was told by: the newest that are there, at most as many as there are evaluation periods. */
const judged = ({ evaluationPeriods }: Rule, range: readonly Datapoint[]) =>
  range.filter(({ value }) => value !== null).slice(-evaluationPeriods)

/** `Threshold Crossed: …`, as AWS words it. */
export function reasonOf(rule: Rule, range: readonly Datapoint[], from: State, to: State): string {
  const { evaluationPeriods: periods, datapointsToAlarm: wanted, threshold, comparison } = rule
  const existing = judged(rule, range)
  const limit = Number.isInteger(threshold) ? `${threshold}.0` : String(threshold)
  if (to === 'INSUFFICIENT_DATA')
    return `Insufficient Data: ${periods} datapoint${periods === 1 ? ' was' : 's were'} unknown.`
  if (existing.length === 0)
    return `Threshold Crossed: no datapoints were received for ${periods} period${periods === 1 ? '' : 's'} and ${periods} missing datapoint${periods === 1 ? ' was' : 's were'} treated as [${rule.missing === 'breaching' ? 'Breaching' : 'NonBreaching'}].`
  const breaches = ({ value }: Datapoint) => COMPARISONS[comparison].breaches(value!, threshold)
  const named = existing.filter((one) => breaches(one) === (to === 'ALARM'))
  const list = named.map(({ at, value }) => `${value} (${moment(at)})`).join(', ')
  const { words } = COMPARISONS[comparison]
  const be = named.length === 1 ? 'was' : 'were'
  const are = `${be} ${to === 'ALARM' ? '' : 'not '}${words} the threshold (${limit})`
  const least = to === 'ALARM' ? wanted : periods - wanted + 1
  const change = `(minimum ${least} datapoint${least === 1 ? '' : 's'} for ${from === 'INSUFFICIENT_DATA' ? (to === 'ALARM' ? 'OK' : 'ALARM') : from} -> ${to} transition)`
  return `Threshold Crossed: ${named.length} out of the last ${existing.length} datapoint${existing.length === 1 ? '' : 's'} [${list}] ${are} ${change}.`
}

/** `28/11/26 07:30:00` */
const moment = (at: number) => {
  const [, year, month, day, time] = /^..(..)-(..)-(..)T(........)/.exec(new Date(at).toISOString())!
  return `${day}/${month}/${year} ${time}`
}

/** `StateReasonData` of a change, in the form that AWS gives it. */
export const reasonData = (
  rule: Rule,
  range: readonly Datapoint[],
  { statistic, unit, period, at }: { statistic: string; unit: string | null; period: number; at: number },
) => {
  const existing = judged(rule, range)
  return JSON.stringify({
    version: '1.0',
    queryDate: awsDate(at),
    ...(existing[0] && { startDate: awsDate(existing[0].at) }),
    ...(unit && { unit }),
    statistic,
    period,
    recentDatapoints: existing.map(({ value }) => value),
    threshold: rule.threshold,
    evaluatedDatapoints: existing
      .toReversed()
      .map(({ at: timestamp, value }) => ({ timestamp: awsDate(timestamp), value })),
  })
}

const awsDate = (at: number) => new Date(at).toISOString().replace('Z', '+0000')
