import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { renderDoor } from './config.ts'
import { errorPage } from './error-page.ts'

const settings = {
  dir: '/run/polebean/abc123/metadata',
  user: { name: 'haproxy', group: 'haproxy' },
}

describe('the configuration at the metadata address', () => {
  it('is this', () => {
    const { frame, files } = renderDoor(settings)
    assert.equal(files.get('haproxy.cfg'), EXPECTED.replace('FRAME', frame))
  })

  it('has its socket in HAProxy’s own root, and by its whole path where HAProxy is not confined', () => {
    const { files } = renderDoor({ ...settings, user: null })
    const text = files.get('haproxy.cfg')!
    assert.match(
      text,
      /^ {2}server server unix@\/run\/polebean\/abc123\/metadata\/empty\/server\.sock maxconn 8$/m,
    )
    assert.doesNotMatch(text, /chroot/)
  })

  it('is named by all of it but the folder', () => {
    const { frame } = renderDoor(settings)
    assert.equal(renderDoor({ ...settings, dir: '/elsewhere' }).frame, frame)
    assert.notEqual(renderDoor({ ...settings, user: null }).frame, frame)
  })

  it('answers errors as the service itself does', () => {
    const page = errorPage(503)
    assert.equal(
      renderDoor(settings).files.get('503.http'),
      `HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/html\r\nContent-Length: ${page.length}\r\nConnection: close\r\n\r\n${page}`,
    )
    assert.match(page, /<h1>503 - Service Unavailable<\/h1>/)
  })
})

const EXPECTED = `# Written by Polebean; changes here are lost.
global
  node polebean-FRAME
  nbthread 1
  maxconn 2000
  noreuseport
  hard-stop-after 300s
  mworker-max-reloads 200
  user haproxy
  group haproxy
  chroot /run/polebean/abc123/metadata/empty
  stats socket /run/polebean/abc123/metadata/admin.sock mode 600 level admin expose-fd listeners
  log stdout len 8192 format raw local0

defaults
  mode http
  option idle-close-on-response
  timeout connect 5s
  retries 0
  timeout client 5s
  timeout http-keep-alive 2s
  timeout http-request 5s
  timeout server 5s
  timeout queue 2s
  errorfile 400 /run/polebean/abc123/metadata/400.http
  errorfile 408 /run/polebean/abc123/metadata/408.http
  errorfile 413 /run/polebean/abc123/metadata/413.http
  errorfile 500 /run/polebean/abc123/metadata/500.http
  errorfile 502 /run/polebean/abc123/metadata/502.http
  errorfile 503 /run/polebean/abc123/metadata/503.http
  errorfile 504 /run/polebean/abc123/metadata/504.http

frontend instances
  bind 169.254.169.254:80
  stick-table type ip size 4k expire 60s store conn_cur,http_req_rate(10s)
  tcp-request connection track-sc0 src
  tcp-request connection reject if { sc0_conn_cur gt 64 }
  http-request deny deny_status 503 if { sc0_http_req_rate gt 500 }
  http-request deny deny_status 413 if { req.hdr(transfer-encoding) -m found }
  http-request deny deny_status 413 if { req.hdr_val(content-length) gt 0 }
  http-request set-header x-polebean-source %[src]
  default_backend server

backend server
  option http-server-close
  server server unix@/server.sock maxconn 8
`
