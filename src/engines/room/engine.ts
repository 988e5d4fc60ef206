// What a home takes of its disk. Rows know the size of what they name; this engine knows what only the disk can tell.
import type { Space } from '../../kernel/space.ts'

export type DiskUse = Space & {
  /** Of the home, in bytes that the disk gave away (a sparse file counts with what was written to it). */
  use: { database: number; daemonLogs: number; instanceDisks: number; builds: number; backups: number }
}

export type RoomEngine = {
  /** Synchronous and cheap: a single call of the kernel. Throws EngineError when it cannot be told. */
  space(): Space
  /** Walks folders that hold few files; asked by people, and once a minute. */
  look(): Promise<DiskUse>
}
