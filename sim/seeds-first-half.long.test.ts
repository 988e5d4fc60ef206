import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { playSeeds } from './play-seeds.ts'
import { play } from './play.ts'

describe('the control plane under faults, first half', () => {
  it('does the same, to the byte, for the same seed', async () => {
    assert.deepEqual(await play(7), await play(7))
  })
  playSeeds(0)
})
