// What the users of an application ask of it: more by day than by night, a little of this and that, and now and then a crowd.
import type { Random } from '../src/kernel/random.ts'

const DAY_MS = 24 * 3600_000
const CROWDS_A_DAY = 2
const CROWD_MS = 40 * 60_000
const WAVER = 0.02

export type Demand = {
  /** Requests a second. */
  at(ms: number): number
  /** When it last came or went all of a sudden; -Infinity = never. */
  jumpedAt(ms: number): number
}

/** `least` at night and `most` by day, a crowd half as many again. It begins in the morning, when it grows fastest. */
export function makeDemand(dice: Random, { least, most }: { least: number; most: number }): Demand {
  const crowds: number[][] = []
  const ofDay = (day: number) =>
    (crowds[day] ??= Array.from({ length: CROWDS_A_DAY }, () => (day + dice.next()) * DAY_MS))
  const edges = (ms: number) => {
    const day = Math.floor(ms / DAY_MS)
    return [...(day > 0 ? ofDay(day - 1) : []), ...ofDay(day)].flatMap((start) => [start, start + CROWD_MS])
  }
  const isCrowded = (ms: number) => {
    const all = edges(ms)
    return all.some((start, index) => index % 2 === 0 && start <= ms && ms < all[index + 1]!)
  }
  return {
    at(ms) {
      const byHour = least + ((most - least) * (1 + Math.sin((2 * Math.PI * ms) / DAY_MS))) / 2
      return byHour * (isCrowded(ms) ? 1.5 : 1) * (1 + WAVER * (2 * dice.next() - 1))
    },
    jumpedAt: (ms) => Math.max(-Infinity, ...edges(ms).filter((edge) => edge <= ms)),
  }
}
