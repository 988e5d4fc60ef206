// `{ $.field = "x" && $.list[0].n > 5 }`: of messages that are JSON.
import { comparisonOf, compares, type Comparison } from './compare.ts'
import { holds, parseExpression } from './expression.ts'
import type { Matcher } from './pattern.ts'
import { InvalidPattern, type Token, tokensOf } from './tokens.ts'

type Step = { name: string } | { index: number } | { any: 'member' | 'item' }
type Condition = { steps: Step[]; test: Test }
type Test = 'IS NULL' | 'IS TRUE' | 'IS FALSE' | 'NOT EXISTS' | Comparison

export function jsonPattern(text: string): Matcher {
  const expression = parseExpression(tokensOf(text), conditionOf)
  return (message) => {
    const found = parsed(message)
    return found !== undefined && holds(expression, (condition) => isTrue(condition, found.value))
  }
}

function conditionOf(tokens: Token[]): Condition {
  const selector = tokens.shift()
  if (selector?.kind !== 'selector') throw new InvalidPattern()
  return { steps: stepsOf(selector.text), test: testOf(tokens) }
}

function testOf(tokens: Token[]): Test {
  const [first, second] = tokens
  if (first?.kind !== 'text' || first.quoted) return comparisonOf(tokens)
  const words = `${first.text} ${second?.kind === 'text' ? second.text : ''}`.toUpperCase()
  if (words !== 'IS NULL' && words !== 'IS TRUE' && words !== 'IS FALSE' && words !== 'NOT EXISTS')
    throw new InvalidPattern()
  tokens.splice(0, 2)
  return words
}

const stepsOf = (selector: string): Step[] =>
  [...selector.matchAll(/\.?\['([^']*)'\]|\.?\["([^"]*)"\]|\[(\d+)\]|(\[\*\])|(\.\*)|\.([\w-]+)/g)].map(
    ([, single, double, index, anyItem, anyMember, name]): Step => {
      if (index !== undefined) return { index: Number(index) }
      if (anyItem !== undefined) return { any: 'item' }
      if (anyMember !== undefined) return { any: 'member' }
      return { name: single ?? double ?? name ?? '' }
    },
  )

function isTrue({ steps, test }: Condition, value: unknown): boolean {
  const found = steps.reduce<unknown[]>((values, step) => values.flatMap((one) => take(one, step)), [value])
  if (test === 'NOT EXISTS') return found.length === 0
  return found.some((one) => isMet(test, one))
}

function take(value: unknown, step: Step): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) {
    if ('any' in step) return step.any === 'item' ? value : []
    return 'index' in step && step.index < value.length ? [value[step.index]] : []
  }
  if ('any' in step) return step.any === 'member' ? Object.values(value) : []
  if (!('name' in step) || !Object.hasOwn(value, step.name)) return []
  return [(value as Record<string, unknown>)[step.name]]
}

// AWS: of an array or an object neither = nor != is true.
function isMet(test: Exclude<Test, 'NOT EXISTS'>, value: unknown): boolean {
  if (test === 'IS NULL') return value === null
  if (test === 'IS TRUE') return value === true
  if (test === 'IS FALSE') return value === false
  if (typeof value === 'number') return compares(test, String(value), value)
  if (typeof value === 'boolean') return compares(test, String(value), null)
  return typeof value === 'string' && compares(test, value, null)
}

function parsed(message: string): { value: unknown } | undefined {
  if (!/^\s*[{[]/.test(message)) return undefined
  try {
    return { value: JSON.parse(message) as unknown }
  } catch {
    return undefined
  }
}
