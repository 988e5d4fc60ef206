// What people read: plain lines in a pipe, colours only on a terminal, JSON with --json.
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
  process.stderr.write(`${text}\n`)
}

const FRAMES = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'

/** A spinner with a changing text on a terminal, nothing in a pipe. `stop` clears it. */
export function spinner(): { text(now: string): void; line(text: string): void; stop(): void } {
  const live = process.stderr.isTTY === true
  let now = ''
  let frame = 0
  const clear = () => live && process.stderr.write('\r\x1b[K')
  const timer = live
    ? setInterval(
        () => process.stderr.write(`\r\x1b[K${FRAMES[frame++ % FRAMES.length]} ${now}`.slice(0, 120)),
        100,
      )
    : undefined
  return {
    text: (text) => void (now = text),
    line(text) {
      clear()
      note(text)
    },
    stop() {
      clearInterval(timer)
      clear()
    },
  }
}
