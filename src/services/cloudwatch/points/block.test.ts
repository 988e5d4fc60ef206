import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { addPoint, packBlock, unpackBlock, type Points } from './block.ts'
import { combine, percentOf, single, statisticOf, valuesOf, type Sample } from './sample.ts'

const finite = fc.oneof(
  fc.integer(),
  fc.integer({ min: -1000, max: 1000 }).map((one) => one / 1000),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -0, 1e308, -1e308, 5e-324, 2 ** 53),
)
const sample: fc.Arbitrary<Sample> = fc.oneof(
  finite.map(single),
  fc.record(
    { count: fc.integer({ min: 1 }), sum: finite, min: finite, max: finite },
    { noNullPrototype: true },
  ),
  fc
    .array(fc.tuple(finite, fc.integer({ min: 1, max: 1e6 })), { minLength: 1, maxLength: 30 })
    .map((values): Sample => ({ count: 5, sum: 1, min: 0, max: 9, values })),
)

describe('blocks of points', () => {
  it('are read as they were written', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 71 }), sample), { maxLength: 72 }),
        (entries) => {
          const points: Points = new Map(entries)
          assert.deepEqual(
            new Map([...unpackBlock(packBlock(points, 72))]),
            new Map([...points].toSorted(([a], [b]) => a - b)),
          )
        },
      ),
    )
  })
  const bytesOf = (of: (second: number) => number) =>
    packBlock(new Map(Array.from({ length: 60 }, (_none, second) => [second, single(of(second))])), 60).length
  it('take little for what is told each second', () => {
    assert.equal(
      bytesOf(() => 2),
      19,
    )
    assert.ok(bytesOf((second) => 12.125 + (second % 7) / 1000) <= 75)
    assert.ok(bytesOf((second) => 40_000 + 100 * (second % 5)) <= 140)
    assert.ok(bytesOf((second) => Math.sqrt(second + 2)) <= 491)
  })
  it('add what comes again for the same second', () => {
    const points: Points = new Map([[3, single(2)]])
    addPoint(points, 3, single(6))
    assert.deepEqual(points.get(3), { count: 2, sum: 8, min: 2, max: 6 })
  })
})

describe('samples', () => {
  const all = [single(1), single(2), single(3), single(10)]
  it('have the statistics of CloudWatch', () => {
    const together = combine(all)!
    const told = ['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'].map((one) =>
      statisticOf(together, one),
    )
    assert.deepEqual(told, [4, 4, 16, 1, 10])
  })
  for (const [percent, value] of [
    ['p0', 1],
    ['p25', 1],
    ['p25.1', 2],
    ['p50', 2],
    ['p75', 3],
    ['p99', 10],
    ['p100', 10],
  ] as const)
    it(`have ${percent}, where the values are known`, () => {
      assert.equal(statisticOf(combine(all, { withValues: true })!, percent), value)
      assert.equal(statisticOf(combine(all)!, percent), undefined)
    })
  it('know percentiles of one value without being told', () =>
    assert.equal(statisticOf({ count: 5, sum: 10, min: 2, max: 2 }, 'p90'), 2))
  it('know no percentiles once one of them hides its values', () =>
    assert.equal(
      valuesOf(combine([single(1), { count: 2, sum: 4, min: 1, max: 3 }], { withValues: true })!),
      undefined,
    ))
  it('tell many values apart by two digits', () => {
    const many = Array.from({ length: 400 }, (_none, index) => single(1 + index / 1000))
    const { values = [], count } = combine(many, { withValues: true })!
    assert.equal(count, 400)
    assert.deepEqual(
      values.map(([value]) => value),
      [1, 1.1, 1.2, 1.3, 1.4],
    )
  })
  for (const [text, percent] of [
    ['p99.9', 99.9],
    ['p100', 100],
    ['p101', undefined],
    ['p', undefined],
    ['tm99', undefined],
    ['P50', undefined],
  ] as const)
    it(`reads ${text}`, () => assert.equal(percentOf(text), percent))
})
