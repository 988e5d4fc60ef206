// Where an event stands in the order of all: by time, then by stream, then as they came. Tokens of pages and ids of events are
// that place, so that both stay right whatever is written or removed meanwhile.

export type Key = { at: number; stream: number; seq: number }

/** Before everything of that moment and later. */
export const beginOf = (at: number): Key => ({ at, stream: 0, seq: 0 })
/** After everything of that moment and before. */
export const endOf = (at: number): Key => ({ at, stream: STREAM_MAX, seq: 0 })

const STREAM_MAX = Number.MAX_SAFE_INTEGER

export const compareKeys = (a: Key, b: Key): number => a.at - b.at || a.stream - b.stream || a.seq - b.seq

/** 56 digits, as AWS's ids of events. */
export const keyText = ({ at, stream, seq }: Key): string =>
  `3${digits(at, 14)}${digits(stream, 17)}${digits(seq, 24)}`

export function keyOfText(text: string): Key | undefined {
  const found = /^3(\d{14})(\d{17})(\d{24})$/.exec(text)
  if (!found) return undefined
  const [at, stream, seq] = found.slice(1).map(Number) as [number, number, number]
  return [at, stream, seq].every(Number.isSafeInteger) ? { at, stream, seq } : undefined
}

const digits = (value: number, count: number) => String(value).padStart(count, '0')
