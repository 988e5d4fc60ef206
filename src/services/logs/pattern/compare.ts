// One comparison of a value with what a pattern says.
import { InvalidPattern, isOperator, type Operator, type Token } from './tokens.ts'

export type Comparison = { operator: Operator; text: string; number: number | null }

const NUMBER = /^[+-]?(\d+(\.\d+)?|\.\d+)(e[+-]?\d+)?$/i

export const numberOf = (text: string): number | null => (NUMBER.test(text) ? Number(text) : null)

/** Reads operator and value from the front of the tokens. */
export function comparisonOf(tokens: Token[]): Comparison {
  const operator = tokens.shift()
  const value = tokens.shift()
  if (operator?.kind !== 'mark' || !isOperator(operator.text) || value?.kind !== 'text')
    throw new InvalidPattern()
  const number = value.quoted ? null : numberOf(value.text)
  if (number === null && operator.text !== '=' && operator.text !== '!=') throw new InvalidPattern()
  return { operator: operator.text, text: value.text, number }
}

/** `number` is what the value is as a number; null = it is none. */
export function compares(
  { operator, text, number: wanted }: Comparison,
  value: string,
  number: number | null,
) {
  const equal = wanted !== null && number !== null ? number === wanted : isLike(text, value)
  if (operator === '=') return equal
  if (operator === '!=') return !equal
  if (number === null || wanted === null) return false
  if (operator === '<') return number < wanted
  if (operator === '>') return number > wanted
  return operator === '<=' ? number <= wanted : number >= wanted
}

/** An asterisk at an end stands for any text; within the text it is itself. */
function isLike(pattern: string, value: string): boolean {
  if (pattern === '*') return true
  const [open, close] = [pattern.startsWith('*'), pattern.endsWith('*')]
  const text = pattern.slice(open ? 1 : 0, close ? -1 : undefined)
  if (open && close) return value.includes(text)
  if (open) return value.endsWith(text)
  return close ? value.startsWith(text) : value === text
}
