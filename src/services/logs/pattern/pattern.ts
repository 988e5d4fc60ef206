// Filter patterns ("Filter and pattern syntax" of AWS's documentation): terms, JSON in braces, space-delimited fields in brackets.
// Regular expressions between percent signs are refused: a search may not take for ever.
import { jsonPattern } from './json-pattern.ts'
import { InvalidPattern } from './tokens.ts'
import { spacePattern } from './space-pattern.ts'
import { termPattern } from './term-pattern.ts'

export type Matcher = (message: string) => boolean

/** AWS: characters of a pattern. */
export const PATTERN_MAX = 1024

/** @throws InvalidPattern */
export function parsePattern(given: string): Matcher {
  const text = given.trim()
  if (text === '') return () => true
  if (text.startsWith('{')) return jsonPattern(inside(text, '}'))
  if (text.startsWith('[')) return spacePattern(inside(text, ']'))
  return termPattern(text)
}

function inside(text: string, end: string): string {
  if (text.length < 2 || !text.endsWith(end)) throw new InvalidPattern()
  return text.slice(1, -1)
}
