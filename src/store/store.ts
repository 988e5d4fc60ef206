// SQLite, synchronous: a read-decide-write in one transaction cannot interleave with anything else.
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { makeMemo } from './memo.ts'
import { readSchema } from './schema.ts'

export type Migration = { id: string; sql: string }
export type Row = Record<string, unknown>
type Params = Record<string, unknown>

export type Store = {
  all<T = Row>(sql: string, params?: Params): T[]
  get<T = Row>(sql: string, params?: Params): T | undefined
  /** Executes one insert, update or delete; answers how many rows changed. */
  run(sql: string, params?: Params): number
  insert(table: string, row: object): void
  /** Insert, or overwrite the row that has the same primary key. */
  put(table: string, row: object): void
  update(table: string, where: object, set: object): number
  remove(table: string, where: object): number
  /** Joins the transaction that is open, or opens one. The body is synchronous; a throw undoes all of it. */
  transaction<T>(body: () => T): T
  /** What `compute` answers from rows alone, all of which it reads itself, without a look at the clock; worked out again after a table
   *  that it has read was written. It is given to many: it is frozen. */
  remember<T>(key: string, compute: () => T): T
  /** Tells which tables a committed transaction wrote. Called after the commit, outside of it. */
  onCommit(listener: (tables: ReadonlySet<string>) => void): void
  /** Keeps room inside of the database's own files, so that small writes go on for a while when the disk is full. Cheap when
   *  there is enough; on a disk that is full already it does nothing. */
  reserve(): void
  /** Writes the database as it is now into a new file at `path`. Nothing else happens meanwhile, also no answer: it takes
   *  about 7 ms a megabyte. */
  snapshot(path: string): void
  close(): void
}

/** `table`: that it writes; `reads`: at least all that it reads. */
type Prepared = {
  statement: StatementSync
  columns: string[]
  table: string | null
  reads: readonly string[]
}
/** Some for each of a thousand environments. */
const REMEMBERED_MAX = 20_000

export class NewerHomeError extends Error {
  override name = 'NewerHomeError'
}

/** Whether the database could not do it this time (full disk, failing disk), whatever was asked of it. */
export function isStoreFailure(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false
  // https://www.sqlite.org/rescode.html: the low byte of an extended code is the primary one.
  return PASSING.includes(Number(error.errcode) & 0xff)
}
/** BUSY, NOMEM, READONLY, IOERR, FULL, CANTOPEN. */
const PASSING = [5, 7, 8, 10, 13, 14]

export type StoreOptions = {
  /** For data that grows and goes: free pages can be given back to the disk (`pragma incremental_vacuum`), and none are kept for
   *  a full one. Asked when the file is made. */
  shrinks?: boolean
}

/** Opens (and migrates) the database. Rows come and go in camelCase; columns are snake_case; booleans are 0 and 1. */
export function openStore(
  path: string,
  migrations: Migration[],
  { shrinks = false }: StoreOptions = {},
): Store {
  const db = new DatabaseSync(path)
  if (shrinks) giveBackLater(db)
  db.exec(
    'pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on; pragma busy_timeout = 2000',
  )
  if (path !== ':memory:') db.exec('pragma locking_mode = exclusive')
  migrate(db, migrations)
  const keepsReserve = path !== ':memory:' && !shrinks
  if (keepsReserve) fillReserve(db)

  const schema = readSchema(db)
  const memo = makeMemo(REMEMBERED_MAX)
  const prepared = new Map<string, Prepared>()
  const [begin, commit, rollback] = ['begin', 'commit', 'rollback'].map((sql) => db.prepare(sql)) as [
    StatementSync,
    StatementSync,
    StatementSync,
  ]
  const listeners: ((tables: ReadonlySet<string>) => void)[] = []
  let depth = 0
  /** With the first write: this is the only connection, so what is only read cannot change meanwhile. */
  let hasBegun = false
  let written = new Set<string>()

  const wrote = (table: string) => schema.writtenWith(table).forEach(memo.wrote)

  const prepare = (sql: string): Prepared => {
    let entry = prepared.get(sql)
    if (!entry) {
      const statement = db.prepare(sql)
      statement.setAllowBareNamedParameters(true)
      statement.setAllowUnknownNamedParameters(true)
      // Arrays: the names are ours already, so node need not make them for each row again.
      statement.setReturnArrays(true)
      const table =
        /^\s*(?:insert(?:\s+or\s+\w+)?\s+into|update|delete\s+from)\s+(\w+)/i.exec(sql)?.[1] ?? null
      const columns = statement.columns().map((column) => camel(column.name))
      entry = { statement, table, columns, reads: schema.tablesIn(sql) }
      prepared.set(sql, entry)
    }
    return entry
  }
  const rowOf = ({ columns }: Prepared, raw: unknown[]): Row => {
    const row: Row = {}
    for (let index = 0; index < columns.length; index++) row[columns[index]!] = raw[index]
    return row
  }

  const store: Store = {
    all<T>(sql: string, params: Params = {}) {
      const entry = prepare(sql)
      memo.read(entry.reads)
      return arraysOf(entry.statement.all(bind(params))).map((raw) => rowOf(entry, raw) as T)
    },
    get<T>(sql: string, params: Params = {}) {
      const entry = prepare(sql)
      memo.read(entry.reads)
      const raw: unknown = entry.statement.get(bind(params))
      return Array.isArray(raw) ? (rowOf(entry, raw) as T) : undefined
    },
    run(sql, params = {}) {
      const entry = prepare(sql)
      if (depth > 0 && !hasBegun) {
        begin.run()
        hasBegun = true
      }
      const { changes } = entry.statement.run(bind(params))
      if (entry.table && Number(changes) > 0) {
        written.add(entry.table)
        wrote(entry.table)
        if (depth === 0) publish()
      }
      return Number(changes)
    },
    insert: (table, row) => void store.run(insertSql('insert', table, row), row as Params),
    put: (table, row) => void store.run(insertSql('insert or replace', table, row), row as Params),
    update(table, where, set) {
      const sets = Object.keys(set).map((key) => `${snake(key)} = :${key}`)
      const { clause, params } = whereOf(where)
      return store.run(`update ${table} set ${sets.join(', ')} where ${clause}`, { ...set, ...params })
    },
    remove(table, where) {
      const { clause, params } = whereOf(where)
      return store.run(`delete from ${table} where ${clause}`, params)
    },
    transaction<T>(body: () => T): T {
      if (depth > 0) return body()
      depth = 1
      try {
        const out = body()
        if (out instanceof Promise) throw new Error('a transaction must not await')
        if (hasBegun) commit.run()
        return out
      } catch (error) {
        written.forEach(wrote) // it is as it was before
        written = new Set()
        // A full disk ends the transaction by itself; rolling back then would hide why.
        if (db.isTransaction) rollback.run()
        throw error
      } finally {
        depth = 0
        hasBegun = false
        publish()
      }
    },
    remember: memo.remember,
    onCommit: (listener) => void listeners.push(listener),
    reserve() {
      const { free } = db.prepare('select freelist_count as free from pragma_freelist_count').get() as {
        free: number
      }
      if (keepsReserve && free < RESERVE_PAGES / 2) fillReserve(db)
    },
    snapshot: (path) => writeSnapshot(db, path),
    close: () => db.close(),
  }

  function publish() {
    if (written.size === 0) return
    const tables = written
    written = new Set()
    for (const listener of listeners) listener(tables)
  }
  return store
}

/** Lets free pages be given back to the disk, where the file is new. Of one that is there it would be a write each time, and a disk that is
 *  full would keep it from being opened. */
export function giveBackLater(db: DatabaseSync): void {
  const { page_count: pages } = db.prepare('pragma page_count').get()!
  if (pages === 0) db.exec('pragma auto_vacuum = incremental')
}

/** Pages that are written once stay with the files when their rows go: as free pages of the database, and as the length of its
 *  write-ahead log, which is used again from its start after each checkpoint. */
function fillReserve(db: DatabaseSync): void {
  try {
    db.exec(`insert into reserve values (zeroblob(${RESERVE_PAGES * PAGE_BYTES})); delete from reserve`)
    db.exec('pragma wal_checkpoint(passive)')
  } catch (error) {
    if (!isStoreFailure(error)) throw error // it is full already
  }
}

/** 4 MiB: what the log grows to between two checkpoints. */
const RESERVE_PAGES = 1_024
const PAGE_BYTES = 4_096

// Not sqlite's backup API: it works in another thread, and gives up when it meets one of our transactions (tried).
function writeSnapshot(db: DatabaseSync, path: string): void {
  db.prepare('vacuum into ?').run(path)
}

/** The same of a database that no server holds; it is held until `release`. Throws "database is locked" when one does. */
export function holdDatabase(path: string): { snapshot(to: string): void; release(): void } {
  const db = new DatabaseSync(path)
  try {
    db.exec('pragma busy_timeout = 2000; pragma locking_mode = exclusive; begin immediate; commit')
  } catch (error) {
    db.close()
    throw error
  }
  return { snapshot: (to) => writeSnapshot(db, to), release: () => db.close() }
}

/**
 * Whether the file at `path` is a whole database that these migrations can go on from.
 * @throws NewerHomeError, or an Error that says what is wrong with it.
 */
export function checkDatabaseFile(path: string, migrations: Migration[]): void {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const found = Object.values(db.prepare('pragma quick_check(1)').get() ?? {})[0]
    if (found !== 'ok') throw new Error(String(found))
    refuseNewer(db, migrations)
  } finally {
    db.close()
  }
}

function migrate(db: DatabaseSync, migrations: Migration[]) {
  db.exec('create table if not exists migration (id text primary key, applied_order integer not null) strict')
  db.exec('create table if not exists reserve (room blob) strict')
  const applied = refuseNewer(db, migrations)
  for (const { id, sql } of migrations) {
    if (applied.includes(id)) continue
    db.exec('begin immediate')
    db.exec(sql)
    db.prepare('insert into migration values (?, (select count(*) from migration))').run(id)
    db.exec('commit')
  }
}

/** Answers what was applied. */
function refuseNewer(db: DatabaseSync, migrations: Migration[]): string[] {
  const applied = db
    .prepare('select id from migration')
    .all()
    .map((row) => row.id as string)
  const unknown = applied.filter((id) => !migrations.some((migration) => migration.id === id))
  if (unknown.length > 0)
    throw new NewerHomeError(
      `this home was written by a newer Polebean (it has ${unknown.join(', ')}); nothing was changed`,
    )
  return applied
}

// node:sqlite's types do not know `setReturnArrays`.
const arraysOf = (rows: unknown[]): unknown[][] => rows as unknown[][]

const camel = (name: string) => name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase())
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const insertSql = (verb: string, table: string, row: object) =>
  `${verb} into ${table} (${Object.keys(row).map(snake).join(', ')}) values (${Object.keys(row)
    .map((key) => `:${key}`)
    .join(', ')})`

function whereOf(where: object): { clause: string; params: Params } {
  const keys = Object.keys(where)
  if (keys.length === 0) throw new Error('a change needs a where')
  return {
    clause: keys.map((key) => `${snake(key)} is :where${key}`).join(' and '),
    params: Object.fromEntries(Object.entries(where).map(([key, value]) => [`where${key}`, value])),
  }
}

function bind(params: Params): Record<string, SQLInputValue> {
  const bound: Record<string, SQLInputValue> = {}
  for (const [key, value] of Object.entries(params)) {
    if (typeof value === 'boolean') bound[key] = value ? 1 : 0
    else if (value === undefined) bound[key] = null
    else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array))
      bound[key] = JSON.stringify(value)
    else bound[key] = value as SQLInputValue
  }
  return bound
}
