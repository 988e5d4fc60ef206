// Patterns of rules (ELB user guide, "Condition types for listener rules"): `*` any text, `?` one character, a backslash takes the
// next character as it is. Clients choose the text, so neither way of matching takes more than its length times the
// pattern's, however many `*` there are.

/** A literal character, or `one` for `?`. */
type Unit = { literal: string } | 'one'
/** What stands between the `*`. */
type Segment = Unit[]

function segmentsOf(pattern: string): Segment[] {
  const segments: Segment[] = [[]]
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!
    if (character === '*') segments.push([])
    else if (character === '?') segments.at(-1)!.push('one')
    else segments.at(-1)!.push({ literal: character === '\\' ? (pattern[++i] ?? character) : character })
  }
  // Between two `*` that touch is nothing to find.
  return segments.filter(
    (segment, index) => segment.length > 0 || index === 0 || index === segments.length - 1,
  )
}

/**
 * As a Perl-compatible regular expression, without anchors. `any` is the class of what `*` and `?` stand for. The text of a
 * segment is taken where it first occurs and never looked for again (an atomic group): for `*`, that finds a match if there
 * is one.
 */
export function regularExpressionOf(pattern: string, any = '.'): string {
  const [first = [], ...others] = segmentsOf(pattern)
  const text = (segment: Segment) =>
    segment.map((unit) => (unit === 'one' ? any : escaped(unit.literal))).join('')
  const last = others.pop()
  const between = others.map((segment) => `(?>${any}*?${text(segment)})`).join('')
  return `${text(first)}${between}${last === undefined ? '' : `${any}*${text(last)}`}`
}

const escaped = (character: string) => character.replace(/[^A-Za-z0-9 _/~!@%&=:;,"'`<>#-]/, '\\$&')

/** Whether the whole text is what the pattern says. */
export function matchesPattern(pattern: string, text: string): boolean {
  const [first = [], ...others] = segmentsOf(pattern)
  const fits = (segment: Segment, at: number) =>
    at >= 0 &&
    at + segment.length <= text.length &&
    segment.every((unit, index) => unit === 'one' || unit.literal === text[at + index])
  if (!fits(first, 0)) return false
  let at = first.length
  const last = others.pop()
  if (last === undefined) return at === text.length
  for (const segment of others) {
    while (at < text.length && !fits(segment, at)) at++
    if (!fits(segment, at)) return false
    at += segment.length
  }
  return text.length - last.length >= at && fits(last, text.length - last.length)
}
