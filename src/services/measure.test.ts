import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GAP_MS, growth, secondsBetween, sharesOf, together, untilNextSecond } from './measure.ts'

const START = Date.UTC(2026, 0, 1)
const look = (ms: number, setBy = 0) => ({ wall: START + ms + setBy, monotonic: 500 + ms })

describe('seconds between two looks', () => {
  const cases: [what: string, before: number, now: number, seconds: number[]][] = [
    ['the one that has ended', 1_010, 2_010, [1]],
    ['none within one second', 1_010, 1_900, []],
    ['two when a look was left out', 1_010, 3_005, [1, 2]],
    ['all of a stall', 1_010, 6_700, [1, 2, 3, 4, 5]],
  ]
  for (const [what, before, now, seconds] of cases)
    it(what, () =>
      assert.deepEqual(
        secondsBetween(look(before), look(now)),
        seconds.map((second) => START + second * 1_000),
      ),
    )

  it('every second counts once, however late looks come', () => {
    const looks = [0, 1_010, 1_950, 3_020, 7_100, 8_000, 8_999, 9_001].map((ms) => look(ms))
    const all = looks.slice(1).flatMap((now, index) => secondsBetween(looks[index]!, now)!)
    assert.deepEqual(
      all,
      Array.from({ length: 9 }, (_, second) => START + second * 1_000),
    )
  })

  it('nobody knows after a long stall, or when the clock was set', () => {
    assert.equal(secondsBetween(look(0), look(GAP_MS + 1)), undefined)
    assert.equal(secondsBetween(look(0), look(1_000, 3_600_000)), undefined)
    assert.equal(secondsBetween(look(0), look(1_000, -3_600_000)), undefined)
    assert.deepEqual(secondsBetween(look(0), look(1_000, 300)), [START])
  })
})

it('a counter that is smaller than before began again', () => {
  assert.deepEqual(
    [growth(5, 7), growth(5, 5), growth(5, 2), growth(undefined, 2), growth(5, undefined)],
    [2, 0, 2, undefined, undefined],
  )
})

it('several figures are one value with all of them', () => {
  assert.equal(together([7]), 7)
  assert.deepEqual(together([2, 4, 2]), {
    ...{ count: 3, sum: 8, min: 2, max: 4 },
    values: [
      [2, 2],
      [4, 1],
    ],
  })
})

it('the next look is just after the next second has begun', () => {
  const at = (ms: number) => ({ now: () => START + ms, monotonic: () => ms, sleep: async () => undefined })
  assert.deepEqual(
    [0, 10, 400, 999].map((ms) => ms + untilNextSecond(at(ms))),
    [1_010, 1_010, 1_010, 1_010],
  )
})

it('whole numbers are shared out whole', () => {
  assert.deepEqual(
    [sharesOf(7, 3), sharesOf(60, 5), sharesOf(1, 3), sharesOf(4, 1)],
    [[2, 2, 3], [12, 12, 12, 12, 12], [0, 0, 1], [4]],
  )
})
