import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isLow, isStillLow, leastFreeBytes, lowSentence, sizeText, spaceOf } from './space.ts'

const GIB = 2 ** 30

describe('room on a file system', () => {
  it('is low below 5 %, or below 1 GiB where that is less', () => {
    assert.equal(leastFreeBytes({ totalBytes: 10 * GIB, freeBytes: 0 }), GIB / 2)
    assert.equal(leastFreeBytes({ totalBytes: 500 * GIB, freeBytes: 0 }), GIB)
    assert.equal(isLow({ totalBytes: 500 * GIB, freeBytes: GIB }), false)
    assert.equal(isLow({ totalBytes: 500 * GIB, freeBytes: GIB - 1 }), true)
  })
  it('stays low until there is more than the least', () => {
    assert.equal(isStillLow({ totalBytes: 500 * GIB, freeBytes: 1.1 * GIB }), true)
    assert.equal(isStillLow({ totalBytes: 500 * GIB, freeBytes: 1.3 * GIB }), false)
  })
  it('is measured where a path lies', () => {
    const { freeBytes, totalBytes } = spaceOf('/')
    assert.ok(freeBytes >= 0 && freeBytes <= totalBytes && totalBytes > 0)
    assert.throws(() => spaceOf('/nowhere'), { code: 'ENOENT' })
  })
  it('is told in words', () => {
    assert.deepEqual([1, 300 * 2 ** 20, 1.5 * GIB, 20 * GIB].map(sizeText), [
      '1 MiB',
      '300 MiB',
      '1.5 GiB',
      '20 GiB',
    ])
    assert.match(
      lowSentence('The build', { totalBytes: 10 * GIB, freeBytes: 0 }),
      /^The build was refused: the disk of the home has less than 512 MiB of 10 GiB free\. Make room/,
    )
  })
})
