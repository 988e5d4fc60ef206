import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { liveDays, WAYS } from './days.ts'

/** Thirty of them in all, or a few hours of each. */
const DAYS = process.env.POLEBEAN_FULL ? 10 : 1 / 12

describe('days of an environment that follows what it is asked', () => {
  for (const [seed, { name }] of WAYS.entries())
    it(`by ${name}: no request fails but in trouble, and capacity settles`, async (context) => {
      const { wrong, requests, failed, changes, mishaps } = await liveDays(seed, DAYS)
      context.diagnostic(
        `${DAYS} days, ${requests} requests, ${failed} failed in ${mishaps} mishaps, ${changes} changes of capacity`,
      )
      assert.deepEqual(wrong, [])
    })
})
