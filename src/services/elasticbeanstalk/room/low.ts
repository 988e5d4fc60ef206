// Whether the home's disk is nearly full: kept as a row, since operations and health ask rows only.
import type { Migration, Store } from '../../../store/store.ts'
import { isLow, isStillLow, leastFreeBytes, sizeText, type Space } from '../../../kernel/space.ts'

export const roomMigration: Migration = {
  id: 'elasticbeanstalk.room.1',
  sql: `
    create table home_room (
      id integer primary key check (id = 1), low integer not null, free_bytes integer not null,
      total_bytes integer not null, since integer not null) strict;
    create table oom_told (
      instance_id text primary key, kills integer not null, at integer not null, told_kills integer not null,
      told_at integer not null) strict;`,
}

export type RoomRow = Space & { id: 1; low: number; since: number }

export const roomRow = (store: Store) => store.get<RoomRow>('select * from home_room')

/** The row as it should be; undefined while nothing that matters has changed. Pure. */
export function planLow(before: RoomRow | undefined, space: Space, now: number): RoomRow | undefined {
  const low = (before?.low ? isStillLow(space) : isLow(space)) ? 1 : 0
  if (before && before.low === low && before.totalBytes === space.totalBytes) return undefined
  return { id: 1, low, ...space, since: before?.low === low ? before.since : now }
}

/** The cause of a Warning. No figure that wavers is in it: each would be a change of health. */
export const lowCause = (space: Space) =>
  `The disk of the home has less than ${sizeText(leastFreeBytes(space))} of ${sizeText(space.totalBytes)} free: uploads and ` +
  'builds are refused until there is room.'
