// `ERROR "not found" -DEBUG`: all of the terms and none of those with a minus sign; `?ERROR ?WARN`: one of them.
import type { Matcher } from './pattern.ts'
import { InvalidPattern, noRegex, unquoted } from './tokens.ts'

const TERM = /\s*([?-]?)\s*("(?:[^"\\]|\\.)*"|[^\s"]+)/y

export function termPattern(text: string): Matcher {
  const terms = { '': [] as string[], '-': [] as string[], '?': [] as string[] }
  TERM.lastIndex = 0
  for (let end = 0; end < text.length; end = TERM.lastIndex) {
    TERM.lastIndex = end
    const [, sign = '', word] = TERM.exec(text) ?? []
    if (word === undefined) throw new InvalidPattern()
    terms[sign as keyof typeof terms].push(termOf(word))
  }
  const { '': all, '-': none, '?': some } = terms
  // AWS: a question mark says nothing beside terms without one.
  if (all.length + none.length === 0) return (message) => some.some((term) => message.includes(term))
  return (message) =>
    all.every((term) => message.includes(term)) && !none.some((term) => message.includes(term))
}

function termOf(word: string): string {
  if (word.startsWith('"')) return unquoted(word).trim() === '' ? '' : unquoted(word)
  if (word.startsWith('%')) throw noRegex()
  if (!/^[\p{L}\p{N}_]+$/u.test(word)) throw new InvalidPattern(`Invalid character(s) in term '${word}'`)
  return word
}
