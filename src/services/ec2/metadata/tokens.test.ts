import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeTokens } from './tokens.ts'

describe('a token of the metadata service', () => {
  let now = 1_000_000
  const key = Buffer.alloc(32, 7)
  const tokens = makeTokens(key, () => now)

  it('is of its instance and its home until its time is over', () => {
    const token = tokens.make('i-1', 60)
    assert.match(token, /^[\w-]{54}$/)
    assert.equal(tokens.secondsLeft('i-1', token), 60)
    assert.equal(tokens.secondsLeft('i-2', token), null)
    assert.equal(makeTokens(Buffer.alloc(32, 8), () => now).secondsLeft('i-1', token), null)
    assert.equal(makeTokens(key, () => now).secondsLeft('i-1', token), 60, 'of another start of the server')
    now += 59_500
    assert.equal(tokens.secondsLeft('i-1', token), 1)
    now += 500
    assert.equal(tokens.secondsLeft('i-1', token), null)
  })

  it('cannot be changed or made up', () => {
    const token = tokens.make('i-1', 60)
    const bytes = Buffer.from(token, 'base64url')
    for (let index = 0; index < bytes.length; index++) {
      const other = Buffer.from(bytes)
      other[index]! ^= 1
      assert.equal(tokens.secondsLeft('i-1', other.toString('base64url')), null, `byte ${index}`)
    }
    for (const wrong of [
      '',
      ' ',
      token.slice(1),
      `${token}A`,
      `${token}=`,
      ` ${token}`,
      'ü',
      'A'.repeat(54),
      'A'.repeat(9_999),
    ])
      assert.equal(tokens.secondsLeft('i-1', wrong), null, wrong)
  })
})
