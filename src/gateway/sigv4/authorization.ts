// What a request claims: whose key, for which scope, when, over which headers. Nothing is believed yet.
import { DeclaredError } from '../../kernel/errors.ts'
import { ALGORITHM, type Scope } from './canonical.ts'
import { readClaimV2 } from './presigned-v2.ts'

export type Claim = {
  accessKeyId: string
  scope: Scope
  signedHeaders: string[]
  signature: string
  /** `20261123T101500Z`, and what it means. */
  amzDate: string
  signedAtMs: number
  securityToken: string | undefined
  presigned: { expiresSeconds: number } | undefined
  /** Only of a URL signed the old way (presigned-v2.ts): when it ends. */
  endsAtMs?: number
}

/** The claim of a header or presigned signature; undefined when the request carries none. Throws IncompleteSignature. */
export function readClaim(
  headers: ReadonlyMap<string, string>,
  query: ReadonlyMap<string, string>,
): Claim | undefined {
  const authorization = headers.get('authorization')
  if (authorization !== undefined) return claimOfHeader(authorization, headers)
  if (query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature') || query.has('X-Amz-Credential'))
    return claimOfQuery(query)
  return readClaimV2(query)
}

function claimOfHeader(authorization: string, headers: ReadonlyMap<string, string>): Claim {
  if (!authorization.startsWith(`${ALGORITHM} `))
    throw incomplete(`Unsupported algorithm in the Authorization header; only ${ALGORITHM} is accepted`)
  const parts = new Map<string, string>()
  for (const part of authorization.slice(ALGORITHM.length + 1).split(',')) {
    const equals = part.indexOf('=')
    if (equals !== -1) parts.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim())
  }
  const needed = (name: string) => {
    const value = parts.get(name)
    if (!value) throw incomplete(`Authorization header requires '${name}' parameter.`)
    return value
  }
  const date = headers.get('x-amz-date') ?? amzDateOfHttp(headers.get('date'))
  if (date === undefined)
    throw incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
  return {
    ...credentialOf(needed('Credential')),
    signedHeaders: headerNames(needed('SignedHeaders')),
    signature: needed('Signature'),
    ...timeOf(date),
    securityToken: headers.get('x-amz-security-token'),
    presigned: undefined,
  }
}

function claimOfQuery(query: ReadonlyMap<string, string>): Claim {
  const needed = (name: string) => {
    const value = query.get(name)
    if (!value) throw incomplete(`AWS query-string parameters must include '${name}'.`)
    return value
  }
  if (needed('X-Amz-Algorithm') !== ALGORITHM)
    throw incomplete(`X-Amz-Algorithm only supports "${ALGORITHM}"`)
  const expires = query.get('X-Amz-Expires') ?? '300'
  if (!/^\d{1,9}$/.test(expires)) throw incomplete('X-Amz-Expires should be a number of seconds')
  return {
    ...credentialOf(needed('X-Amz-Credential')),
    signedHeaders: headerNames(needed('X-Amz-SignedHeaders')),
    signature: needed('X-Amz-Signature'),
    ...timeOf(needed('X-Amz-Date')),
    securityToken: query.get('X-Amz-Security-Token'),
    presigned: { expiresSeconds: Number(expires) },
  }
}

// An access key id may contain slashes in no form we issue, but the scope is always the last four parts.
function credentialOf(text: string): { accessKeyId: string; scope: Scope } {
  const parts = text.split('/')
  const [date, region, service, end] = parts.slice(-4)
  const accessKeyId = parts.slice(0, -4).join('/')
  if (!accessKeyId || !date || !region || !service || end !== 'aws4_request' || !/^\d{8}$/.test(date))
    throw incomplete(
      `Credential must have the form <key id>/<date>/<region>/<service>/aws4_request, got: '${clip(text)}'`,
    )
  return { accessKeyId, scope: { date, region, service } }
}

const headerNames = (text: string) => text.toLowerCase().split(';')

const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

function timeOf(amzDate: string): { amzDate: string; signedAtMs: number } {
  const parts = AMZ_DATE.exec(amzDate)
  const [year, month, day, hour, minute, second] = (parts ?? []).slice(1).map(Number)
  if (!parts) throw incomplete(`Date must be in ISO-8601 'basic format'. Got '${clip(amzDate)}'.`)
  return { amzDate, signedAtMs: Date.UTC(year!, month! - 1, day, hour, minute, second) }
}

function amzDateOfHttp(date: string | undefined): string | undefined {
  if (date === undefined || AMZ_DATE.test(date)) return date
  const time = Date.parse(date)
  return Number.isNaN(time) ? undefined : new Date(time).toISOString().replace(/[-:]|\.\d{3}/g, '')
}

const clip = (text: string) => text.slice(0, 100)
const incomplete = (message: string) => new DeclaredError('IncompleteSignature', message)
