// Checksums by name, piece by piece; which of them a request may carry is the caller's matter.
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { crc32c, makeCrc64Nvme } from './crc.ts'

const NAMES = ['crc32', 'crc32c', 'crc64nvme', 'md5', 'sha1', 'sha256', 'sha512'] as const
export type ChecksumName = (typeof NAMES)[number]

export type Checksum = { update(chunk: Uint8Array): void; digest(): Buffer }

export const isChecksumName = (name: string): name is ChecksumName => NAMES.some((each) => each === name)

export function makeChecksum(name: ChecksumName): Checksum {
  switch (name) {
    case 'crc32':
      return makeCrc((chunk, before) => crc32(chunk, before))
    case 'crc32c':
      return makeCrc(crc32c)
    case 'crc64nvme':
      return makeCrc64Nvme()
    default:
      return createHash(name)
  }
}

function makeCrc(next: (chunk: Uint8Array, before: number) => number): Checksum {
  let crc = 0
  return {
    update(chunk) {
      crc = next(chunk, crc)
    },
    digest() {
      const out = Buffer.alloc(4)
      out.writeUInt32BE(crc >>> 0)
      return out
    },
  }
}
