import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { otherMemory, readOtherMemory } from './other-memory.ts'

const meminfo = (totalKiB: number, availableKiB: number) =>
  `MemTotal:       ${totalKiB} kB\nMemFree:         1000 kB\nMemAvailable:   ${availableKiB} kB\nCached: 9 kB\n`

describe('memory of what is no instance', () => {
  it('is what is not available, without what instances and builds hold', () => {
    assert.equal(otherMemory(meminfo(8_000, 5_000), 0, 0), 3_000 * 1024)
    assert.equal(otherMemory(meminfo(8_000, 5_000), 1_500 * 1024, 500 * 1024), 2_000 * 1024)
  })
  it('is never below nothing', () => {
    assert.equal(otherMemory(meminfo(8_000, 7_900), 200 * 1024, 0), 0)
    assert.equal(otherMemory(meminfo(8_000, 5_000), 0, 100), 3_000 * 1024)
  })
  it('is not guessed where the kernel does not say it', () => {
    assert.equal(otherMemory('', 0, 0), 0)
    assert.equal(otherMemory('MemTotal:  8000 kB\n', 0, 0), 0)
  })
  it('is some on this machine', () => assert.ok(readOtherMemory('nosuch') > 0))
})
