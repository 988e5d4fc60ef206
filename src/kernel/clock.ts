// The only door to time. Everything else is handed a Clock, so that the simulator can own time.
import { setTimeout as sleep } from 'node:timers/promises'

export type Clock = {
  /** Wall clock, epoch milliseconds. It may jump; never subtract two of them to measure a duration that must be true. */
  now(): number
  /** Milliseconds since some start, never going back and not moved by somebody setting the clock. */
  monotonic(): number
  /** Resolves after `ms` milliseconds of monotonic time; rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => sleep(ms, undefined, signal ? { signal } : {}),
}

/** Rejects with `what` after `timeoutMs`, unless `work` settles first. The work itself is told through its signal. */
export async function withTimeout<T>(
  clock: Clock,
  timeoutMs: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController()
  const timer = new AbortController()
  const expired = clock.sleep(timeoutMs, timer.signal).then(() => {
    const error = new Error(`${what}: not within ${timeoutMs} ms`)
    over.abort(error)
    throw error
  })
  expired.catch(() => undefined) // a timer that was called off is not a failure
  try {
    return await Promise.race([work(over.signal), expired])
  } finally {
    timer.abort(CALLED_OFF)
  }
}

/** Made once: an error of its own each time costs more than the wait. */
const CALLED_OFF = new Error('the timer was called off')
