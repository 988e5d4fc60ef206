// URLs that carry their own signature: logs and object downloads that a browser or curl fetches without keys.
import type { Credentials } from '../sigv4.ts'
import {
  ALGORITHM,
  amzDateOf,
  canonicalRequest,
  hmacHex,
  scopeText,
  signingKey,
  stringToSign,
  UNSIGNED_PAYLOAD,
  type Scope,
} from './canonical.ts'

export type ToPresign = {
  method?: string
  /** `scheme://host:port` by which the client will reach us; the host is signed. */
  endpoint: string
  /** Percent-encoded path, e.g. `/bucket/key` (see `pathOfObject`). */
  path: string
  query?: Record<string, string>
  service?: string
  region: string
  credentials: Credentials
  /** Epoch milliseconds of the start. */
  at: number
  /** At most 604,800 (a week). */
  expiresSeconds: number
}

export function presign(request: ToPresign): string {
  const { method = 'GET', service = 's3', endpoint, path, region, credentials } = request
  const amzDate = amzDateOf(request.at)
  const scope: Scope = { date: amzDate.slice(0, 8), region, service }
  const parameters = {
    ...request.query,
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': `${credentials.accessKeyId}/${scopeText(scope)}`,
    'X-Amz-Date': amzDate,
    'X-Amz-Expires': String(request.expiresSeconds),
    'X-Amz-SignedHeaders': 'host',
  }
  const query = Object.entries(parameters)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
  const canonical = canonicalRequest({
    method,
    path,
    query,
    headers: new Map([['host', new URL(endpoint).host]]),
    signedHeaders: ['host'],
    payloadHash: UNSIGNED_PAYLOAD,
    service,
  })
  const signature = hmacHex(
    signingKey(credentials.secretAccessKey, scope),
    stringToSign(amzDate, scope, canonical),
  )
  return `${endpoint}${path}?${query}&X-Amz-Signature=${signature}`
}

/** Path-style path of an object, percent-encoded. */
export const pathOfObject = (bucket: string, key: string): string =>
  `/${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
