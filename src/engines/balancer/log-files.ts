// What a daemon said, read from where svlogd keeps it: `current` and, older, `@<time>.s` (svlogd(8)). A file is known by what its first
// line begins with, its time, which stays when the file is renamed. A position says how far one was read, and which others were read
// to their end: a clock that is set back puts files in another order.
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'

export type LogLines = { lines: string[]; position: string; more: boolean; lost: boolean }

/** `2026-11-24_00:21:07.40350` */
const STAMP = /^\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d\.\d{5}$/
const STAMP_BYTES = 25

type Position = { stamp: string; offset: number; done: string[] }

/** Whole lines after a position, in their order, of about `bytesMax` bytes; null = from the oldest on. */
export function readLogLines(dir: string, after: string | null, bytesMax: number): LogLines {
  const files = openAll(dir)
  try {
    return readFrom(files, after ? (JSON.parse(after) as Position) : null, bytesMax)
  } finally {
    files.forEach(close)
  }
}

/** The position after everything that is there now; null when that is nothing. */
export function endOfLog(dir: string): string | null {
  const files = openAll(dir)
  const last = files.at(-1)
  const done = files.slice(0, -1).map(({ stamp }) => stamp)
  const end = last && JSON.stringify({ stamp: last.stamp, offset: fstatSync(last.fd).size, done })
  files.forEach(close)
  return end ?? null
}

type LogFile = { fd: number; stamp: string }

const close = ({ fd }: LogFile) => closeSync(fd)

/**
 * Oldest first; those that have no line yet are left out. `current` is opened before the others are listed: should it be renamed
 * meanwhile it is among them a second time, and what follows it is for the next time.
 */
function openAll(dir: string): LogFile[] {
  const current = openIfAny(join(dir, 'current'))
  const others = list(dir)
    .filter((name) => name.startsWith('@'))
    .sort()
    .map((name) => openIfAny(join(dir, name)))
  const seen = new Set<string>()
  return [...others, current].flatMap((fd) => {
    if (fd === undefined) return []
    const begin = read(fd, 0, STAMP_BYTES)
    const text = begin.toString('latin1')
    // One that begins in the middle of a line, which was too long.
    const stamp = STAMP.test(text) ? text : begin.toString('hex')
    if (begin.length === STAMP_BYTES && !seen.has(stamp)) {
      seen.add(stamp)
      return [{ fd, stamp }]
    }
    closeSync(fd)
    return []
  })
}

function readFrom(files: LogFile[], after: Position | null, bytesMax: number): LogLines {
  const done = new Set(after?.done.filter((stamp) => files.some((file) => file.stamp === stamp)))
  const isThere = after !== null && files.some(({ stamp }) => stamp === after.stamp)
  const lost = after !== null && !isThere
  const unread = files.filter(({ stamp }) => !done.has(stamp))
  const lines: string[] = []
  let last: Position | null = after
  let bytes = 0
  for (const [index, { fd, stamp }] of unread.entries()) {
    const from = stamp === after?.stamp ? after.offset : 0
    const chunk = read(fd, from, Math.max(0, bytesMax - bytes))
    const whole = chunk.subarray(0, chunk.lastIndexOf(NEWLINE) + 1)
    // One line for ever without an end would keep all others from being read.
    const taken = whole.length === 0 && chunk.length >= LINE_ENDLESS ? chunk : whole
    bytes += taken.length
    if (taken.length > 0) lines.push(...taken.toString('utf8').split('\n').filter(Boolean))
    last = { stamp, offset: from + taken.length, done: [...done] }
    if (bytes + LINE_ENDLESS >= bytesMax) return { lines, position: JSON.stringify(last), more: true, lost }
    if (index < unread.length - 1) done.add(stamp)
  }
  return { lines, position: last === null ? '' : JSON.stringify(last), more: false, lost }
}

const NEWLINE = 10
const LINE_ENDLESS = 65_536

function read(fd: number, from: number, bytesMax: number): Buffer {
  const buffer = Buffer.allocUnsafe(Math.min(bytesMax, CHUNK_BYTES))
  const parts: Buffer[] = []
  for (let done = 0; done < bytesMax;) {
    const count = readSync(fd, buffer, 0, Math.min(buffer.length, bytesMax - done), from + done)
    if (count === 0) break
    parts.push(Buffer.from(buffer.subarray(0, count)))
    done += count
  }
  return Buffer.concat(parts)
}
const CHUNK_BYTES = 1 << 20

function list(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch {
    return [] // nothing was logged yet
  }
}

function openIfAny(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}
