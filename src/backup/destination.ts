// Where a backup goes: a file that is there whole or not at all, for nobody else's eyes.
import { existsSync, linkSync, renameSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { EngineError, reasonOf } from '../kernel/errors.ts'

const PART = /^\.(.+)\.part-(\d+)$/

/** @throws EngineError a sentence when the file cannot be there. Writes nothing. */
export function checkDestination(file: string, force: boolean): void {
  const path = resolve(file)
  if (!existsSync(dirname(path))) throw new EngineError(`there is no folder ${dirname(path)}`)
  if (!force && existsSync(path)) throw new EngineError(`${file} is there already; --force overwrites it`)
}

/** The name of an unfinished file, and the process that writes it; undefined of any other name. */
export function parsePart(name: string): { file: string; pid: number } | undefined {
  const [, file, pid] = PART.exec(name) ?? []
  return file === undefined ? undefined : { file, pid: Number(pid) }
}

/**
 * Writes `content` to `file` with mode 0600, answers its bytes. What is there already is kept unless `force`; when
 * anything fails nothing new is there.
 * @throws EngineError a sentence, and what `content` itself throws.
 */
export async function writeBackup(
  content: AsyncIterable<Uint8Array>,
  file: string,
  { force = false, signal }: { force?: boolean; signal?: AbortSignal } = {},
): Promise<number> {
  checkDestination(file, force)
  const path = resolve(file)
  const beside = join(dirname(path), `.${basename(path)}.part-${process.pid}`)
  rmSync(beside, { force: true })
  let bytes = 0
  try {
    const handle = await onDisk(file, open(beside, 'wx', 0o600))
    try {
      for await (const piece of content) {
        signal?.throwIfAborted()
        await onDisk(file, handle.writeFile(piece))
        bytes += piece.length
      }
      await onDisk(file, handle.sync())
    } finally {
      await handle.close()
    }
    place(beside, path, file, force)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
  const folder = await open(dirname(path), 'r')
  // Some file systems do not sync folders.
  await folder.sync().catch(() => undefined)
  await folder.close()
  return bytes
}

// A link never replaces what is there, a rename does.
function place(beside: string, path: string, file: string, force: boolean): void {
  try {
    if (!force) linkSync(beside, path)
    else renameSync(beside, path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') throw new EngineError(`${file} is there already; --force overwrites it`)
    // A file system without links.
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP') throw error
    checkDestination(file, force)
    renameSync(beside, path)
  }
  rmSync(beside, { force: true })
}

async function onDisk<T>(file: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const reason = code === 'ENOSPC' || code === 'EDQUOT' ? 'the disk is full' : reasonOf(error)
    throw new EngineError(`${file} cannot be written: ${reason}`, { cause: error })
  }
}
