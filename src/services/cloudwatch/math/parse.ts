// A math expression's text → its tree (CloudWatch user guide, "Metric math syntax and functions"). What the tree means is check.ts.
// AWS does not write down which operators bind tighter: as in mathematics, `^` from the right, then `* /`, `+ -`, comparisons, AND, OR.
import { inExpression, unsupported } from './errors.ts'
import { type Token, tokensOf } from './tokens.ts'

export const ARITHMETIC = ['+', '-', '*', '/', '^'] as const
export const COMPARISONS = ['==', '!=', '<', '>', '<=', '>='] as const
export type Operator = (typeof ARITHMETIC)[number] | (typeof COMPARISONS)[number] | 'AND' | 'OR'

export type Expression =
  | { kind: 'number'; value: number }
  | { kind: 'id'; id: string }
  /** What some functions take besides values: REPEAT, LINEAR, AVG, DESC … */
  | { kind: 'word'; word: string }
  | { kind: 'string'; text: string }
  | { kind: 'array'; items: Expression[] }
  | { kind: 'negative'; operand: Expression }
  | { kind: 'binary'; operator: Operator; left: Expression; right: Expression }
  | { kind: 'call'; name: string; arguments: Expression[] }

/** MetricDataQuery, Expression: at most 2048 characters. */
export const EXPRESSION_CHARACTERS_MAX = 2048
/** Parentheses, calls, arrays, minus signs and powers within each other. Ours: no one writes more, and no stack overflows. */
export const DEPTH_MAX = 100

const BINDING: Record<Operator, number> = {
  OR: 1,
  AND: 2,
  ...{ '==': 3, '!=': 3, '<': 3, '>': 3, '<=': 3, '>=': 3 },
  ...{ '+': 4, '-': 4, '*': 5, '/': 5 },
  '^': 7,
}
/** Looser than `^`: -2^2 is -4. */
const NEGATIVE_BINDING = 6
const SPELLED: Record<string, Operator> = { '&&': 'AND', '||': 'OR' }

/** `id` is the query's, for the error. */
export function parseExpression(text: string, id: string): Expression {
  const invalid = () => inExpression(id, 'Invalid syntax')
  if (text.length > EXPRESSION_CHARACTERS_MAX)
    throw inExpression(id, `Expression is longer than ${EXPRESSION_CHARACTERS_MAX} characters`)
  // Metrics Insights: a language of its own in the same member.
  if (/^\s*SELECT\s/i.test(text)) throw unsupported('Metrics Insights (SELECT)')
  const tokens = tokensOf(text)
  if (!tokens) throw invalid()
  const parser = new Parser(tokens, invalid)
  const expression = parser.expression(0, 0)
  if (!parser.isAtEnd()) throw invalid()
  return expression
}

class Parser {
  readonly #tokens: Token[]
  readonly #invalid: () => Error
  #at = 0
  constructor(tokens: Token[], invalid: () => Error) {
    this.#tokens = tokens
    this.#invalid = invalid
  }

  isAtEnd(): boolean {
    return this.#at === this.#tokens.length
  }

  /** Operators that bind at least as tight as `least`. */
  expression(least: number, depth: number): Expression {
    if (depth > DEPTH_MAX) throw this.#invalid()
    let left = this.#operand(depth)
    for (;;) {
      const operator = this.#operator()
      if (!operator || BINDING[operator] < least) return left
      this.#at++
      // `^` takes what follows first: its right side may bind as tight as itself.
      const right = this.expression(operator === '^' ? BINDING['^'] : BINDING[operator] + 1, depth + 1)
      left = { kind: 'binary', operator, left, right }
    }
  }

  #operand(depth: number): Expression {
    const token = this.#tokens[this.#at++]
    if (!token) throw this.#invalid()
    switch (token.kind) {
      case 'number':
        return { kind: 'number', value: token.value }
      case 'string':
        return { kind: 'string', text: token.text }
      case 'id':
      case 'word':
        if (this.#takes('('))
          return { kind: 'call', name: token.text, arguments: this.#list(')', depth, true) }
        if (token.kind === 'id') return { kind: 'id', id: token.text }
        if (token.text === 'AND' || token.text === 'OR') throw this.#invalid()
        return { kind: 'word', word: token.text }
      case 'sign':
        return this.#signed(token.text, depth)
    }
  }

  #signed(sign: string, depth: number): Expression {
    if (sign === '-') return { kind: 'negative', operand: this.expression(NEGATIVE_BINDING, depth + 1) }
    if (sign === '[') return { kind: 'array', items: this.#list(']', depth, false) }
    if (sign !== '(') throw this.#invalid()
    const inner = this.expression(0, depth + 1)
    if (!this.#takes(')')) throw this.#invalid()
    return inner
  }

  #list(close: ')' | ']', depth: number, mayBeEmpty: boolean): Expression[] {
    const items: Expression[] = []
    if (mayBeEmpty && this.#takes(close)) return items
    do items.push(this.expression(0, depth + 1))
    while (this.#takes(','))
    if (!this.#takes(close)) throw this.#invalid()
    return items
  }

  #takes(sign: string): boolean {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'sign' || token.text !== sign) return false
    this.#at++
    return true
  }

  #operator(): Operator | undefined {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'sign' && token?.kind !== 'word') return undefined
    const text = SPELLED[token.text] ?? token.text
    return isOperator(text) ? text : undefined
  }
}

const isOperator = (text: string): text is Operator => Object.hasOwn(BINDING, text)
