// Time that moves only when told: from due time to due time, in (time, sequence) order, letting every microtask finish
// between two moves. The wall clock can be set apart from the monotonic one (somebody sets it, a laptop sleeps).
import type { Clock } from '../src/kernel/clock.ts'

type Sleeper = { at: number; seq: number; wake: () => void }

export class VirtualClock implements Clock {
  #monotonic = 0
  #wallOffset = Date.UTC(2026, 0, 1)
  #seq = 0
  #sleepers: Sleeper[] = []

  now = (): number => this.#wallOffset + this.#monotonic
  monotonic = (): number => this.#monotonic

  sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error)
      const abandon = () => {
        this.#sleepers = this.#sleepers.filter((one) => one !== sleeper)
        reject(signal!.reason as Error)
      }
      const wake = () => {
        signal?.removeEventListener('abort', abandon)
        resolve()
      }
      const sleeper = { at: this.#monotonic + Math.max(0, ms), seq: this.#seq++, wake }
      this.#sleepers.push(sleeper)
      signal?.addEventListener('abort', abandon, { once: true })
    })

  /** Somebody sets the wall clock; timers are not moved by it. */
  setWall(jumpMs: number): void {
    this.#wallOffset += jumpMs
  }

  /** The machine sleeps: the wall clock goes on, nothing runs, and all that was due meanwhile is due at once. */
  stall(ms: number): void {
    this.#monotonic += ms
  }

  /** Runs everything that is due within the next `ms` milliseconds. */
  async run(ms: number): Promise<void> {
    const end = this.#monotonic + ms
    await settled()
    for (;;) {
      const next = this.#earliest()
      if (!next || next.at > end) break
      this.#sleepers = this.#sleepers.filter((one) => one !== next)
      this.#monotonic = Math.max(this.#monotonic, next.at)
      next.wake()
      await settled()
    }
    this.#monotonic = end
  }

  /** Runs until `done()` holds, or throws when it does not within `ms`. */
  async runUntil(done: () => boolean, ms: number): Promise<void> {
    const end = this.#monotonic + ms
    await settled()
    while (!done()) {
      const next = this.#earliest()
      if (!next || next.at > end) throw new Error(`not reached within ${ms} virtual ms`)
      await this.run(Math.max(0, next.at - this.#monotonic))
    }
  }

  #earliest(): Sleeper | undefined {
    let first: Sleeper | undefined
    for (const one of this.#sleepers)
      if (!first || one.at < first.at || (one.at === first.at && one.seq < first.seq)) first = one
    return first
  }
}

// A macrotask round lets every chain of microtasks that it started come to rest.
const settled = () => new Promise<void>((resolve) => setImmediate(resolve))
