import assert from 'node:assert/strict'
import { it } from 'node:test'
import { configOf } from '../config/settings.ts'
import { cachesBytesMax, DEFAULT_BUDGETS } from './budgets.ts'

it('budgets default to what the configuration documents', () =>
  assert.deepEqual(configOf(new Map()).budgets, DEFAULT_BUDGETS))

it('caches have 5 GiB, or a tenth of a small disk, or what was given', () => {
  assert.equal(cachesBytesMax(DEFAULT_BUDGETS, { totalBytes: 2 ** 40 }), 5 * 2 ** 30)
  assert.equal(cachesBytesMax(DEFAULT_BUDGETS, { totalBytes: 1000 }), 100)
  assert.equal(cachesBytesMax({ ...DEFAULT_BUDGETS, caches: 7 }, { totalBytes: 1000 }), 7)
})
