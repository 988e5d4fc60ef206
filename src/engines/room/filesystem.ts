// The disk of a home, by statfs(2) and by the blocks of its files.
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { EngineError, reasonOf } from '../../kernel/errors.ts'
import { spaceOf, type Space } from '../../kernel/space.ts'
import type { DiskUse, RoomEngine } from './engine.ts'

/** Touches nothing; a second process may look while the server works. */
export function makeFilesystemRoom(homeDir: string): RoomEngine {
  const space = (): Space => {
    try {
      return spaceOf(homeDir)
    } catch (cause) {
      throw new EngineError(`the room of ${homeDir} cannot be told: ${reasonOf(cause)}`, { cause })
    }
  }
  const of = (...names: string[]) =>
    Promise.all(names.map((name) => bytesBelow(join(homeDir, name)))).then((all) =>
      all.reduce((a, b) => a + b, 0),
    )
  return {
    space,
    async look(): Promise<DiskUse> {
      const [database, daemonLogs, instanceDisks, builds, backups] = await Promise.all([
        of('polebean.db', 'polebean.db-wal', 'polebean.db-shm'),
        of('log'),
        of('instances'),
        of('builds'),
        of('backups'),
      ])
      return { ...space(), use: { database, daemonLogs, instanceDisks, builds, backups } }
    },
  }
}

/** Follows no link. What goes meanwhile counts nothing. */
async function bytesBelow(path: string): Promise<number> {
  let bytes = 0
  try {
    const stat = await lstat(path)
    bytes += stat.blocks * BLOCK_BYTES
    if (!stat.isDirectory()) return bytes
    for await (const { name } of await opendir(path)) bytes += await bytesBelow(join(path, name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw new EngineError(reasonOf(error), { cause: error })
  }
  return bytes
}

/** Of st_blocks, whatever the file system's are. */
const BLOCK_BYTES = 512
