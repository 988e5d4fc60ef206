// The path by which an operator opens a session in an instance: who may, what it begins with, and what is noted of it.
import type { ComputeEngine, SessionOptions } from '../engines/compute/engine.ts'
import type { UpgradeRoute } from '../gateway/chain.ts'
import type { Clock } from '../kernel/clock.ts'
import { DeclaredError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import { PROTOCOL, SESSIONS_PATH, type Start } from './frames.ts'
import { serveSession } from './serve.ts'

const SESSIONS_MAX = 64

type Deps = {
  clock: Clock
  log: Log
  signal: AbortSignal
  compute: Pick<ComputeEngine, 'session'>
  /** Throws a DeclaredError with a sentence when the instance does not run, or is none. */
  requireRunning(instanceId: string): void
  /** Tells the instance's environment, when it has one. */
  tell(instanceId: string, message: string): void
}

export function sessionRoute({ clock, log, signal, compute, requireRunning, tell }: Deps): UpgradeRoute {
  let count = 0
  return {
    path: SESSIONS_PATH,
    protocol: PROTOCOL,
    open({ path, accessKeyId }) {
      const instance = path.slice(SESSIONS_PATH.length)
      requireRunning(instance)
      if (count >= SESSIONS_MAX)
        throw new DeclaredError(
          'LimitExceeded',
          `There are ${SESSIONS_MAX} sessions open in this home; end one first.`,
        )
      return (stream) => {
        count++
        const startedAt = clock.monotonic()
        const about = { instance, accessKeyId }
        const open = (start: Start) => {
          // Never what is typed, nor the command: there may be secrets among it.
          log.info('a session was opened', { ...about, user: start.user })
          tell(
            instance,
            `A session was opened on instance ${instance} as ${start.user}, with the access key ${accessKeyId}.`,
          )
          return compute.session(instance, argvOf(start), optionsOf(instance, start))
        }
        const cutText = `${instance} was stopped, replaced or updated, and the session ended with it`
        void serveSession(stream, { clock, signal, open, cutText }).then((how) => {
          count--
          log.info('a session is over', {
            ...about,
            how,
            seconds: Math.round((clock.monotonic() - startedAt) / 1000),
          })
        })
      }
    },
  }
}

const LOGIN = ['/bin/sh', '-c', 'exec "$(command -v bash || echo /bin/sh)" -l', 'login']
// The application's variables and folder, where there is an application.
const AS_WEBAPP =
  'cd /var/app/current 2>/dev/null || cd; [ -d /etc/polebean/env ] && exec chpst -e /etc/polebean/env "$@"; exec "$@"'

const argvOf = ({ argv, user }: Start): string[] => [
  ...['/bin/sh', '-c', user === 'webapp' ? AS_WEBAPP : 'cd; exec "$@"', 'session'],
  ...(argv.length === 0 ? LOGIN : argv),
]

const optionsOf = (instance: string, { user, terminal }: Start): SessionOptions => ({
  user,
  env: {
    HOME: user === 'root' ? '/root' : '/home/webapp',
    USER: user,
    LOGNAME: user,
    SHELL: '/bin/bash',
    ...(terminal ? { TERM: terminal.name, PS1: `[${user}@${instance} \\W]\\$ ` } : {}),
  },
  terminal: terminal && { rows: terminal.rows, columns: terminal.columns },
})
