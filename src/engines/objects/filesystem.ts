// Bodies as files: <dir>/<first 2 hex of the id>/<id>. A body is written to <dir>/incoming, synced and renamed, so that a
// name in the tree is a whole body, also after a power cut.
import { closeSync, createReadStream, existsSync, fstatSync, openSync, rmSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { EngineError, reasonOf } from '../../kernel/errors.ts'
import type { ObjectEngine, StoredBody } from './engine.ts'
import { makeBodyHasher } from './hashing.ts'

const READ_BYTES = 256 * 1024

export type FilesystemObjects = ObjectEngine & {
  /** Removes half-written bodies that a crash left. Only for the one process that writes, before its first `put`. */
  open(): void
}

/** Making it touches nothing: a second process may look into the folder while the server writes. */
export function makeFilesystemObjects(dir: string): FilesystemObjects {
  const incoming = join(dir, 'incoming')
  const folder = (id: string) => join(dir, checked(id).slice(0, 2))
  const path = (id: string) => join(folder(id), id)

  const put = async (id: string, body: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredBody> => {
    const beside = join(incoming, checked(id))
    const hasher = makeBodyHasher()
    try {
      await onDisk(mkdir(incoming, { recursive: true, mode: 0o700 }))
      const file = await onDisk(open(beside, 'wx', 0o600))
      try {
        for await (const chunk of body) {
          if (hasher.bytes() + chunk.length > bytesMax)
            throw new EngineError(`the body is longer than ${bytesMax} bytes`)
          hasher.update(chunk)
          await onDisk(writeAll(file, chunk))
        }
        await onDisk(file.sync())
      } finally {
        await file.close()
      }
      await onDisk(mkdir(folder(id), { recursive: true, mode: 0o700 }))
      await onDisk(rename(beside, path(id)))
      await onDisk(syncFolder(folder(id)))
    } catch (error) {
      await rm(beside, { force: true })
      throw error
    }
    return hasher.finish()
  }

  const get = (id: string, range?: { start: number; end: number }): Readable => {
    // Opened now, not when it is first read: a body that is removed meanwhile is still answered whole.
    const fd = openBody(path(id), id)
    return createReadStream('', { fd, start: range?.start ?? 0, end: range?.end, highWaterMark: READ_BYTES })
  }

  return {
    open: () => rmSync(incoming, { recursive: true, force: true }),
    put,
    get,
    path,
    join(id, parts) {
      return put(id, concatenated(parts, get), Number.MAX_SAFE_INTEGER)
    },
    async remove(id) {
      await rm(path(id), { force: true })
    },
    async list() {
      const ids: string[] = []
      if (!existsSync(dir)) return ids
      for (const entry of await readdir(dir, { withFileTypes: true }))
        if (entry.isDirectory() && /^[0-9a-f]{2}$/.test(entry.name))
          ids.push(...(await readdir(join(dir, entry.name))))
      return ids.filter((id) => ID.test(id))
    },
  }
}

/** Ids are ours, but they become paths. */
const ID = /^[0-9a-f]{8,64}$/

function checked(id: string): string {
  if (!ID.test(id)) throw new EngineError(`not the id of a body: ${id}`)
  return id
}

async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  let written = 0
  while (written < chunk.length) written += (await file.write(chunk, written)).bytesWritten
}

// A rename is on disk only when its folder is.
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

const FULL: Record<string, string> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EFBIG: 'the file system does not hold files that large',
  EROFS: 'the file system is read-only',
}

// Only what the disk says becomes an EngineError; what the body itself throws (a bad signature) goes through as it is.
async function onDisk<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    throw new EngineError(FULL[code] ?? reasonOf(error), { cause: error })
  }
}

function openBody(path: string, id: string): number {
  try {
    const fd = openSync(path, 'r')
    if (fstatSync(fd).isFile()) return fd
    closeSync(fd)
    throw new EngineError(`the body ${id} is not a file`)
  } catch (error) {
    if (error instanceof EngineError) throw error
    throw new EngineError(`the body ${id} cannot be read: ${reasonOf(error)}`, { cause: error })
  }
}

async function* concatenated(parts: string[], get: (id: string) => Readable): AsyncIterable<Uint8Array> {
  for (const part of parts) yield* get(part)
}
