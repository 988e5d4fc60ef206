// The file of log events, `logs.db` in a home: streams, and blocks of events. It is in no backup, and bounded (decision 028).
import type { Migration, Store } from '../../../store/store.ts'

export const logEventsMigrations: Migration[] = [
  {
    id: 'log-events.1',
    sql: `
    create table log_stream (
      id integer primary key autoincrement, group_id text not null, name text not null, created_at integer not null,
      first_at integer, last_at integer, last_ingested_at integer, bytes integer not null, next_seq integer not null,
      tail integer, position text, unique (group_id, name)) strict;
    create index log_stream_time on log_stream (group_id, last_at);
    create table log_block (
      id integer primary key autoincrement, stream_id integer not null, group_id text not null, first_seq integer not null,
      first_at integer not null, last_at integer not null, bytes integer not null, body blob not null) strict;
    create index log_block_stream_first on log_block (stream_id, first_at);
    create index log_block_stream_last on log_block (stream_id, last_at);
    create index log_block_group_first on log_block (group_id, first_at);
    create index log_block_group_last on log_block (group_id, last_at);
    create index log_block_last on log_block (last_at);
    create table log_garbage (stream_id integer primary key) strict;
    create trigger log_block_gone after delete on log_block begin
      update log_stream set bytes = bytes - old.bytes where id = old.stream_id;
    end;`,
  },
]

export type StreamRow = {
  id: number
  groupId: string
  name: string
  createdAt: number
  /** Of its events, those that are gone as well; null = there was none. */
  firstAt: number | null
  lastAt: number | null
  lastIngestedAt: number | null
  /** Of its events, not compressed. */
  bytes: number
  /** Of its next event. */
  nextSeq: number
  /** Id of the block that was written last. */
  tail: number | null
  /** How far its source was read, as whoever reads it says. */
  position: string | null
}

export type BlockRow = {
  id: number
  streamId: number
  groupId: string
  /** Of its first event as they came; the others follow without a gap. */
  firstSeq: number
  firstAt: number
  lastAt: number
  /** Not compressed. */
  bytes: number
  body: Uint8Array
}

export const streamRow = (events: Store, groupId: string, name: string) =>
  events.get<StreamRow>('select * from log_stream where group_id = :groupId and name = :name', {
    groupId,
    name,
  })

/** A new one is there at once, and holds nothing. */
export function ensureStream(events: Store, groupId: string, name: string, now: number): StreamRow {
  const there = streamRow(events, groupId, name)
  if (there) return there
  events.insert('log_stream', { groupId, name, createdAt: now, bytes: 0, nextSeq: 1 })
  return streamRow(events, groupId, name)!
}

/** Not compressed, as AWS counts. */
export const bytesOfGroup = (events: Store, groupId: string): number =>
  events.get<{ bytes: number }>(
    'select coalesce(sum(bytes), 0) as bytes from log_stream where group_id = :groupId',
    { groupId },
  )!.bytes

/** It is not shown any more; its events are swept little by little. */
export function removeStream(events: Store, id: number): void {
  events.transaction(() => {
    events.put('log_garbage', { streamId: id })
    events.remove('log_stream', { id })
  })
}

/** What the file holds, without what is free in it. */
export const bytesUsed = (events: Store): number => {
  const { pages, free, size } = events.get<{ pages: number; free: number; size: number }>(
    `select page_count as pages, freelist_count as free, page_size as size
     from pragma_page_count, pragma_freelist_count, pragma_page_size`,
  )!
  return (pages - free) * size
}
