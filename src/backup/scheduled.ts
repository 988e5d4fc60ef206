// The backups that the server makes by itself: backup.schedule looks whether one is due, a lane makes it.
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Lanes } from '../control/lanes.ts'
import type { Reconciler } from '../control/reconciler.ts'
import type { Clock } from '../kernel/clock.ts'
import { EngineError, reasonOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Random } from '../kernel/random.ts'
import type { Migration, Store } from '../store/store.ts'
import { parsePart, writeBackup } from './destination.ts'
import { backupOfLive } from './make.ts'
import { readPassphrase } from './passphrase.ts'
import { backupName, backupsAmong, dueNow, surplus, type LastRun, type Schedule } from './schedule.ts'
import { seal } from './seal.ts'

export const backupMigration: Migration = {
  id: 'backup.1',
  sql: `create table backup_run (
    id integer primary key check (id = 1), started_at integer not null, folder text not null, ended_at integer,
    file text, file_at integer, failure text) strict`,
}

export type BackupsStatus = {
  schedule: Schedule | null
  last: LastRun | null
  /** The newest first. */
  files: { name: string; at: number; bytes: number; sealed: boolean }[]
}

type Deps = {
  home: { id: string; dir: string }
  store: Store
  clock: Clock
  random: Random
  log: Log
  lanes: Lanes
  /** What the owner's settings say now. */
  schedule(): Schedule | null
  /** Tells the owner. */
  tell(severity: 'INFO' | 'ERROR', message: string): void
}

export const SCHEDULE = 'backup.schedule'
const LANE = 'backup/scheduled'
const EVERY_MS = 5_000
/** A home of a terabyte on a slow disk. */
const TIMEOUT_MS = 24 * 60 * 60_000

export function makeScheduledBackups(deps: Deps): { reconciler: Reconciler; status(): BackupsStatus } {
  const { home, store, clock, lanes, schedule } = deps
  const reconciler: Reconciler = {
    name: SCHEDULE,
    everyMs: EVERY_MS,
    wakes: [],
    // eslint-disable-next-line -- the work is a lane's
    async reconcile() {
      const wanted = schedule()
      if (!wanted) {
        lanes.forget(LANE)
        return { scheduled: false }
      }
      const due = lanes.busy(LANE) ? null : dueNow(wanted, lastRun(store), clock.now())
      if (due !== null)
        lanes.submit([
          {
            what: 'back up',
            lane: LANE,
            timeoutMs: TIMEOUT_MS,
            perform: (signal) => backUp(deps, wanted, signal),
          },
        ])
      return { scheduled: true, busy: lanes.busy(LANE) }
    },
  }
  return {
    reconciler,
    status() {
      const wanted = schedule()
      return {
        schedule: wanted,
        last: lastRun(store) ?? null,
        files: wanted ? filesIn(wanted.folder, home.id) : [],
      }
    },
  }
}

const lastRun = (store: Store) =>
  store.get<LastRun>('select started_at, folder, ended_at, file, file_at, failure from backup_run')

/** Row before deed: one that is broken off is known to have begun. */
async function backUp(deps: Deps, schedule: Schedule, signal: AbortSignal): Promise<void> {
  const { store, clock, log, tell } = deps
  const before = lastRun(store)
  const run: LastRun = {
    startedAt: clock.now(),
    folder: schedule.folder,
    endedAt: null,
    file: before?.file ?? null,
    fileAt: before?.fileAt ?? null,
    failure: before?.failure ?? null,
  }
  store.put('backup_run', { id: 1, ...run })
  try {
    const file = await writeOne(deps, schedule, run.startedAt, signal)
    store.transaction(() => {
      store.put('backup_run', {
        id: 1,
        ...run,
        endedAt: clock.now(),
        file,
        fileAt: run.startedAt,
        failure: null,
      })
      if (run.failure !== null) tell('INFO', `The scheduled backup of this home works again: ${file}`)
    })
    log.info('backed up', { file })
  } catch (error) {
    const failure = reasonOf(error)
    store.transaction(() => {
      store.put('backup_run', { id: 1, ...run, endedAt: clock.now(), failure })
      // It is tried again every hour: what was told is not told again.
      if (failure !== run.failure) tell('ERROR', failureText(failure, run))
    })
    throw error
  }
}

export const failureText = (failure: string, { file, fileAt }: Pick<LastRun, 'file' | 'fileAt'>): string =>
  `The scheduled backup of this home failed: ${failure}. ` +
  (file === null || fileAt === null
    ? 'There is none yet.'
    : `The last one is of ${new Date(fileAt).toISOString().slice(0, 16).replace('T', ' ')} UTC: ${file}`)

async function writeOne(
  { home, store, random }: Deps,
  { folder, keep, passphraseFile }: Schedule,
  at: number,
  signal: AbortSignal,
): Promise<string> {
  checkFolder(folder, home.dir)
  sweepParts(folder, home.id)
  const passphrase = passphraseFile === null ? null : readPassphrase(passphraseFile, { strict: true })
  const name = backupName(home.id, at, passphrase !== null)
  const stream = backupOfLive(home, store, at, 'scheduled')
  try {
    const content = passphrase === null ? stream : seal(stream, passphrase, random)
    await writeBackup(content, join(folder, name), { signal })
  } finally {
    stream.destroy()
  }
  for (const old of surplus(readdirSync(folder), home.id, keep, name))
    rmSync(join(folder, old), { force: true })
  return join(folder, name)
}

/** Not made when it is missing: a disk that is not mounted would fill the one below it.
 *  @throws EngineError a sentence. */
export function checkFolder(folder: string, homeDir: string): void {
  const inHome = relative(homeDir, folder)
  if (inHome === '' || !inHome.startsWith('..'))
    throw new EngineError(`${folder} is in the home itself, so it would be lost with it`)
  const stat = statSync(folder, { throwIfNoEntry: false })
  if (!stat) throw new EngineError(`there is no folder ${folder} (is its disk mounted?)`)
  if (!stat.isDirectory()) throw new EngineError(`${folder} is not a folder`)
}

/** Of backups that a death broke off; nobody else writes those of this home here. */
function sweepParts(folder: string, homeId: string): void {
  for (const found of readdirSync(folder)) {
    const part = parsePart(found)
    if (part && backupsAmong([part.file], homeId).length > 0) rmSync(join(folder, found), { force: true })
  }
}

function filesIn(folder: string, homeId: string): BackupsStatus['files'] {
  const stat = statSync(folder, { throwIfNoEntry: false })
  if (!stat?.isDirectory()) return []
  return backupsAmong(readdirSync(folder), homeId).map((one) => ({
    ...one,
    bytes: statSync(join(folder, one.name), { throwIfNoEntry: false })?.size ?? 0,
  }))
}
