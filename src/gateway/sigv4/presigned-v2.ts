// URLs signed the old way (Signature Version 2, `?AWSAccessKeyId&Expires&Signature`): `aws s3 presign` of the AWS CLI v1
// still makes them. Only for reading S3 objects. "Signing and authenticating REST requests", Amazon S3 user guide.
import { createHmac } from 'node:crypto'
import { DeclaredError } from '../../kernel/errors.ts'
import { decodeText } from '../request.ts'
import type { Claim } from './authorization.ts'

/** The claim of such a URL; undefined when it is none. */
export function readClaimV2(query: ReadonlyMap<string, string>): Claim | undefined {
  const accessKeyId = query.get('AWSAccessKeyId')
  const signature = query.get('Signature')
  const expires = query.get('Expires')
  if (!accessKeyId || !signature || !expires) return undefined
  if (!/^\d{1,12}$/.test(expires))
    throw new DeclaredError('AccessDenied', 'Invalid date (should be seconds since epoch)', {
      httpStatus: 403,
    })
  return {
    accessKeyId,
    // It names no region: it is good for the one that we serve.
    scope: { date: '', region: '', service: 's3' },
    signedHeaders: [],
    signature,
    amzDate: '',
    signedAtMs: 0,
    securityToken: query.get('x-amz-security-token'),
    presigned: { expiresSeconds: 0 },
    endsAtMs: Number(expires) * 1000,
  }
}

/** What the signature must be (base64). `path` and `query` as sent. */
export function signatureV2(
  secretAccessKey: string,
  request: { method: string; path: string; query: string },
  expires: number,
): string {
  const text = `${request.method}\n\n\n${expires}\n${request.path}${subresources(request.query)}`
  return createHmac('sha1', secretAccessKey).update(text, 'latin1').digest('base64')
}

// The parameters that choose what is answered; all others are not signed.
const SIGNED =
  /^(acl|cors|lifecycle|location|logging|notification|partNumber|policy|requestPayment|response-[a-z-]+|tagging|torrent|uploadId|uploads|versionId|versioning|versions|website)$/

function subresources(query: string): string {
  const pairs = query.split('&').flatMap((part): [string, string][] => {
    const [name = '', ...value] = part.split('=')
    return SIGNED.test(name) ? [[name, decodeText(value.join('='), 'plus is space')]] : []
  })
  pairs.sort(([a], [b]) => (a < b ? -1 : 1))
  const text = pairs.map(([name, value]) => (value === '' ? name : `${name}=${value}`)).join('&')
  return text === '' ? '' : `?${text}`
}
