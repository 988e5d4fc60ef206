// Files that a server can do without: one that is damaged keeps it from starting no more than one that is lost.
import { renameSync, rmSync } from 'node:fs'

/** Opens the database at `path`. One that is damaged is put aside, `broken` tells where, and begun anew. */
export function openOrRenew<T>(path: string, open: () => T): { opened: T; broken: string | null } {
  try {
    return { opened: open(), broken: null }
  } catch (error) {
    if (!isDamaged(error)) throw error
    const broken = `${path}.broken`
    for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true })
    renameSync(path, broken)
    return { opened: open(), broken }
  }
}

/** https://www.sqlite.org/rescode.html: CORRUPT, NOTADB. */
const isDamaged = (error: unknown) =>
  error instanceof Error && 'errcode' in error && [11, 26].includes(Number(error.errcode) & 0xff)
