// HAProxy's configuration for the metadata address: pure text, compared in tests.
import { STATUS_CODES } from 'node:http'
import { commonDefaultsLines, commonGlobalLines, frameOf } from '../balancer/common-config.ts'
import { ERROR_CODES } from '../balancer/error-pages.ts'
import { METADATA } from '../network/names.ts'
import { errorPage } from './error-page.ts'

export type DoorSettings = {
  dir: string
  user: { name: string; group: string } | null
}

/** By this header the control plane is told who asks. */
export const SOURCE_HEADER = 'x-polebean-source'
/** In the folder of the configuration; HAProxy's own root when it is confined. */
export const SOCKET = 'empty/server.sock'

/** Of all instances. */
const CONNECTIONS_MAX = 2_000
/** Of one instance at once: room for the processes of an application that all start together. */
const CONNECTIONS_OF_ONE = 64
/** Of one instance within ten seconds. */
const REQUESTS_OF_ONE = 500

/** `frame` names the whole: equal frames are equal configurations. */
export function renderDoor({ dir, user }: DoorSettings): { frame: string; files: Map<string, string> } {
  const text = (frame: string) =>
    [
      '# Written by Polebean; changes here are lost.',
      ...commonGlobalLines({ frame, threads: 1, connectionsMax: CONNECTIONS_MAX, dir, user }),
      '',
      // Instances decide how many lines there would be: nothing of their requests is logged.
      ...commonDefaultsLines.filter((line) => !/^ +retries /.test(line)),
      // A server that is dead answers nobody: not even after a second try.
      '  retries 0',
      '  timeout client 5s',
      '  timeout http-keep-alive 2s',
      '  timeout http-request 5s',
      '  timeout server 5s',
      '  timeout queue 2s',
      ...ERROR_CODES.map((code) => `  errorfile ${code} ${dir}/${code}.http`),
      '',
      'frontend instances',
      `  bind ${METADATA}:80`,
      `  stick-table type ip size 4k expire 60s store conn_cur,http_req_rate(10s)`,
      '  tcp-request connection track-sc0 src',
      `  tcp-request connection reject if { sc0_conn_cur gt ${CONNECTIONS_OF_ONE} }`,
      `  http-request deny deny_status 503 if { sc0_http_req_rate gt ${REQUESTS_OF_ONE} }`,
      // No question has a body.
      '  http-request deny deny_status 413 if { req.hdr(transfer-encoding) -m found }',
      '  http-request deny deny_status 413 if { req.hdr_val(content-length) gt 0 }',
      // What a client says of itself counts nothing.
      `  http-request set-header ${SOURCE_HEADER} %[src]`,
      '  default_backend server',
      '',
      'backend server',
      // A connection for each question: one that is kept could end under the next.
      '  option http-server-close',
      // A few at once; the others wait here and not in the control plane.
      `  server server unix@${user ? `/${SOCKET.replace('empty/', '')}` : `${dir}/${SOCKET}`} maxconn 8`,
      '',
    ].join('\n')
  const frame = frameOf(text(''), dir)
  return {
    frame,
    files: new Map([
      ...ERROR_CODES.map((code) => [`${code}.http`, errorFile(code)] as const),
      ['haproxy.cfg', text(frame)],
    ]),
  }
}

const errorFile = (code: number) => {
  const page = errorPage(code)
  const head = [
    `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? 'Error'}`,
    'Content-Type: text/html',
    `Content-Length: ${Buffer.byteLength(page)}`,
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${page}`
}
