// From a staged moment to the bytes of a backup.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import { EngineError } from '../kernel/errors.ts'
import { FORMAT, KIND, MANIFEST, SUMS, type Manifest } from './format.ts'
import type { Staged } from './stage.ts'
import { TAR_END, tarHeader, tarPadding } from './tar.ts'

const READ_BYTES = 256 * 1024

export type About = { version: string; homeId: string; at: number }

/** A stream of the whole backup; `staged` is released when it ends, fails or is destroyed. */
export function pack(staged: Staged, about: About): Readable {
  // With a checksum, so that a flipped bit is told from a foreign file.
  const zip = createZstdCompress({ params: { [constants.ZSTD_c_checksumFlag]: 1 } })
  const source = Readable.from(archive(staged, about), { objectMode: false })
  void pipeline(source, zip)
    .catch(() => undefined) // the reader of `zip` is told
    .finally(() => staged.release())
  return zip
}

/** The tar itself. */
export async function* archive(
  { dir, files, missing }: Pick<Staged, 'dir' | 'files' | 'missing'>,
  { version, homeId, at }: About,
): AsyncGenerator<Buffer> {
  const manifest: Manifest = {
    kind: KIND,
    format: FORMAT,
    version,
    home: { id: homeId },
    createdAt: new Date(at).toISOString(),
    files,
    missing,
  }
  const sums: string[] = []
  const small = function* (name: string, content: string) {
    const bytes = Buffer.from(content)
    yield tarHeader({ name, bytes: bytes.length, mode: 0o600, modifiedAt: at })
    yield bytes
    yield tarPadding(bytes.length)
  }
  const text = `${JSON.stringify(manifest, null, 1)}\n`
  yield* small(MANIFEST, text)
  sums.push(`${createHash('sha256').update(text).digest('hex')}  ${MANIFEST}\n`)
  for (const { path, bytes, mode } of files) {
    yield tarHeader({ name: path, bytes, mode, modifiedAt: at })
    const hash = createHash('sha256')
    let read = 0
    for await (const chunk of createReadStream(join(dir, path), { highWaterMark: READ_BYTES })) {
      const piece = chunk as Buffer
      hash.update(piece)
      read += piece.length
      yield piece
    }
    if (read !== bytes) throw new EngineError(`${path} changed while it was read`)
    yield tarPadding(bytes)
    sums.push(`${hash.digest('hex')}  ${path}\n`)
  }
  yield* small(SUMS, sums.join(''))
  yield TAR_END
}
