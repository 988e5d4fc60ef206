import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LOGS_KEPT_MS, planKeptLogs } from './kept-logs.ts'

const NOW = 10 * LOGS_KEPT_MS
const log = (instanceId: string, ageMs: number, bytes = 100) => ({
  ...{ instanceId, environment: 'shop', reason: '', bytes, endedAt: NOW - ageMs },
})

describe('logs of instances that are gone', () => {
  it('are kept for a week', () =>
    assert.deepEqual(
      planKeptLogs([log('a', 0), log('b', LOGS_KEPT_MS), log('c', LOGS_KEPT_MS + 1)], 1000, NOW),
      ['c'],
    ))
  it('go from the oldest on when they are too many', () =>
    assert.deepEqual(planKeptLogs([log('a', 1), log('b', 2), log('c', 3)], 250, NOW), ['c']))
  it('go all when there is no room for one', () =>
    assert.deepEqual(planKeptLogs([log('a', 1, 300)], 250, NOW), ['a']))
  it('are not lost to a clock that was set back', () =>
    assert.deepEqual(planKeptLogs([log('a', -LOGS_KEPT_MS)], 1000, NOW), []))
})
