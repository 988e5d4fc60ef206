// Files that must survive a crash: written beside, synced, renamed over.
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

export function writeFileAtomic(path: string, content: string | Uint8Array, mode = 0o644): void {
  mkdirSync(dirname(path), { recursive: true })
  const beside = `${path}.new`
  // Made anew, never through what lies there: it could be a link.
  rmSync(beside, { force: true })
  const fd = openSync(beside, 'wx', mode)
  try {
    writeSync(fd, content as string)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(beside, path)
}

/** The text of a file, or undefined when there is none; any other failure throws. */
export function readFileIfAny(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
