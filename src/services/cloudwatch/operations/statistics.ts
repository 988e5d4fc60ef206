// GetMetricStatistics and ListMetrics (CloudWatch API reference).
import type { Datapoint, DimensionFilter, GetMetricStatisticsInput, Metric } from '@aws-sdk/client-cloudwatch'
import type { CloudwatchOperations } from '../../generated/cloudwatch.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { CloudwatchDeps } from '../deps.ts'
import { invalidCombination, invalidValue, paging, unsupported } from '../errors.ts'
import { dimensionsOf, requireDimensions, requireNamespace, requireText, requireUnit } from '../names.ts'
import type { SeriesRow } from '../points/file.ts'
import { PAST_SECONDS_MAX, type Bin } from '../points/metrics.ts'
import { percentOf, statisticOf, STATISTICS } from '../points/sample.ts'
import { startOf } from '../points/tiers.ts'
import { seriesOf } from '../statistics.ts'

const DATAPOINTS_MAX = 1_440
const METRICS_A_PAGE = 500
const HOURS_3 = 3 * 3600
const DAYS_15 = 15 * 86_400
const DAYS_63 = 63 * 86_400

export function makeStatisticsOperations({
  clock,
  metrics,
}: Pick<CloudwatchDeps, 'clock' | 'metrics'>): Pick<
  CloudwatchOperations,
  'getMetricStatistics' | 'listMetrics'
> {
  return {
    getMetricStatistics(context, input) {
      refuseOthers(
        input,
        [
          ...(['Namespace', 'MetricName', 'Dimensions', 'StartTime', 'EndTime', 'Period'] as const),
          ...(['Statistics', 'ExtendedStatistics', 'Unit'] as const),
        ],
        unsupported,
      )
      const namespace = requireNamespace(input.Namespace ?? '')
      const metricName = requireText(input.MetricName ?? '', 'MetricName', 255)
      const dimensions = requireDimensions(input.Dimensions, 'Dimensions')
      const statistics = requireStatistics(input)
      const span = requireSpan(input, Math.floor(clock.now() / 1000))
      const unit = requireUnit(input.Unit, 'Unit')
      const withValues = statistics.some((one) => percentOf(one) !== undefined)
      const datapoints = seriesOf(metrics, context, { namespace, metricName, dimensions, unit }).flatMap(
        (series) =>
          metrics.read(series.id, span, withValues).map((bin) => datapointOf(bin, series.unit, statistics)),
      )
      return { Label: metricName, Datapoints: datapoints }
    },
    listMetrics(context, input) {
      refuseOthers(
        input,
        ['Namespace', 'MetricName', 'Dimensions', 'NextToken', 'RecentlyActive'],
        unsupported,
      )
      if (input.RecentlyActive !== undefined && input.RecentlyActive !== 'PT3H')
        throw invalidValue('The parameter RecentlyActive must be a value in the set [PT3H].')
      const since = clock.now() / 1000 - (input.RecentlyActive ? HOURS_3 : PAST_SECONDS_MAX)
      const found = new Map(
        metrics
          .list(context.account, context.region, since)
          .filter(
            (one) =>
              (!input.Namespace || one.namespace === input.Namespace) &&
              (!input.MetricName || one.name === input.MetricName) &&
              hasAll(one, input.Dimensions ?? []),
          )
          // Units are no part of the name.
          .map((one) => [`${one.namespace}\0${one.name}\0${one.dimensions}`, one]),
      )
      const page = pageOf(
        [...found],
        ([key]) => key,
        { token: input.NextToken, max: undefined },
        paging(METRICS_A_PAGE),
      )
      return { NextToken: page.next, Metrics: page.items.map(([, one]) => describeMetric(one)) }
    },
  }
}

const describeMetric = ({ namespace, name, dimensions }: SeriesRow): Metric => ({
  ...{ Namespace: namespace, MetricName: name, Dimensions: dimensionsOf(dimensions) },
})

const hasAll = ({ dimensions }: SeriesRow, wanted: DimensionFilter[]) =>
  wanted.every(({ Name, Value }) =>
    dimensionsOf(dimensions).some((one) => one.Name === Name && (Value === undefined || one.Value === Value)),
  )

function datapointOf({ start, sample }: Bin, unit: string, statistics: string[]): Datapoint {
  const point: Datapoint = { Timestamp: new Date(start * 1000), Unit: unit as Datapoint['Unit'] }
  for (const statistic of statistics) {
    const figure = statisticOf(sample, statistic)
    if (figure === undefined) continue
    if (percentOf(statistic) === undefined) point[statistic as (typeof STATISTICS)[number]] = figure
    else point.ExtendedStatistics = { ...point.ExtendedStatistics, [statistic]: figure }
  }
  return point
}

function requireStatistics({ Statistics = [], ExtendedStatistics = [] }: GetMetricStatisticsInput): string[] {
  if (Statistics.length > 0 && ExtendedStatistics.length > 0)
    throw invalidCombination(
      'The parameters Statistics and ExtendedStatistics are mutually exclusive and you have specified both.',
    )
  for (const [index, one] of Statistics.entries())
    if (!STATISTICS.some((known) => known === one))
      throw invalidValue(
        `The parameter Statistics.member.${index + 1} must be a value in the set [${STATISTICS.join(', ')}].`,
      )
  for (const [index, one] of ExtendedStatistics.entries())
    if (percentOf(one) === undefined)
      throw invalidValue(
        `The value ${one} for parameter ExtendedStatistics.member.${index + 1} is not supported; percentiles are, as p99.9.`,
      )
  const all = [...Statistics, ...ExtendedStatistics]
  if (all.length === 0) throw invalidCombination('Must specify either Statistics or ExtendedStatistics.')
  return all
}

// Periods begin with the start, which is rounded as coarsely as points of that time are kept.
function requireSpan({ StartTime, EndTime, Period = 0 }: GetMetricStatisticsInput, now: number) {
  const [start, to] = [StartTime, EndTime].map((one) => Math.floor((one?.getTime() ?? 0) / 1000)) as [
    number,
    number,
  ]
  if (start >= to) throw invalidValue('The parameter StartTime must be less than the parameter EndTime.')
  requirePeriod(Period)
  const age = now - start
  const rounded = age > DAYS_63 ? 3600 : age > DAYS_15 ? 300 : age > HOURS_3 || Period >= 60 ? 60 : 1
  const from = startOf(start, rounded)
  const points = Math.ceil((to - from) / Period)
  if (points > DATAPOINTS_MAX)
    throw invalidCombination(
      `You have requested up to ${points.toLocaleString('en-US')} datapoints, which exceeds the limit of ${DATAPOINTS_MAX.toLocaleString('en-US')}. You may reduce the datapoints requested by increasing Period, or decreasing the time range.`,
    )
  return { from, to, period: Period }
}

/** AWS: 1, 5, 10, 30 or a multiple of 60. Any number of seconds below a minute is as good here. */
export function requirePeriod(period: number): void {
  if (!Number.isInteger(period) || period < 1 || (period > 60 && period % 60 !== 0))
    throw invalidValue('The parameter Period must be a value from 1 to 60 or a multiple of 60.')
}
