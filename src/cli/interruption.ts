// Ctrl-C in the middle of what must leave nothing behind.
import { Failure } from './failure.ts'

const SIGNALS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** Aborted by a signal to the process, which goes on until the work has cleaned up. */
export function interruption(): AbortSignal {
  const over = new AbortController()
  for (const [name, status] of Object.entries(SIGNALS))
    process.once(name, () => over.abort(new Failure('interrupted; nothing was left behind', status)))
  return over.signal
}
