// The two checksums that Node has no function for. CRC64NVME is the default of the AWS CLI version 2, so it takes eight
// bytes a step ("slicing-by-8"); it is kept in two halves, since JavaScript's integers that are fast have 32 bits.

// Castagnoli's polynomial, reflected (RFC 3720 §12.1).
const castagnoli = Int32Array.from({ length: 256 }, (_, index) => {
  let crc = index
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  return crc
})

export function crc32c(chunk: Uint8Array, before: number): number {
  let crc = ~before
  for (let at = 0; at < chunk.length; at++) crc = castagnoli[(crc ^ chunk[at]!) & 255]! ^ (crc >>> 8)
  return ~crc >>> 0
}

// 0x9a6c9329ac4bc9b5: the polynomial of the NVM Express specification (§5.2.1.3.4, "64b CRC"), reflected.
const POLYNOMIAL = { high: 0x9a6c9329, low: 0xac4bc9b5 }
const tables = makeTables()

export function makeCrc64Nvme(): { update(chunk: Uint8Array): void; digest(): Buffer } {
  let high = -1
  let low = -1
  return {
    update(chunk) {
      const { highs, lows } = tables
      let at = 0
      for (const end = chunk.length - 7; at < end; at += 8) {
        const a = low ^ (chunk[at]! | (chunk[at + 1]! << 8) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 24))
        const b =
          high ^ (chunk[at + 4]! | (chunk[at + 5]! << 8) | (chunk[at + 6]! << 16) | (chunk[at + 7]! << 24))
        const i0 = 1792 + (a & 255)
        const i1 = 1536 + ((a >>> 8) & 255)
        const i2 = 1280 + ((a >>> 16) & 255)
        const i3 = 1024 + (a >>> 24)
        const i4 = 768 + (b & 255)
        const i5 = 512 + ((b >>> 8) & 255)
        const i6 = 256 + ((b >>> 16) & 255)
        const i7 = b >>> 24
        low = lows[i0]! ^ lows[i1]! ^ lows[i2]! ^ lows[i3]! ^ lows[i4]! ^ lows[i5]! ^ lows[i6]! ^ lows[i7]!
        high =
          highs[i0]! ^
          highs[i1]! ^
          highs[i2]! ^
          highs[i3]! ^
          highs[i4]! ^
          highs[i5]! ^
          highs[i6]! ^
          highs[i7]!
      }
      for (; at < chunk.length; at++) {
        const index = (low ^ chunk[at]!) & 255
        low = ((low >>> 8) | (high << 24)) ^ lows[index]!
        high = (high >>> 8) ^ highs[index]!
      }
    },
    digest() {
      const out = Buffer.alloc(8)
      out.writeInt32BE(~high, 0)
      out.writeInt32BE(~low, 4)
      return out
    },
  }
}

/** Eight tables of 256 behind each other; table k moves a byte by k further bytes. */
function makeTables(): { highs: Int32Array; lows: Int32Array } {
  const highs = new Int32Array(2048)
  const lows = new Int32Array(2048)
  for (let index = 0; index < 256; index++) {
    let high = 0
    let low = index
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1
      low = (low >>> 1) | (high << 31)
      high >>>= 1
      if (odd) {
        low ^= POLYNOMIAL.low
        high ^= POLYNOMIAL.high
      }
    }
    highs[index] = high
    lows[index] = low
  }
  for (let index = 256; index < 2048; index++) {
    const low = lows[index - 256]!
    const high = highs[index - 256]!
    lows[index] = ((low >>> 8) | (high << 24)) ^ lows[low & 255]!
    highs[index] = (high >>> 8) ^ highs[low & 255]!
  }
  return { highs, lows }
}
