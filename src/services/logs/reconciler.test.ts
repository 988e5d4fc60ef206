import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { VirtualClock } from '../../../sim/virtual-clock.ts'
import { openStore } from '../../store/store.ts'
import { makeServicesWorld } from '../testing/services-world.ts'
import { bytesUsed, ensureStream, logEventsMigrations } from './events/file.ts'
import { appendEvents } from './events/append.ts'
import { makeUpkeepReconciler } from './reconciler.ts'
import { DEFAULT_BUDGETS } from '../budgets.ts'

describe('the upkeep of the file of events', () => {
  const world = makeServicesWorld()
  const dir = mkdtempSync(join(tmpdir(), 'pb-logs-'))
  const path = join(dir, 'logs.db')
  const logEvents = openStore(path, logEventsMigrations, { shrinks: true })
  after(() => {
    world.end()
    logEvents.close()
    rmSync(dir, { recursive: true })
  })

  it('keeps the youngest events within the budget, and gives the disk back', async () => {
    world.logs.createLogGroup(world.context, { logGroupName: 'app' })
    const { id } = world.store.get<{ id: string }>('select id from logs_group')!
    // What does not shrink when it is packed.
    const noise = (seed: number) =>
      Array.from({ length: 500 }, (_, index) => Math.sin(seed * 1_000 + index).toString(36)).join('')
    logEvents.transaction(() => {
      for (let at = 0; at < 1_000; at++)
        appendEvents(logEvents, ensureStream(logEvents, id, 's', 0), {
          events: [{ timestamp: at, message: noise(at) }],
          now: at,
        })
    })
    const budget = 2 << 20
    assert.ok(bytesUsed(logEvents) > 2 * budget)
    // Not the world's, which is one that is started.
    const clock = new VirtualClock()
    const upkeep = makeUpkeepReconciler({
      ...{ store: world.store, logEvents, clock },
      budgets: () => ({ ...DEFAULT_BUDGETS, logEvents: budget }),
    })
    const pass = upkeep.reconcile(new AbortController().signal)
    await clock.run(1_000)
    await pass
    assert.ok(bytesUsed(logEvents) <= budget)
    assert.ok(bytesUsed(logEvents) > budget / 3)
    const { first } = logEvents.get<{ first: number }>('select min(first_at) as first from log_block')!
    assert.ok(first > 300, 'the oldest went')
    for (let count = 0; count < 4; count++) {
      const more = upkeep.reconcile(new AbortController().signal)
      await clock.run(1_000)
      await more
    }
    logEvents.all('pragma wal_checkpoint(truncate)')
    assert.ok(statSync(path).size < 4 * budget + (8 << 20), String(statSync(path).size))
  })
})
