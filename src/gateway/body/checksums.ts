// The checksums that S3 clients send with a body ("Checking object integrity", Amazon S3 User Guide).
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

export type Checksum = { update(chunk: Uint8Array): void; base64(): string }

/** Lower-case name as in `x-amz-checksum-<name>`; undefined for an algorithm that we do not compute. */
export function makeChecksum(algorithm: string): Checksum | undefined {
  switch (algorithm) {
    case 'crc32':
      return crcOf(crc32)
    case 'crc32c':
      return crcOf(crc32c)
    case 'crc64nvme':
      return makeCrc64()
    case 'sha1':
    case 'sha256':
    case 'sha512':
    case 'md5':
      return hashOf(algorithm)
    default:
      return undefined
  }
}

function hashOf(algorithm: string): Checksum {
  const hash = createHash(algorithm)
  return { update: (chunk) => void hash.update(chunk), base64: () => hash.digest('base64') }
}

function crcOf(step: (chunk: Uint8Array, value: number) => number): Checksum {
  let value = 0
  return {
    update(chunk) {
      value = step(chunk, value)
    },
    base64() {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(value >>> 0)
      return bytes.toString('base64')
    },
  }
}

// Castagnoli's polynomial 0x1edc6f41, reflected.
let crc32cTable: Uint32Array | undefined

function crc32c(chunk: Uint8Array, before: number): number {
  const table = (crc32cTable ??= makeTable32(0x82f63b78))
  let value = ~before
  for (let at = 0; at < chunk.length; at++) value = table[(value ^ chunk[at]!) & 0xff]! ^ (value >>> 8)
  return ~value >>> 0
}

function makeTable32(polynomial: number): Uint32Array {
  const table = new Uint32Array(256)
  for (let index = 0; index < 256; index++) {
    let value = index
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1
    table[index] = value
  }
  return table
}

// CRC-64/NVME: polynomial 0xad93d23594c93659, reflected 0x9a6c9329ac4bc9b5, all ones in and out. In two halves of 32
// bits, since BigInt is some thirty times slower.
const REFLECTED = { high: 0x9a6c9329, low: 0xac4bc9b5 }
let crc64Tables: { high: Uint32Array; low: Uint32Array } | undefined

function makeCrc64(): Checksum {
  const tables = (crc64Tables ??= makeTables64())
  let high = 0xffffffff
  let low = 0xffffffff
  return {
    update(chunk) {
      for (let at = 0; at < chunk.length; at++) {
        const index = (low ^ chunk[at]!) & 0xff
        low = ((low >>> 8) | (high << 24)) ^ tables.low[index]!
        high = (high >>> 8) ^ tables.high[index]!
      }
    },
    base64() {
      const bytes = Buffer.alloc(8)
      bytes.writeUInt32BE(~high >>> 0, 0)
      bytes.writeUInt32BE(~low >>> 0, 4)
      return bytes.toString('base64')
    },
  }
}

function makeTables64(): { high: Uint32Array; low: Uint32Array } {
  const tables = { high: new Uint32Array(256), low: new Uint32Array(256) }
  for (let index = 0; index < 256; index++) {
    let high = 0
    let low = index
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1
      low = (low >>> 1) | ((high & 1) << 31)
      high >>>= 1
      if (odd) {
        low ^= REFLECTED.low
        high ^= REFLECTED.high
      }
    }
    tables.high[index] = high
    tables.low[index] = low
  }
  return tables
}
