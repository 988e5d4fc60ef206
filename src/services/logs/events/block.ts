// Events are kept in blocks: a row of up to 32 KiB of them, compressed, in the order in which they came.
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import type { BlockRow } from './file.ts'
import type { Key } from './key.ts'

export type NewEvent = { timestamp: number; message: string }
export type LogEvent = Key & { ingestedAt: number; message: string }

/** Not compressed. A search reads blocks whole, and merges those of many streams: small ones keep that cheap. */
export const BLOCK_BYTES = 32 << 10
/** Between the first and the last event of a block: so a search by time knows which blocks it may leave out. */
export const SPAN_MS = 3_600_000

/** What a block will hold; `text` is JSON, an event and a comma each. */
export type Draft = { firstAt: number; lastAt: number; count: number; bytes: number; text: string }

export function draftsOf(events: readonly NewEvent[], ingestedAt: number): Draft[] {
  const drafts: Draft[] = []
  let lines: string[] = []
  let draft = emptyDraft()
  const end = () => {
    if (draft.count > 0) drafts.push({ ...draft, text: lines.join('') })
    draft = emptyDraft()
    lines = []
  }
  for (const { timestamp, message } of events) {
    const line = `${JSON.stringify([timestamp, ingestedAt, message])},`
    const bytes = Buffer.byteLength(line)
    const one = { firstAt: timestamp, lastAt: timestamp, count: 1, bytes, text: '' }
    if (draft.count > 0 && !fits(draft, one)) end()
    draft = joined(draft, one)
    lines.push(line)
  }
  end()
  return drafts
}

type Extent = Pick<Draft, 'firstAt' | 'lastAt' | 'bytes'>

export const fits = (a: Extent, b: Extent): boolean =>
  a.bytes + b.bytes <= BLOCK_BYTES && Math.max(a.lastAt, b.lastAt) - Math.min(a.firstAt, b.firstAt) <= SPAN_MS

const joined = (a: Draft, b: Draft): Draft => ({
  firstAt: Math.min(a.firstAt, b.firstAt),
  lastAt: Math.max(a.lastAt, b.lastAt),
  count: a.count + b.count,
  bytes: a.bytes + b.bytes,
  text: '',
})

const emptyDraft = (): Draft => ({ firstAt: Infinity, lastAt: -Infinity, count: 0, bytes: 0, text: '' })

export const packed = (text: string): Buffer => zstdCompressSync(text)
export const unpacked = (body: Uint8Array): string => zstdDecompressSync(body).toString()

/** In the order in which they came. */
export function eventsOf({
  streamId,
  firstSeq,
  body,
}: Pick<BlockRow, 'streamId' | 'firstSeq' | 'body'>): LogEvent[] {
  const all = JSON.parse(`[${unpacked(body).slice(0, -1)}]`) as [number, number, string][]
  return all.map(([at, ingestedAt, message], index) => ({
    at,
    stream: streamId,
    seq: firstSeq + index,
    ingestedAt,
    message,
  }))
}
