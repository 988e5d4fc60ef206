import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { filtered } from './filters.ts'

const TAGS = [{ key: 'Name', value: 'shop' }]
const find = (values: string[], Name: string | undefined, ...Values: string[]) =>
  filtered(values, [{ Name, Values }], { value: (one: string) => [one] }, () => TAGS)

describe('filters', () => {
  it('match with wildcards, which a backslash makes plain', () => {
    const values = ['shop-1', 'shop-12', 'shop-*', 'a\\b', 'ü\n']
    const cases: [string, ...string[]][] = [
      ['shop-?', 'shop-1', 'shop-*'],
      ['shop-??', 'shop-12'],
      ['*-1*', 'shop-1', 'shop-12'],
      ['s*p-*2', 'shop-12'],
      ['*', ...values],
      ['shop-\\*', 'shop-*'],
      ['a\\\\b', 'a\\b'],
      ['a\\b', 'a\\b'],
      ['??', 'ü\n'],
      ['**1**', 'shop-1', 'shop-12'],
      ['shop'],
      ['[s]hop-1'],
    ]
    for (const [pattern, ...found] of cases) assert.deepEqual(find(values, 'value', pattern), found, pattern)
  })

  it('with many wildcards answer at once', () => {
    assert.deepEqual(find(['a'.repeat(256)], 'value', `${'*a'.repeat(60)}*b`), [])
  })

  it('look into tags', () => {
    assert.equal(find(['x'], 'tag:Name', 'sh*').length, 1)
    assert.equal(find(['x'], 'tag:name', 'shop').length, 0)
    assert.equal(find(['x'], 'tag-key', 'Name').length, 1)
  })

  it('that are none, or too many, are refused', () => {
    for (const name of ['colour', 'constructor', '__proto__'])
      assert.throws(() => find(['x'], name, 'y'), { message: `The filter '${name}' is invalid` })
    assert.throws(() => find(['x'], undefined, 'y'), { message: "The filter 'null' is invalid" })
    const many = Array.from({ length: 201 }, (_unused, index) => String(index))
    assert.throws(() => find(['x'], 'value', ...many), { code: 'FilterLimitExceeded' })
  })
})
