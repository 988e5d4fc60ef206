// How target tracking changes a capacity. Pure. The metric is one that halves when the capacity doubles: an average over
// instances, or a figure for each target.
import { within, type Capacity } from './adjust.ts'

export type Reading = { value: number; target: number }

/** AWS: 3 data points above the target, 15 below 90 percent of it. */
export const HIGH_POINTS = 3
export const LOW_POINTS = 15
const LOW_SHARE = 0.9

export const lowThreshold = (target: number) => Number((target * LOW_SHARE).toPrecision(12))

/** With how many instances the metric is at its target or below it. */
export const needed = (instances: number, { value, target }: Reading) =>
  Math.max(0, Math.ceil(Number(((instances * value) / target).toPrecision(12))))

/** What one policy whose high alarm is on wants; what is on its way counts as added already. */
export const scaleOut = (capacity: Capacity, reading: Reading) =>
  Math.max(capacity.desired, within(capacity, needed(capacity.warm, reading)))

/**
 * What the policies want together when all of their low alarms are on: the largest, since each has its own target. Who stays must
 * have the metric where the low alarm begins, or below: at the target itself the next chance would bring the instance back. No more
 * than half of what is too much goes at a time: AWS takes capacity away gradually, and does not publish how.
 */
export function scaleIn(capacity: Capacity, readings: Reading[]): number {
  const { desired, serving, isWarming } = capacity
  if (isWarming || readings.length === 0) return desired
  const wanted = Math.max(
    ...readings.map(({ value, target }) => needed(serving, { value, target: lowThreshold(target) })),
  )
  if (wanted >= desired) return desired
  return Math.min(desired, within(capacity, Math.floor((desired + wanted) / 2)))
}
