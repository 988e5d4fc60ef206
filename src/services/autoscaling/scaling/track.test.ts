import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Capacity } from './adjust.ts'
import { lowThreshold, needed, scaleIn, scaleOut } from './track.ts'

const still = (desired: number, more: Partial<Capacity> = {}): Capacity => ({
  ...{ min: 1, max: 20, desired, warm: desired, serving: desired, isWarming: false },
  ...more,
})
const at = (value: number, target = 50) => ({ value, target })

describe('target tracking', () => {
  const cases: [why: string, got: number, wanted: number][] = [
    ['1 at 80 needs 2', scaleOut(still(1), at(80)), 2],
    ['4 at 75 need 6', scaleOut(still(4), at(75)), 6],
    ['at the target nothing', scaleOut(still(4), at(50)), 4],
    ['never beyond the largest', scaleOut(still(4, { max: 5 }), at(400)), 5],
    ['who is warming counts', scaleOut(still(6, { warm: 4, isWarming: true }), at(75)), 6],
    ['and more is added if more is needed', scaleOut(still(6, { warm: 4, isWarming: true }), at(100)), 8],
    ['never below what there is', scaleOut(still(6, { warm: 2, isWarming: true }), at(60)), 6],
    ['half of what is too much goes', scaleIn(still(8), [at(5.6)]), 4],
    ['then half of the rest', scaleIn(still(4), [at(11)]), 2],
    ['then the last', scaleIn(still(2), [at(22)]), 1],
    ['not below the smallest', scaleIn(still(4, { min: 3 }), [at(1)]), 3],
    ['who would leave the others at their target stays', scaleIn(still(6), [at(41.6)]), 6],
    ['what would be above its target again stays', scaleIn(still(2), [at(40)]), 2],
    ['nothing goes while something is warming', scaleIn(still(8, { isWarming: true }), [at(6)]), 8],
    ['the policy that needs most decides', scaleIn(still(8), [at(6), at(36)]), 7],
    ['and nobody goes while one needs all', scaleIn(still(8), [at(6), at(49)]), 8],
    ['who is leaving was measured too', scaleIn(still(5, { serving: 8 }), [at(22)]), 4],
  ]
  for (const [why, got, wanted] of cases) it(why, () => assert.equal(got, wanted))
  it('has its low alarm at 90 percent of the target', () => {
    assert.equal(lowThreshold(50), 45)
    assert.equal(lowThreshold(0.7), 0.63)
  })
})

// A load that stays: each instance has an equal part of it.
function settle(load: number, target: number, bounds: { min: number; max: number }, from: number): number[] {
  const seen = [from]
  for (let round = 0; round < 60; round++) {
    const desired = seen.at(-1)!
    const capacity = still(desired, bounds)
    const reading = { value: load / Math.max(1, desired), target }
    const next =
      reading.value > target
        ? scaleOut(capacity, reading)
        : reading.value < lowThreshold(target)
          ? scaleIn(capacity, [reading])
          : desired
    if (next === desired) break
    seen.push(next)
  }
  return seen
}

describe('of every steady load it holds', () => {
  const loads = fc.record({
    load: fc.double({ min: 0, max: 3_000, noNaN: true }),
    target: fc.double({ min: 1, max: 100, noNaN: true }),
    min: fc.integer({ min: 1, max: 10 }),
    more: fc.nat(30),
    at: fc.nat(30),
  })
  it('that the capacity goes one way, and comes to rest within its bounds where the target is met', () => {
    fc.assert(
      fc.property(loads, ({ load, target, min, more, at: offset }) => {
        const bounds = { min, max: min + more }
        const seen = settle(load, target, bounds, Math.min(bounds.max, min + offset))
        assert.ok(seen.length <= 12, `it took ${seen.length} rounds: ${seen.join(' ')}`)
        assert.ok(seen.every((one) => one >= bounds.min && one <= bounds.max))
        const steps = seen.slice(1).map((one, index) => Math.sign(one - seen[index]!))
        assert.equal(new Set(steps).size <= 1, true, `it swings: ${seen.join(' ')}`)
        const last = seen.at(-1)!
        assert.ok(load / last <= target * (1 + 1e-9) || last === bounds.max)
      }),
    )
  })
  it('that with the needed instances the metric is at most at its target', () => {
    fc.assert(
      fc.property(loads, ({ load, target, min }) => {
        const n = needed(min, { value: load / min, target })
        assert.ok(load / Math.max(1, n) <= target * (1 + 1e-9))
        assert.ok(n <= 1 || load / (n - 1) > target * (1 - 1e-9))
      }),
    )
  })
})
