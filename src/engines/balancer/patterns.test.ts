import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom } from '../../kernel/random.ts'
import { matchesPattern, regularExpressionOf } from './patterns.ts'

/** JavaScript knows no atomic groups; a lookahead never looks back either. */
function inJavaScript(expression: string): RegExp {
  let groups = 0
  const emulated = expression.replace(/\(\?>((?:\\.|[^)\\])*)\)/g, (_whole, inner: string) => {
    groups++
    return `(?=(${inner}))\\${groups}`
  })
  return new RegExp(`^${emulated}$`)
}

/** The plain meaning, with all the ways to go wrong slowly. */
const plainly = (pattern: string) =>
  new RegExp(
    `^${pattern.replaceAll(/\\?./g, (unit) =>
      unit === '*' ? '.*' : unit === '?' ? '.' : unit.at(-1)!.replace(/[^a-z]/, '\\$&'),
    )}$`,
  )

describe('patterns of rules', () => {
  it('mean the same to the matcher, as a regular expression, and plainly', () => {
    const random = seededRandom(4)
    const some = (alphabet: string[], most: number) =>
      Array.from(
        { length: Math.floor(random.next() * most) },
        () => alphabet[Math.floor(random.next() * alphabet.length)],
      ).join('')
    let matched = 0
    for (let i = 0; i < 5_000; i++) {
      const pattern = some(['a', 'b', 'a', '*', '?', '*', '.', '\\*', '\\?', '\\\\'], 8)
      const text = some(['a', 'b', '.', '*', '?', '\\'], 8)
      const wanted = plainly(pattern).test(text)
      if (wanted) matched++
      assert.equal(matchesPattern(pattern, text), wanted, `${pattern} on ${text}`)
      assert.equal(inJavaScript(regularExpressionOf(pattern)).test(text), wanted, `${pattern} on ${text}`)
    }
    assert.ok(matched > 200, `only ${matched} matched`)
  })

  it('are this text', () => {
    assert.equal(regularExpressionOf('/img/*.p?g'), '/img/.*\\.p.g')
    assert.equal(regularExpressionOf('*a**b*'), '(?>.*?a)(?>.*?b).*')
    assert.equal(regularExpressionOf('v*', '[^&]'), 'v[^&]*')
    assert.equal(regularExpressionOf('a\\*$'), 'a\\*\\$')
  })
})
