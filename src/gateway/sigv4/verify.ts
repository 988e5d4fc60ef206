// Decides whether a request was signed with one of our keys, for now, for this method, path, query and headers. The body
// is held to the payload hash by whoever reads it (http/body.ts), since S3 bodies are streams.
import { timingSafeEqual } from 'node:crypto'
import { DeclaredError } from '../../kernel/errors.ts'
import type { Credentials } from '../sigv4.ts'
import type { Claim } from './authorization.ts'
import { canonicalRequest, hmacHex, makeSigningKeys, stringToSign } from './canonical.ts'
import { signatureV2 } from './presigned-v2.ts'

const SKEW_MAX_MS = 5 * 60_000
const EXPIRES_MAX_SECONDS = 604_800

export type Signed = {
  method: string
  path: string
  query: string
  headers: ReadonlyMap<string, string>
  payloadHash: string
}
/** What was verified; `key` and `signature` seed the chain of signed chunks. */
export type Verified = { claim: Claim; credentials: Credentials; key: Buffer }

export type Verifier = {
  /** Whose key it is and whether it is in time: all that can be known without the body's hash. */
  admit(claim: Claim, nowMs: number): Credentials
  verify(claim: Claim, credentials: Credentials, request: Signed): Verified
}

/** Throws AWS's codes: InvalidClientTokenId, RequestExpired, SignatureDoesNotMatch, and those of S3 and EC2. */
export function makeVerifier(credentials: () => readonly Credentials[]): Verifier {
  const keys = makeSigningKeys()
  return {
    admit(claim, nowMs) {
      const found = credentials().find((each) => each.accessKeyId === claim.accessKeyId)
      if (!found) throw refusal(claim, 'unknownKey')
      if (claim.securityToken !== undefined) throw refusal(claim, 'token')
      if (claim.endsAtMs !== undefined) {
        checkEnd(claim.endsAtMs, {}, nowMs)
        return found
      }
      if (claim.presigned) checkExpiry(claim, claim.presigned.expiresSeconds, nowMs)
      else checkSkew(claim, nowMs)
      if (claim.scope.date !== claim.amzDate.slice(0, 8)) throw refusal(claim, 'mismatch')
      return found
    },
    verify(claim, found, request) {
      if (claim.endsAtMs !== undefined) return verifyV2(claim, claim.endsAtMs, found, request)
      checkSignedHeaders(claim, request.headers)
      const canonical = canonicalRequest({
        ...request,
        signedHeaders: claim.signedHeaders,
        service: claim.scope.service,
      })
      const key = keys(found.secretAccessKey, claim.scope)
      const expected = hmacHex(key, stringToSign(claim.amzDate, claim.scope, canonical))
      if (!sameSecret(expected, claim.signature)) throw refusal(claim, 'mismatch')
      return { claim, credentials: found, key }
    },
  }
}

function verifyV2(claim: Claim, endsAtMs: number, found: Credentials, request: Signed): Verified {
  if (request.method !== 'GET' && request.method !== 'HEAD') throw refusal(claim, 'mismatch')
  if ([...request.headers.keys()].some((name) => name.startsWith('x-amz-'))) throw refusal(claim, 'mismatch')
  if (!sameSecret(signatureV2(found.secretAccessKey, request, endsAtMs / 1000), claim.signature))
    throw refusal(claim, 'mismatch')
  return { claim, credentials: found, key: Buffer.alloc(0) }
}

/** Takes as long for a wrong first character as for a wrong last one. */
export function sameSecret(expected: string, given: string): boolean {
  const a = Buffer.from(expected, 'latin1')
  const b = Buffer.from(given, 'latin1')
  return a.length === b.length && timingSafeEqual(a, b)
}

function checkSkew(claim: Claim, nowMs: number): void {
  if (Math.abs(nowMs - claim.signedAtMs) <= SKEW_MAX_MS) return
  const now = new Date(nowMs).toISOString()
  if (claim.scope.service === 's3')
    throw new DeclaredError(
      'RequestTimeTooSkewed',
      'The difference between the request time and the current time is too large.',
      {
        httpStatus: 403,
        members: { RequestTime: claim.amzDate, ServerTime: now, MaxAllowedSkewMilliseconds: '300000' },
      },
    )
  throw new DeclaredError(
    'RequestExpired',
    `The request was signed at ${claim.amzDate}, more than 5 minutes from now (${now}).`,
  )
}

function checkExpiry(claim: Claim, expiresSeconds: number, nowMs: number): void {
  const s3 = claim.scope.service === 's3'
  if (expiresSeconds > EXPIRES_MAX_SECONDS)
    throw new DeclaredError(
      s3 ? 'AuthorizationQueryParametersError' : 'InvalidParameterValue',
      `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${EXPIRES_MAX_SECONDS} seconds`,
    )
  if (nowMs < claim.signedAtMs - SKEW_MAX_MS)
    throw new DeclaredError('AccessDenied', 'Request is not yet valid', { httpStatus: 403 })
  const endsAtMs = claim.signedAtMs + expiresSeconds * 1000
  if (!s3 && nowMs > endsAtMs) throw new DeclaredError('RequestExpired', 'The presigned request has expired.')
  checkEnd(endsAtMs, { 'X-Amz-Expires': String(expiresSeconds) }, nowMs)
}

function checkEnd(endsAtMs: number, members: Record<string, string>, nowMs: number): void {
  if (nowMs <= endsAtMs) return
  throw new DeclaredError('AccessDenied', 'Request has expired', {
    httpStatus: 403,
    members: {
      ...members,
      Expires: new Date(endsAtMs).toISOString(),
      ServerTime: new Date(nowMs).toISOString(),
    },
  })
}

// A header that is not signed could have been added on the way; S3 lets them decide over grants, copies and metadata.
function checkSignedHeaders(claim: Claim, headers: ReadonlyMap<string, string>): void {
  if (!claim.signedHeaders.includes('host')) throw refusal(claim, 'mismatch')
  if (claim.scope.service !== 's3') return
  const unsigned: string[] = []
  for (const name of headers.keys())
    if (name.startsWith('x-amz-') && name !== 'x-amz-content-sha256' && !claim.signedHeaders.includes(name))
      unsigned.push(name)
  if (unsigned.length > 0)
    throw new DeclaredError(
      'AccessDenied',
      'There were headers present in the request which were not signed',
      {
        httpStatus: 403,
        members: { HeadersNotSigned: unsigned.join(', ') },
      },
    )
}

export const authFailure = (): DeclaredError =>
  new DeclaredError('AuthFailure', 'AWS was not able to validate the provided access credentials', {
    httpStatus: 401,
  })

function refusal({ scope, accessKeyId }: Claim, why: 'unknownKey' | 'token' | 'mismatch'): DeclaredError {
  const s3 = scope.service === 's3'
  // EC2 does not tell which of them is wrong.
  if (scope.service === 'ec2') return authFailure()
  if (why === 'mismatch')
    return new DeclaredError(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. ' +
        'Check your AWS Secret Access Key and signing method.',
      { httpStatus: 403 },
    )
  if (why === 'unknownKey' && s3)
    return new DeclaredError(
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
      { httpStatus: 403, members: { AWSAccessKeyId: accessKeyId } },
    )
  if (why === 'token' && s3)
    return new DeclaredError('InvalidToken', 'The provided token is malformed or otherwise invalid.')
  return new DeclaredError('InvalidClientTokenId', 'The security token included in the request is invalid.', {
    httpStatus: 403,
  })
}
