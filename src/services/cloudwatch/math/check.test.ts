import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { namedIn, typeOf } from './check.ts'
import { UNSUPPORTED, type Type } from './functions.ts'
import { DEPTH_MAX, EXPRESSION_CHARACTERS_MAX, parseExpression } from './parse.ts'

const typed = (text: string) =>
  typeOf(parseExpression(text, 'e1'), {
    id: 'e1',
    isMetric: (id) => /^m\d$/.test(id),
    typeOf: (id) => ({ m: 'TS', s: 'S', a: 'TS[]' })[id[0] ?? ''] as Type | undefined,
  })
const refused = (text: string, message: string) =>
  assert.throws(() => typed(text), { name: 'ValidationError', httpStatus: 400, message })
const inE1 = (text: string, message: string) => refused(text, `Error in expression 'e1': ${message}`)

describe('the type of an expression', () => {
  const cases: [text: string, type: Type][] = [
    ['1', 'S'],
    ['AVG(m1)', 'S'],
    ['PERIOD(m1) / 60', 'S'],
    ['METRIC_COUNT(METRICS())', 'S'],
    ['m1', 'TS'],
    ['m1 * s1', 'TS'],
    ['SUM(METRICS())', 'TS'],
    ['IF(m1 > 400, 10, 2)', 'TS'],
    ['TIME_SERIES(MAX(m1))', 'TS'],
    ['FIRST(a1)', 'TS'],
    ['[m1, m2]', 'TS[]'],
    ['[m1, a1]', 'TS[]'],
    ['AVG(m1) * METRICS()', 'TS[]'],
    ['[m1, m2] / m3', 'TS[]'],
    ['SLICE(a1, 0, 1)', 'TS[]'],
  ]
  for (const [text, type] of cases) it(`${text} is ${type}`, () => assert.equal(typed(text), type))
})

describe('an expression that is refused', () => {
  const invalid = [
    '',
    ' ',
    'm1 +',
    '+ m1',
    '(m1',
    'm1)',
    'm1 m2',
    '[]',
    '[m1',
    '2m1',
    'm1 % 2',
    'm1 = 2',
    'm1,m2',
    'SUM(m1',
    'SUM(,)',
  ]
  const more = [
    'm1 & m2',
    'NOT m1',
    'AND',
    'm1 AND',
    'm1 and m2',
    'REPEAT',
    'AVG',
    '"m1"',
    '$',
    'é',
    '1..2',
    '"',
    '[AVG]',
    '- REPEAT',
  ]
  for (const text of [...invalid, ...more]) it(JSON.stringify(text), () => inE1(text, 'Invalid syntax'))

  const cases: [text: string, message: string][] = [
    ['x1 + 1', "ID 'x1' not found"],
    ['sum(m1)', "Function 'sum' not found"],
    ['SQRT(m1)', "Function 'SQRT' not found"],
    ['ANOMALY_DETECTOR(m1)', "Function 'ANOMALY_DETECTOR' not found"],
    ['a1 + METRICS()', 'Unsupported operand types for +: TS[] and TS[]'],
    ['[m1, 1]', 'An array cannot have a scalar in it'],
    ['ABS(1)', "Function 'ABS' does not take (S)"],
    ['SUM(m1, m2)', "Function 'SUM' does not take (TS, TS)"],
    ['FILL(m1)', "Function 'FILL' does not take (TS)"],
    ['FILL(m1, NEXT)', "Function 'FILL' does not take (TS, NEXT)"],
    ['SORT(m1, AVG, DESC)', "Function 'SORT' does not take (TS, AVG, DESC)"],
    ['SORT(a1, STDDEV, DESC)', "Function 'SORT' does not take (TS[], STDDEV, DESC)"],
    ['PERIOD(m1 + m2)', "Function 'PERIOD' does not take (TS)"],
    ['METRICS(m1)', "Function 'METRICS' does not take (TS)"],
    ['ABS("m1")', "Function 'ABS' does not take (string)"],
    ['IF(1, 2, 3)', "Function 'IF' does not take (S, S, S)"],
    ['IF(a1, 1, 0)', "Function 'IF' does not take (TS[], S, S)"],
    ['m'.repeat(EXPRESSION_CHARACTERS_MAX + 1), 'Expression is longer than 2048 characters'],
    ['toString(m1)', "Function 'toString' not found"],
  ]
  for (const [text, message] of cases) it(text.slice(0, 40), () => inE1(text, message))

  for (const name of UNSUPPORTED)
    it(name, () => refused(`${name}('x', m1)`, `The function ${name} is not supported by Polebean.`))
  it('Metrics Insights', () =>
    refused(
      'SELECT AVG(CPUUtilization) FROM SCHEMA("AWS/EC2", InstanceId)',
      'Metrics Insights (SELECT) is not supported by Polebean.',
    ))
  it('nested too deeply', () => {
    const nested = (depth: number) => `${'('.repeat(depth)}m1${')'.repeat(depth)}`
    assert.equal(typed(nested(DEPTH_MAX)), 'TS')
    inE1(nested(DEPTH_MAX + 1), 'Invalid syntax')
    for (const open of ['(', '[', '-', 'SUM(', '1^']) inE1(`${open.repeat(400)}m1`, 'Invalid syntax')
  })
})

it('names what an expression needs', () => {
  const named = (text: string) => [...namedIn(parseExpression(text, 'e1'), ['m1', 'm2'])]
  assert.deepEqual(named('IF(m1 > -e2, [m3], 2)'), ['m1', 'e2', 'm3'])
  assert.deepEqual(named('SUM(METRICS("x")) / e1'), ['m1', 'm2', 'e1'])
})
