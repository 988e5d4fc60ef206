// What metric math counts with: scalars, time series, arrays of time series.
import { validation } from './errors.ts'

/** `at`: milliseconds since 1970. */
export type Point = { at: number; value: number }

/** `points`: oldest first, none twice, finite. A timestamp without a point is a missing value. */
export type Series = { id: string; label: string; periodSeconds: number; points: readonly Point[] }

/** A scalar without a value (the average of nothing) is NaN; points that would be made of it are dropped. */
export type Value = number | Series | Series[]

/**
 * What is asked for, `endMs` not included. Periods begin at `originMs` and whole periods before and after it: 0 where they follow the
 * clock (GetMetricData), the end where they are counted back from it (an alarm).
 */
export type Range = { startMs: number; endMs: number; originMs: number }

/** GetMetricData: data points of one request. */
export const POINTS_MAX = 100_800

/** The first period is the one that holds the start of the range. */
function firstOf({ startMs, originMs }: Range, step: number): number {
  return originMs + Math.floor((startMs - originMs) / step) * step
}

export function countPeriods(range: Range, periodSeconds: number): number {
  const step = periodSeconds * 1000
  return Math.max(0, Math.ceil((range.endMs - firstOf(range, step)) / step))
}

/** When the periods of a range begin. */
export function periodsOf(range: Range, periodSeconds: number): number[] {
  const count = countPeriods(range, periodSeconds)
  if (count > POINTS_MAX) throw tooMany(count)
  const step = periodSeconds * 1000
  const first = firstOf(range, step)
  return Array.from({ length: count }, (_, index) => first + index * step)
}

export const tooMany = (count: number) =>
  validation(`You have requested up to ${count} datapoints, which exceeds the limit of ${POINTS_MAX}.`)

/** Points that have a value: those of a division by zero, the logarithm of zero and the like are dropped, as AWS drops them. */
export const withValues = (points: Iterable<Point>): Point[] =>
  [...points].filter(({ value }) => Number.isFinite(value))

export const mapPoints = (series: Series, change: (value: number) => number): Series => ({
  ...series,
  points: withValues(series.points.map(({ at, value }) => ({ at, value: change(value) }))),
})

/** Every timestamp that either has, with both values where they are. */
export function* together(
  left: readonly Point[],
  right: readonly Point[],
): Generator<{ at: number; left: number | undefined; right: number | undefined }> {
  let l = 0
  let r = 0
  for (;;) {
    const a = left[l]
    const b = right[r]
    if (!a && !b) return
    const at = Math.min(a?.at ?? Infinity, b?.at ?? Infinity)
    yield {
      at,
      left: a?.at === at ? left[l++]?.value : undefined,
      right: b?.at === at ? right[r++]?.value : undefined,
    }
  }
}

/** Every timestamp that any has, oldest first, with the values that there are. */
export function columnsOf(many: readonly Series[]): { at: number; values: number[] }[] {
  const columns = new Map<number, number[]>()
  for (const { points } of many)
    for (const { at, value } of points) {
      const column = columns.get(at)
      if (column) column.push(value)
      else columns.set(at, [value])
    }
  return [...columns].map(([at, values]) => ({ at, values })).sort((a, b) => a.at - b.at)
}

/** AWS is silent on operands of different periods. The shortest: each timestamp that there is gets a value. */
export const shortestPeriod = (many: readonly { periodSeconds: number }[]): number | undefined =>
  many.length === 0 ? undefined : Math.min(...many.map(({ periodSeconds }) => periodSeconds))
