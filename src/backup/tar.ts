// POSIX tar (ustar), regular files only: what a backup needs of it, and nothing that could lead out of a folder.
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06

export const BLOCK = 512
const NAME_BYTES = 100
/** Eleven octal digits; above that GNU tar's form, a binary number with the first bit set. */
const OCTAL_MAX = 8 ** 11 - 1

export type TarHeader = { name: string; bytes: number; mode: number; modifiedAt: number }

/** `modifiedAt` in epoch ms. */
export function tarHeader({ name, bytes, mode, modifiedAt }: TarHeader): Buffer {
  if (Buffer.byteLength(name) > NAME_BYTES) throw new Error(`too long for a tar: ${name}`)
  const block = Buffer.alloc(BLOCK)
  block.write(name, 0, 'utf8')
  block.write(octal(mode, 7), 100)
  block.write(octal(0, 7), 108)
  block.write(octal(0, 7), 116)
  if (bytes <= OCTAL_MAX) block.write(octal(bytes, 11), 124)
  else {
    block.writeUInt8(0x80, 124)
    block.writeBigUInt64BE(BigInt(bytes), 128)
  }
  block.write(octal(Math.max(0, Math.floor(modifiedAt / 1000)), 11), 136)
  block.write('0', 156)
  block.write('ustar\0' + '00', 257)
  block.write(`${octal(checksumOf(block), 6)}\0 `, 148)
  return block
}

/** What follows the content of a file until the next block. */
export const tarPadding = (bytes: number): Buffer => Buffer.alloc((BLOCK - (bytes % BLOCK)) % BLOCK)

export const TAR_END = Buffer.alloc(2 * BLOCK)

/** The header of a regular file; `end` of two empty blocks' first; undefined of anything else. */
export function parseTarHeader(block: Buffer): TarHeader | 'end' | undefined {
  if (block.length !== BLOCK) return undefined
  if (block.every((byte) => byte === 0)) return 'end'
  if (block.toString('latin1', 257, 262) !== 'ustar') return undefined
  if (number(block, 148, 8) !== checksumOf(block)) return undefined
  const type = block.toString('latin1', 156, 157)
  if (type !== '0' && type !== '\0') return undefined
  // A prefix (offset 345) would lengthen the name; none of ours needs one.
  if (block[345] !== 0) return undefined
  const [bytes, mode, seconds] = [number(block, 124, 12), number(block, 100, 8), number(block, 136, 12)]
  if (bytes === undefined || mode === undefined || seconds === undefined) return undefined
  return { name: text(block, 0, NAME_BYTES), bytes, mode, modifiedAt: seconds * 1000 }
}

const octal = (value: number, digits: number) => value.toString(8).padStart(digits, '0')

function text(block: Buffer, from: number, length: number): string {
  const field = block.subarray(from, from + length)
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end === -1 ? length : end)
}

function number(block: Buffer, from: number, length: number): number | undefined {
  if (length === 12 && block[from] === 0x80) {
    const value = block.readBigUInt64BE(from + 4)
    return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : undefined
  }
  const digits = text(block, from, length).trim()
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : undefined
}

// The sum of all bytes, those of the checksum itself counted as blanks.
function checksumOf(block: Buffer): number {
  let sum = 0
  for (let at = 0; at < BLOCK; at++) sum += at >= 148 && at < 156 ? 0x20 : block[at]!
  return sum
}
