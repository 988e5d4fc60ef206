// A screen of its own in the terminal, which gives the former one back however it ends.
import type { ReadStream, WriteStream } from 'node:tty'
import type { Size } from './screen.ts'

export type Key = 'up' | 'down' | 'page up' | 'page down' | 'home' | 'other'

export type Terminal = {
  size(): Size
  draw(lines: string[]): void
  /** Calls back for each key that does not end it, and when the size changes. */
  onChange(change: (key: Key | 'size') => void): void
  /** Aborted by `q`, Ctrl-C, the terminal's end and signals. */
  ended: AbortSignal
  close(): void
}

/** Sequences of a terminal: https://invisible-island.net/xterm/ctlseqs/ctlseqs.html */
const ENTER = '\x1b[?1049h\x1b[?25l'
const LEAVE = '\x1b[?25h\x1b[?1049l'
const HOME = '\x1b[H'
const TO_END_OF_LINE = '\x1b[K'
const TO_END_OF_SCREEN = '\x1b[J'

const KEYS: Record<string, Key> = {
  ...{ '\x1b[A': 'up', '\x1bOA': 'up', k: 'up', '\x1b[B': 'down', '\x1bOB': 'down', j: 'down' },
  ...{ '\x1b[5~': 'page up', '\x1b[6~': 'page down', ' ': 'page down', '\x1b[H': 'home', g: 'home' },
}
const ENDING = ['q', 'Q', '\x03', '\x04']
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export function openTerminal(input: ReadStream, output: WriteStream): Terminal {
  const over = new AbortController()
  const end = () => over.abort()
  let told: (key: Key | 'size') => void = () => undefined
  const onData = (data: Buffer) => {
    const key = data.toString()
    if (ENDING.includes(key)) end()
    else told(KEYS[key] ?? 'other')
  }
  const onResize = () => told('size')
  const isRaw = input.isTTY === true
  const leave = () => output.write(LEAVE)

  if (isRaw) input.setRawMode(true).resume().on('data', onData).on('end', end)
  output.on('resize', onResize)
  for (const signal of SIGNALS) process.on(signal, end)
  process.once('exit', leave)
  output.write(ENTER)
  return {
    size: () => ({ columns: output.columns || 80, rows: output.rows || 24 }),
    // In one piece: what is on the screen never flickers.
    draw: (lines) =>
      void output.write(
        `${HOME}${lines.map((line) => `${line}${TO_END_OF_LINE}`).join('\r\n')}${TO_END_OF_SCREEN}`,
      ),
    onChange: (change) => void (told = change),
    ended: over.signal,
    close() {
      if (isRaw) input.off('data', onData).off('end', end).setRawMode(false).pause()
      output.off('resize', onResize)
      for (const signal of SIGNALS) process.off(signal, end)
      process.off('exit', leave)
      leave()
    },
  }
}
