// Figures of one metric over time, for the operations and for alarms.
import type { Context } from '../context.ts'
import { keyOf } from './names.ts'
import type { Bin, Metrics } from './points/metrics.ts'
import { percentOf, statisticOf } from './points/sample.ts'

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

export function binsOf(
  metrics: Metrics,
  owner: Owner,
  asked: Asked,
): { unit: string; bins: Bin[] } | undefined {
  const [series] = seriesOf(metrics, owner, asked)
  if (!series) return undefined
  return { unit: series.unit, bins: metrics.read(series.id, asked, percentOf(asked.statistic) !== undefined) }
}

/** By the second at which its period begins; periods without a figure are left out. */
export function figuresOf(
  metrics: Metrics,
  owner: Owner,
  asked: Asked,
): { unit: string | null; figures: Map<number, number> } {
  const found = binsOf(metrics, owner, asked)
  const figures = new Map<number, number>()
  for (const { start, sample } of found?.bins ?? []) {
    const figure = statisticOf(sample, asked.statistic)
    if (figure !== undefined) figures.set(start, figure)
  }
  return { unit: found?.unit ?? null, figures }
}
