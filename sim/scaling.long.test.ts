import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { scale } from './scaling.ts'

describe('a group that is scaled in every way', () => {
  it('comes to rest, whatever the seed', async () => {
    const seeds = process.env.POLEBEAN_FULL ? 100 : 6
    for (let seed = 1; seed <= seeds; seed++) assert.deepEqual(await scale(seed), [], `seed ${seed}`)
  })
})
