// Functions that make one value of many: of a series' points a scalar, of several series' points at a timestamp one point.
import { columnsOf, type Series, shortestPeriod, type Value, withValues } from './series.ts'

/** `of`: how many values there could be; of a series its points, of an array its series. NaN: no value. */
type Fold = (values: readonly number[], of: number) => number

const sum = (values: readonly number[]) => values.reduce((all, value) => all + value, 0)
const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Infinity)
const greatest = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), -Infinity)

/** Of the whole population; AWS does not say which. */
function deviation(values: readonly number[]): number {
  const mean = sum(values) / values.length
  return Math.sqrt(sum(values.map((value) => (value - mean) ** 2)) / values.length)
}

const ofSome =
  (fold: Fold): Fold =>
  (values, of) =>
    values.length === 0 ? NaN : fold(values, of)

export const FOLDS = {
  // AWS: "Missing values are treated as 0" in the average of an array; the sum is divided by all its series.
  AVG: ofSome((values, of) => sum(values) / of),
  DATAPOINT_COUNT: (values) => values.length,
  MAX: ofSome(greatest),
  MIN: ofSome(least),
  STDDEV: ofSome(deviation),
  SUM: ofSome(sum),
} satisfies Record<string, Fold>

export type FoldName = keyof typeof FOLDS

export const foldSeries = (name: FoldName, { points }: Series): number =>
  FOLDS[name](
    points.map(({ value }) => value),
    points.length,
  )

export const fold =
  (name: FoldName) =>
  (value: Value, periodSeconds: number): Value => {
    if (typeof value === 'number') return value
    if (!Array.isArray(value)) return foldSeries(name, value)
    const points = columnsOf(value).map(({ at, values }) => ({
      at,
      value: FOLDS[name](values, value.length),
    }))
    return {
      id: '',
      label: '',
      periodSeconds: shortestPeriod(value) ?? periodSeconds,
      points: withValues(points),
    }
  }
