// A checked expression and series → its value. Total but for its limits: whatever check.ts lets through has a value.
import { inExpression } from './errors.ts'
import { type Argument, type Environment, FUNCTIONS } from './functions.ts'
import { negative, operate } from './operators.ts'
import type { Expression } from './parse.ts'
import { countPeriods, type Series, type Value } from './series.ts'

/** Of one array: as many as a request may have metrics. */
export const SERIES_MAX = 500

/**
 * What a whole request may make on its way: ten times what it may answer, less than a second. Without an end `[e1, e1, …]` of
 * `[m1, m1, …]` would make any number.
 */
const MADE_POINTS_MAX = 1_000_000

export class Work {
  #left = MADE_POINTS_MAX
  /** Before it is done: each of the series given makes one, as long as the longest of them or as `longest`. */
  spend(given: readonly Series[], longest: number, id: string): void {
    const points = given.reduce((most, one) => Math.max(most, one.points.length), longest)
    this.#left -= Math.max(1, given.length) * (1 + points)
    if (this.#left < 0) throw inExpression(id, 'Too many data points to evaluate')
  }
}

/** `id` is the expression's own query, for errors. */
export function evaluateExpression(
  expression: Expression,
  environment: Environment,
  id = '',
  work = new Work(),
): Value {
  const { range } = environment
  const evaluate = (part: Expression): Value => {
    switch (part.kind) {
      case 'number':
        return part.value
      case 'id':
        return environment.valueOf(part.id)
      case 'array': {
        const many = part.items.map(evaluate).flatMap((value) => (typeof value === 'number' ? [] : value))
        if (many.length > SERIES_MAX)
          throw inExpression(id, `More than ${SERIES_MAX} time series in an array`)
        return many
      }
      case 'negative': {
        const operand = evaluate(part.operand)
        work.spend(seriesIn(operand), 0, id)
        return negative(operand)
      }
      case 'binary': {
        const [left, right] = [evaluate(part.left), evaluate(part.right)]
        work.spend([...seriesIn(left), ...seriesIn(right)], 0, id)
        return operate(part.operator, left, right)
      }
      case 'call': {
        const given = part.arguments.map(argumentOf)
        const series = given.flatMap(seriesIn)
        // Some fill all periods; TIME_SERIES makes them of a scalar.
        const periods = series.map(({ periodSeconds }) => countPeriods(range, periodSeconds))
        if (part.name === 'TIME_SERIES') periods.push(countPeriods(range, environment.periodSeconds))
        work.spend(series, Math.max(0, ...periods), id)
        return FUNCTIONS[part.name]?.apply(given, environment) ?? NaN
      }
      case 'word':
      case 'string':
        return NaN
    }
  }
  const argumentOf = (part: Expression): Argument =>
    part.kind === 'word' ? part.word : part.kind === 'string' ? part.text : evaluate(part)
  return evaluate(expression)
}

const seriesIn = (value: Argument): Series[] => (typeof value === 'object' ? [value].flat() : [])
