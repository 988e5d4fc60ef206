// From the bytes of a backup to a folder: everything is checked, and nothing but what the manifest lists is written.
import { createHash } from 'node:crypto'
import { mkdirSync, statfsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { createZstdDecompress } from 'node:zlib'
import { EngineError, reasonOf } from '../kernel/errors.ts'
import {
  MANIFEST,
  MANIFEST_BYTES_MAX,
  NOT_OURS,
  parseManifest,
  SUMS,
  type FileEntry,
  type Manifest,
} from './format.ts'
import { makeReader, type Reader } from './reader.ts'
import { cutOff, isSealed, SEAL_HEADER_BYTES, unseal } from './seal.ts'
import { BLOCK, parseTarHeader, tarPadding, type TarHeader } from './tar.ts'

const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
/** Left free on the disk. */
const SPARE_BYTES = 64 * 2 ** 20

/**
 * Unpacks the backup into `dir`, which is there and empty; all of it is on the disk when it resolves. `file` is its name in
 * sentences, `passphrase` is asked for when it is sealed.
 * @throws EngineError a sentence: foreign, newer, cut off, damaged, sealed with another passphrase, no room.
 */
export async function unpack(
  source: AsyncIterable<Uint8Array>,
  dir: string,
  file: string,
  passphrase: () => Promise<string>,
): Promise<Manifest> {
  const reader = makeReader(source)
  try {
    const head = await reader.take(SEAL_HEADER_BYTES)
    const whole = chain(head, reader)
    if (isSealed(head)) return await untar(unseal(whole, await passphrase(), file), dir, file)
    return await untar(whole, dir, file)
  } finally {
    await reader.close()
  }
}

async function* chain(head: Buffer, rest: Reader): AsyncGenerator<Buffer> {
  yield head
  yield* rest.pieces(Number.MAX_SAFE_INTEGER)
}

async function untar(source: AsyncIterable<Uint8Array>, dir: string, file: string): Promise<Manifest> {
  const zipped = makeReader(source)
  const magic = await zipped.take(ZSTD_MAGIC.length)
  if (!magic.equals(ZSTD_MAGIC))
    throw new EngineError(magic.length === 0 ? `${file} is empty` : `${file} ${NOT_OURS}`)
  const input = Readable.from(chain(magic, zipped), { objectMode: false })
  const unzip = createZstdDecompress()
  input.on('error', (error) => unzip.destroy(error))
  const reader = makeReader(input.pipe(unzip))
  try {
    return await readArchive(reader, dir, file)
  } catch (error) {
    throw worded(error, file)
  } finally {
    input.destroy()
    unzip.destroy()
  }
}

function worded(error: unknown, file: string): unknown {
  if (error instanceof EngineError) return error
  const code = (error as NodeJS.ErrnoException).code ?? ''
  if (code === 'Z_BUF_ERROR') return cutOff(file)
  if (/^ZSTD_|^Z_/.test(code))
    return new EngineError(`${file} is damaged: ${reasonOf(error)}`, { cause: error })
  if (code === 'ENOSPC') return new EngineError('the disk is full', { cause: error })
  return error
}

async function readArchive(reader: Reader, dir: string, file: string): Promise<Manifest> {
  const first = await header(reader, file)
  if (first?.name !== MANIFEST || first.bytes > MANIFEST_BYTES_MAX)
    throw new EngineError(`${file} ${NOT_OURS}`)
  const text = await whole(reader, first, file)
  const manifest = parseManifest(text, file)
  checkRoom(manifest, dir)

  const sums = [sum(createHash('sha256').update(text).digest('hex'), MANIFEST)]
  const folders = new Set([
    dir,
    ...(manifest.files.some(({ path }) => path.includes('/')) ? [join(dir, 'objects')] : []),
  ])
  for (const entry of manifest.files) {
    const found = await header(reader, file)
    if (found?.name !== entry.path || found.bytes !== entry.bytes)
      throw new EngineError(
        `${file} is damaged: where ${entry.path} should be is ${found?.name ?? 'its end'}`,
      )
    folders.add(dirname(join(dir, entry.path)))
    sums.push(sum(await keep(reader, dir, entry, file), entry.path))
  }
  const last = await header(reader, file)
  if (last?.name !== SUMS || last.bytes > MANIFEST_BYTES_MAX)
    throw new EngineError(`${file} is damaged: it has no ${SUMS}`)
  const stated = (await whole(reader, last, file)).toString('utf8').split(/(?<=\n)/)
  const wrong = sums.findIndex((line, index) => line !== stated[index])
  if (wrong !== -1 || stated.length !== sums.length)
    throw new EngineError(
      `${file} is damaged: ${manifest.files[wrong - 1]?.path ?? MANIFEST} is not what was packed`,
    )
  if ((await header(reader, file)) !== undefined)
    throw new EngineError(`${file} is damaged: it goes on after its end`)
  // To the end, where zstd compares its own checksum.
  for await (const piece of reader.pieces(Number.MAX_SAFE_INTEGER))
    if (piece.some((byte) => byte !== 0))
      throw new EngineError(`${file} is damaged: it goes on after its end`)
  for (const folder of folders) await sync(folder)
  return manifest
}

const sum = (digest: string, path: string) => `${digest}  ${path}\n`

/** The next file's header; undefined at the archive's end. */
async function header(reader: Reader, file: string): Promise<TarHeader | undefined> {
  const block = await reader.take(BLOCK)
  if (block.length < BLOCK) throw cutOff(file)
  const found = parseTarHeader(block)
  if (found === undefined) throw new EngineError(`${file} ${NOT_OURS}`)
  return found === 'end' ? undefined : found
}

async function whole(reader: Reader, { bytes }: TarHeader, file: string): Promise<Buffer> {
  const content = await reader.take(bytes)
  await skipPadding(reader, bytes, file)
  if (content.length < bytes) throw cutOff(file)
  return content
}

async function skipPadding(reader: Reader, bytes: number, file: string): Promise<void> {
  const { length } = tarPadding(bytes)
  const padding = await reader.take(length)
  if (padding.length < length) throw cutOff(file)
  if (padding.some((byte) => byte !== 0)) throw new EngineError(`${file} is damaged between two files`)
}

/** Writes one file, and answers its digest. */
async function keep(
  reader: Reader,
  dir: string,
  { path, bytes, mode }: FileEntry,
  file: string,
): Promise<string> {
  const target = join(dir, path)
  mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
  const hash = createHash('sha256')
  let written = 0
  const handle = await open(target, 'wx', 0o600)
  try {
    for await (const piece of reader.pieces(bytes)) {
      hash.update(piece)
      await handle.writeFile(piece)
      written += piece.length
    }
    await handle.chmod(mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
  if (written < bytes) throw cutOff(file)
  await skipPadding(reader, bytes, file)
  return hash.digest('hex')
}

function checkRoom({ files }: Manifest, dir: string): void {
  const wanted = files.reduce((sum, { bytes }) => sum + bytes, 0)
  const { bavail, bsize } = statfsSync(dir)
  const free = bavail * bsize - SPARE_BYTES
  if (wanted > free)
    throw new EngineError(
      `the backup needs ${megabytes(wanted)} and the disk of ${dirname(dir)} has ${megabytes(Math.max(0, free))} to spare`,
    )
}

export const megabytes = (bytes: number): string =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`

async function sync(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
