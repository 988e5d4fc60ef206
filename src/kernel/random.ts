// The only door to chance. `next()` is uniform in [0, 1).
import { randomFillSync } from 'node:crypto'

export type Random = { next(): number }

const BYTES_A_DRAW = 6

// A draw of its own for each number would cost a request id as much as all the rest of a request.
const pool = Buffer.alloc(BYTES_A_DRAW * 1024)
let used = pool.length

export const systemRandom: Random = {
  next() {
    if (used === pool.length) {
      randomFillSync(pool)
      used = 0
    }
    const value = pool.readUIntBE(used, BYTES_A_DRAW) / 2 ** 48
    used += BYTES_A_DRAW
    return value
  },
}

/** mulberry32: the same seed gives the same sequence, for the simulator. */
export function seededRandom(seed: number): Random {
  let state = seed | 0
  return {
    next() {
      state = (state + 0x6d2b79f5) | 0
      let t = Math.imul(state ^ (state >>> 15), 1 | state)
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296
    },
  }
}
