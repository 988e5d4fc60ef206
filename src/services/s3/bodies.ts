// The way of a body from the wire to a row: bytes first, under a fresh id, then the row, in one transaction.
import type { ObjectEngine, StoredBody } from '../../engines/objects/engine.ts'
import type { RoomEngine } from '../../engines/room/engine.ts'
import type { Checksum } from '../../kernel/checksums.ts'
import { EngineError } from '../../kernel/errors.ts'
import { isLow, lowSentence } from '../../kernel/space.ts'
import type { ServiceDeps } from '../service.ts'
import {
  makeHasher,
  parseContentMd5,
  storedChecksum,
  verifyChecksum,
  type Algorithm,
  type Asked,
} from './checksums.ts'
import { badDigest, entityTooLarge, insufficientStorage, invalidRequest } from './errors.ts'
import { limits } from './limits.ts'
import { bytesUsed } from './store.ts'

export type S3 = ServiceDeps & {
  objects: ObjectEngine
  /** Asked before a body is written, and while. */
  room: Pick<RoomEngine, 'space'>
  /** Bodies that are being written and have no row yet: not garbage. A crash empties it, and then they are. */
  bodiesUnderWay: Set<string>
}

export type KeptBody = StoredBody & { id: string; checksum: { algorithm: Algorithm; value: string } }

export type Expected = {
  asked: Asked
  contentMd5?: string | undefined
  contentLength?: number | undefined
}

/**
 * Streams `body` in, verifies it, and runs `row` in a transaction. Whatever fails, no row names the body.
 * Throws EntityTooLarge, IncompleteBody, BadDigest, InsufficientStorage, and what the body itself throws.
 */
export async function keepBody<T>(
  s3: S3,
  body: AsyncIterable<Uint8Array> | undefined,
  expected: Expected,
  row: (kept: KeptBody) => T,
): Promise<T> {
  const { asked, contentLength } = expected
  const md5Expected = parseContentMd5(expected.contentMd5)
  if (contentLength !== undefined) checkSize(s3, contentLength)
  const hasher = isStored(asked.algorithm) ? undefined : makeHasher(asked.algorithm)

  return underNewId(s3, async (id) => {
    const measured = measure(s3, body ?? nothing(), hasher)
    const stored = await s3.objects.put(id, measured, limits.objectBytesMax)
    if (contentLength !== undefined && stored.bytes !== contentLength)
      throw invalidRequest(
        'You did not provide the number of bytes specified by the Content-Length HTTP header',
      )
    if (md5Expected !== undefined && md5Expected !== stored.md5Hex) throw badDigest('Content-MD5')
    const value = storedChecksum(stored, asked.algorithm) ?? hasher?.digest().toString('base64') ?? ''
    verifyChecksum(asked, value)
    return s3.store.transaction(() => row({ ...stored, id, checksum: { algorithm: asked.algorithm, value } }))
  })
}

/** The database and what runs must be able to go on: uploads are the first that may not.
 *  @throws DeclaredError `InsufficientStorage` */
function checkRoom({ room }: S3): void {
  const space = room.space()
  if (isLow(space)) throw insufficientStorage(lowSentence('The upload', space))
}

/** Runs `work` with the id of a body to be. If it fails the body is removed, or else swept later. */
export async function underNewId<T>(s3: S3, work: (id: string) => Promise<T>): Promise<T> {
  checkRoom(s3)
  const id = s3.ids.hex('', 32)
  s3.bodiesUnderWay.add(id)
  try {
    return await work(id)
  } catch (error) {
    await s3.objects.remove(id).catch(() => undefined)
    if (error instanceof EngineError && /full|quota/.test(error.message))
      throw insufficientStorage(error.message)
    throw error
  } finally {
    s3.bodiesUnderWay.delete(id)
  }
}

/** A checksum of an object that is already kept; reads it only if it must. */
export async function checksumOfBody(
  s3: S3,
  body: { bodyId: string; sha256Hex: string; crc32Base64: string },
  algorithm: Algorithm,
): Promise<string> {
  if (algorithm === 'CRC32') return body.crc32Base64
  if (algorithm === 'SHA256') return Buffer.from(body.sha256Hex, 'hex').toString('base64')
  const hasher = makeHasher(algorithm)
  for await (const chunk of s3.objects.get(body.bodyId)) hasher.update(chunk)
  return hasher.digest().toString('base64')
}

export function checkSize(s3: S3, bytes: number, bytesMax: number = limits.objectBytesMax): void {
  if (bytes > bytesMax) throw entityTooLarge(bytes, bytesMax)
  if (bytes > 0 && bytesUsed(s3.store) + bytes > limits.homeBytesMax)
    throw insufficientStorage(`All objects together may have ${limits.homeBytesMax} bytes`)
}

const isStored = (algorithm: Algorithm) =>
  algorithm === 'CRC32' || algorithm === 'SHA256' || algorithm === 'MD5'

/** Looks again each 16 MiB whether the home has room: a body of unknown length must not overrun it. */
async function* measure(
  s3: S3,
  body: AsyncIterable<Uint8Array>,
  hasher: Checksum | undefined,
): AsyncIterable<Uint8Array> {
  let bytes = 0
  let bytesChecked = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > limits.objectBytesMax) throw entityTooLarge(bytes)
    if (bytes - bytesChecked > CHECK_BYTES) {
      checkSize(s3, (bytesChecked = bytes))
      checkRoom(s3)
    }
    hasher?.update(chunk)
    yield chunk
  }
}

const CHECK_BYTES = 16 * 1024 ** 2

// eslint-disable-next-line require-yield -- an empty body
async function* nothing(): AsyncIterable<Uint8Array> {}
