// A request's content, decoded and held to everything that was said about it: payload hash, chunk signatures, length,
// Content-MD5, checksums in headers and trailers. What fails is thrown from the iteration, so that a stream of it errors.
import { createHash } from 'node:crypto'
import { isChecksumName, makeChecksum, type Checksum } from '../../kernel/checksums.ts'
import { DeclaredError } from '../../kernel/errors.ts'
import { UNSIGNED_PAYLOAD } from '../sigv4/canonical.ts'
import type { Verified } from '../sigv4/verify.ts'
import { decodeChunked } from './chunked.ts'

export type BodyChecks = {
  headers: ReadonlyMap<string, string>
  /** Value of X-Amz-Content-SHA256 that passed `checkPayloadHash`, verified as part of the signature. */
  payloadHash: string
  verified: Verified
  bytesMax: number
  /** Checksums that came as trailers, told after they were found true. `name` is e.g. `crc32`. */
  onChecksum?(name: string, base64: string): void
}

const PREFIX = 'x-amz-checksum-'
const NOT_ALGORITHMS = new Set(['algorithm', 'mode', 'type'])

export const isStreaming = (payloadHash: string): boolean => payloadHash.startsWith('STREAMING-')

/** Throws for a value of X-Amz-Content-SHA256 that says nothing a body could be held to. */
export function checkPayloadHash(payloadHash: string): void {
  if (SHA256.test(payloadHash) || payloadHash === UNSIGNED_PAYLOAD || isStreaming(payloadHash)) return
  throw new DeclaredError(
    'InvalidArgument',
    `x-amz-content-sha256 must be ${UNSIGNED_PAYLOAD}, STREAMING-UNSIGNED-PAYLOAD-TRAILER, ` +
      'STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, ' +
      'STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER ' +
      'or a valid sha256 value.',
    { members: { ArgumentName: 'x-amz-content-sha256', ArgumentValue: payloadHash.slice(0, 100) } },
  )
}

const SHA256 = /^[0-9a-f]{64}$/i

export async function* checkedBody(
  source: AsyncIterable<Uint8Array>,
  checks: BodyChecks,
): AsyncGenerator<Uint8Array> {
  const { headers, payloadHash } = checks
  const trailers = new Map<string, string>()
  const content = isStreaming(payloadHash)
    ? decodeChunked({
        source,
        signedBy: signedChunks(payloadHash) ? checks.verified : undefined,
        onTrailer: (name, value) => void trailers.set(name, value),
      })
    : source
  const sha256 = SHA256.test(payloadHash) ? createHash('sha256') : undefined
  const claimed = claimedChecksums(headers)
  const announced = announcedChecksums(headers, claimed)
  const md5 = headers.has('content-md5') ? makeChecksum('md5') : undefined
  let bytes = 0

  for await (const chunk of content) {
    bytes += chunk.length
    if (bytes > checks.bytesMax) throw tooLarge(checks.bytesMax)
    sha256?.update(chunk)
    md5?.update(chunk)
    for (const { checksum } of claimed) checksum.update(chunk)
    for (const { checksum } of announced) checksum.update(chunk)
    yield chunk
  }

  if (sha256 && sha256.digest('hex') !== payloadHash.toLowerCase())
    throw new DeclaredError(
      'XAmzContentSHA256Mismatch',
      "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )
  const length = headers.get('x-amz-decoded-content-length')
  if (isStreaming(payloadHash) && length !== undefined && Number(length) !== bytes)
    throw new DeclaredError('IncompleteBody', `The request announced ${length} bytes but carried ${bytes}.`)
  if (md5 && base64Of(md5) !== headers.get('content-md5'))
    throw new DeclaredError('BadDigest', 'The Content-MD5 you specified did not match what we received.')
  for (const { name, checksum, value } of claimed) if (base64Of(checksum) !== value) throw badChecksum(name)
  for (const { name, checksum } of announced) {
    const value = trailers.get(PREFIX + name)
    if (value === undefined)
      throw new DeclaredError(
        'MalformedTrailerError',
        `The trailer ${PREFIX}${name} was announced but not sent.`,
      )
    if (base64Of(checksum) !== value) throw badChecksum(name)
    checks.onChecksum?.(name, value)
  }
}

type Claimed = { name: string; checksum: Checksum; value: string }

const signedChunks = (payloadHash: string): boolean => {
  if (/^STREAMING-AWS4-HMAC-SHA256-PAYLOAD(-TRAILER)?$/.test(payloadHash)) return true
  if (payloadHash === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') return false
  throw new DeclaredError(
    'InvalidRequest',
    `x-amz-content-sha256 ${payloadHash.slice(0, 60)} is not accepted.`,
  )
}

// A multipart upload's composite checksum (`…-3`) is of its parts, not of this body: its owner checks it.
function claimedChecksums(headers: ReadonlyMap<string, string>): Claimed[] {
  const claimed: Claimed[] = []
  for (const [header, value] of headers) {
    if (!header.startsWith(PREFIX) || value.includes('-')) continue
    const name = header.slice(PREFIX.length)
    if (!NOT_ALGORITHMS.has(name)) claimed.push({ name, checksum: checksumOf(name), value })
  }
  return claimed
}

function announcedChecksums(
  headers: ReadonlyMap<string, string>,
  claimed: Claimed[],
): { name: string; checksum: Checksum }[] {
  const names = (headers.get('x-amz-trailer') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name.startsWith(PREFIX))
    .map((name) => name.slice(PREFIX.length))
  return names
    .filter((name) => !claimed.some((each) => each.name === name))
    .map((name) => ({ name, checksum: checksumOf(name) }))
}

function checksumOf(name: string): Checksum {
  if (isChecksumName(name)) return makeChecksum(name)
  throw new DeclaredError(
    'InvalidRequest',
    `The checksum algorithm ${name.slice(0, 20)} is not supported by Polebean.`,
  )
}

const base64Of = (checksum: Checksum) => checksum.digest().toString('base64')

const badChecksum = (name: string) =>
  new DeclaredError(
    'BadDigest',
    `The ${name.toUpperCase()} you specified did not match the calculated checksum.`,
  )

export const tooLarge = (bytesMax: number): DeclaredError =>
  new DeclaredError('EntityTooLarge', `The request's body is larger than the ${bytesMax} bytes allowed.`)
