// What was seen of a metric in a span of time, as CloudWatch keeps it: a statistic set, and, where they were told, the values
// themselves, for percentiles (CloudWatch user guide, "Metrics concepts").

export type Sample = {
  count: number
  sum: number
  min: number
  max: number
  /** How often which value was seen, in the order of the values; absent = only the figures above are known. */
  values?: ValueCount[]
}
export type ValueCount = [value: number, count: number]

/** Above so many different values of one span they are told apart by two significant digits alone. */
export const VALUES_EXACT_MAX = 150

export const single = (value: number): Sample => ({ count: 1, sum: value, min: value, max: value })

/** `samples` together; undefined of none. The values of all are known together only when those of each are. `withValues`: those of
 *  single points are told, which are known from their figures. */
export function combine(samples: readonly Sample[], { withValues = false } = {}): Sample | undefined {
  const [first, ...others] = samples
  if (!first) return undefined
  let { count, sum, min, max } = first
  for (const one of others) {
    count += one.count
    sum += one.sum
    min = Math.min(min, one.min)
    max = Math.max(max, one.max)
  }
  const together: Sample = { count, sum, min, max }
  if (!withValues && !samples.some(({ values }) => values !== undefined)) return together
  const known = samples.map(valuesOf)
  if (known.every((one) => one !== undefined)) together.values = merge(known)
  return together
}

/** What was seen how often; undefined when the figures do not tell. */
export function valuesOf({ values, count, min, max }: Sample): ValueCount[] | undefined {
  return values ?? (count > 0 && min === max ? [[min, count]] : undefined)
}

function merge(lists: readonly ValueCount[][]): ValueCount[] {
  const exact = sumUp(lists, (value) => value)
  return inOrder(exact.size > VALUES_EXACT_MAX ? sumUp(lists, coarse) : exact)
}

function sumUp(lists: readonly ValueCount[][], as: (value: number) => number): Map<number, number> {
  const counts = new Map<number, number>()
  for (const list of lists)
    for (const [value, count] of list) counts.set(as(value), (counts.get(as(value)) ?? 0) + count)
  return counts
}

const inOrder = (counts: Map<number, number>): ValueCount[] => [...counts].toSorted(([a], [b]) => a - b)
const coarse = (value: number) => Number(value.toPrecision(2))

/** `Average`, `Sum`, `Minimum`, `Maximum`, `SampleCount` or `p99.9`; undefined when the sample does not tell. */
export function statisticOf(sample: Sample, statistic: string): number | undefined {
  switch (statistic) {
    case 'Average':
      return sample.count === 0 ? undefined : sample.sum / sample.count
    case 'Sum':
      return sample.sum
    case 'Minimum':
      return sample.min
    case 'Maximum':
      return sample.max
    case 'SampleCount':
      return sample.count
    default: {
      const percent = percentOf(statistic)
      const values = valuesOf(sample)
      return percent === undefined || !values ? undefined : percentile(values, percent)
    }
  }
}

export const STATISTICS = ['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'] as const

/** `p95.5` → 95.5; undefined when it is no percentile between p0.0 and p100. */
export function percentOf(statistic: string): number | undefined {
  const text = /^p(\d{1,3}(?:\.\d{1,10})?)$/.exec(statistic)?.[1]
  const percent = Number(text)
  return text !== undefined && percent <= 100 ? percent : undefined
}

/** The least value that `percent` of all do not exceed (nearest rank). */
function percentile(values: readonly ValueCount[], percent: number): number | undefined {
  const total = values.reduce((sum, [, count]) => sum + count, 0)
  let left = (percent / 100) * total
  for (const [value, count] of values) {
    left -= count
    if (left <= 1e-9 * total) return value
  }
  return values.at(-1)?.[0]
}
