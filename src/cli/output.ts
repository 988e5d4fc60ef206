// What people read: plain lines in a pipe, colours only on a terminal, JSON with --json.
import { EXIT } from './failure.ts'

const tty = process.stdout.isTTY === true && !process.env.NO_COLOR
const code = (number: number) => (text: string) => (tty ? `\x1b[${number}m${text}\x1b[0m` : text)
const COLOURS: Record<string, (text: string) => string> = {
  Green: code(32),
  Yellow: code(33),
  Red: code(31),
  Grey: code(90),
  ERROR: code(31),
  FATAL: code(31),
  WARN: code(33),
}

/** 128 + SIGPIPE, as the shell shows it of other programs. */
export const UNREAD = 141

/**
 * To be called once. Who writes for a reader that has gone (`| head -1`) ends without a word. Progress is another matter: that
 * nobody reads it must not end an upgrade half-way.
 */
export function watchReaders(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(UNREAD)
    note(`polebean: standard output cannot be written: ${error.message}`)
    process.exit(EXIT.failed)
  })
  process.stderr.on('error', () => undefined)
}

export const paint = (name: string, text: string): string => COLOURS[name]?.(text) ?? text

export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2))
}

/** Columns as wide as their longest cell; cells of the last column may be long. */
export function printTable(head: string[], rows: string[][]): void {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => (row[column] ?? '').length)),
  )
  for (const row of [head, ...rows])
    print(
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column]!)))
        .join('  ')
        .trimEnd(),
    )
}

/** Progress goes to stderr, so that stdout holds only results. */
export function note(text: string): void {
  clear()
  process.stderr.write(`${text}\n`)
}

const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'
const FRAME_MS = 100
let spinning: NodeJS.Timeout | undefined

export type Spinner = { text(now: string): void; stop(): void }

/** A line with a changing text at the bottom of a terminal, nothing in a pipe. `stop` clears it. One at a time. */
export function spinner(first: string): Spinner {
  let now = first
  let frame = 0
  const draw = () => {
    frame = (frame + 1) % FRAMES.length
    // A longer line would wrap, and only its last part be cleared.
    const line = `${FRAMES[frame]} ${now}`.slice(0, Math.max(1, (process.stderr.columns ?? 80) - 1))
    process.stderr.write(`\r\x1b[K${line}`)
  }
  process.once('exit', clear)
  clearInterval(spinning)
  spinning = process.stderr.isTTY ? setInterval(draw, FRAME_MS) : undefined
  return {
    text: (text) => void (now = text.split('\n')[0] ?? ''),
    stop() {
      clearInterval(spinning)
      clear()
      spinning = undefined
    },
  }
}

/** Whatever is written to the terminal meanwhile begins on a line of its own. */
function clear(): void {
  if (spinning) process.stderr.write('\r\x1b[K')
}

const BAR = 20

/** `[#####     ] 25 %` */
export function bar(done: number, all: number): string {
  const share = all === 0 ? 1 : Math.min(1, done / all)
  return `[${'#'.repeat(Math.round(share * BAR)).padEnd(BAR)}] ${Math.floor(share * 100)} %`
}
