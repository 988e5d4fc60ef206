// What an upgrade keeps of a home while its server is stopped: the database, what was chosen at first start and the
// settings, in <home>/before-<version>, with the version that they belong to.
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { configPath } from '../../config/file.ts'
import { readFileIfAny, writeFileAtomic } from '../../kernel/files.ts'
import { isVersion } from '../release.ts'
import { requireRoom, syncFolder } from './installation.ts'

const DATABASE = 'polebean.db'
const HOME = 'home.json'
const KEPT = [DATABASE, HOME, 'config.yaml']
/** Beside the copy itself: what the server needs to start at all. */
const SPARE_BYTES = 8 << 20

const folderOf = (home: string, version: string) => join(home, `before-${version}`)

/** The version that the copy made before `version` belongs to; undefined when there is no copy. */
export const copiedVersion = (home: string, version: string): string | undefined =>
  readFileIfAny(join(folderOf(home, version), 'version'))?.trim()

/** Throws a sentence when a copy would not fit: asked before the server is stopped. */
export function checkRoom(home: string): void {
  const sizes = ['', '-wal'].map(
    (end) => statSync(join(home, DATABASE + end), { throwIfNoEntry: false })?.size ?? 0,
  )
  requireRoom(
    home,
    sizes.reduce((sum, size) => sum + size, SPARE_BYTES),
    'the copy of its database',
  )
}

/** `from` wrote the database, `to` is about to change it. A copy that cannot be completed leaves nothing. */
export async function copyDatabase(home: string, from: string, to: string): Promise<void> {
  const folder = folderOf(home, to)
  const beside = `${folder}.new`
  rmSync(beside, { recursive: true, force: true })
  try {
    mkdirSync(beside, { mode: 0o700 })
    const copy = join(beside, DATABASE)
    closeSync(openSync(copy, 'wx', 0o600))
    // Not the file alone: after a crash the newest rows are still in the journal beside it.
    const db = new DatabaseSync(join(home, DATABASE))
    try {
      await backup(db, copy)
    } finally {
      db.close()
    }
    copyFileSync(join(home, HOME), join(beside, HOME))
    // Where there is none, an empty one, which says the same: the newer version may write settings of its own.
    if (existsSync(configPath(home))) copyFileSync(configPath(home), configPath(beside))
    else writeFileSync(configPath(beside), '')
    for (const name of KEPT) syncFile(join(beside, name))
    writeFileAtomic(join(beside, 'version'), `${from}\n`)
    rmSync(folder, { recursive: true, force: true })
    renameSync(beside, folder)
    syncFolder(home)
  } catch (error) {
    rmSync(beside, { recursive: true, force: true })
    throw error
  }
}

/** Puts the copy in place of what the home has; the server is stopped. It needs no room on the disk. */
export function restoreDatabase(home: string, version: string): void {
  // Of the database that goes: with the other one they would be taken for its own.
  for (const end of ['-wal', '-shm']) rmSync(join(home, DATABASE + end), { force: true })
  for (const name of KEPT) {
    const copy = join(folderOf(home, version), name)
    // Not there: a restoration that was cut short got so far.
    if (existsSync(copy)) renameSync(copy, join(home, name))
  }
  syncFolder(home)
  removeCopy(home, version)
}

export const removeCopy = (home: string, version: string): void =>
  rmSync(folderOf(home, version), { recursive: true, force: true })

/** Copies of earlier upgrades: there is one step back only. */
export function removeOlderCopies(home: string, version: string): void {
  for (const name of readdirSync(home)) {
    const [, of = ''] = /^before-([\d.]+)$/.exec(name) ?? []
    if (isVersion(of) && of !== version && existsSync(join(home, name, DATABASE))) removeCopy(home, of)
  }
}

function syncFile(path: string): void {
  const fd = openSync(path, 'r+')
  fsyncSync(fd)
  closeSync(fd)
}
