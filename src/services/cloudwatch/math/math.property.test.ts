// What holds of any expression and of any series.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'node:test'
import { DeclaredError } from '../../../kernel/errors.ts'
import { FUNCTIONS, UNSUPPORTED } from './functions.ts'
import { evaluated, seriesOf, typeNameOf } from './math-fixture.ts'
import { ARITHMETIC, COMPARISONS, type Expression, parseExpression } from './parse.ts'
import type { Series, Value } from './series.ts'

const PERIODS = 6
const OPERATORS = [...ARITHMETIC, ...COMPARISONS, 'AND', 'OR'] as const
const WORDS = ['REPEAT', 'LINEAR', 'AVG', 'SUM', 'ASC', 'DESC']

/** Every operand in parentheses. */
function printed(expression: Expression): string {
  const list = (items: Expression[]) => items.map(printed).join(', ')
  switch (expression.kind) {
    case 'number':
      return String(expression.value)
    case 'id':
      return expression.id
    case 'word':
      return expression.word
    case 'string':
      return `"${expression.text}"`
    case 'array':
      return `[${list(expression.items)}]`
    case 'negative':
      return `-(${printed(expression.operand)})`
    case 'binary':
      return `(${printed(expression.left)}) ${expression.operator} (${printed(expression.right)})`
    case 'call':
      return `${expression.name}(${list(expression.arguments)})`
  }
}

const numbers = fc.oneof(fc.nat(1000), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }))
const { tree } = fc.letrec<{ tree: Expression; leaf: Expression }>((tie) => ({
  leaf: fc.oneof(
    numbers.map((value): Expression => ({ kind: 'number', value })),
    fc.constantFrom('m1', 'm2', 'm3').map((id): Expression => ({ kind: 'id', id })),
    fc.constantFrom(...WORDS).map((word): Expression => ({ kind: 'word', word })),
    fc.constantFrom('m', '').map((text): Expression => ({ kind: 'string', text })),
  ),
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc
      .array(tie('tree'), { minLength: 1, maxLength: 3 })
      .map((items): Expression => ({ kind: 'array', items })),
    tie('tree').map((operand): Expression => ({ kind: 'negative', operand })),
    fc
      .tuple(fc.constantFrom(...OPERATORS), tie('tree'), tie('tree'))
      .map(([operator, left, right]): Expression => ({ kind: 'binary', operator, left, right })),
    fc
      .tuple(
        fc.constantFrom(...Object.keys(FUNCTIONS), ...UNSUPPORTED),
        fc.array(tie('tree'), { maxLength: 4 }),
      )
      .map(([name, given]): Expression => ({ kind: 'call', name, arguments: given })),
  ),
}))

const values = fc.array(fc.option(fc.integer({ min: -5, max: 5 }), { nil: undefined }), {
  maxLength: PERIODS,
})
const threeMetrics = fc
  .tuple(values, values, values)
  .map((all) => all.map((some, i) => seriesOf(`m${i + 1}`, some)))
/** Of AWS's types, made to fit: what has a value. */
const { scalar, series, array } = fc.letrec<{ scalar: string; series: string; array: string }>((tie) => {
  const [s, ts, all] = [tie('scalar'), tie('series'), tie('array')]
  const operator = fc.constantFrom(...OPERATORS).map((sign) => ` ${sign} `)
  const text = (...parts: (string | fc.Arbitrary<string>)[]) =>
    fc
      .tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part)))
      .map((some) => some.join(''))
  const folds = fc.constantFrom('AVG', 'DATAPOINT_COUNT', 'MAX', 'MIN', 'STDDEV', 'SUM')
  const each = fc.constantFrom(
    'ABS',
    'CEIL',
    'FLOOR',
    'LOG',
    'LOG10',
    'DIFF',
    'DIFF_TIME',
    'RATE',
    'RUNNING_SUM',
  )
  const times = fc.constantFrom('MINUTE', 'HOUR', 'DAY', 'DATE', 'MONTH', 'YEAR', 'EPOCH')
  const small = { depthSize: 'small' } as const
  return {
    scalar: fc.oneof(
      small,
      numbers.map(String),
      text(folds, '(', ts, ')'),
      text('(', s, operator, s, ')'),
      text('METRIC_COUNT(', all, ')'),
    ),
    series: fc.oneof(
      small,
      fc.constantFrom('m1', 'm2', 'm3'),
      text('(', ts, operator, ts, ')'),
      text('(', ts, operator, s, ')'),
      text('-', ts),
      text(folds, '(', all, ')'),
      text(fc.oneof(each, times), '(', ts, ')'),
      text('FILL(', ts, ',', fc.oneof(s, ts, fc.constantFrom('REPEAT', 'LINEAR')), ')'),
      text('IF(', ts, ',', fc.oneof(s, ts), ',', fc.oneof(s, ts), ')'),
      text('IF(', s, ',', ts, ')'),
      text(fc.constantFrom('FIRST', 'LAST'), '(', all, ')'),
      text('TIME_SERIES(', s, ')'),
    ),
    array: fc.oneof(
      small,
      fc.constantFrom('METRICS()', 'METRICS("2")', 'METRICS("x")'),
      text('[', ts, ',', fc.oneof(ts, all), ']'),
      text('(', all, operator, fc.oneof(s, ts), ')'),
      text(each, '(', all, ')'),
      text('SLICE(', all, ',', s, ',', s, ')'),
      text(
        'SORT(',
        all,
        ',',
        fc.constantFrom('AVG', 'MIN', 'MAX', 'SUM'),
        ',',
        fc.constantFrom('ASC', 'DESC'),
        ')',
      ),
      text('REMOVE_EMPTY(', all, ')'),
      text('FILL(', all, ',', s, ')'),
    ),
  }
})

/** A refusal of AWS's is an answer; anything else that is thrown is a bug. */
function answered<T>(ask: () => T): T | undefined {
  try {
    return ask()
  } catch (error) {
    if (error instanceof DeclaredError) return undefined
    throw error
  }
}

function assertWellFormed({ points }: Series): void {
  for (const [index, { at, value }] of points.entries()) {
    assert.ok(Number.isFinite(value))
    assert.ok(index === 0 || (points[index - 1]?.at ?? 0) < at, 'oldest first, none twice')
  }
}

describe('metric math, whatever it is given', () => {
  it('reads what it would write', () =>
    fc.assert(fc.property(tree, (made) => assert.deepEqual(parseExpression(printed(made), 'e1'), made))))

  it('reads or refuses any text, at once', () => {
    const bits = [
      'm1',
      'SUM(',
      '(',
      ')',
      '[',
      ']',
      '-',
      '^',
      ',',
      ' ',
      '1',
      '.',
      '"',
      "'",
      '&&',
      'AND',
      'IF(',
      '$',
      '\0',
      '💥',
    ]
    const rubbish = fc.oneof(
      fc.string({ maxLength: 3000, unit: 'binary' }),
      fc.array(fc.constantFrom(...bits), { maxLength: 1000 }).map((some) => some.join('')),
      fc.tuple(fc.constantFrom(...bits), fc.nat(2048)).map(([bit, count]) => bit.repeat(count)),
    )
    fc.assert(fc.property(rubbish, (text) => void answered(() => parseExpression(text, 'e1'))))
  })

  it('checks or refuses any tree, and what it lets through has a value', () =>
    fc.assert(
      fc.property(tree, threeMetrics, (made, metrics) => {
        const value = answered(() => evaluated(printed(made), metrics, PERIODS))
        if (value !== undefined && typeof value !== 'number') [value].flat().forEach(assertWellFormed)
      }),
      { numRuns: 500 },
    ))

  const typed = [
    ['S', scalar],
    ['TS', series],
    ['TS[]', array],
  ] as const
  for (const [type, texts] of typed)
    it(`gives ${type} where AWS documents it`, () =>
      fc.assert(
        fc.property(texts, threeMetrics, (text, metrics) => {
          fc.pre(text.length <= 2048)
          const value = evaluated(text, metrics, PERIODS)
          assert.equal(typeNameOf(value), type)
          if (typeof value !== 'number') [value].flat().forEach(assertWellFormed)
        }),
        { numRuns: 300 },
      ))

  const pointsOf = (value: Value) => (value as Series).points
  const alike: [left: string, right: string][] = [
    ['SUM(METRICS()) + 0', '0 + m1 + m2 + m3'],
    ['AVG(METRICS())', 'SUM(METRICS()) / METRIC_COUNT(METRICS())'],
    ['MAX([m1, m2])', '-MIN([-m1, -m2]) + 0'],
    ['m1 > m2', 'm2 < m1'],
    ['m1 != m2', '1 - (m1 == m2)'],
    ['m1 AND m2', 'm1 * m2 != 0'],
    ['FILL(FILL(m1, 3), 4)', 'FILL(m1, 3)'],
    ['FILL(m1, m1)', 'm1'],
    ['RATE(m1)', 'DIFF(m1) / DIFF_TIME(m1)'],
    ['FIRST(SORT(METRICS(), SUM, ASC, 1))', 'FIRST(SORT(METRICS(), SUM, ASC))'],
  ]
  for (const [left, right] of alike)
    it(`${left} is ${right}`, () =>
      fc.assert(
        fc.property(threeMetrics, (metrics) =>
          assert.deepEqual(
            pointsOf(evaluated(left, metrics, PERIODS)),
            pointsOf(evaluated(right, metrics, PERIODS)),
          ),
        ),
      ))
})
