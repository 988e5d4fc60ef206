// From the bytes of a log to lines, and how far they go.
import type { FilePosition, FollowedPart } from '../../../engines/compute/engine.ts'

/** `end`: bytes of the part up to the end of the line, its newline included. */
export type Line = { text: string; end: number }

/**
 * The lines that are whole, without those that are empty. The last one is taken without a newline when nothing can follow it, or
 * when it alone is all that a look may read. `taken`: bytes that need not be read again.
 */
export function linesOf({ bytes, ends }: FollowedPart, bytesMax: number): { lines: Line[]; taken: number } {
  const lines: Line[] = []
  let start = 0
  const take = (end: number, next: number) => {
    if (end > start) lines.push({ text: bytes.toString('utf8', start, end), end: next })
    start = next
  }
  for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) take(end, end + 1)
  if (ends || (start === 0 && bytes.length >= bytesMax)) take(bytes.length, bytes.length)
  return { lines, taken: start }
}

const NEWLINE = 0x0a

export const after = (from: FilePosition, bytes: number): FilePosition => ({
  ...from,
  offset: from.offset + bytes,
})

/** Positions in rows: JSON. */
export const positionText = (position: FilePosition) => JSON.stringify(position)
export const positionOf = (text: string | null): FilePosition | null =>
  text === null ? null : (JSON.parse(text) as FilePosition)
