// Operators of metric math on scalars, series and arrays of series.
import type { Operator } from './parse.ts'
import { mapPoints, type Series, together, type Value, withValues } from './series.ts'

const COUNT: Record<Operator, (left: number, right: number) => number> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '^': (left, right) => left ** right,
  '==': (left, right) => Number(left === right),
  '!=': (left, right) => Number(left !== right),
  '<': (left, right) => Number(left < right),
  '>': (left, right) => Number(left > right),
  '<=': (left, right) => Number(left <= right),
  '>=': (left, right) => Number(left >= right),
  AND: (left, right) => Number(left !== 0 && right !== 0),
  OR: (left, right) => Number(left !== 0 || right !== 0),
}

/** At most one of the two is an array (check.ts). */
export function operate(operator: Operator, left: Value, right: Value): Value {
  if (Array.isArray(left)) return left.map((one) => operateOnOne(operator, one, right as number | Series))
  if (Array.isArray(right)) return right.map((one) => operateOnOne(operator, left, one))
  if (typeof left === 'number' && typeof right === 'number') return count(operator, left, right)
  return operateOnOne(operator, left, right)
}

function operateOnOne(operator: Operator, left: number | Series, right: number | Series): Series {
  if (typeof right === 'number') {
    return mapPoints(left as Series, (value) => count(operator, value, right))
  }
  if (typeof left === 'number') return mapPoints(right, (value) => count(operator, left, value))
  const points = together(left.points, right.points)
    // AWS: a value that one of the two is missing is 0.
    .map((both) => ({ at: both.at, value: count(operator, both.left ?? 0, both.right ?? 0) }))
  const periodSeconds = Math.min(left.periodSeconds, right.periodSeconds)
  return { ...left, periodSeconds, points: withValues(points) }
}

/** What has no value has none after a comparison either. */
const count = (operator: Operator, left: number, right: number): number =>
  Number.isNaN(left) || Number.isNaN(right) ? NaN : COUNT[operator](left, right)

export const negative = (value: Value): Value =>
  typeof value === 'number'
    ? -value
    : Array.isArray(value)
      ? value.map((one) => mapPoints(one, (point) => -point))
      : mapPoints(value, (point) => -point)
