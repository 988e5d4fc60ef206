// What goes over the connection of a session: frames of a kind (one byte), a length (four) and so many bytes.
import type { Readable } from 'node:stream'

/** What a client names in `Upgrade`, and below which path. */
export const PROTOCOL = 'polebean-session'
export const SESSIONS_PATH = '/polebean/sessions/'

export const KINDS = {
  /** First of all: a Start, as JSON. */
  start: 's',
  input: 'i',
  endOfInput: 'e',
  /** Two numbers of two bytes: rows, columns. */
  resize: 'r',
  output: 'o',
  error: 'x',
  /** One number of four bytes; then nothing more. */
  exit: 'q',
  /** Why it is over, a sentence; then nothing more. */
  over: 'f',
  /** Whether anybody is still there. */
  ping: 'p',
} as const
export type Kind = keyof typeof KINDS

export type Start = {
  /** Empty: a login shell. */
  argv: string[]
  user: 'root' | 'webapp'
  terminal: { rows: number; columns: number; name: string } | null
}

export type Frame = { kind: Kind; bytes: Buffer }

const HEAD = 5
/** Of one frame; ours are at most what a pipe gives at once. */
export const FRAME_BYTES_MAX = 1 << 20
const kindOf = new Map(Object.entries(KINDS).map(([kind, letter]) => [letter.charCodeAt(0), kind as Kind]))

export function frame(kind: Kind, content: Uint8Array | string = ''): Buffer {
  const bytes = Buffer.from(content as string)
  const head = Buffer.alloc(HEAD)
  head.writeUInt8(KINDS[kind].charCodeAt(0))
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

export function sizeFrame(rows: number, columns: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt16BE(Math.min(rows, 0xffff))
  bytes.writeUInt16BE(Math.min(columns, 0xffff), 2)
  return frame('resize', bytes)
}

/** Throws a SyntaxError when they are none. Half a frame at the end is dropped. */
export async function* readFrames(stream: Readable): AsyncGenerator<Frame> {
  let rest: Buffer = Buffer.alloc(0)
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    while (rest.length >= HEAD) {
      const kind = kindOf.get(rest[0]!)
      const length = rest.readUInt32BE(1)
      if (!kind || length > FRAME_BYTES_MAX) throw new SyntaxError('no frame of a session')
      if (rest.length < HEAD + length) break
      yield { kind, bytes: rest.subarray(HEAD, HEAD + length) }
      rest = rest.subarray(HEAD + length)
    }
  }
}

/** Throws a SyntaxError that says what is wrong. */
export function readStart({ kind, bytes }: Frame): Start {
  const given = kind === 'start' ? (JSON.parse(bytes.toString()) as Partial<Start> | null) : null
  const { argv, user, terminal } = given ?? {}
  if (!Array.isArray(argv) || !argv.every((word) => typeof word === 'string' && !word.includes('\0')))
    throw new SyntaxError('its argv is no list of words')
  if (user !== 'root' && user !== 'webapp') throw new SyntaxError('its user is neither root nor webapp')
  const isSize = (value: unknown) => Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 0xffff
  if (terminal === null) return { argv, user, terminal }
  if (
    !terminal ||
    !isSize(terminal.rows) ||
    !isSize(terminal.columns) ||
    !/^[\w.+-]{1,64}$/.test(terminal.name)
  )
    throw new SyntaxError('its terminal has no size or name')
  return { argv, user, terminal }
}
