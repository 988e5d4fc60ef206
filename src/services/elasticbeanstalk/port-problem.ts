// Tells, once, that another program on this machine has a port at which an environment should be reached.
import { ofEnvironment } from './events.ts'
import { impairmentOf } from './front.ts'
import type { Parts } from './parts.ts'
import { environmentById } from './store.ts'

/** Writes what impairs the way to it, with an event when it comes and when it goes. Joins a transaction. */
export function refreshPortProblem(parts: Parts, environmentId: string): void {
  const { store, events } = parts
  const row = environmentById(store, environmentId)
  if (!row || row.status === 'Terminating') return
  const now = impairmentOf(parts, row)
  // The same program under another process id is no news.
  if (gistOf(now) === gistOf(row.portProblem)) return
  store.update('environment', { id: row.id }, { portProblem: now })
  const own = now.includes(`port ${row.loopbackPort} `) || now.includes(`:${row.loopbackPort} `)
  if (now === '')
    events.write(ofEnvironment(row, null), 'INFO', 'The environment is reached at all of its ports again.')
  else
    events.write(
      ofEnvironment(row, null),
      'WARN',
      own
        ? `On this machine ${now}; the environment answers at its name.`
        : now.includes('is taken by')
          ? `On this machine ${now}; end that program and the environment answers there.`
          : `On this machine ${now}; the environment answers at its other addresses.`,
    )
}

const gistOf = (reason: string) => reason.replaceAll(/ \(pid \d+\)/g, '')
