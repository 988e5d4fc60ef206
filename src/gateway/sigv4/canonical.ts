// AWS Signature Version 4: the canonical request and the key. "Create a signed AWS API request", AWS IAM User Guide.
// Everything is Latin-1 text here: Node gives header bytes so, and the hash is of the bytes.
import { createHmac, hash } from 'node:crypto'

export const ALGORITHM = 'AWS4-HMAC-SHA256'
export const EMPTY_SHA256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
export const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD'

export type Scope = { date: string; region: string; service: string }

export type CanonicalParts = {
  method: string
  /** Path as sent, without the query. */
  path: string
  /** Query as sent, without `?`. */
  query: string
  /** Names in lower case; several headers of one name are joined with a comma. */
  headers: ReadonlyMap<string, string>
  signedHeaders: readonly string[]
  payloadHash: string
  service: string
}

export function canonicalRequest(parts: CanonicalParts): string {
  let headers = ''
  for (const name of parts.signedHeaders) headers += `${name}:${collapse(parts.headers.get(name) ?? '')}\n`
  const path = parts.service === 's3' ? recode(parts.path) : encode(normalise(parts.path))
  return (
    `${parts.method}\n${path}\n${canonicalQuery(parts.query)}\n` +
    `${headers}\n${parts.signedHeaders.join(';')}\n${parts.payloadHash}`
  )
}

export const stringToSign = (amzDate: string, scope: Scope, canonical: string): string =>
  `${ALGORITHM}\n${amzDate}\n${scopeText(scope)}\n${hash('sha256', Buffer.from(canonical, 'latin1'), 'hex')}`

export const scopeText = (scope: Scope): string =>
  `${scope.date}/${scope.region}/${scope.service}/aws4_request`

export const hmac = (key: Buffer | string, text: string): Buffer =>
  createHmac('sha256', key).update(text, 'latin1').digest()
export const hmacHex = (key: Buffer, text: string): string =>
  createHmac('sha256', key).update(text, 'latin1').digest('hex')

export type SigningKeys = (secretAccessKey: string, scope: Scope) => Buffer

/** Derives keys, and remembers the last ones: four HMACs less for each request. */
export function makeSigningKeys(entriesMax = 64): SigningKeys {
  const known = new Map<string, Buffer>()
  return (secretAccessKey, scope) => {
    const id = `${scopeText(scope)}\n${secretAccessKey}`
    const kept = known.get(id)
    if (kept) return kept
    const key = signingKey(secretAccessKey, scope)
    if (known.size >= entriesMax) known.delete(known.keys().next().value!)
    known.set(id, key)
    return key
  }
}

export const signingKey: SigningKeys = (secretAccessKey, { date, region, service }) =>
  hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, date), region), service), 'aws4_request')

/** `20261123T101500Z` */
export const amzDateOf = (epochMs: number): string =>
  new Date(epochMs).toISOString().replace(/[-:]|\.\d{3}/g, '')

/** Percent-encoding of RFC 3986 over Latin-1 text (that is, over bytes); `/` stays. */
export function encode(text: string): string {
  return SAFE_PATH.test(text) ? text : text.replace(/[^A-Za-z0-9\-._~/]/g, escape)
}

const SAFE_PATH = /^[A-Za-z0-9\-._~/]*$/
const escape = (character: string) =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`

// Undoes the client's encoding and encodes as the signature wants it: a client may have sent `(` or `%28`.
const recode = (text: string) => encode(decode(text))
const recodeStrict = (text: string) => recode(text).replaceAll('/', '%2F')

const decode = (text: string) =>
  text.includes('%')
    ? text.replace(/%([0-9A-Fa-f]{2})/g, (_whole, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      )
    : text

function canonicalQuery(query: string): string {
  if (query === '') return ''
  const pairs: [string, string][] = []
  for (const part of query.split('&')) {
    if (part === '') continue
    const equals = part.indexOf('=')
    const name = equals === -1 ? part : part.slice(0, equals)
    if (name === 'X-Amz-Signature') continue
    const value = equals === -1 ? '' : part.slice(equals + 1)
    pairs.push([recodeStrict(name.replaceAll('+', ' ')), recodeStrict(value.replaceAll('+', ' '))])
  }
  pairs.sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
  return pairs.map(([name, value]) => `${name}=${value}`).join('&')
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)

const collapse = (value: string) => value.trim().replace(/ {2,}/g, ' ')

// RFC 3986 §5.2.4 and no empty segments. S3 keys may contain both, so S3 is not normalised.
function normalise(path: string): string {
  if (path === '/' || path === '') return '/'
  const kept: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop()
    else if (segment !== '' && segment !== '.') kept.push(segment)
  }
  return `/${kept.join('/')}${kept.length > 0 && path.endsWith('/') ? '/' : ''}`
}
