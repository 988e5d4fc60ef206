// Figures of one metric over time, for the operations and for alarms.
import type { MetricStat } from '@aws-sdk/client-cloudwatch'
import type { Context } from '../context.ts'
import type { Point } from './math/series.ts'
import { keyOf, requireDimensions } from './names.ts'
import type { Metrics } from './points/metrics.ts'
import { percentOf, statisticOf, STATISTICS } from './points/sample.ts'

type Asked = {
  namespace: string
  metricName: string
  dimensions: Record<string, string>
  /** Undefined: of whatever unit there is; of several the one that was seen last. */
  unit?: string | undefined
  statistic: string
  /** Seconds since 1970, `to` not in it; periods begin with `from`. */
  from: number
  to: number
  period: number
}
type Owner = Pick<Context, 'account' | 'region'>

/** The units of a metric, the one that was seen last first. */
export const seriesOf = (
  metrics: Metrics,
  owner: Owner,
  asked: Omit<Asked, 'statistic' | 'from' | 'to' | 'period'>,
) =>
  metrics
    .find(keyOf(owner, asked))
    .filter(({ unit }) => asked.unit === undefined || unit === asked.unit)
    .toSorted((a, b) => b.seenMinute - a.seenMinute)

/** By the second at which its period begins; periods without a figure are left out. */
export function figuresOf(
  metrics: Metrics,
  owner: Owner,
  asked: Asked,
): { unit: string | null; figures: Map<number, number> } {
  const [series] = seriesOf(metrics, owner, asked)
  const bins = series ? metrics.read(series.id, asked, percentOf(asked.statistic) !== undefined) : []
  const figures = new Map<number, number>()
  for (const { start, sample } of bins) {
    const figure = statisticOf(sample, asked.statistic)
    if (figure !== undefined) figures.set(start, figure)
  }
  return { unit: series?.unit ?? null, figures }
}

export const isStatistic = (text: string) =>
  STATISTICS.some((one) => one === text) || percentOf(text) !== undefined

/** One point a period, oldest first. Periods begin at `origin` (seconds since 1970) and whole periods before and after it. */
export function pointsOf(
  metrics: Metrics,
  owner: Owner,
  { Metric = {}, Stat = '', Period = 60, Unit }: MetricStat,
  { from, to, origin }: { from: number; to: number; origin: number },
): Point[] {
  const first = origin + Math.floor((from - origin) / Period) * Period
  const last = origin + Math.ceil((to - origin) / Period) * Period
  const { figures } = figuresOf(metrics, owner, {
    ...{ from: first, to: last, period: Period, statistic: Stat, unit: Unit },
    ...{ namespace: Metric.Namespace ?? '', metricName: Metric.MetricName ?? '' },
    dimensions: requireDimensions(Metric.Dimensions, 'Dimensions'),
  })
  return [...figures].map(([second, value]) => ({ at: second * 1000, value }))
}
