// Series for tests of metric math, written as the values of successive periods; `undefined` is a missing one.
import { typeOf } from './check.ts'
import { evaluateExpression } from './evaluate.ts'
import { parseExpression } from './parse.ts'
import { shortestPeriod, type Series, type Value } from './series.ts'

export type Values = readonly (number | undefined)[]

/** A Monday, midnight UTC. */
export const START = Date.UTC(2024, 0, 1)

export const seriesOf = (id: string, values: Values, periodSeconds = 60): Series => ({
  id,
  label: id,
  periodSeconds,
  points: values.flatMap((value, index) =>
    value === undefined ? [] : [{ at: START + index * periodSeconds * 1000, value }],
  ),
})

/** Checks and evaluates an expression over metrics, and over the values of expressions before it. */
export function evaluated(
  text: string,
  metrics: readonly Series[],
  periods: number,
  before: Record<string, Value> = {},
): Value {
  const byId = new Map<string, Value>([
    ...metrics.map((one) => [one.id, one] as const),
    ...Object.entries(before),
  ])
  const periodSeconds = shortestPeriod(metrics) ?? 60
  const expression = parseExpression(text, 'e1')
  typeOf(expression, {
    id: 'e1',
    isMetric: (id) => metrics.some((one) => one.id === id),
    typeOf: (id) => typeNameOf(byId.get(id)),
  })
  return evaluateExpression(
    expression,
    {
      range: { startMs: START, endMs: START + periods * periodSeconds * 1000, originMs: 0 },
      periodSeconds,
      metrics,
      valueOf: (id) => byId.get(id) ?? NaN,
    },
    'e1',
  )
}

export const typeNameOf = (value: Value | undefined) =>
  value === undefined ? undefined : typeof value === 'number' ? 'S' : Array.isArray(value) ? 'TS[]' : 'TS'

/** As they were written: the values of successive periods. */
export function valuesOf(value: Value, periods: number): unknown {
  if (typeof value === 'number') return value
  if (Array.isArray(value)) return value.map((one) => valuesOf(one, periods))
  return Array.from({ length: periods }, (_, index) => {
    const at = START + index * value.periodSeconds * 1000
    return value.points.find((point) => point.at === at)?.value
  })
}
