// The worked examples of the EC2 Auto Scaling user guide, and what holds of every policy.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { StepAdjustment } from '@aws-sdk/client-auto-scaling'
import { adjusted, simpleCapacity, stepCapacity, stepFor, type Adjustment, type Capacity } from './adjust.ts'

const percent = (by: number, minMagnitude: number | null = null): Adjustment => ({
  type: 'PercentChangeInCapacity',
  by,
  minMagnitude,
})
const change = (by: number): Adjustment => ({ type: 'ChangeInCapacity', by, minMagnitude: null })
const exact = (by: number): Adjustment => ({ type: 'ExactCapacity', by, minMagnitude: null })
const still = (desired: number, more: Partial<Capacity> = {}): Capacity => ({
  ...{ min: 0, max: 100, desired, warm: desired, serving: desired, isWarming: false },
  ...more,
})

describe('an adjustment', () => {
  const cases: [why: string, capacity: number, Adjustment, wanted: number][] = [
    ['adds', 3, change(5), 8],
    ['sets', 3, exact(5), 5],
    ['takes away', 3, change(-2), 1],
    ['10 percent of 10', 10, percent(10), 11],
    ['12.7 is rounded to 12', 127, percent(10), 139],
    ['0.67 is rounded to 1', 67, percent(1), 68],
    ['-0.58 is rounded to -1', 58, percent(-1), 57],
    ['-6.67 is rounded to -6', 667, percent(-1), 661],
    ['30 percent of 11 is 3.3', 11, percent(30), 14],
    ['25 percent of 4 would be 1', 4, percent(25, 2), 6],
    ['but never less than it says', 100, percent(25, 2), 125],
    ['a magnitude holds downwards', 4, percent(-25, 2), 2],
    ['nothing of nothing', 0, percent(50), 0],
    ['no change is none', 4, percent(0, 2), 4],
    ['28 * 25 % is exactly 7', 28, percent(25), 35],
  ]
  for (const [why, capacity, adjustment, wanted] of cases)
    it(why, () => assert.equal(adjusted(capacity, adjustment), wanted))
})

// The user guide's tables for an alarm at 50 percent.
const OUT: StepAdjustment[] = [
  { MetricIntervalLowerBound: 0, MetricIntervalUpperBound: 10, ScalingAdjustment: 0 },
  { MetricIntervalLowerBound: 10, MetricIntervalUpperBound: 20, ScalingAdjustment: 10 },
  { MetricIntervalLowerBound: 20, ScalingAdjustment: 30 },
]
const IN: StepAdjustment[] = [
  { MetricIntervalLowerBound: -10, MetricIntervalUpperBound: 0, ScalingAdjustment: 0 },
  { MetricIntervalLowerBound: -20, MetricIntervalUpperBound: -10, ScalingAdjustment: -10 },
  { MetricIntervalUpperBound: -20, ScalingAdjustment: -30 },
]
const step = (steps: StepAdjustment[], capacity: Capacity, metric: number) =>
  stepCapacity(capacity, percent(stepFor(steps, metric - 50)!.ScalingAdjustment!))

describe('step scaling', () => {
  it('takes the step that the guide says', () => {
    const of = (steps: StepAdjustment[], metric: number) => stepFor(steps, metric - 50)?.ScalingAdjustment
    assert.deepEqual(
      [50, 59.9, 60, 69.9, 70, 95].map((metric) => of(OUT, metric)),
      [0, 0, 10, 10, 30, 30],
    )
    assert.deepEqual(
      [50, 40.1, 40, 30.1, 30, 5].map((metric) => of(IN, metric)),
      [0, 0, -10, -10, -30, -30],
    )
    assert.equal(of(OUT, 49), undefined)
    assert.equal(of(IN, 51), undefined)
  })
  it('scales out and in as in the guide', () => {
    assert.equal(step(OUT, still(10), 60), 11)
    assert.equal(step(OUT, still(11), 70), 14)
    assert.equal(step(IN, still(14), 40), 13)
    assert.equal(step(IN, still(13), 30), 10)
  })
  it('counts what is warming as added already', () => {
    const warming = still(11, { warm: 10, isWarming: true })
    assert.equal(step(OUT, warming, 62), 11)
    assert.equal(step(OUT, warming, 70), 13)
  })
  it('takes nothing away while something is warming, and counts who is leaving', () => {
    assert.equal(step(IN, still(11, { warm: 10, isWarming: true }), 30), 11)
    assert.equal(step(IN, still(13, { serving: 14 }), 40), 13)
  })
})

describe('of every policy it holds', () => {
  const adjustment = fc.oneof(
    fc.record({ type: fc.constant('ChangeInCapacity' as const), by: fc.integer({ min: -200, max: 200 }) }),
    fc.record({ type: fc.constant('ExactCapacity' as const), by: fc.nat(200) }),
    fc.record({
      type: fc.constant('PercentChangeInCapacity' as const),
      by: fc.integer({ min: -150, max: 300 }),
    }),
  )
  const capacity = fc
    .record({ bounds: fc.tuple(fc.nat(100), fc.nat(100)), at: fc.double({ min: 0, max: 1, noNaN: true }) })
    .chain(({ bounds, at }) => {
      const [min, max] = bounds.toSorted((a, b) => a - b) as [number, number]
      const desired = min + Math.floor(at * (max - min))
      return fc.record({
        ...{ min: fc.constant(min), max: fc.constant(max), desired: fc.constant(desired) },
        ...{ warm: fc.nat(desired), serving: fc.nat(120), isWarming: fc.boolean() },
      })
    })
  const magnitude = fc.option(fc.nat(20))
  it('that it never leaves the bounds', () => {
    fc.assert(
      fc.property(capacity, adjustment, magnitude, (from, given, minMagnitude) => {
        for (const decide of [simpleCapacity, stepCapacity]) {
          const to = decide(from, { ...given, minMagnitude })
          assert.ok(to >= from.min && to <= from.max, `${to} of ${from.min}..${from.max}`)
        }
      }),
    )
  })
  it('that a step never goes the other way, nor down while something is warming', () => {
    fc.assert(
      fc.property(capacity, adjustment, magnitude, (from, given, minMagnitude) => {
        const to = stepCapacity(from, { ...given, minMagnitude })
        if (from.isWarming) assert.ok(to >= from.desired)
        if (given.type === 'ExactCapacity') return
        assert.ok(given.by > 0 ? to >= from.desired : to <= from.desired)
      }),
    )
  })
  it('that the same breach again, while what it caused is warming, adds nothing', () => {
    fc.assert(
      fc.property(capacity, adjustment, magnitude, (from, given, minMagnitude) => {
        if (given.type === 'ExactCapacity' || given.by <= 0) return
        const once = stepCapacity(from, { ...given, minMagnitude })
        assert.equal(
          stepCapacity({ ...from, desired: once, isWarming: true }, { ...given, minMagnitude }),
          once,
        )
      }),
    )
  })
})
