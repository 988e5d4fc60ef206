// logs.upkeep: what is gone or has expired leaves the file of events, the oldest of all when the file is above its budget. Little
// by little: each write holds everybody up.
import type { Reconciler } from '../../control/reconciler.ts'
import type { Store } from '../../store/store.ts'
import { DEFAULT_BUDGETS } from '../budgets.ts'
import type { LogsDeps } from './deps.ts'
import { BLOCK_BYTES } from './events/block.ts'
import { bytesUsed } from './events/file.ts'
import { allGroups, expiredBefore } from './store.ts'

/** Blocks that one write removes, about 10 ms. */
const BLOCKS_AT_ONCE = 200
const WRITES_A_PASS = 50
/** Free pages of the file that go back to the disk in one write, and as many may stay free for what comes. */
const PAGES_AT_ONCE = 1_000

export function makeUpkeepReconciler(
  deps: Pick<LogsDeps, 'store' | 'logEvents' | 'clock' | 'budgets'>,
): Reconciler {
  const { store, logEvents: file, clock } = deps
  const budget = () => (deps.budgets?.() ?? DEFAULT_BUDGETS).logEvents
  return {
    name: 'logs.upkeep',
    everyMs: 10_000,
    wakes: ['logs_group'],
    async reconcile(signal) {
      dropStreams()
      let writes = 0
      while (writes < WRITES_A_PASS && !signal.aborted && removeSome()) {
        writes++
        await clock.sleep(1, signal)
      }
      giveBack(file)
      return { bytes: bytesUsed(file), budget: budget(), writes }
    },
  }

  /** Those of groups that are gone: the row went first. */
  function dropStreams(): void {
    const groups = JSON.stringify(allGroups(store).map(({ id }) => id))
    file.transaction(() => {
      const gone = 'select id from log_stream where group_id not in (select value from json_each(:groups))'
      if (!file.get(`${gone} limit 1`, { groups })) return
      file.run(`insert or ignore into log_garbage ${gone}`, { groups })
      file.run(`delete from log_stream where id in (${gone})`, { groups })
    })
  }

  /** Answers whether it found some. */
  function removeSome(): boolean {
    return file.transaction(() => removeGarbage() || removeExpired() || removeOldest())
  }

  function removeGarbage(): boolean {
    const one = file.get<{ streamId: number }>('select stream_id from log_garbage limit 1')
    if (!one) return false
    const removed = file.run(
      `delete from log_block where id in (select id from log_block where stream_id = :streamId limit ${BLOCKS_AT_ONCE})`,
      one,
    )
    if (removed < BLOCKS_AT_ONCE) file.remove('log_garbage', one)
    return true
  }

  function removeExpired(): boolean {
    return allGroups(store).some((group) => {
      const before = expiredBefore(group, clock.now())
      return (
        before > 0 &&
        file.run(
          `delete from log_block where id in (select id from log_block where group_id = :id
             and last_at between 0 and :before - 1 limit ${BLOCKS_AT_ONCE})`,
          { id: group.id, before },
        ) > 0
      )
    })
  }

  function removeOldest(): boolean {
    const over = bytesUsed(file) - budget()
    if (over <= 0) return false
    const limit = Math.min(BLOCKS_AT_ONCE, Math.ceil(over / BLOCK_BYTES))
    return (
      file.run('delete from log_block where id in (select id from log_block order by last_at limit :limit)', {
        limit,
      }) > 0
    )
  }
}

function giveBack(file: Store): void {
  const { free } = file.get<{ free: number }>('select freelist_count as free from pragma_freelist_count')!
  if (free > 2 * PAGES_AT_ONCE) file.all(`pragma incremental_vacuum(${PAGES_AT_ONCE})`)
}
