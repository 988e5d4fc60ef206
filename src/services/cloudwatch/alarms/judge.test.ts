import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { judge, reasonOf, type Missing, type Rule } from './judge.ts'

const treatments: Missing[] = ['missing', 'ignore', 'breaching', 'notBreaching']
const K = null
const [OK, ALARM, NONE] = ['OK', 'ALARM', 'INSUFFICIENT_DATA'] as const

const ruleOf = (wanted: number, missing: Missing, periods = 3): Rule => ({
  ...{ evaluationPeriods: periods, datapointsToAlarm: wanted, threshold: 5, missing },
  comparison: 'GreaterThanThreshold',
})
/** `0` does not breach, `X` does, `-` is missing. */
const rangeOf = (text: string) =>
  text.split(' ').map((one, index) => ({
    at: index * 60_000,
    value: one === '-' ? null : one === 'X' ? 10 : 0,
  }))

// The tables of the user guide's "How alarm state is evaluated when data is missing", and more.
const tables: [wanted: number, range: string, states: (string | null)[]][] = [
  [3, '0 - X - X', [OK, OK, OK, OK]],
  [3, '- - - - 0', [OK, OK, OK, OK]],
  [3, '- - - - -', [NONE, K, ALARM, OK]],
  [3, '0 X X - X', [ALARM, ALARM, ALARM, ALARM]],
  [3, '- - X - -', [ALARM, K, ALARM, OK]],
  [2, '0 - X - X', [ALARM, ALARM, ALARM, ALARM]],
  [2, '0 0 X 0 X', [ALARM, ALARM, ALARM, ALARM]],
  [2, '0 - X - -', [OK, OK, ALARM, OK]],
  [2, '- - - - 0', [OK, OK, ALARM, OK]],
  [2, '- - - X -', [ALARM, K, ALARM, OK]],
  [3, '- - - - X', [null, K, ALARM, OK]],
  [1, '- - - - X', [ALARM, ALARM, ALARM, ALARM]],
  [3, 'X X X X X', [ALARM, ALARM, ALARM, ALARM]],
  [3, 'X X X X 0', [OK, OK, OK, OK]],
  [1, '0 0 0 0 0', [OK, OK, OK, OK]],
]

describe('the state of an alarm', () => {
  for (const [wanted, range, states] of tables)
    for (const [index, missing] of treatments.entries())
      it(`${wanted} of 3, ${range}, ${missing}: ${states[index] ?? 'as it was'}`, () =>
        assert.equal(judge(ruleOf(wanted, missing), rangeOf(range)), states[index]))

  for (const [comparison, below, at, above] of [
    ['GreaterThanThreshold', OK, OK, ALARM],
    ['GreaterThanOrEqualToThreshold', OK, ALARM, ALARM],
    ['LessThanThreshold', ALARM, OK, OK],
    ['LessThanOrEqualToThreshold', ALARM, ALARM, OK],
  ] as const)
    it(comparison, () => {
      const rule = { ...ruleOf(1, 'missing', 1), comparison }
      const states = [4, 5, 6].map((value) => judge(rule, [{ at: 0, value }]))
      assert.deepEqual(states, [below, at, above])
    })

  it('is an alarm or not whatever is missing, once all periods are there', () =>
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }),
        fc.integer({ min: 1, max: 3 }),
        (breaching, wanted) => {
          const range = breaching.map((one, at) => ({ at, value: one ? 10 : 0 }))
          const states = treatments.map((missing) => judge(ruleOf(wanted, missing), range))
          const expected = breaching.slice(-3).filter(Boolean).length >= wanted ? ALARM : OK
          assert.deepEqual(states, [expected, expected, expected, expected])
        },
      ),
    ))
})

describe('the reason', () => {
  const at = Date.UTC(2026, 10, 28, 7, 30)
  it('names the datapoints that crossed', () =>
    assert.equal(
      reasonOf(ruleOf(1, 'missing', 1), [{ at, value: 99.5 }], 'OK', 'ALARM'),
      'Threshold Crossed: 1 out of the last 1 datapoint [99.5 (28/11/26 07:30:00)] was greater than the threshold (5.0) (minimum 1 datapoint for OK -> ALARM transition).',
    ))
  it('names those that did not', () =>
    assert.equal(
      reasonOf(
        ruleOf(2, 'missing'),
        [
          { at, value: 1 },
          { at: at + 60_000, value: 2 },
          { at: at + 120_000, value: 9 },
        ],
        'ALARM',
        'OK',
      ),
      'Threshold Crossed: 2 out of the last 3 datapoints [1 (28/11/26 07:30:00), 2 (28/11/26 07:31:00)] were not greater than the threshold (5.0) (minimum 2 datapoints for ALARM -> OK transition).',
    ))
  it('says how missing data was taken', () => {
    assert.match(
      reasonOf(ruleOf(3, 'notBreaching'), rangeOf('- - - - -'), 'ALARM', 'OK'),
      /no datapoints were received for 3 periods and 3 missing datapoints were treated as \[NonBreaching\]\.$/,
    )
    assert.equal(
      reasonOf(ruleOf(1, 'missing', 1), rangeOf('- - -'), 'OK', 'INSUFFICIENT_DATA'),
      'Insufficient Data: 1 datapoint was unknown.',
    )
  })
})
