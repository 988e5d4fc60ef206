// How counters that only grow become points of each second. A look is at a moment; what has grown since the last look counts for
// the whole seconds that have ended between them, each as much as the other: a look that comes late makes no spike.
import type { Clock } from '../kernel/clock.ts'
import type { MetricName, MetricPoint } from './cloud.ts'

/** A moment by both clocks: the one that is set, and the one that only goes on. */
export type Look = { wall: number; monotonic: number }
export const lookAt = (clock: Clock): Look => ({ wall: clock.now(), monotonic: clock.monotonic() })

/** What has grown while nobody looked for longer than this is left out. */
export const GAP_MS = 60_000
/** A clock that went so much further than time was set, or its machine slept. */
const SET_MS = 1_000

/**
 * The seconds that have ended between two looks (milliseconds since 1970), each once over all looks; none = it is too early.
 * Undefined: it cannot be said what belongs to which, and counting begins with this look.
 */
export function secondsBetween(before: Look, now: Look): number[] | undefined {
  const elapsed = now.monotonic - before.monotonic
  if (elapsed > GAP_MS || Math.abs(now.wall - before.wall - elapsed) > SET_MS) return undefined
  const [first, end] = [secondOf(before.wall), secondOf(now.wall)]
  return Array.from({ length: Math.max(0, (end - first) / 1_000) }, (_, index) => first + index * 1_000)
}

export const secondOf = (at: number) => Math.floor(at / 1_000) * 1_000

/** Just after the next second has begun, or the next of so many: a reconciler that waits so long looks once in each. */
export const untilNextSecond = (clock: Clock, every = 1): number =>
  every * 1_000 - (clock.now() % (every * 1_000)) + AFTER_MS
/** The same of minutes, for what AWS tells once in each. */
export const untilNextMinute = (clock: Clock): number => MINUTE_MS - (clock.now() % MINUTE_MS) + AFTER_MS
export const MINUTE_MS = 60_000
/** Timers may be early by one millisecond. */
const AFTER_MS = 10

/** By how much a counter has grown; one that is smaller than before began again. Undefined when one of the two was not measured. */
export const growth = (before: number | undefined, now: number | undefined): number | undefined =>
  before === undefined || now === undefined ? undefined : now >= before ? now - before : now

/** A whole number in so many whole shares, as equal as can be. */
export const sharesOf = (total: number, count: number): number[] =>
  Array.from(
    { length: count },
    (_, index) => Math.floor((total * (index + 1)) / count) - Math.floor((total * index) / count),
  )

/** Several figures of one moment as one point's value. */
export function together(values: number[]): MetricPoint['value'] {
  if (values.length === 1) return values[0]!
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return spread(counts)
}

/** Value → how often it was seen. */
export function spread(counts: ReadonlyMap<number, number>): Exclude<MetricPoint['value'], number> {
  const all = { count: 0, sum: 0, min: Infinity, max: -Infinity }
  for (const [value, count] of counts) {
    all.count += count
    all.sum += value * count
    all.min = Math.min(all.min, value)
    all.max = Math.max(all.max, value)
  }
  return { ...all, values: [...counts] }
}

/** Points of one name's dimensions, put together: `point('CPUUtilization', 'Percent', at, 12)`. */
export const pointsOf =
  (points: MetricPoint[], namespace: string, dimensions: MetricName['dimensions']) =>
  (metricName: string, unit: MetricPoint['unit'], at: number, value: MetricPoint['value']) =>
    void points.push({ namespace, metricName, dimensions, unit, at, value })
