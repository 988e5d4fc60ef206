// The form of a list of MetricDataQuery: what can be said of it before any expression is read. GetMetricData names the member that is
// wrong and says all at once, a line each; PutMetricAlarm is short.
import type { MetricDataQuery, MetricStat } from '@aws-sdk/client-cloudwatch'
import { unsupported, validation } from './errors.ts'
import { refuseLabel } from './labels.ts'

export type Rules = {
  use: 'data' | 'alarm'
  /** Metrics of other accounts are not here. */
  accountId: string
  isStatistic(text: string): boolean
}

export const QUERIES_MAX = 500
export const ALARM_METRICS_MAX = 10
export const ALARM_EXPRESSIONS_MAX = 10

const ID = /^[a-z][a-zA-Z0-9_]*$/
const ID_CHARACTERS_MAX = 255

/** Seconds. AWS's alarms begin at 10. */
export const isPeriod = (seconds: number): boolean =>
  [1, 5, 10, 20, 30].includes(seconds) || (seconds > 0 && seconds % 60 === 0)

export function checkForm(queries: readonly MetricDataQuery[], rules: Rules): void {
  if (rules.use === 'data') checkData(queries, rules)
  else checkAlarm(queries, rules)
  for (const { AccountId, Label } of queries) {
    if (AccountId !== undefined && AccountId !== rules.accountId)
      throw unsupported('An AccountId other than your own')
    if (Label !== undefined) refuseLabel(Label)
  }
}

function checkData(queries: readonly MetricDataQuery[], { isStatistic }: Rules): void {
  if (queries.length === 0) throw validation('The parameter MetricDataQueries is required.\n')
  if (queries.length > QUERIES_MAX)
    throw validation(`The collection MetricDataQueries must not have a size greater than ${QUERIES_MAX}.\n`)
  const problems = queries.flatMap((query, index) => {
    const at = `MetricDataQueries.member.${index + 1}`
    return [
      ...problemsOf(query, at),
      ...(query.MetricStat ? problemsOfStat(query.MetricStat, `${at}.MetricStat`, isStatistic) : []),
    ]
  })
  if (problems.length > 0) throw validation(problems.map((problem) => `${problem}\n`).join(''))
  if (!areUnique(queries))
    throw validation('The values for parameter id in MetricDataQueries are not unique.')
}

function* problemsOf({ Id, Expression, MetricStat, Period }: MetricDataQuery, at: string): Generator<string> {
  const both = (member: string) =>
    `The parameters ${at}.${member} and ${at}.MetricStat are mutually exclusive and you have specified both.`
  if (!Id) yield `The parameter ${at}.Id is required.`
  else if (!isId(Id))
    yield `The value ${Id} for parameter ${at}.Id is not matching the expected pattern ${ID.source}.`
  if (!Expression && !MetricStat) yield `The parameter ${at}.MetricStat is required.`
  if (Expression !== undefined && MetricStat) yield both('Expression')
  if (Period !== undefined && MetricStat) yield both('Period')
  if (Period !== undefined && !isPeriod(Period)) yield wrongPeriod(`The parameter ${at}.Period`)
}

function* problemsOfStat(
  { Metric, Period, Stat }: MetricStat,
  at: string,
  isStatistic: (text: string) => boolean,
): Generator<string> {
  if (!Metric?.Namespace) yield `The parameter ${at}.Metric.Namespace is required.`
  if (!Metric?.MetricName) yield `The parameter ${at}.Metric.MetricName is required.`
  if (Period === undefined) yield `The parameter ${at}.Period is required.`
  else if (!isPeriod(Period)) yield wrongPeriod(`The parameter ${at}.Period`)
  if (!Stat) yield `The parameter ${at}.Stat is required.`
  else if (!isStatistic(Stat)) yield `The value for parameter ${at}.Stat is not a valid statistic.`
}

function checkAlarm(queries: readonly MetricDataQuery[], { isStatistic }: Rules): void {
  const stats = queries.flatMap(({ MetricStat }) => MetricStat ?? [])
  const expressions = queries.flatMap(({ Expression }) => Expression ?? [])
  const isWrong =
    queries.some(({ Id }) => !Id || !isId(Id)) ||
    !areUnique(queries) ||
    !stats.every((stat) => isWhole(stat, isStatistic))
  if (queries.length === 0 || isWrong) throw validation('Invalid metrics list')
  for (const { Expression, MetricStat, Period } of queries) {
    if (!Expression && !MetricStat) throw validation('Period must not be null')
    if (Expression !== undefined && MetricStat) throw bothInAlarm('Expression')
    if (Period !== undefined && MetricStat) throw bothInAlarm('Period')
    if (!isPeriod(Period ?? MetricStat?.Period ?? 60)) throw validation(wrongPeriod('Period'))
  }
  if (stats.length > ALARM_METRICS_MAX)
    throw validation(`Too many metrics in alarm, maximum is ${ALARM_METRICS_MAX}`)
  if (expressions.length > ALARM_EXPRESSIONS_MAX)
    throw validation(`Too many expressions in alarm, maximum is ${ALARM_EXPRESSIONS_MAX}`)
  // An expression's own period as well: of another one it would have no effect but on TIME_SERIES.
  if (new Set(queries.map((query) => query.Period ?? query.MetricStat?.Period).filter(Boolean)).size > 1)
    throw validation('All metrics in the alarm should have the same period')
  if (expressions.some((text) => /\bSEARCH\s*\(/i.test(text)))
    throw validation('SEARCH is not supported on Metric Alarms.')
  if (queries.filter(({ ReturnData }) => ReturnData ?? true).length !== 1)
    throw validation('Exactly one element of the metrics list should return data.')
}

const isId = (id: string) => ID.test(id) && id.length <= ID_CHARACTERS_MAX
const areUnique = (queries: readonly MetricDataQuery[]) =>
  new Set(queries.map(({ Id }) => Id)).size === queries.length
const isWhole = ({ Metric, Period, Stat }: MetricStat, isStatistic: (text: string) => boolean) =>
  Boolean(Metric?.Namespace && Metric.MetricName && Period && Stat && isStatistic(Stat))
const wrongPeriod = (what: string) => `${what} must be 1, 5, 10, 20, 30 or a multiple of 60`
const bothInAlarm = (member: string) =>
  validation(
    `The parameters MetricDataQuery ${member} and MetricStat are mutually exclusive and you have specified both.`,
  )
