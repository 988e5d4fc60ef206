import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { evaluated, seriesOf, START, valuesOf, type Values } from './math-fixture.ts'
import { periodsOf } from './series.ts'

const _ = undefined

describe('metric math', () => {
  const metrics = { m1: [30, 20, 0, 0], m2: [20, _, 20, _], m3: [1, 2, 3, 4], empty: [] }
  const cases: [expression: string, result: unknown, metrics?: Record<string, Values>][] = [
    // CloudWatch user guide, "Comparison and logical operators".
    ['m1 < m2', [0, 0, 1, 0]],
    ['m1 >= 30', [1, 0, 0, 0]],
    ['m1 > 15 AND m2 > 15', [1, 0, 0, 0]],
    ['m1 > 15 && m2 > 15', [1, 0, 0, 0]],
    ['m1 > 15 OR m2 > 15', [1, 1, 1, 0]],
    ['m1 > 15 || m2 > 15', [1, 1, 1, 0]],
    ['m1 == 20', [0, 1, 0, 0]],
    ['m1 != 20', [1, 0, 1, 1]],
    ['m2 <= 20', [1, _, 1, _]],

    // "Basic arithmetic functions": missing is 0, what is divided by zero is dropped.
    ['m1 + m2', [50, 20, 20, 0]],
    ['m1 - m2', [10, 20, -20, 0]],
    ['5 * m3', [5, 10, 15, 20]],
    ['m3 / m2', [0.05, _, 0.15, _]],
    ['100 / m1', [100 / 30, 5, _, _]],
    ['m3 ^ 2', [1, 4, 9, 16]],
    ['-m3', [-1, -2, -3, -4]],
    ['-5 * m3', [-5, -10, -15, -20]],
    ['-m3 ^ 2', [-1, -4, -9, -16]],
    ['2 ^ 3 ^ 2 + 0 * m3', [512, 512, 512, 512]],
    ['(1 + 2) * m3 - 4 / 2', [1, 4, 7, 10]],
    [
      'METRICS() / 10',
      [
        [3, 2, 0, 0],
        [2, _, 2, _],
        [0.1, 0.2, 0.3, 0.4],
        [_, _, _, _],
      ],
    ],
    ['SUM(-[m1, m2])', [-50, -20, -20, 0]],
    ['SUM(100 / [m3, m2])', [105, 50, 100 / 3 + 5, 25]],
    ['m1 / PERIOD(m1)', [0.5, 20 / 60, 0, 0]],
    ['m1 * 1 > 15 + 10', [1, 0, 0, 0]],
    ['1 / 0 * m3', [_, _, _, _]],
    ['m3 > 1 / 0', [0, 0, 0, 0]],
    ['m3 > 0 / 0', [_, _, _, _]],

    // "Functions supported for metric math".
    ['ABS(m3 - 3)', [2, 1, 0, 1]],
    ['CEIL(m3 / 2)', [1, 1, 2, 2]],
    ['FLOOR(m3 / 2)', [0, 1, 1, 2]],
    ['LOG(m3)', [0, Math.log(2), Math.log(3), Math.log(4)]],
    ['LOG10(m1 * 5)', [Math.log10(150), 2, _, _]],
    ['m3 - AVG(m3)', [-1.5, -0.5, 0.5, 1.5]],
    ['m3 - MIN(m3)', [0, 1, 2, 3]],
    ['MAX(m3) / m3', [4, 2, 4 / 3, 1]],
    ['m2 * 0 + SUM(m2)', [40, _, 40, _]],
    ['TIME_SERIES(SUM(m1) / DATAPOINT_COUNT(m1))', [12.5, 12.5, 12.5, 12.5]],
    ['TIME_SERIES(DATAPOINT_COUNT(m2))', [2, 2, 2, 2]],
    ['TIME_SERIES(STDDEV(m3))', Array.from({ length: 4 }, () => Math.sqrt(1.25))],
    ['TIME_SERIES(AVG(empty))', [_, _, _, _]],
    ['TIME_SERIES(DATAPOINT_COUNT(empty))', [0, 0, 0, 0]],
    ['SUM([m1, m2])', [50, 20, 20, 0]],
    ['SUM(METRICS("m"))', [51, 22, 23, 4]],
    ['SUM([METRICS("1"), METRICS(“2”)])', [50, 20, 20, 0]],
    ['AVG([m1, m2])', [25, 10, 10, 0]],
    ['MIN([m1, m2])', [20, 20, 0, 0]],
    ['MAX([m1, m2])', [30, 20, 20, 0]],
    ['STDDEV([m1, m2])', [5, 0, 10, 0]],
    ['DATAPOINT_COUNT(METRICS())', [3, 2, 3, 2]],
    ['m3 / METRIC_COUNT(METRICS())', [0.25, 0.5, 0.75, 1]],
    ['DIFF(m3)', [_, 1, 1, 1]],
    ['DIFF(m2)', [_, _, 0, _]],
    [
      'DIFF_TIME([m3, m2])',
      [
        [_, 60, 60, 60],
        [_, _, 120, _],
      ],
    ],
    ['RATE(m1)', [_, -10 / 60, -20 / 60, 0]],
    [
      'RUNNING_SUM([m1, m2])',
      [
        [30, 50, 50, 50],
        [20, _, 40, _],
      ],
    ],
    ['FILL(m2, 7)', [20, 7, 20, 7]],
    ['FILL(m2, m3)', [20, 2, 20, 4]],
    ['FILL(m2, MIN(m3))', [20, 1, 20, 1]],
    ['FILL(m2, REPEAT)', [20, 20, 20, 20]],
    ['FILL(m2, LINEAR)', [20, 20, 20, _]],
    ['FILL(m, LINEAR)', [_, 1, 2, 3, 4, _], { m: [_, 1, _, _, 4, _] }],
    ['FILL(m, REPEAT)', [_, 1, 1, 1, 4, 4], { m: [_, 1, _, _, 4, _] }],
    [
      'FILL([m2, empty], 0)',
      [
        [20, 0, 20, 0],
        [0, 0, 0, 0],
      ],
    ],
    ['FILL(empty, REPEAT)', [_, _, _, _]],
    ['FIRST(SORT(METRICS(), AVG, DESC))', [20, _, 20, _]],
    ['LAST(METRICS())', [_, _, _, _]],
    ['FIRST(METRICS("none"))', [_, _, _, _]],
    ['IF(FIRST(SORT(METRICS(), AVG, DESC)) > 100, 1, 0)', [0, _, 0, _]],
    [
      'SORT(METRICS(), MAX, ASC)',
      [
        [1, 2, 3, 4],
        [20, _, 20, _],
        [30, 20, 0, 0],
        [_, _, _, _],
      ],
    ],
    [
      'SORT(METRICS(), SUM, DESC, 2)',
      [
        [30, 20, 0, 0],
        [20, _, 20, _],
      ],
    ],
    ['SORT(METRICS(), MIN, ASC, 1)', [[30, 20, 0, 0]]],
    ['SLICE(SORT(METRICS(), SUM, DESC), 0, 1)', [[30, 20, 0, 0]]],
    [
      'SLICE(METRICS(), 2)',
      [
        [1, 2, 3, 4],
        [_, _, _, _],
      ],
    ],
    [
      'SLICE(METRICS(), -5, 99)',
      [
        [30, 20, 0, 0],
        [20, _, 20, _],
        [1, 2, 3, 4],
        [_, _, _, _],
      ],
    ],
    [
      'REMOVE_EMPTY(METRICS())',
      [
        [30, 20, 0, 0],
        [20, _, 20, _],
        [1, 2, 3, 4],
      ],
    ],
    ['TIME_SERIES(10)', [10, 10, 10, 10]],
    ['MINUTE(m2)', [0, 1, 2, 3]],
    ['HOUR(empty)', [0, 0, 0, 0]],
    ['DAY(m1)', [1, 1, 1, 1]],
    ['DATE(m1)', [1, 1, 1, 1]],
    ['MONTH(m1)', [1, 1, 1, 1]],
    ['YEAR(m1)', [2024, 2024, 2024, 2024]],
    ['EPOCH(m1) - 1704067200', [0, 60, 120, 180]],
    ['IF(MINUTE(m1) < 2, m1)', [30, 20, _, _]],

    // "Using IF expressions".
    ['IF(a, b, c)', [30, 0, 20, _, _], { a: [1, 1, 0, 0, _], b: [30, _, 0, 0, 30], c: [0, 0, 20, _, 20] }],
    ['IF(a, 5, c)', [5, 5, 20, _, _], { a: [1, 1, 0, 0, _], c: [0, 0, 20, _, 20] }],
    ['IF(a, b, 5)', [30, 0, 5, 5, _], { a: [1, 1, 0, 0, _], b: [30, _, 0, 0, 30] }],
    ['IF(m1 < 20, m1)', [_, _, 0, 0]],
    ['IF(m1 < 20, 10, 2)', [2, 2, 10, 10]],
    ['IF(m1 > m2, 1, 0)', [1, 1, 0, 0]],
    ['IF(2 > 1, m1, m2)', [30, 20, 0, 0]],
    ['IF(1 > 2, m1, m2)', [20, _, 20, _]],
    ['IF(0, m1)', [_, _, _, _]],
    ['IF(-1, m1)', [30, 20, 0, 0]],
    ['IF(AVG(empty), m1, m2)', [_, _, _, _]],
  ]
  for (const [expression, result, own = metrics] of cases)
    it(expression, () => {
      const all = Object.entries(own).map(([id, values]) => seriesOf(id, values))
      const periods = Object.values(own)[0]?.length ?? 0
      assert.deepEqual(valuesOf(evaluated(expression, all, periods), periods), result)
    })

  it('counts days of the week from Monday, 1, to Sunday, 7', () => {
    const days = evaluated('DAY(m1)', [seriesOf('m1', [1], 86_400)], 8)
    assert.deepEqual(valuesOf(days, 8), [1, 2, 3, 4, 5, 6, 7, 1])
  })

  it('puts series of different periods together by their timestamps', () => {
    const sum = evaluated('m1 + m2', [seriesOf('m1', [1, 2, 3, 4]), seriesOf('m2', [10, 20], 120)], 4)
    assert.deepEqual(valuesOf(sum, 4), [11, 2, 23, 4])
  })

  it('makes periods back from an origin that the clock knows nothing of', () => {
    const range = { startMs: START + 7000, endMs: START + 187_000, originMs: START + 187_000 }
    assert.deepEqual(
      periodsOf(range, 60),
      [7, 67, 127].map((seconds) => START + seconds * 1000),
    )
    assert.deepEqual(
      periodsOf({ ...range, originMs: 0 }, 60),
      [0, 60, 120, 180].map((s) => START + s * 1000),
    )
  })

  it('ends before it makes more than it may', () => {
    const many = Array.from({ length: 500 }, (_one, index) => seriesOf(`m${index}`, [1, 2], 1))
    const refused = (text: string, message: RegExp) =>
      assert.throws(() => evaluated(text, many, 500), { message })
    assert.ok(evaluated('SUM(FILL(METRICS(), 0))', many, 500))
    refused('FILL(FILL(FILL(FILL(METRICS(), 0), 0), 0), 0)', /Too many data points/)
    refused('[METRICS(), m1]', /More than 500 time series/)
    assert.throws(() => evaluated('TIME_SERIES(1)', many, 100_801), {
      message: /exceeds the limit of 100800/,
    })
  })
})
