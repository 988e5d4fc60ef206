// Notices that the machine slept, was stopped, or had its clock set (design §2.8): time in which nothing could be
// observed counts for nobody, so every waiting deadline is moved by it.
import type { Clock } from '../kernel/clock.ts'
import type { Log } from '../kernel/log.ts'
import type { Migration, Store } from '../store/store.ts'
import type { Reconciler } from './reconciler.ts'

export const heartbeatMigration: Migration = {
  id: 'control.1.heartbeat',
  sql: 'create table heartbeat (id integer primary key check (id = 1), at integer not null) strict',
}

const BEAT_MS = 5_000
/** A wall clock that moved by more than this beside the expected beat is a jump. */
export const JUMP_MS = 10_000

type Deps = { clock: Clock; log: Log; store: Store; shiftDeadlines(ms: number): void }

/** `look` is called before every pass of a reconciler: none may measure a deadline with a jump that nobody took out. */
export type Heartbeat = Reconciler & { look(): number }

/** The first look of a life compares with the last beat of the previous one: time while we were dead is a jump too. */
export function makeHeartbeat({ clock, log, store, shiftDeadlines }: Deps): Heartbeat {
  let last: { at: number; monotonic: number } | undefined
  const keep = (at: number) => store.put('heartbeat', { id: 1, at })
  function look(): number {
    const now = { at: clock.now(), monotonic: clock.monotonic() }
    const previousAt =
      last?.at ?? store.get<{ at: number }>('select at from heartbeat where id = 1')?.at ?? now.at
    // What ran is at most one beat: more monotonic time than that is a stall (SIGSTOP), more wall time a jump or a sleep.
    const ranMs = last ? Math.min(now.monotonic - last.monotonic, BEAT_MS) : 0
    const jumpedMs = now.at - previousAt - ranMs
    if (Math.abs(jumpedMs) <= JUMP_MS) {
      last = now
      return jumpedMs
    }
    log.warn('the clock jumped or the machine slept', { jumpedMs })
    // Together: a life that ends here must not let the next one take the same time out twice, or never.
    store.transaction(() => {
      shiftDeadlines(jumpedMs)
      keep(now.at)
    })
    // Only now: a jump that could not be written (the disk is full) is still to be taken out.
    last = now
    return jumpedMs
  }
  return {
    name: 'control.heartbeat',
    everyMs: BEAT_MS,
    wakes: [],
    look,
    async reconcile() {
      const jumpedMs = look()
      keep(clock.now())
      return { jumpedMs }
    },
  }
}
