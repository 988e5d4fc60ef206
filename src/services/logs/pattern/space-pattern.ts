// `[ip, user, ..., status=4*, bytes]`: of messages whose fields are separated by blanks.
import { comparisonOf, compares, numberOf, type Comparison } from './compare.ts'
import { holds, parseExpression, type Expression } from './expression.ts'
import type { Matcher } from './pattern.ts'
import { InvalidPattern, type Token, tokensOf } from './tokens.ts'

/** null = any text. */
type Field = Expression<Comparison> | null

export function spacePattern(text: string): Matcher {
  const parts = splitAtCommas(tokensOf(text))
  const ellipses = parts.flatMap((part, index) => (isEllipsis(part) ? index : []))
  if (ellipses.length > 1) throw new InvalidPattern()
  const [gap] = ellipses
  const head = parts.slice(0, gap).map(fieldOf)
  const tail = gap === undefined ? [] : parts.slice(gap + 1).map(fieldOf)
  return (message) => {
    const fields = fieldsOf(message)
    const spare = fields.length - head.length - tail.length
    if (gap === undefined ? spare !== 0 : spare < 0) return false
    return fits(head, fields) && fits(tail, fields.slice(head.length + spare))
  }
}

function splitAtCommas(tokens: Token[]): Token[][] {
  const parts: Token[][] = [[]]
  for (const token of tokens)
    if (token.kind === 'mark' && token.text === ',') parts.push([])
    else parts.at(-1)!.push(token)
  return parts
}

const isEllipsis = (part: Token[]) => part.length === 1 && part[0]!.kind === 'mark' && part[0]!.text === '...'

// Without a name it is any text as well. All conditions of a field are about it, so they have its name.
function fieldOf(part: Token[]): Field {
  const [first] = part
  if (!first || (part.length === 1 && isName(first))) return null
  const name = part.find((token) => token.kind !== 'mark')
  if (!name || !isName(name)) throw new InvalidPattern()
  return parseExpression(part, (tokens) => {
    const own = tokens.shift()
    if (!own || !isName(own) || own.text !== name.text) throw new InvalidPattern()
    return comparisonOf(tokens)
  })
}

const isName = (token: Token) => token.kind === 'text' && !token.quoted && /^[\w-]+$/.test(token.text)

const fits = (fields: Field[], values: string[]) =>
  fields.every((field, index) => {
    if (field === null) return true
    const value = values[index]!
    return holds(field, (comparison) => compares(comparison, value, numberOf(value)))
  })

/** What is between brackets or quotes is one field, without them. However a message is made, it is gone through once. */
export function fieldsOf(message: string): string[] {
  const fields: string[] = []
  const next: Record<string, number> = { ']': -1, '"': -1 }
  const endAfter = (mark: string, at: number): number => {
    if (next[mark]! < at && next[mark] !== message.length) {
      const found = message.indexOf(mark, at)
      next[mark] = found === -1 ? message.length : found
    }
    return next[mark]!
  }
  for (let at = 0; at < message.length; at++) {
    if (isBlank(message[at])) continue
    const mark = CLOSES[message[at]!]
    const end = mark === undefined ? message.length : endAfter(mark, at + 1)
    const isWhole = end < message.length && (end + 1 === message.length || isBlank(message[end + 1]))
    if (isWhole) fields.push(message.slice(at + 1, end))
    const from = at
    if (isWhole) at = end
    else {
      while (at < message.length && !isBlank(message[at])) at++
      fields.push(message.slice(from, at))
    }
  }
  return fields
}

const CLOSES: Record<string, string | undefined> = { '[': ']', '"': '"' }
const isBlank = (character: string | undefined) => character !== undefined && /\s/.test(character)
