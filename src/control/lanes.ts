// Performs actions so that one failing object never delays another (design §2.2): a lane per object, a timeout per
// action, back-off kept in a row, at most `atOnceMax` under way.
import { withTimeout, type Clock } from '../kernel/clock.ts'
import { reasonOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Migration, Store } from '../store/store.ts'

export const lanesMigration: Migration = {
  id: 'control.1.lane',
  sql: `create table lane_backoff (
    lane text primary key, failures integer not null, next_at integer not null, reason text not null) strict`,
}

export type LaneAction = {
  /** What is done to whom: `launch`. For logs and `status`. */
  what: string
  /** The object: `instance/i-…`. Two actions of one lane never run at once. */
  lane: string
  timeoutMs: number
  perform(signal: AbortSignal): Promise<void>
}

export type LaneFailure = { lane: string; failures: number; nextAt: number; reason: string }

export type Lanes = {
  /** Starts each action whose lane is free and not backing off; answers how many it started. Never waits, never throws. */
  submit(actions: LaneAction[]): number
  busy(lane: string): boolean
  failures(): LaneFailure[]
  /** Forgets the back-off of a lane, e.g. when its object is gone. */
  forget(lane: string): void
}

/** What fails, of all lanes. */
export const laneFailures = (store: Store) =>
  store.all<LaneFailure>('select * from lane_backoff order by lane')

const BACKOFF_FIRST_MS = 250
const BACKOFF_MOST_MS = 60_000
/** A lane that nobody tried for so long has lost its object, or its trouble: its back-off is forgotten. */
const KEPT_MS = 24 * 3600_000

type Deps = { clock: Clock; log: Log; store: Store; signal: AbortSignal }

/** `done` is called after each action, so that the reconciler looks again. */
export function makeLanes({ clock, log, store, signal }: Deps, atOnceMax: number, done: () => void): Lanes {
  const underWay = new Set<string>()
  /** What could not be written, e.g. on a full disk: all the more it must not be tried without a pause. */
  const unwritten = new Map<string, LaneFailure>()
  const backoff = (lane: string) =>
    unwritten.get(lane) ?? store.get<LaneFailure>('select * from lane_backoff where lane = :lane', { lane })

  const keep = (failure: LaneFailure) => {
    unwritten.set(failure.lane, failure)
    store.transaction(() => {
      store.put('lane_backoff', failure)
      // Later than its back-off can be: it was written before the clock was set back.
      const now = clock.now()
      store.run('delete from lane_backoff where next_at < :since or next_at > :until', {
        since: now - KEPT_MS,
        until: now + KEPT_MS,
      })
    })
    unwritten.delete(failure.lane)
  }
  const forget = (lane: string) => {
    unwritten.delete(lane)
    if (backoff(lane)) store.remove('lane_backoff', { lane })
  }
  // An action runs on its own: what is thrown here would end the process.
  const written = (lane: string, write: () => void) => {
    try {
      write()
    } catch (error) {
      log.error('the back-off of a lane cannot be written', { lane, error })
    }
  }

  const start = async (action: LaneAction) => {
    const { lane, what } = action
    underWay.add(lane)
    try {
      await withTimeout(clock, action.timeoutMs, `${what} ${lane}`, action.perform)
      if (!signal.aborted) written(lane, () => forget(lane))
    } catch (error) {
      if (signal.aborted) return
      const failures = (backoff(lane)?.failures ?? 0) + 1
      const waitMs = Math.min(BACKOFF_MOST_MS, BACKOFF_FIRST_MS * 2 ** (failures - 1))
      const reason = `${what}: ${reasonOf(error)}`
      if (failures === 1 || failures % 10 === 0) log.warn('action failed', { lane, what, failures, error })
      written(lane, () => keep({ lane, failures, nextAt: clock.now() + waitMs, reason }))
      void clock.sleep(waitMs, signal).then(done, () => undefined)
    } finally {
      underWay.delete(lane)
      if (!signal.aborted) done()
    }
  }

  return {
    submit(actions) {
      let started = 0
      for (const action of actions) {
        if (signal.aborted || underWay.size >= atOnceMax) break
        if (underWay.has(action.lane)) continue
        const waiting = backoff(action.lane)
        // A clock set back must not freeze a lane: no wait is longer than the longest back-off.
        if (waiting && waiting.nextAt > clock.now() && waiting.nextAt - clock.now() <= BACKOFF_MOST_MS)
          continue
        started++
        void start(action)
      }
      return started
    },
    busy: (lane) => underWay.has(lane),
    failures: () => [
      ...laneFailures(store).filter(({ lane }) => !unwritten.has(lane)),
      ...unwritten.values(),
    ],
    forget,
  }
}
