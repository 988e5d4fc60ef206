// Packs a folder into a source bundle. The same files make the same bytes, so that nothing is deployed when nothing
// changed.
import { createHash } from 'node:crypto'
import {
  createReadStream,
  createWriteStream,
  lstatSync,
  mkdtempSync,
  readlinkSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ZipFile } from 'yazl'
import { Failure } from './failure.ts'
import { listFolder, problemOf } from './folder.ts'

const SUSPECT = [/^\.env(\..+)?$/, /\.pem$/, /\.key$/, /^id_(rsa|ed25519|ecdsa)$/, /^credentials(\.json)?$/]
const ENTRIES_MAX = 100_000
const BUNDLE_BYTES_MAX = 512 * 1024 * 1024
// Zip stores local time without a zone; a fixed one makes equal folders equal bytes.
const FIXED_TIME = new Date(2000, 0, 1)

export type Bundle = {
  file: string
  /** Removes it, when the upload is over. */
  remove(): void
  sha256Hex: string
  bytes: number
  entries: number
  /** Paths that look like secrets; they are packed, and named to the user. */
  suspects: string[]
}

/** Throws a Failure with a plain sentence when the folder cannot be a bundle. `packed` is told how many entries are in. */
export async function packFolder(
  dir: string,
  packed: (done: number, all: number) => void = () => {},
): Promise<Bundle> {
  const paths = listFolder(dir)
  if (paths.length === 0) throw new Failure(`${dir} holds no file to deploy`)
  if (paths.length > ENTRIES_MAX) throw new Failure(`${dir} holds more than ${ENTRIES_MAX} files`)
  const folder = mkdtempSync(join(tmpdir(), 'polebean-up-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  // Also when the process is ended meanwhile.
  process.on('exit', remove)
  try {
    const file = join(folder, 'bundle.zip')
    await writeZip(dir, paths, file, packed)
    const bytes = statSync(file).size
    if (bytes > BUNDLE_BYTES_MAX)
      throw new Failure(
        `the bundle of ${dir} has ${megabytes(bytes)}; Elastic Beanstalk takes at most 512 MB (name what to leave out in .ebignore)`,
      )
    const suspects = paths.filter((path) => SUSPECT.some((pattern) => pattern.test(basename(path))))
    return { file, remove, sha256Hex: await hashOf(file), bytes, entries: paths.length, suspects }
  } catch (error) {
    remove()
    throw error
  }
}

async function writeZip(
  dir: string,
  paths: string[],
  file: string,
  packed: (done: number, all: number) => void,
): Promise<void> {
  const zip = new ZipFile()
  // What goes wrong with a file is told to the zip, not to its stream.
  zip.on('error', (error: Error) => void (zip.outputStream as Readable).destroy(error))
  let done = 0
  for (const path of paths) {
    try {
      addTo(zip, join(dir, path), path, () => packed(++done, paths.length))
    } catch (error) {
      throw new Failure(problemOf(path, error))
    }
  }
  zip.end()
  await pipeline(zip.outputStream, createWriteStream(file))
}

function addTo(zip: ZipFile, full: string, path: string, packed: () => void): void {
  // It would become a folder inside.
  if (path.includes('\\')) throw new Error('its name has a backslash')
  const stat = lstatSync(full)
  if (stat.isSymbolicLink()) {
    zip.addBuffer(readlinkSync(full, 'buffer'), path, { mode: 0o120777, mtime: FIXED_TIME })
    return packed()
  }
  const mode = stat.mode & 0o111 ? 0o100755 : 0o100644
  // One after the other, else a large folder would have more files open than a process may.
  zip.addReadStreamLazy(path, { mode, mtime: FIXED_TIME, forceDosTimestamp: true }, (taken) => {
    const content = createReadStream(full)
    content.on('error', (error) => void zip.emit('error', new Failure(problemOf(path, error))))
    content.on('end', packed)
    taken(null, content)
  })
}

export const megabytes = (bytes: number): string =>
  bytes < 1e5 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
