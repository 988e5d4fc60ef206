// From a backup to a home: unpacked beside its place and checked whole, then moved there in one step.
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { withSetting } from '../config/edit.ts'
import { configPath, readSources, readText } from '../config/file.ts'
import { migrations } from '../control-plane.ts'
import { claimPorts } from '../home-ports.ts'
import { checkOwner, claimedPorts, readHome, type HomeSettings } from '../home.ts'
import { EngineError, reasonOf } from '../kernel/errors.ts'
import { writeFileAtomic } from '../kernel/files.ts'
import { makeIds } from '../kernel/ids.ts'
import type { Random } from '../kernel/random.ts'
import { checkDatabaseFile } from '../store/store.ts'
import { DATABASE, type Manifest } from './format.ts'
import { conflictsOf } from './machine.ts'
import { bodiesOf } from './stage.ts'
import { unpack } from './unpack.ts'

export type Restoring = {
  source: AsyncIterable<Uint8Array>
  /** Its name in sentences. */
  file: string
  /** Where the home is to be: not there, or an empty folder. */
  dir: string
  /** Asked for when the backup is sealed. */
  passphrase(): Promise<string>
  random: Random
  owner: { uid: number; gid: number }
  /** Instead of the ports that the home has. */
  ports: { api?: number; http?: number }
  signal: AbortSignal
}

/** @throws EngineError a sentence when there is something in `dir`. */
export function checkPlace(dir: string): void {
  if (readHomeId(dir) !== undefined)
    throw new EngineError(
      `${dir} is a home already, and restoring never overwrites one; name another folder with --home, ` +
        'or remove it first: polebean down --purge',
    )
  if (existsSync(dir) && readdirSync(dir).length > 0)
    throw new EngineError(`${dir} is not empty; name another folder with --home`)
}

function readHomeId(dir: string): string | undefined {
  try {
    return readHome(dir)?.id
  } catch {
    return existsSync(join(dir, 'home.json')) ? 'damaged' : undefined
  }
}

/**
 * Restores; needs root. Whatever fails, `dir` is as it was and nothing is left beside it.
 * @throws EngineError a sentence.
 */
export async function restore(restoring: Restoring): Promise<{ home: HomeSettings; manifest: Manifest }> {
  const { source, file, dir, signal } = restoring
  checkPlace(dir)
  const made = mkdirSync(dirname(dir), { recursive: true, mode: 0o755 })
  const beside = join(dirname(dir), `.${basename(dir)}.restoring-${process.pid}`)
  sweep(dirname(dir), basename(dir))
  try {
    // As a home is made, so that everybody may read home.json; what is secret has its own mode.
    mkdirSync(beside, { mode: 0o755 })
    checkOwner(beside)
    const manifest = await unpack(abortable(source, signal), beside, file, restoring.passphrase)
    const home = await prepare(restoring, beside, manifest)
    signal.throwIfAborted()
    checkPlace(dir)
    renameSync(beside, dir)
    await sync(dirname(dir))
    claimPorts(claimedPorts(home), dir)
    return { home, manifest }
  } catch (error) {
    rmSync(beside, { recursive: true, force: true })
    if (made !== undefined) rmSync(made, { recursive: true, force: true })
    throw error
  }
}

async function* abortable(
  source: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  for await (const piece of source) {
    signal.throwIfAborted()
    yield piece
  }
}

/** What lies in `beside` becomes a home of this machine that will be in `dir`. */
async function prepare(restoring: Restoring, beside: string, manifest: Manifest): Promise<HomeSettings> {
  const { file, dir, owner, random, ports } = restoring
  const damaged = (what: string) => new EngineError(`${file} cannot be restored: ${what}`)
  const found = readHome(beside)
  if (found?.id !== manifest.home.id) throw damaged('its home.json is of another home')
  const database = join(beside, DATABASE)
  try {
    checkDatabaseFile(database, migrations)
  } catch (error) {
    if (error instanceof Error && error.name === 'NewerHomeError') throw error
    throw damaged(`its database is damaged: ${reasonOf(error)}`)
  }
  const lost = bodiesOf(database).filter(
    (path) => !existsSync(join(beside, path)) && !manifest.missing.includes(path),
  )
  if (lost.length > 0) throw damaged(`its database names ${lost[0]}, which is not in it`)

  const home = withPorts({ ...found, dir }, ports)
  const conflicts = await conflictsOf(home)
  if (conflicts.length > 0)
    throw new EngineError(
      `this machine cannot take the home as it is; nothing was changed\n  ${conflicts.join('\n  ')}`,
    )
  renewGeneration(database, random)
  const settings = JSON.parse(readFileSync(join(beside, 'home.json'), 'utf8')) as object
  const written = { ...settings, dir, ports: home.ports, chosen: home.chosen }
  writeFileAtomic(join(beside, 'home.json'), `${JSON.stringify(written, null, 2)}\n`, 0o644)
  configurePorts(beside, ports)
  chownSync(join(beside, 'credentials.json'), owner.uid, owner.gid)
  await sync(beside)
  return home
}

const withPorts = (home: HomeSettings, ports: Restoring['ports']): HomeSettings => ({
  ...home,
  ports: { ...home.ports, ...ports },
  chosen: { ...home.chosen, ports: { ...home.chosen.ports, ...ports } },
})

/** Where the owner's file gives a port, it must give the new one. */
function configurePorts(dir: string, ports: Restoring['ports']): void {
  const path = configPath(dir)
  const before = readText(path)
  if (before === undefined || Object.keys(ports).length === 0) return
  const given = readSources(dir)
  let text = before
  for (const [key, port] of [
    ['api.port', ports.api],
    ['listeners.http', ports.http],
  ] as const)
    if (port !== undefined && given.has(key)) text = withSetting(text, key, port)
  if (text !== before) writeFileAtomic(path, text, 0o644)
}

// What another life of this database may have left on the machine is reported then, not taken for ours (design §2.4).
function renewGeneration(database: string, random: Random): void {
  const db = new DatabaseSync(database)
  try {
    db.prepare('update home_generation set id = ?').run(makeIds(random).uuid())
  } finally {
    db.close()
  }
}

/** What a restoration that was killed has left. */
function sweep(folder: string, name: string): void {
  const prefix = `.${name}.restoring-`
  for (const found of readdirSync(folder))
    if (found.startsWith(prefix) && !existsSync(`/proc/${found.slice(prefix.length)}`))
      rmSync(join(folder, found), { recursive: true, force: true })
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
