// Reads events in the order of their keys, forwards or backwards, out of the blocks of one stream or of a whole group. Blocks
// overlap in time: an event is handed out once no block that was not read yet can hold one before it.
import type { Store } from '../../../store/store.ts'
import { eventsOf, SPAN_MS, type LogEvent } from './block.ts'
import type { BlockRow } from './file.ts'
import { beginOf, compareKeys, endOf, type Key } from './key.ts'

export type Reading = {
  of: { groupId: string } | { streamId: number }
  /** Times, both inclusive. */
  from: number
  to: number
  /** Only what is beyond it, in the direction of the reading; null = from the end that it begins at. */
  after: Key | null
  backwards: boolean
  /** Events a page, and bytes of their messages. */
  countMax: number
  bytesMax: number
  /** Bytes of blocks that are looked through: a search that finds nothing ends too. */
  scanMax: number
  /** Whether it is of this stream, of those of the group. */
  includes(streamId: number): boolean
  accept(event: LogEvent): boolean
}

/** `next`: what the following page begins after; null = there is no more. */
export type Page = { events: LogEvent[]; next: Key | null }

/** What AWS counts for an event beside its message. */
export const OVERHEAD_BYTES = 26

export function readEvents(file: Store, reading: Reading): Page {
  const { backwards, after, from, to, countMax, bytesMax, scanMax, includes, accept } = reading
  const sign = backwards ? -1 : 1
  const compare = (a: Key, b: Key) => sign * compareKeys(a, b)
  const edge = (block: Edges) => (backwards ? block.lastAt : block.firstAt)
  const events: LogEvent[] = []
  let bytes = 0
  let held: LogEvent[] = []
  let next: Key | null = null

  /** Hands out what is before `until`; answers whether the page is full. */
  const release = (until: number | null): boolean => {
    let index = 0
    for (; index < held.length; index++) {
      const event = held[index]!
      if (until !== null && sign * (event.at - until) >= 0) break
      if (!accept(event)) continue
      const size = Buffer.byteLength(event.message) + OVERHEAD_BYTES
      if (events.length === countMax || (events.length > 0 && bytes + size > bytesMax)) {
        next = events.at(-1)!
        return true
      }
      events.push(event)
      bytes += size
    }
    held = held.slice(index)
    return false
  }

  const begunAt = after?.at ?? (backwards ? to : from)
  let scanned = 0
  for (const block of blocks(file, reading)) {
    if (!includes(block.streamId)) continue
    if (release(edge(block))) return { events, next }
    // It goes on there. Not before time has moved, or the next page would be the same.
    if (scanned > scanMax && sign * (edge(block) - begunAt) > 0)
      return { events, next: backwards ? endOf(edge(block)) : beginOf(edge(block)) }
    scanned += block.bytes
    const { body } = file.get<Pick<BlockRow, 'body'>>('select body from log_block where id = :id', block)!
    const young = eventsOf({ ...block, body }).filter(
      (event) => event.at >= from && event.at <= to && (after === null || compare(event, after) > 0),
    )
    held = [...held, ...young].sort(compare)
  }
  release(null)
  return { events, next }
}

type Edges = Pick<BlockRow, 'id' | 'streamId' | 'firstSeq' | 'firstAt' | 'lastAt' | 'bytes'>

const BLOCKS_A_READ = 64

/** In the order of their near edges. */
function* blocks(file: Store, { of, from, to, after, backwards }: Reading): Generator<Edges> {
  const [column, value] = 'groupId' in of ? ['group_id', of.groupId] : ['stream_id', of.streamId]
  const least = backwards ? from : Math.max(from, after?.at ?? from)
  const most = backwards ? Math.min(to, after?.at ?? to) : to
  const [by, order, beyond] = backwards ? ['last_at', 'desc', '<'] : ['first_at', 'asc', '>']
  let seen: { at: number; id: number } | null = null
  for (;;) {
    const rows: Edges[] = file.all<Edges>(
      `select id, stream_id, first_seq, first_at, last_at, bytes from log_block
       where ${column} = :value and first_at <= :most and last_at >= :least
         and ${by} between :least - ${backwards ? 0 : SPAN_MS} and :most + ${backwards ? SPAN_MS : 0}
         ${seen ? `and (${by}, id) ${beyond} (:seenAt, :seenId)` : ''}
       order by ${by} ${order}, id ${order} limit ${BLOCKS_A_READ}`,
      { value, least, most, seenAt: seen?.at, seenId: seen?.id },
    )
    yield* rows
    const last = rows.at(-1)
    if (!last || rows.length < BLOCKS_A_READ) return
    seen = { at: backwards ? last.lastAt : last.firstAt, id: last.id }
  }
}
