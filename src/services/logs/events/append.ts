// Events come to the end of a stream: into its last block while that has room, then into new ones.
import type { Store } from '../../../store/store.ts'
import { draftsOf, fits, packed, unpacked, type Draft, type NewEvent } from './block.ts'
import type { BlockRow, StreamRow } from './file.ts'

/** What is written beside the events in the same transaction, if it is given: how far their source was read. */
export type Appending = { events: readonly NewEvent[]; now: number; position?: string | undefined }

/** `events` are in the order of their times. Either all of it is on disk when it returns, or nothing. */
export function appendEvents(file: Store, stream: StreamRow, { events, now, position }: Appending): void {
  file.transaction(() => {
    let { tail, nextSeq } = stream
    for (const draft of draftsOf(events, now)) {
      tail = appendDraft(file, { ...stream, tail, nextSeq }, draft)
      nextSeq += draft.count
    }
    const [first, last] = [events[0]?.timestamp, events.at(-1)?.timestamp]
    const bytes = events.reduce((sum, { message }) => sum + Buffer.byteLength(message), 0)
    file.run(
      `update log_stream set tail = :tail, next_seq = :nextSeq, position = coalesce(:position, position),
         first_at = case when :first is null or first_at <= :first then first_at else :first end,
         last_at = case when :last is null or last_at >= :last then last_at else :last end,
         last_ingested_at = case when :bytes > 0 then :now else last_ingested_at end
       where id = :id`,
      { id: stream.id, tail, nextSeq, position, first, last, bytes, now },
    )
  })
}

/** Answers the block that holds it. */
function appendDraft(file: Store, { id, groupId, tail, nextSeq }: StreamRow, draft: Draft): number {
  const { firstAt, lastAt, bytes, text } = draft
  file.run('update log_stream set bytes = bytes + :bytes where id = :id', { id, bytes })
  const last =
    tail === null ? undefined : file.get<BlockRow>('select * from log_block where id = :tail', { tail })
  if (last && fits(last, draft)) {
    const set = {
      firstAt: Math.min(last.firstAt, firstAt),
      lastAt: Math.max(last.lastAt, lastAt),
      bytes: last.bytes + bytes,
      body: packed(unpacked(last.body) + text),
    }
    file.update('log_block', { id: last.id }, set)
    return last.id
  }
  const body = packed(text)
  file.insert('log_block', { streamId: id, groupId, firstSeq: nextSeq, firstAt, lastAt, bytes, body })
  return file.get<{ id: number }>('select last_insert_rowid() as id')!.id
}
