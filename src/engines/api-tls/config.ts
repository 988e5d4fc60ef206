// HAProxy's configuration for the API's TLS name: pure text, compared in tests.
import { digest } from '../balancer/names.ts'
import {
  commonDefaultsLines,
  commonGlobalLines,
  failureLogLines,
  frameOf,
} from '../balancer/common-config.ts'

export type TlsModel = {
  name: string
  /** As HAProxy writes them: `203.0.113.5:443`, `[::1]:443`. */
  binds: string[]
  /** Of the API on loopback. */
  apiPort: number
  pem: string
}

export type TlsSettings = {
  dir: string
  user: { name: string; group: string } | null
}

/**
 * An address whose requests are refused again and again (401 and 403: wrong signatures) is held off before it costs the API
 * anything, with the answer of AWS to who asks too often: clients wait and try again. Not logged, as other answers above 499
 * would be. IPv6 addresses count by their /64, which is what one customer gets.
 */
const floodLines = [
  '  stick-table type ipv6 size 10k expire 60s store gpc0,gpc0_rate(10s)',
  '  http-request track-sc0 src,ipmask(32,64)',
  '  http-response sc-inc-gpc0(0) if { status 401 403 }',
  '  acl flooding sc_gpc0_rate(0) gt 100',
  '  http-request set-log-level silent if flooding',
  ...[
    [503, '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>', '/s3/'],
    [
      503,
      '<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors></Response>',
      '/ec2/',
    ],
    [
      400,
      '<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>',
      '',
    ],
  ].map(
    ([status, answer, service]) =>
      `  http-request return status ${status} content-type text/xml string "${answer}" if flooding` +
      (service === '' ? '' : ` { req.hdr(authorization) -m sub ${service}aws4_request }`),
  ),
]

/** `frame` names the whole: equal frames are equal configurations, with the same certificate. */
export function renderTls(
  { name, binds, apiPort, pem }: TlsModel,
  { dir, user }: TlsSettings,
): { frame: string; files: Map<string, string> } {
  const certificate = `${digest(pem, 16)}.pem`
  const text = (frame: string) =>
    [
      '# Written by Polebean from api.name, api.certificate, api.addresses and api.tlsPort; changes here are lost.',
      ...commonGlobalLines({ frame, threads: 1, connectionsMax: 2_000, dir, user }),
      // The API takes 32 KiB of headers.
      '  tune.bufsize 40960',
      '',
      ...commonDefaultsLines,
      ...failureLogLines,
      '  timeout client 60s',
      '  timeout http-keep-alive 60s',
      '  timeout http-request 10s',
      '  timeout server 300s',
      '',
      'frontend public-api',
      ...binds.map(
        (bind) =>
          `  bind ${bind}${bind.startsWith('[') ? ' v6only' : ''} ssl crt ${dir}/${certificate} alpn http/1.1 ssl-min-ver TLSv1.2`,
      ),
      // Another name that leads here has no business with the API: a page in a browser could have made it up.
      `  http-request return status 421 content-type text/plain string "The API is ${name}.\\n"` +
        ` unless { req.hdr(host),host_only,lower -m str ${name} }`,
      ...floodLines,
      // What a client says of itself counts nothing. Host stays as it is: it is signed.
      '  http-request set-header X-Forwarded-Proto https',
      '  http-request set-header X-Forwarded-For %[src]',
      '  default_backend api',
      '',
      'backend api',
      `  server api 127.0.0.1:${apiPort}`,
      '',
    ].join('\n')
  const frame = frameOf(text(''), dir)
  return {
    frame,
    files: new Map([
      [certificate, pem],
      ['haproxy.cfg', text(frame)],
    ]),
  }
}
