// JSON lines. Never log a secret: callers pass fields by name, not whole requests.
import type { Clock } from './clock.ts'

export type Fields = Record<string, unknown>
export type Log = {
  info(message: string, fields?: Fields): void
  warn(message: string, fields?: Fields): void
  error(message: string, fields?: Fields): void
  child(fields: Fields): Log
}

export function makeLog(clock: Clock, write: (line: string) => void, base: Fields = {}): Log {
  const line =
    (level: string) =>
    (message: string, fields: Fields = {}) =>
      write(
        JSON.stringify(
          { time: new Date(clock.now()).toISOString(), level, message, ...base, ...fields },
          plain,
        ) + '\n',
      )
  return {
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    child: (fields) => makeLog(clock, write, { ...base, ...fields }),
  }
}

export const silentLog: Log = { info() {}, warn() {}, error() {}, child: () => silentLog }

// An Error has no enumerable fields; a failure must be logged whole, with its causes.
function plain(_key: string, value: unknown): unknown {
  if (!(value instanceof Error)) return value
  return { ...value, name: value.name, message: value.message, stack: value.stack, cause: value.cause }
}
