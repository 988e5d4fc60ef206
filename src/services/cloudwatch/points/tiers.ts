// How long points are kept at which distance: as CloudWatch rolls up (user guide, "Metrics retention"), with ten seconds in between.
const MINUTE_S = 60
const HOUR_S = 60 * MINUTE_S
const DAY_S = 24 * HOUR_S

export type Tier = {
  /** Seconds between points. */
  seconds: number
  /** Seconds of one block: what a row holds. */
  blockSeconds: number
  keptSeconds: number
}

/** From fine to coarse; each block of one is whole blocks of the one before. */
export const TIERS: readonly Tier[] = [
  { seconds: 1, blockSeconds: MINUTE_S, keptSeconds: 3 * HOUR_S },
  { seconds: 10, blockSeconds: 10 * MINUTE_S, keptSeconds: DAY_S },
  { seconds: MINUTE_S, blockSeconds: HOUR_S, keptSeconds: 15 * DAY_S },
  { seconds: 5 * MINUTE_S, blockSeconds: 6 * HOUR_S, keptSeconds: 63 * DAY_S },
  { seconds: HOUR_S, blockSeconds: 3 * DAY_S, keptSeconds: 455 * DAY_S },
]
export const FINEST = TIERS[0]!

export const startOf = (second: number, span: number) => second - (((second % span) + span) % span)

/** Which point of its block a second is in. */
export const placeOf = ({ seconds, blockSeconds }: Tier, second: number) =>
  Math.floor((second - startOf(second, blockSeconds)) / seconds)

export const pointsOfBlock = ({ seconds, blockSeconds }: Tier) => blockSeconds / seconds

/** One stretch of time and the tier to read it from. Seconds since 1970; `to` is not in it. */
export type Stretch = { tier: number; from: number; to: number }

/**
 * Where to read from for a period, since every tier has its time: the coarsest that is fine enough, where it is rolled up already;
 * else the finest that is kept still. `rolled`: up to where each tier is complete (that of the finest is not looked at).
 */
export function stretches(
  { from, to, period, now }: { from: number; to: number; period: number; now: number },
  rolled: readonly number[],
): Stretch[] {
  const ends = TIERS.map((tier, index) => (index === 0 ? Infinity : rolled[index]!))
  const kept = TIERS.map(({ keptSeconds, blockSeconds }) => startOf(now - keptSeconds, blockSeconds))
  const has = (tier: number, second: number) => second >= kept[tier]! && second < ends[tier]!
  const found: Stretch[] = []
  for (let at = from; at < to;) {
    const fine = TIERS.findLastIndex(({ seconds }, index) => seconds <= period && has(index, at))
    const tier = fine === -1 ? TIERS.findIndex((_tier, index) => has(index, at)) : fine
    // Before all that is kept: on to where the coarsest begins.
    const next =
      tier === -1
        ? (kept.findLast((second) => second > at) ?? to)
        : Math.min(ends[tier]!, ...kept.filter((second) => second > at))
    const until = Math.min(to, Math.max(next, at + 1))
    if (tier !== -1) found.push({ tier, from: at, to: until })
    at = until
  }
  return found
}
