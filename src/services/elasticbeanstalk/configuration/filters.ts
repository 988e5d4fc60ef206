// Filters of ListPlatformBranches and ListPlatformVersions: all must hold.
import { invalidValue } from '../validation.ts'

export type Filter = {
  name?: string | undefined
  operator?: string | undefined
  values?: string[] | undefined
}

export type FilterRules<T> = Record<
  string,
  {
    operators: string[]
    /** What the row has of it; a list holds when one of its values does. */
    values(row: T): string[]
    /** A value that every row satisfies. */
    any?: string
  }
>

/** @throws DeclaredError `InvalidParameterValue` for names, operators and numbers of values that do not exist. */
export function filterRows<T>(rows: T[], filters: Filter[], rules: FilterRules<T>): T[] {
  const tests = filters.map((filter) => testOf(filter, rules))
  return rows.filter((row) => tests.every((test) => test(row)))
}

function testOf<T>(
  { name = '', operator = '=', values = [] }: Filter,
  rules: FilterRules<T>,
): (row: T) => boolean {
  const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
  if (!rule)
    throw invalidValue(`Unknown filter '${name}'. Valid filters are: ${Object.keys(rules).join(', ')}.`)
  if (!rule.operators.includes(operator))
    throw invalidValue(
      `Operator '${operator}' is not valid for '${name}'. Valid operators are: ${rule.operators.join(', ')}.`,
    )
  const several = operator === 'in' || operator === 'not_in'
  if (values.length === 0 || values.length > (several ? VALUES_MAX : 1))
    throw invalidValue(
      `The filter '${name}' with the operator '${operator}' takes ${several ? `1 to ${VALUES_MAX} values` : 'one value'}.`,
    )
  if (rule.any !== undefined && values[0] === rule.any) return () => true
  const wanted = values.map((value) => value.toLowerCase())
  return (row) =>
    holds(
      operator,
      rule.values(row).map((value) => value.toLowerCase()),
      wanted,
    )
}

function holds(operator: string, own: string[], wanted: string[]): boolean {
  const [first = ''] = wanted
  switch (operator) {
    case '!=':
    case 'not_in':
      return own.every((value) => !wanted.includes(value))
    case '<':
      return own.some((value) => compareVersions(value, first) < 0)
    case '<=':
      return own.some((value) => compareVersions(value, first) <= 0)
    case '>':
      return own.some((value) => compareVersions(value, first) > 0)
    case '>=':
      return own.some((value) => compareVersions(value, first) >= 0)
    case 'contains':
      return own.some((value) => value.includes(first))
    case 'begins_with':
      return own.some((value) => value.startsWith(first))
    case 'ends_with':
      return own.some((value) => value.endsWith(first))
    default:
      return own.some((value) => wanted.includes(value))
  }
}

/** Of two versions, or of two words: numbers within them count as numbers. */
export const compareVersions = (a: string, b: string) => a.localeCompare(b, 'en', { numeric: true })

const VALUES_MAX = 10
