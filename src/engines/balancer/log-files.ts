// What a daemon said, read from where svlogd keeps it: `current` and, older, `@<time>.s` (svlogd(8)). A position names a file by the
// time that its first line begins with, which stays when the file is renamed, and how far it was read.
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'

export type LogLines = { lines: string[]; position: string; more: boolean; lost: boolean }

/** `2026-11-24_00:21:07.40350` */
const STAMP_BYTES = 25

/** Whole lines after a position, in their order, of about `bytesMax` bytes; null = from the oldest on. */
export function readLogLines(dir: string, after: string | null, bytesMax: number): LogLines {
  // A file that is renamed between listing and opening is in neither place for a moment.
  let files = openAll(dir)
  for (let tries = 0; tries < 3 && after !== null && !holds(files, after); tries++) {
    files.forEach(close)
    files = openAll(dir)
  }
  try {
    return readFrom(files, after, bytesMax)
  } finally {
    files.forEach(close)
  }
}

/** The position after everything that is there now; null when that is nothing. */
export function endOfLog(dir: string): string | null {
  const files = openAll(dir)
  const last = files.at(-1)
  const end = last && `${last.stamp} ${fstatSync(last.fd).size}`
  files.forEach(close)
  return end ?? null
}

type LogFile = { fd: number; stamp: string }

const holds = (files: LogFile[], position: string) =>
  files.some(({ stamp }) => position.startsWith(`${stamp} `))
const close = ({ fd }: LogFile) => closeSync(fd)

/** Oldest first; those that have no line yet are left out. */
function openAll(dir: string): LogFile[] {
  const names = list(dir).filter((name) => name.startsWith('@'))
  const found = [...names.sort(), 'current'].flatMap((name) => {
    const fd = openIfAny(join(dir, name))
    if (fd === undefined) return []
    const stamp = read(fd, 0, STAMP_BYTES).toString('latin1')
    if (stamp.length === STAMP_BYTES) return [{ fd, stamp }]
    closeSync(fd)
    return []
  })
  // Renamed meanwhile: seen by its new name and, before, as `current`.
  return found.filter((one, index) => {
    const isSeen = found.findIndex(({ stamp }) => stamp === one.stamp) < index
    if (isSeen) close(one)
    return !isSeen
  })
}

function readFrom(files: LogFile[], after: string | null, bytesMax: number): LogLines {
  const [stamp, offset] = after?.split(' ') ?? []
  const first = files.findIndex((file) => file.stamp === stamp)
  const lines: string[] = []
  let position = after ?? ''
  let bytes = 0
  for (const [index, file] of files.entries()) {
    if (index < first) continue
    const from = index === first ? Number(offset) : 0
    const chunk = read(file.fd, from, Math.max(0, bytesMax - bytes))
    const whole = chunk.subarray(0, chunk.lastIndexOf(NEWLINE) + 1)
    // One line for ever without an end would keep all others from being read.
    const taken = whole.length === 0 && chunk.length >= LINE_ENDLESS ? chunk : whole
    bytes += taken.length
    if (taken.length > 0) lines.push(...taken.toString('utf8').split('\n').filter(Boolean))
    position = `${file.stamp} ${from + taken.length}`
    if (bytes + LINE_ENDLESS >= bytesMax) return { lines, position, more: true, lost: isLost(after, first) }
  }
  return { lines, position, more: false, lost: isLost(after, first) }
}

const isLost = (after: string | null, first: number) => after !== null && after !== '' && first < 0

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
