// A backup of a home: by the server that holds its database, or by a command when none does.
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { EngineError, reasonOf } from '../kernel/errors.ts'
import { holdDatabase, type Store } from '../store/store.ts'
import { version } from '../version.ts'
import { DATABASE } from './format.ts'
import { pack } from './pack.ts'
import { stage, sweepStaging } from './stage.ts'

type Subject = { id: string; dir: string }

/** The home as it is at this moment, as the stream of an unsealed backup. `name` is of its staging folder. */
export function backupOfLive(home: Subject, store: Store, at: number, name: string): Readable {
  return pack(stage(home.dir, name, store.snapshot), { version, homeId: home.id, at })
}

/** How many may be made at once: each holds a copy of the database. */
const AT_ONCE_MAX = 2

/** The same for whoever asks. The function answers the stream, or throws an EngineError when too many are being made. */
export function makeAskedBackups(home: Subject, store: Store, now: () => number): () => Readable {
  let made = 0
  let underWay = 0
  return () => {
    if (underWay >= AT_ONCE_MAX)
      throw new EngineError(`${underWay} backups are being made already; wait for one of them`)
    const stream = backupOfLive(home, store, now(), `asked-${++made}`)
    underWay++
    stream.once('close', () => void underWay--)
    return stream
  }
}

/**
 * The same of a home that no server holds; none can start until the stream has ended.
 * @throws EngineError a sentence when one does.
 */
export function backupOfStopped(home: Subject, at: number): Readable {
  let held: ReturnType<typeof holdDatabase>
  try {
    held = holdDatabase(join(home.dir, DATABASE))
  } catch (error) {
    throw new EngineError(
      /locked/.test(reasonOf(error))
        ? `a server holds ${home.dir} and does not answer; see its log: ${home.dir}/log/server/current`
        : `the database of ${home.dir} cannot be read: ${reasonOf(error)}`,
      { cause: error },
    )
  }
  try {
    sweepStaging(home.dir)
    const stream = pack(stage(home.dir, 'stopped', held.snapshot), { version, homeId: home.id, at })
    stream.once('close', held.release)
    return stream
  } catch (error) {
    held.release()
    throw error
  }
}
