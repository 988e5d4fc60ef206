// Runs reconcilers: by a period and by wakes (coalesced), never the same one twice at once, each failure kept as status.
import type { Clock } from '../kernel/clock.ts'
import { reasonOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Store } from '../store/store.ts'
import type { Reconciler } from './reconciler.ts'

export type ReconcilerStatus = {
  name: string
  passes: number
  failures: number
  lastStartedAt: number
  lastTookMs: number
  lastError: string | null
  report: Record<string, unknown>
}

export type Driver = {
  wake(name: string): void
  status(): ReconcilerStatus[]
  /** Resolves when every loop has ended after the signal was aborted. */
  ended: Promise<void>
}

type Deps = {
  clock: Clock
  log: Log
  store: Store
  signal: AbortSignal
  /** Called before every pass. */
  beforePass?: () => void
}

export function startDriver(
  { clock, log, store, signal, beforePass }: Deps,
  reconcilers: Reconciler[],
): Driver {
  const loops = reconcilers.map((reconciler) => makeLoop(reconciler))
  store.onCommit((tables) => {
    for (const loop of loops) if (loop.wakes.some((table) => table === '*' || tables.has(table))) loop.wake()
  })
  const ended = Promise.all(loops.map((loop) => loop.run())).then(() => undefined)
  return {
    ended,
    wake: (name) => loops.find((loop) => loop.status.name === name)?.wake(),
    status: () => loops.map((loop) => loop.status),
  }

  function makeLoop(reconciler: Reconciler) {
    const { name } = reconciler
    const status: ReconcilerStatus = {
      name,
      passes: 0,
      failures: 0,
      lastStartedAt: 0,
      lastTookMs: 0,
      lastError: null,
      report: {},
    }
    let woken = Promise.withResolvers<void>()
    let timer = new AbortController()
    signal.addEventListener('abort', () => timer.abort(OVER), { once: true })
    const run = async () => {
      while (!signal.aborted) {
        woken = Promise.withResolvers<void>()
        const startedAt = clock.monotonic()
        status.lastStartedAt = clock.now()
        try {
          beforePass?.()
          status.report = await reconciler.reconcile(signal)
          status.lastError = null
        } catch (error) {
          if (signal.aborted) return
          status.failures++
          if (status.lastError !== reasonOf(error))
            log.error('reconciler failed', { reconciler: name, error })
          status.lastError = reasonOf(error)
        }
        status.passes++
        status.lastTookMs = clock.monotonic() - startedAt
        await nap(status.lastError === null ? 0 : FAILED_PAUSE_MS, reconciler.everyMs)
      }
    }
    // After a failure a wake does not start the next pass at once: a table that changes all the time would spin it.
    const nap = async (leastMs: number, mostMs: number) => {
      if (signal.aborted) return
      timer = new AbortController()
      try {
        if (leastMs > 0) await clock.sleep(Math.min(leastMs, mostMs), timer.signal)
        await Promise.race([clock.sleep(mostMs, timer.signal), woken.promise])
      } catch {
        // only the abort of `signal` ends a sleep early
      } finally {
        timer.abort(OVER)
      }
    }
    return { status, run, wakes: reconciler.wakes, wake: () => woken.resolve() }
  }
}

const FAILED_PAUSE_MS = 1_000
/** Made once: an error of its own for each nap costs more than the nap. */
const OVER = new Error('the nap is over')
