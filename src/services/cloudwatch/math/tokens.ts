// The text of a math expression → tokens.
export type Token =
  | { kind: 'number'; value: number }
  /** Starts with a lowercase letter: the Id of a query. */
  | { kind: 'id'; text: string }
  /** Starts with an uppercase letter: a function, an operator or a word that a function takes. */
  | { kind: 'word'; text: string }
  | { kind: 'string'; text: string }
  | { kind: 'sign'; text: string }

// The first alternative that fits; each begins where the one before ended (sticky), so that no text is read twice.
const TOKEN =
  /\s+|(?<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?<id>[a-z][a-zA-Z0-9_]*)|(?<word>[A-Z][a-zA-Z0-9_]*)|(?<string>"[^"]*"|'[^']*'|“[^”]*”)|(?<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>()[\],])/y

/** Undefined: there is something that no expression has. */
export function tokensOf(text: string): Token[] | undefined {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)
    if (!match) return undefined
    at += match[0].length
    const { number, id, word, string, sign } = match.groups ?? {}
    if (number !== undefined) tokens.push({ kind: 'number', value: Number(number) })
    else if (id !== undefined) tokens.push({ kind: 'id', text: id })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else if (string !== undefined) tokens.push({ kind: 'string', text: string.slice(1, -1) })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign })
  }
  return tokens
}
