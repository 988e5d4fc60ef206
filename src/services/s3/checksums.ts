// S3's additional checksums: which one a request asks for, and how each is computed. XXHASH is refused by name.
import type { StoredBody } from '../../engines/objects/engine.ts'
import { makeChecksum, type Checksum } from '../../kernel/checksums.ts'
import { badDigest, invalidDigest, invalidRequest, notImplemented } from './errors.ts'

/** Bytes of each checksum. */
const SIZES = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, MD5: 16, SHA1: 20, SHA256: 32, SHA512: 64 } as const
const REFUSED = ['XXHASH64', 'XXHASH3', 'XXHASH128'] as const

export type Algorithm = keyof typeof SIZES
export type ChecksumType = 'FULL_OBJECT' | 'COMPOSITE'
export type Asked = { algorithm: Algorithm; expected: string | undefined }

type ChecksumMembers = { [A in Algorithm as `Checksum${A}`]?: string | undefined }
export type ChecksumInput = ChecksumMembers & {
  ChecksumAlgorithm?: string | undefined
  ChecksumXXHASH64?: string | undefined
  ChecksumXXHASH3?: string | undefined
  ChecksumXXHASH128?: string | undefined
}

const algorithms = Object.keys(SIZES) as Algorithm[]

/** The checksum that a request names or carries; CRC32 if none, since it costs nothing (a difference: AWS adds CRC64NVME). */
export function checksumAsked(input: ChecksumInput): Asked {
  for (const name of REFUSED) if (input[`Checksum${name}`]) throw notImplemented(headerOf(name))
  const given = algorithms.filter((algorithm) => input[`Checksum${algorithm}`] !== undefined)
  if (given.length > 1)
    throw invalidRequest(
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    )
  const algorithm = given[0] ?? (input.ChecksumAlgorithm ? parseAlgorithm(input.ChecksumAlgorithm) : 'CRC32')
  const expected = input[`Checksum${algorithm}`]
  if (expected !== undefined && Buffer.from(expected, 'base64').length !== SIZES[algorithm])
    throw invalidRequest(`Value for ${headerOf(algorithm)} header is invalid.`)
  return { algorithm, expected }
}

export function parseAlgorithm(name: string): Algorithm {
  const found = algorithms.find((algorithm) => algorithm === name.toUpperCase())
  if (found) return found
  if (REFUSED.some((refused) => refused === name.toUpperCase())) throw notImplemented(headerOf(name))
  throw invalidRequest(
    'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, MD5, SHA1, SHA256, SHA512]',
  )
}

const headerOf = (algorithm: string) => `x-amz-checksum-${algorithm.toLowerCase()}`

export const makeHasher = (algorithm: Algorithm): Checksum =>
  makeChecksum(algorithm.toLowerCase() as Lowercase<Algorithm>)

/** The checksum of a stored body as far as the engine computed it anyway. */
export function storedChecksum(stored: StoredBody, algorithm: Algorithm): string | undefined {
  if (algorithm === 'CRC32') return stored.crc32Base64
  if (algorithm === 'SHA256') return Buffer.from(stored.sha256Hex, 'hex').toString('base64')
  if (algorithm === 'MD5') return Buffer.from(stored.md5Hex, 'hex').toString('base64')
  return undefined
}

/** The checksum of the parts' checksums, as S3 writes it: `<base64>-<number of parts>`. */
export function compositeChecksum(algorithm: Algorithm, parts: string[]): string {
  const hasher = makeHasher(algorithm)
  for (const part of parts) hasher.update(Buffer.from(part, 'base64'))
  return `${hasher.digest().toString('base64')}-${parts.length}`
}

export function verifyChecksum(asked: Asked, value: string): void {
  if (asked.expected !== undefined && asked.expected !== value) throw badDigest(asked.algorithm)
}

/** Base64 of 16 bytes → hexadecimal digits. */
export function parseContentMd5(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const bytes = Buffer.from(header, 'base64')
  if (bytes.length !== 16) throw invalidDigest({ 'Content-MD5': header })
  return bytes.toString('hex')
}

/** The member of an answer that carries a checksum. */
export function checksumMembers(algorithm: Algorithm | null, value: string | null): ChecksumMembers {
  if (algorithm === null || value === null) return {}
  return { [`Checksum${algorithm}`]: value }
}

/** What CreateMultipartUpload makes of its two headers (the table "Full object and composite checksum types"). */
export function checksumTypeFor(algorithm: Algorithm, asked: string | undefined): ChecksumType {
  const crc = algorithm.startsWith('CRC')
  const type = asked ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE')
  if (type === 'FULL_OBJECT' && crc) return type
  if (type === 'COMPOSITE' && algorithm !== 'CRC64NVME') return type
  throw invalidRequest(
    `The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`,
  )
}
