import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { sleepThrough } from './identity.ts'

const SEEDS = process.env.POLEBEAN_FULL ? 200 : 40

describe('instances', () => {
  it(`keep their ids through ${SEEDS} seeds of sleep, jumps, crashes, reboots, restorations and blindness`, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) assert.deepEqual(await sleepThrough(seed), [], `seed ${seed}`)
  })
})
