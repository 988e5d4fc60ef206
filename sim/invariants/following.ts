// Whether a group follows what it is asked: never outside of its sizes; enough, and not too much, once all has been quiet for a
// while; without going to and fro.
import type { SIZES, Way } from '../days.ts'

/** To find out, to launch and to count: a few periods, and for scaling in those that it waits for, several times over since half of the
 *  surplus goes at a time. */
const ENOUGH_MS = 20 * 60_000
const NOT_TOO_MUCH_MS = 60 * 60_000
/** Health checks take as long to see that one has gone (5 × 15 s), and to let the next one in. */
const SERVED_MS = 10 * 60_000
const TO_AND_FRO_MS = 30 * 60_000
/** What demand wavers by, and grows within a period. */
const SLACK = 0.06

export type Following = {
  way: Way
  sizes: typeof SIZES
  /** Steps of the desired capacity, the last one's direction and time. */
  changes: number
  last: { desired: number; direction: number; at: number }
}

export const makeFollowing = (way: Way, sizes: typeof SIZES): Following => ({
  ...{ way, sizes, changes: 0 },
  last: { desired: sizes.least, direction: 0, at: -Infinity },
})

type Seen = {
  /** What is asked, in instances that are busy all the time. */
  rate: number
  /** For how long there has been no trouble, and no sudden change. */
  quietMs: number
  failed: number
  desired: number
  members: number
  at: number
}

export function followed(following: Following, seen: Seen): string[] {
  const { way, sizes, last } = following
  const { rate, quietMs, desired, members, failed, at } = seen
  const wrong: string[] = []
  const told = `${rate.toFixed(2)} instances' work, ${desired} desired, ${members} there`
  if (desired < sizes.least || desired > sizes.most) wrong.push(`outside of its sizes: ${told}`)
  if (members > sizes.most) wrong.push(`more than its largest size: ${told}`)
  if (quietMs > ENOUGH_MS && desired < sizes.most && rate / desired > way.to * (1 + SLACK))
    wrong.push(`too few: ${told}`)
  const share = rate / Math.max(1, desired - (way.looksAhead ? 1 : 0))
  if (quietMs > NOT_TOO_MUCH_MS && desired > sizes.least && share < way.from * (1 - SLACK))
    wrong.push(`too many: ${told}`)
  if (quietMs > SERVED_MS && failed > 0) wrong.push(`${failed} requests failed: ${told}`)
  if (desired !== last.desired) {
    const direction = Math.sign(desired - last.desired)
    if (quietMs > ENOUGH_MS && direction === -last.direction && at - last.at < TO_AND_FRO_MS)
      wrong.push(`to and fro within ${(at - last.at) / 60_000} minutes: ${told}, ${last.desired} before`)
    following.changes++
    following.last = { desired, direction, at }
  }
  return wrong
}
