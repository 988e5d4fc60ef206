// A moment of a home, held still: the database as it was, hard links to the bodies that it names, copies of the small
// files. What is deleted meanwhile stays in it until `release`.
import {
  chmodSync,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { EngineError, reasonOf } from '../kernel/errors.ts'
import { NAMED_BODIES } from '../services/s3/store.ts'
import { DATABASE, isPath, type FileEntry } from './format.ts'

export type Staged = {
  /** Where it lies until it is released. */
  dir: string
  files: FileEntry[]
  missing: string[]
  release(): void
}

/** Where unfinished moments lie in a home; whoever holds the database may remove it. */
export const stagingDir = (homeDir: string): string => join(homeDir, 'backup')

/** A body that is deleted is there for a minute (s3's grace), so that a second look finds it gone or not. */
const LOOKS = 2

/**
 * Stages the home in `homeDir` below `name` ([a-z0-9-]). `snapshot` writes the database as it is to a path.
 * @throws EngineError when there is no room, or something cannot be read.
 */
export function stage(homeDir: string, name: string, snapshot: (path: string) => void): Staged {
  const dir = join(stagingDir(homeDir), name)
  const release = () => rmSync(dir, { recursive: true, force: true })
  try {
    for (let look = 1; ; look++) {
      release()
      mkdirSync(dir, { recursive: true, mode: 0o700 })
      const database = join(dir, DATABASE)
      snapshot(database)
      chmodSync(database, 0o600)
      const missing = linkBodies(homeDir, dir, bodiesOf(database))
      // An object that was deleted and swept in between is named no more by the next snapshot.
      if (missing.length > 0 && look < LOOKS) continue
      const small = copySmallFiles(homeDir, dir)
      return {
        dir,
        files: [...small, DATABASE, ...listBodies(dir)].map((path) => entryOf(dir, path)),
        missing,
        release,
      }
    }
  } catch (error) {
    release()
    const code = (error as NodeJS.ErrnoException).code
    throw new EngineError(
      code === 'ENOSPC' || /full/.test(reasonOf(error))
        ? `the disk of ${homeDir} has no room for a copy of the database`
        : `the home ${homeDir} cannot be read: ${reasonOf(error)}`,
      { cause: error },
    )
  }
}

const bodyPath = (id: string) => `objects/${id.slice(0, 2)}/${id}`

export function bodiesOf(database: string): string[] {
  const db = new DatabaseSync(database, { readOnly: true })
  try {
    const rows = db.prepare(NAMED_BODIES).all()
    return [...new Set(rows.map((row) => bodyPath(String(row['body_id']))))]
  } finally {
    db.close()
  }
}

/** Links, since a link costs no room and outlives the name it was made of. Answers those that are not there. */
function linkBodies(homeDir: string, dir: string, paths: string[]): string[] {
  return paths.filter((path) => {
    mkdirSync(dirname(join(dir, path)), { recursive: true, mode: 0o700 })
    try {
      linkSync(join(homeDir, path), join(dir, path))
      return false
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true
      throw error
    }
  })
}

function listBodies(dir: string): string[] {
  const objects = join(dir, 'objects')
  if (!statSync(objects, { throwIfNoEntry: false })) return []
  return readdirSync(objects)
    .sort()
    .flatMap((folder) =>
      readdirSync(join(objects, folder))
        .sort()
        .map((id) => `objects/${folder}/${id}`),
    )
}

// Whatever lies at the top of a home is its settings or its keys: all but the databases and what is half written.
function copySmallFiles(homeDir: string, dir: string): string[] {
  const names = readdirSync(homeDir)
    .filter((name) => isPath(name) && !LEFT_OUT.test(name) && lstatSync(join(homeDir, name)).isFile())
    .sort()
  for (const name of names) {
    copyFileSync(join(homeDir, name), join(dir, name))
    chmodSync(join(dir, name), statSync(join(homeDir, name)).mode & 0o777)
  }
  return names
}

/** The database is in it as a snapshot; the events of CloudWatch Logs are not (decision 028). */
const LEFT_OUT = /^(polebean|logs)\.db/

function entryOf(dir: string, path: string): FileEntry {
  const { size, mode } = statSync(join(dir, path))
  return { path, bytes: size, mode: mode & 0o777 }
}

/** For the one who holds the database, before the first backup: what a crash left. */
export function sweepStaging(homeDir: string): void {
  rmSync(stagingDir(homeDir), { recursive: true, force: true })
}
