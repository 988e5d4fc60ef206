// Conditions joined by && and ||, with parentheses; && binds tighter.
import { InvalidPattern, type Token } from './tokens.ts'

export type Expression<C> =
  | { kind: 'condition'; condition: C }
  | { kind: 'and' | 'or'; parts: Expression<C>[] }

/** `condition` reads one of them from the front of the tokens. @throws InvalidPattern */
export function parseExpression<C>(tokens: Token[], condition: (tokens: Token[]) => C): Expression<C> {
  const rest = [...tokens]
  const takes = (text: string) => {
    const [first] = rest
    if (first?.kind !== 'mark' || first.text !== text) return false
    rest.shift()
    return true
  }
  const list = (kind: 'and' | 'or', mark: string, part: () => Expression<C>): Expression<C> => {
    const parts = [part()]
    while (takes(mark)) parts.push(part())
    return parts.length === 1 ? parts[0]! : { kind, parts }
  }
  const one = (): Expression<C> => {
    if (!takes('(')) return { kind: 'condition', condition: condition(rest) }
    const inner = or()
    if (!takes(')')) throw new InvalidPattern()
    return inner
  }
  const or = (): Expression<C> => list('or', '||', () => list('and', '&&', one))
  const whole = or()
  if (rest.length > 0) throw new InvalidPattern()
  return whole
}

export function holds<C>(expression: Expression<C>, test: (condition: C) => boolean): boolean {
  if (expression.kind === 'condition') return test(expression.condition)
  return expression.kind === 'and'
    ? expression.parts.every((part) => holds(part, test))
    : expression.parts.some((part) => holds(part, test))
}
