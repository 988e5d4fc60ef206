// Which tables a statement reads, and which others a write to a table changes.
import type { DatabaseSync } from 'node:sqlite'

export type Schema = {
  /** The tables that are named in it, also behind views. One too many is no harm: names are looked for, not parsed. */
  tablesIn(sql: string): readonly string[]
  /** The table itself, those whose rows go with its rows, and those that its triggers name. */
  writtenWith(table: string): readonly string[]
}

export function readSchema(db: DatabaseSync): Schema {
  const things = db
    .prepare('select name, type, tbl_name as of, sql from sqlite_schema')
    .all()
    .map((row) => ({
      name: String(row.name),
      type: String(row.type),
      of: String(row.of),
      sql: String(row.sql ?? ''),
    }))
  const ofType = (wanted: string) => things.filter(({ type }) => type === wanted)
  const tables = new Set(ofType('table').map(({ name }) => name))
  const views = new Map(ofType('view').map(({ name, sql }) => [name, sql]))

  const named = (sql: string, found = new Set<string>()): Set<string> => {
    for (const [word] of sql.matchAll(/\w+/g)) {
      if (found.has(word)) continue
      const view = views.get(word)
      if (view === undefined && !tables.has(word)) continue
      found.add(word)
      if (view !== undefined) named(view, found)
    }
    return found
  }

  const next = new Map<string, Set<string>>([...tables].map((table) => [table, new Set()]))
  for (const child of tables)
    for (const { parent } of db
      .prepare(`select "table" as parent from pragma_foreign_key_list(?)`)
      .all(child))
      next.get(String(parent))?.add(child)
  for (const { of, sql } of ofType('trigger')) for (const table of named(sql)) next.get(of)?.add(table)

  const reached = (table: string, found = new Set<string>()): Set<string> => {
    if (!found.has(table)) {
      found.add(table)
      for (const one of next.get(table) ?? []) reached(one, found)
    }
    return found
  }
  const written = new Map([...tables].map((table) => [table, [...reached(table)]]))
  return {
    tablesIn: (sql) => [...named(sql)],
    writtenWith: (table) => written.get(table) ?? [table],
  }
}
