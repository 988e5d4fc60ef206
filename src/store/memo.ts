// What follows from rows alone is worked out again when a table that was read for it was written, and not before (decision 031).

export type Memo = {
  /** Somebody reads these tables: what is being worked out just now hangs on them. */
  read(tables: readonly string[]): void
  /** What was worked out from this table does not hold any more. */
  wrote(table: string): void
  /** The value that `compute` answered last under that key, while none of the tables is written that it has read. */
  remember<T>(key: string, compute: () => T): T
}

type Entry = { value: unknown; tables: readonly string[]; at: number }

/** `entriesMax`: beyond that the oldest goes. */
export function makeMemo(entriesMax: number): Memo {
  const entries = new Map<string, Entry>()
  const writtenAt = new Map<string, number>()
  let writes = 0
  /** What is being worked out, the innermost last. */
  const reading: Set<string>[] = []
  const read = (tables: Iterable<string>) => {
    const innermost = reading.at(-1)
    if (innermost) for (const table of tables) innermost.add(table)
  }
  const holds = ({ tables, at }: Entry) => tables.every((table) => (writtenAt.get(table) ?? 0) <= at)

  return {
    read,
    wrote: (table) => void writtenAt.set(table, ++writes),
    remember<T>(key: string, compute: () => T): T {
      const known = entries.get(key)
      if (known && holds(known)) {
        read(known.tables)
        return known.value as T
      }
      const tables = new Set<string>()
      const at = writes
      reading.push(tables)
      try {
        const value = compute()
        if (value instanceof Promise) throw new Error(`${key}: what is remembered must not be awaited`)
        entries.delete(key)
        entries.set(key, { value: frozen(value), tables: [...tables], at })
        for (const oldest of entries.keys()) {
          if (entries.size <= entriesMax) break
          entries.delete(oldest)
        }
        return value
      } finally {
        reading.pop()
        // Also of what threw: whoever goes on hangs on what was read.
        read(tables)
      }
    },
  }
}

/** Many are given the same value: who changes it would change it for all of them. */
function frozen(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  if (value instanceof Map) for (const pair of value) pair.forEach(frozen)
  else if (value instanceof Set) for (const one of value) frozen(one)
  else if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) {
    Object.freeze(value)
    for (const one of Object.values(value)) frozen(one)
  }
  return value
}
