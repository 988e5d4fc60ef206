// The metrics file of a home: a database of its own, since points are many, may be lost in part, and belong in no backup. A row holds
// the points of one metric in one span. It may lose what was written last when the machine goes down, not when the server does.
import { chmodSync, closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { openOrRenew } from '../../../store/renew.ts'
import { giveBackLater } from '../../../store/store.ts'
import { packBlock, unpackBlock, type Points } from './block.ts'
import { pointsOfBlock, TIERS } from './tiers.ts'

export type SeriesRow = {
  id: number
  account: string
  region: string
  namespace: string
  name: string
  /** JSON: names and values, in the order of the names. */
  dimensions: string
  unit: string
  /** The newest minute of which there are points, in minutes since 1970. */
  seenMinute: number
}
export type SeriesKey = Pick<SeriesRow, 'account' | 'region' | 'namespace' | 'name' | 'dimensions' | 'unit'>

export type MetricFile = ReturnType<typeof openMetricFile>

const SCHEMA = `
  create table if not exists series (
    id integer primary key, account text not null, region text not null, namespace text not null, name text not null,
    dimensions text not null, unit text not null, seen_minute integer not null,
    unique (account, region, namespace, name, dimensions, unit)) strict;
  create table if not exists block (
    tier integer not null, start integer not null, series integer not null, points blob not null,
    primary key (tier, start, series)) strict, without rowid;
  create table if not exists journal (id integer primary key, minute integer not null, points text not null) strict;
  create table if not exists rolled (
    tier integer primary key, until integer not null, after_series integer not null) strict;`
/** About 4 ms. */
const PAGES_AT_ONCE = 500
/** Of the schema: a file of another version is begun anew. */
const VERSION = 1

/** Opens the file at `path` (`:memory:` for none). One that is damaged is put aside, `broken` tells where, and begun anew. */
export function openMetricFile(path: string) {
  const { opened: db, broken } = openOrRenew(path, () => open(path))
  const sql = {
    begin: db.prepare('begin'),
    commit: db.prepare('commit'),
    rollback: db.prepare('rollback'),
    addSeries: db.prepare(
      'insert into series (account, region, namespace, name, dimensions, unit, seen_minute) values (?, ?, ?, ?, ?, ?, ?)',
    ),
    findSeries: db.prepare(
      'select * from series where account = ? and region = ? and namespace = ? and name = ? and dimensions = ?',
    ),
    listSeries: db.prepare(
      'select * from series where account = ? and region = ? and seen_minute >= ? order by namespace, name, dimensions, unit',
    ),
    seen: db.prepare('update series set seen_minute = max(seen_minute, ?) where id = ?'),
    countSeries: db.prepare('select count(*) as count from series'),
    putBlock: db.prepare('insert or replace into block values (?, ?, ?, ?)'),
    block: db.prepare('select points from block where tier = ? and start = ? and series = ?'),
    blockSeries: db.prepare(
      'select distinct series from block where tier = ? and start >= ? and start < ? and series > ? order by series limit ?',
    ),
    firstBlock: db.prepare('select min(start) as start from block where tier = ?'),
    dropBlocks: db.prepare(
      'delete from block where (tier, start, series) in (select tier, start, series from block where tier = ? and start < ? limit ?)',
    ),
    dropSeries: db.prepare(
      'delete from series where id in (select id from series where seen_minute < ? limit ?)',
    ),
    addJournal: db.prepare('insert into journal (minute, points) values (?, ?)'),
    journal: db.prepare('select minute, points from journal order by id'),
    dropJournal: db.prepare('delete from journal where minute <= ?'),
    rolled: db.prepare('select until, after_series from rolled where tier = ?'),
    putRolled: db.prepare('insert or replace into rolled values (?, ?, ?)'),
    giveBack: db.prepare(`pragma incremental_vacuum(${PAGES_AT_ONCE})`),
    size: db.prepare(
      'select (page_count - freelist_count) * page_size as bytes from pragma_page_count(), pragma_freelist_count(), pragma_page_size()',
    ),
  }

  return {
    broken,
    transaction<T>(body: () => T): T {
      sql.begin.run()
      try {
        const out = body()
        sql.commit.run()
        return out
      } catch (error) {
        if (db.isTransaction) sql.rollback.run()
        throw error
      }
    },
    addSeries: ({ account, region, namespace, name, dimensions, unit }: SeriesKey, minute: number): number =>
      Number(sql.addSeries.run(account, region, namespace, name, dimensions, unit, minute).lastInsertRowid),
    /** All units of one metric. */
    findSeries: ({ account, region, namespace, name, dimensions }: Omit<SeriesKey, 'unit'>): SeriesRow[] =>
      sql.findSeries.all(account, region, namespace, name, dimensions).map(rowOf),
    /** Those with points since a minute. */
    listSeries: (account: string, region: string, sinceMinute: number): SeriesRow[] =>
      sql.listSeries.all(account, region, sinceMinute).map(rowOf),
    countSeries: () => Number(sql.countSeries.get()!.count),
    seen: (series: number, minute: number) => void sql.seen.run(minute, series),
    /** `start`: in seconds since 1970. */
    block(tier: number, start: number, series: number): Points {
      const row = sql.block.get(tier, start, series)
      return row ? unpackBlock(row.points as Uint8Array) : new Map()
    },
    putBlock: (tier: number, start: number, series: number, points: Points) =>
      void sql.putBlock.run(tier, start, series, packBlock(points, pointsOfBlock(TIERS[tier]!))),
    /** Ids above `after` of series that have blocks in that time, at most `most`, in order. */
    seriesWithBlocks: (tier: number, from: number, to: number, after: number, most: number): number[] =>
      sql.blockSeries.all(tier, from, to, after, most).map(({ series }) => Number(series)),
    firstBlock(tier: number): number | undefined {
      const start = sql.firstBlock.get(tier)?.start
      return start === null || start === undefined ? undefined : Number(start)
    },
    /** Answers how many of at most `most` there were. */
    dropBlocks: (tier: number, before: number, most: number) =>
      Number(sql.dropBlocks.run(tier, before, most).changes),
    dropSeries: (unseenSinceMinute: number, most: number) =>
      Number(sql.dropSeries.run(unseenSinceMinute, most).changes),
    addJournal: (minute: number, points: string) => void sql.addJournal.run(minute, points),
    journal: () =>
      sql.journal.all().map(({ minute, points }) => ({ minute: Number(minute), points: String(points) })),
    dropJournal: (minute: number) => void sql.dropJournal.run(minute),
    /** Up to which second a tier is rolled up, and of the block that begins there up to which series. */
    rolled(tier: number): { until: number; after: number } {
      const row = sql.rolled.get(tier)
      return { until: Number(row?.until ?? 0), after: Number(row?.after_series ?? 0) }
    },
    putRolled: (tier: number, until: number, after = 0) => void sql.putRolled.run(tier, until, after),
    bytes: () => Number(sql.size.get()!.bytes),
    /** Gives free pages back to the disk, a few at a time. */
    giveBack: () => void sql.giveBack.all(),
    close: () => db.close(),
  }
}

function rowOf(row: Record<string, unknown>): SeriesRow {
  const { seen_minute: seenMinute, ...rest } = row
  return { ...rest, seenMinute } as SeriesRow
}

function open(path: string): DatabaseSync {
  // It tells how busy whose applications are; SQLite gives its other files the same mode.
  if (path !== ':memory:') {
    closeSync(openSync(path, 'a', 0o600))
    chmodSync(path, 0o600)
  }
  const db = new DatabaseSync(path)
  giveBackLater(db)
  db.exec('pragma journal_mode = wal; pragma synchronous = normal')
  const { user_version: version } = db.prepare('pragma user_version').get()!
  if (version !== 0 && version !== VERSION)
    db.exec(
      'drop table if exists series; drop table if exists block; drop table if exists journal; drop table if exists rolled',
    )
  // A disk that is full must not keep a server from starting: nothing is written to a file that is as it should be.
  if (version !== VERSION) db.exec(`${SCHEMA} pragma user_version = ${VERSION}`)
  return db
}
