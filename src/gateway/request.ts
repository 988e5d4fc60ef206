// A request as the gateway sees it, from a socket or from the simulator: raw, since signatures are over raw bytes.
import type { Readable } from 'node:stream'

export type GatewayRequest = {
  method: string
  /** Path and query as they came. */
  url: string
  /** Name, value, name, value, … as they came. */
  rawHeaders: readonly string[]
  body: Readable | Uint8Array
  /** Tells a client that waits for `100 Continue` to send its body. */
  continue?(): void
}

export type Head = {
  id: string
  method: string
  /** Not decoded. */
  path: string
  rawQuery: string
  /** Decoded; the first of several values of one name. */
  query: ReadonlyMap<string, string>
  /** Names in lower case; several headers of one name joined with a comma. */
  headers: ReadonlyMap<string, string>
  /** `scheme://host:port` by which the client reached us, through the TLS of api.name too. */
  endpoint: string
}

export function headOf(request: GatewayRequest, id: string): Head {
  const url = originForm(request.url)
  const mark = url.indexOf('?')
  const rawQuery = mark === -1 ? '' : url.slice(mark + 1)
  const headers = headersOf(request.rawHeaders)
  return {
    id,
    method: request.method,
    path: mark === -1 ? url : url.slice(0, mark),
    rawQuery,
    query: queryOf(rawQuery),
    headers,
    // Who sends this header by himself only misleads himself.
    endpoint: `${headers.get('x-forwarded-proto') === 'https' ? 'https' : 'http'}://${headers.get('host') ?? ''}`,
  }
}

// A proxy's client sends the absolute form.
function originForm(url: string): string {
  if (url.startsWith('/')) return url
  const rest = /^https?:\/\/[^/?]*(.*)$/i.exec(url)?.[1] ?? ''
  return rest.startsWith('/') ? rest : `/${rest}`
}

function headersOf(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]!.toLowerCase()
    const before = headers.get(name)
    headers.set(name, before === undefined ? raw[at + 1]! : `${before},${raw[at + 1]!}`)
  }
  return headers
}

const none: ReadonlyMap<string, string> = new Map()

function queryOf(raw: string): ReadonlyMap<string, string> {
  if (raw === '') return none
  const query = new Map<string, string>()
  for (const part of raw.split('&')) {
    const equals = part.indexOf('=')
    const name = decodeText(equals === -1 ? part : part.slice(0, equals), 'plus is space')
    if (name !== '' && !query.has(name))
      query.set(name, equals === -1 ? '' : decodeText(part.slice(equals + 1), 'plus is space'))
  }
  return query
}

/** Percent-decodes UTF-8; text that is not so encoded stays as it is, since the signature decides about it. */
export function decodeText(text: string, plus: 'plus is space' | 'plus is plus'): string {
  const spaced = plus === 'plus is space' && text.includes('+') ? text.replaceAll('+', ' ') : text
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    return spaced
  }
}
