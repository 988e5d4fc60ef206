// A request as AWS writes it into an access log (ELB user guide, "Access logs for your Application Load Balancer"). Pure.
import type { RequestEntry } from '../../engines/balancer/engine.ts'

export type LogNames = {
  /** `app/my-loadbalancer/50dc6c495c0c9188` */
  loadBalancer: string
  /** Stands for a Host that the client did not name. */
  dnsName: string
  targetGroupArn: string | null
  /** Of the certificate that was shown. */
  certificateArn: string | null
}

/** What cannot be told here is `-`: the classification of desync mitigation, and the connection's id. */
export function accessLogLine(entry: RequestEntry, names: LogNames): string {
  const { at, totalMs, requestMs, targetMs, isOfTarget, status, target, action, tls, rule } = entry
  const targetText = target ? `${target.address}:${target.port}` : '-'
  const targetStatus = isOfTarget ? String(status) : '-'
  return [
    typeOf(entry),
    new Date(at).toISOString().replace('Z', '000Z'),
    names.loadBalancer,
    `${entry.client}:${entry.clientPort}`,
    targetText,
    seconds(requestMs),
    seconds(targetMs),
    // HAProxy passes on what comes while it comes.
    isOfTarget ? seconds(0) : '-1',
    status === 0 ? '-' : String(status),
    targetStatus,
    entry.bytesIn,
    entry.bytesOut,
    quotedRequest(requestText(entry, names)),
    quoted(entry.userAgent || '-'),
    tls?.cipher ?? '-',
    tls?.protocol ?? '-',
    action === 'forward' ? (names.targetGroupArn ?? '-') : '-',
    quoted(entry.traceId || '-'),
    quoted(tls?.serverName || '-'),
    quoted(names.certificateArn ?? '-'),
    rule,
    new Date(at - totalMs).toISOString().replace('Z', '000Z'),
    quoted(action ?? '-'),
    quoted(entry.location || '-'),
    quoted('-'),
    quoted(targetText),
    quoted(targetStatus),
    quoted('-'),
    quoted('-'),
    '-',
  ].join(' ')
}

function typeOf({ request, tls, status }: RequestEntry): string {
  if (status === 101) return tls ? 'wss' : 'ws'
  if (request.endsWith(' HTTP/2.0')) return 'h2'
  return tls ? 'https' : 'http'
}

// `GET http://www.example.com:80/ HTTP/1.1`.
function requestText({ request, host, tls, listenerPort }: RequestEntry, { dnsName }: LogNames): string {
  const scheme = tls ? 'https' : 'http'
  const authority = withPort(host || dnsName, listenerPort)
  const [method = '-', uri = '', version = '-'] = request.split(' ')
  const isWhole = /^[a-z][a-z0-9+.-]*:\/\//i.test(uri)
  return `${method} ${isWhole ? uri : `${scheme}://${authority}${uri}`} ${version}`
}

const withPort = (host: string, port: number) => (/:\d+$/.test(host) ? host : `${host}:${port}`)

const seconds = (ms: number) => (ms < 0 ? '-1' : (ms / 1000).toFixed(3))

/** HAProxy wrote `#22` for a quote in a request's first line, and so on; other texts are as the client sent them. */
const quotedRequest = (text: string) =>
  quoted(
    text.replace(/#([0-9A-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
  )

/** Whatever would end a field or a line is written as nginx does. */
const quoted = (text: string) =>
  `"${text.replace(/[^\x20-\x7e]|["\\]/gu, (character) =>
    [...bytesOf(character)].map((byte) => `\\x${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )}"`

/** A character below 256 stands for a byte of what was sent. */
const bytesOf = (character: string) =>
  character.codePointAt(0)! < 256 ? Buffer.from(character, 'latin1') : Buffer.from(character, 'utf8')
