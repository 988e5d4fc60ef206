// Signs requests as every AWS client does; our own CLI uses it. Verification is in sigv4/verify.ts, over the same code.
import {
  ALGORITHM,
  amzDateOf,
  canonicalRequest,
  hmacHex,
  scopeText,
  signingKey,
  stringToSign,
  type Scope,
} from './sigv4/canonical.ts'

export type Credentials = { accessKeyId: string; secretAccessKey: string }

export type ToSign = {
  method: string
  /** Path and query as they will be sent (percent-encoded). */
  path: string
  /** Must contain `host`. */
  headers: Record<string, string>
  /** SHA-256 of the body, hexadecimal, or `UNSIGNED-PAYLOAD` (S3 only). */
  payloadHash: string
  service: string
  region: string
  credentials: Credentials
  /** Epoch milliseconds; the gateway accepts five minutes of difference. */
  at: number
}

/** The headers to send: those given (names in lower case) with date, payload hash and `authorization` added. */
export function signRequest(request: ToSign): Record<string, string> {
  const amzDate = amzDateOf(request.at)
  const scope: Scope = { date: amzDate.slice(0, 8), region: request.region, service: request.service }
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.headers)) headers[name.toLowerCase()] = value
  headers['x-amz-date'] = amzDate
  headers['x-amz-content-sha256'] = request.payloadHash
  const signedHeaders = Object.keys(headers).sort()
  const [path = '', query = ''] = splitOnce(request.path, '?')
  const canonical = canonicalRequest({
    ...request,
    path,
    query,
    headers: new Map(Object.entries(headers)),
    signedHeaders,
  })
  const key = signingKey(request.credentials.secretAccessKey, scope)
  const signature = hmacHex(key, stringToSign(amzDate, scope, canonical))
  headers.authorization =
    `${ALGORITHM} Credential=${request.credentials.accessKeyId}/${scopeText(scope)}, ` +
    `SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
  return headers
}

const splitOnce = (text: string, mark: string) => {
  const at = text.indexOf(mark)
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
