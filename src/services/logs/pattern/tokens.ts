// What patterns are made of.

/** A pattern that is none, as AWS words it; or one of a kind that Polebean does not do. */
export class InvalidPattern extends Error {
  override name = 'InvalidPattern'
  constructor(message = 'Invalid filter pattern') {
    super(message)
  }
}

export const noRegex = () =>
  new InvalidPattern('Invalid filter pattern: regular expressions (%...%) are not supported by Polebean.')

export type Operator = '=' | '!=' | '<' | '>' | '<=' | '>='

export type Token =
  | { kind: 'mark'; text: '(' | ')' | '&&' | '||' | ',' | '...' | Operator }
  | { kind: 'text'; text: string; quoted: boolean }
  | { kind: 'selector'; text: string }

const FORMS: [kind: Token['kind'] | 'blank' | 'regex', form: RegExp][] = [
  ['blank', /\s+/y],
  ['mark', /\.\.\.|&&|\|\||[!<>]=|[=<>(),]/y],
  ['text', /"(?:[^"\\]|\\.)*"/y],
  ['regex', /%/y],
  ['selector', /\$(?:\.[\w-]+|\.\*|\[(?:\d+|\*)\]|\.?\[(?:'[^']*'|"[^"]*")\])+/y],
  ['text', /[\w.*:/@+-]+/y],
]

/** @throws InvalidPattern */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = []
  for (let at = 0; at < text.length;) {
    const [kind, found] = longest(text, at)
    if (kind === 'regex') throw noRegex()
    if (kind !== 'blank') tokens.push(tokenOf(kind, found))
    at += found.length
  }
  return tokens
}

function longest(text: string, at: number): [kind: (typeof FORMS)[number][0], found: string] {
  for (const [kind, form] of FORMS) {
    form.lastIndex = at
    const found = form.exec(text)
    if (found) return [kind, found[0]]
  }
  throw new InvalidPattern()
}

function tokenOf(kind: Token['kind'], text: string): Token {
  if (kind === 'mark') return { kind, text: text as Extract<Token, { kind: 'mark' }>['text'] }
  if (kind === 'selector') return { kind, text }
  return text.startsWith('"')
    ? { kind: 'text', text: unquoted(text), quoted: true }
    : { kind: 'text', text, quoted: false }
}

/** Of a text in double quotes: what a backslash precedes stands for itself. */
export const unquoted = (text: string) => text.slice(1, -1).replaceAll(/\\(.)/g, '$1')

export const isOperator = (text: string): text is Operator => /^([<>]=?|!?=)$/.test(text)
