// What is computed of every body while it streams in: the etag, the content key of builds, and S3's commonest checksum.
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import type { StoredBody } from './engine.ts'

export type BodyHasher = { bytes(): number; update(chunk: Uint8Array): void; finish(): StoredBody }

export function makeBodyHasher(): BodyHasher {
  const md5 = createHash('md5')
  const sha256 = createHash('sha256')
  let crc = 0
  let bytes = 0
  return {
    bytes: () => bytes,
    update(chunk) {
      bytes += chunk.length
      md5.update(chunk)
      sha256.update(chunk)
      crc = crc32(chunk, crc)
    },
    finish: () => ({
      bytes,
      md5Hex: md5.digest('hex'),
      sha256Hex: sha256.digest('hex'),
      crc32Base64: bigEndian32(crc).toString('base64'),
    }),
  }
}

function bigEndian32(value: number): Buffer {
  const out = Buffer.alloc(4)
  out.writeUInt32BE(value >>> 0)
  return out
}
