import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeLastPut } from './last-put.ts'

const parts = (count: number) => Array.from({ length: count }, (_unused, n) => n)

describe('what was put last', () => {
  it('is kept until something else is, or it is forgotten', () => {
    const last = makeLastPut<number>(10)
    last.keep('a', parts(3))
    last.keep('a', parts(4))
    assert.deepEqual(last.get('a'), parts(4))
    last.forget('a')
    last.forget('a')
    assert.equal(last.get('a'), undefined)
    last.keep('b', parts(10))
    assert.deepEqual(last.get('b'), parts(10))
  })

  it('makes room from what was kept longest ago, and is not kept when there is none', () => {
    const last = makeLastPut<number>(10)
    last.keep('a', parts(4))
    last.keep('b', parts(4))
    last.keep('a', parts(4))
    last.keep('c', parts(4))
    assert.deepEqual(
      ['a', 'b', 'c'].map((name) => last.get(name)?.length),
      [4, undefined, 4],
    )
    last.keep('d', parts(11))
    assert.deepEqual(
      ['a', 'c', 'd'].map((name) => last.get(name)),
      [undefined, undefined, undefined],
    )
  })
})
