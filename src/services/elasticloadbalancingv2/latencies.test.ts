import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { addTo, emptyHistogram, makeLatencies, percentile } from './latencies.ts'

describe('response times', () => {
  it('have percentiles that are right to one part in fifty', () => {
    for (const scale of [1, 7, 300, 60_000]) {
      const histogram = emptyHistogram()
      for (let n = 1; n <= 1_000; n++) addTo(histogram, (n * scale) / 10, 1)
      for (const percent of [10, 50, 90, 99, 99.9]) {
        const exact = percent * scale
        const found = percentile([histogram], percent)!
        assert.ok(
          Math.abs(found - exact) <= Math.max(1, exact * 0.02),
          `${percent} % of ${scale}: ${found}, ${exact}`,
        )
      }
    }
  })
  it('count by weight, over several', () => {
    const [few, many] = [emptyHistogram(), emptyHistogram()]
    addTo(few, 5, 1)
    addTo(many, 50, 99)
    assert.equal(percentile([few, many], 1), 5)
    assert.equal(percentile([few, many], 2), 50)
    assert.equal(percentile([emptyHistogram()], 50), undefined)
  })
  it('are forgotten after ten seconds, and when the clock was set back', () => {
    let now = 100_000
    const latencies = makeLatencies(() => now)
    latencies.add('a', now, 3, 1)
    now += 9_000
    assert.equal(percentile(latencies.of('a'), 50), 3)
    now += 3_000
    assert.equal(percentile(latencies.of('a'), 50), undefined)
    latencies.add('a', now, 4, 1)
    now -= 60_000
    assert.equal(percentile(latencies.of('a'), 50), undefined)
  })
})
