// How simple and step policies change a capacity. Pure; the rules and numbers are those of the EC2 Auto Scaling user
// guide, "Step and simple scaling policies".
import type { StepAdjustment } from '@aws-sdk/client-auto-scaling'

export type Adjustment = {
  type: 'ChangeInCapacity' | 'ExactCapacity' | 'PercentChangeInCapacity'
  by: number
  /** Instances that a change by percent comes to at least. */
  minMagnitude: number | null
}

export type Bounds = { min: number; max: number }

export type Capacity = Bounds & {
  desired: number
  /** Members that serve and are warm: what a scale-out is reckoned from. */
  warm: number
  /** All members that serve or are being terminated: what a scale-in is reckoned from. */
  serving: number
  /** Whether a member is still to be warm: until then nothing is taken away. */
  isWarming: boolean
}

export const within = ({ min, max }: Bounds, capacity: number) => Math.min(max, Math.max(min, capacity))

/** What the adjustment makes of a capacity, whatever the group's bounds. */
export function adjusted(capacity: number, { type, by, minMagnitude }: Adjustment): number {
  if (type === 'ExactCapacity') return by
  if (type === 'ChangeInCapacity') return capacity + by
  const change = rounded((capacity * by) / 100)
  const size = Math.max(Math.abs(change), minMagnitude ?? 0)
  return by === 0 ? capacity : capacity + Math.sign(by) * size
}

/** AWS: 12.7 is 12, 0.67 is 1, -0.58 is -1, -6.67 is -6. */
function rounded(change: number): number {
  // Of 3 * 10 % of 10 and the like only the sum's last bit is wrong.
  const exact = Math.round(change * 1e9) / 1e9
  return Math.abs(exact) < 1 ? Math.sign(exact) : Math.trunc(exact)
}

/** The step for a metric that is `difference` above (below, if negative) the alarm's threshold. */
export function stepFor(steps: StepAdjustment[], difference: number): StepAdjustment | undefined {
  const lower = (step: StepAdjustment) => step.MetricIntervalLowerBound ?? -Infinity
  const upper = (step: StepAdjustment) => step.MetricIntervalUpperBound ?? Infinity
  const above = steps.find((step) => difference >= lower(step) && difference < upper(step))
  const below = steps.find((step) => difference > lower(step) && difference <= upper(step))
  // At the threshold itself either may be meant: of a policy that scales out the first step begins there.
  return difference >= 0 ? (above ?? below) : below
}

/** A simple policy changes the desired capacity. */
export const simpleCapacity = (capacity: Capacity, adjustment: Adjustment) =>
  within(capacity, adjusted(capacity.desired, adjustment))

/** A step policy adds to what is warm, and what is on its way counts as added already. */
export function stepCapacity(capacity: Capacity, adjustment: Adjustment): number {
  const { desired, warm, serving, isWarming } = capacity
  const grown = within(capacity, adjusted(warm, adjustment))
  const shrunk = within(capacity, adjusted(serving, adjustment))
  if (adjustment.type === 'ExactCapacity') return grown < desired && isWarming ? desired : grown
  if (adjustment.by > 0) return Math.max(desired, grown)
  return adjustment.by < 0 && !isWarming ? Math.min(desired, shrunk) : desired
}
