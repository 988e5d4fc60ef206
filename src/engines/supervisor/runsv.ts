// What one runsv says and takes: its named pipes and its status record (runit 2.1: runsv.8, sv.8).
// A pipe without a reader means that no runsv is there; so a pid that belongs to somebody else is never believed.
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'

export type RunsvStatus = {
  /** The daemon's pid; null while it does not run. */
  pid: number | null
  wanted: 'up' | 'down'
  state: 'down' | 'run' | 'finish'
  /** Epoch milliseconds of the last change of state. */
  since: number
}

/** Commands of sv(8): up, once, down, term, hup, usr1, usr2, kill, exit. */
export type RunsvCommand = 'u' | 'o' | 'd' | 't' | 'h' | '1' | '2' | 'k' | 'x'

/** null when no runsv supervises this directory. */
export function readStatus(serviceDir: string): RunsvStatus | null {
  if (!hasReader(join(serviceDir, 'supervise', 'ok'))) return null
  return parseStatus(readFileSync(join(serviceDir, 'supervise', 'status')))
}

/** The 20 bytes of supervise/status: TAI64N, pid (little endian), paused, wanted, got TERM, state. */
export function parseStatus(record: Buffer): RunsvStatus | null {
  if (record.length < 20) return null // it is being written
  const pid = record.readUInt32LE(12)
  const seconds = Number(record.readBigUInt64BE(0) - TAI_EPOCH)
  const state = (['down', 'run', 'finish'] as const)[record[19] ?? 0] ?? 'down'
  return {
    pid: state === 'run' && pid > 0 ? pid : null,
    wanted: record[17] === 'u'.charCodeAt(0) ? 'up' : 'down',
    state,
    since: seconds * 1000 + Math.floor(record.readUInt32BE(8) / 1e6),
  }
}

/** Gives a command; false when no runsv is there to take it. */
export function command(serviceDir: string, what: RunsvCommand): boolean {
  const fd = openPipe(join(serviceDir, 'supervise', 'control'))
  if (fd === null) return false
  try {
    writeSync(fd, what)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EPIPE') return false // it ended between the opening and the writing
    throw error
  } finally {
    closeSync(fd)
  }
}

const TAI_EPOCH = 4611686018427387914n // 2^62 seconds, and the 10 leap seconds of 1972 (TAI64, D. J. Bernstein)

function hasReader(pipe: string): boolean {
  const fd = openPipe(pipe)
  if (fd === null) return false
  closeSync(fd)
  return true
}

function openPipe(path: string): number | null {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENXIO' || code === 'ENOENT') return null
    throw error
  }
}
