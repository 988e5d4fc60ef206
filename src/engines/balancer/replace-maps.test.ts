import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { portions } from './replace-maps.ts'

describe('portions', () => {
  it('hold as many pieces as fit, in their order', () => {
    assert.deepEqual(portions(['aa', 'bb', 'ccc', 'd'], 4), [
      ['aa', 'bb'],
      ['ccc', 'd'],
    ])
    assert.deepEqual(portions(['aaaaa', 'b'], 4), [['aaaaa'], ['b']])
    assert.deepEqual(portions(['ä', 'ä', 'a'], 4), [['ä', 'ä'], ['a']])
    assert.deepEqual(portions([], 4), [])
  })
})
