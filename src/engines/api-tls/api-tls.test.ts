import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { EngineError } from '../../kernel/errors.ts'
import { bindsOf } from './api-tls.ts'
import { readCertificate } from './certificate.ts'
import { renderTls } from './config.ts'
import { writeCertificate } from '../../kernel/test-certificate.ts'

const base = mkdtempSync(join(tmpdir(), 'certificate-'))
after(() => rmSync(base, { recursive: true }))
const name = 'api.example.com'
const good = join(base, 'good.pem')
writeCertificate(good, name, 30)
const pem = readFileSync(good, 'utf8')
const other = join(base, 'other.pem')
writeCertificate(other, 'other.example.com')
const certificateOf = (text: string) => text.slice(0, text.indexOf('-----BEGIN PRIVATE'))
const keyOf = (text: string) => text.slice(text.indexOf('-----BEGIN PRIVATE'))

describe('readCertificate', () => {
  it('reads certificate, key and end, in whatever order they are', () => {
    const now = performance.timeOrigin + performance.now()
    const { endsAt } = readCertificate(good, name)
    assert.ok(Math.abs(endsAt - now - 30 * 86_400_000) < 86_400_000)
    const turned = join(base, 'turned.pem')
    writeFileSync(turned, keyOf(pem) + certificateOf(pem))
    assert.equal(readCertificate(turned, name).endsAt, endsAt)
  })
  const cases: [what: string, content: string | null, expected: RegExp][] = [
    ['is not there', null, /^the certificate \S+ cannot be read: ENOENT/],
    ['is empty', '', /has no certificate in PEM$/],
    ['has no key', certificateOf(pem), /has no private key; put it behind the certificates/],
    [
      'has a key of another certificate',
      certificateOf(pem) + keyOf(readFileSync(other, 'utf8')),
      /the private key in \S+ is not that of its first certificate/,
    ],
    [
      'is for another name',
      readFileSync(other, 'utf8'),
      /is not for api\.example\.com, but for DNS:other\.example\.com/,
    ],
    ['has a broken certificate', pem.replace('\nM', '\nX'), /^the certificate in \S+ cannot be read/],
    [
      'has a broken key',
      certificateOf(pem) + keyOf(pem).replace('\nM', '\nX'),
      /^the private key in \S+ cannot be read/,
    ],
    ['is far too large', 'x'.repeat((1 << 20) + 1), /has more than 1048576 bytes/],
  ]
  for (const [what, content, expected] of cases)
    it(`refuses a file that ${what}`, () => {
      const path = join(base, 'bad.pem')
      rmSync(path, { force: true })
      if (content !== null) writeFileSync(path, content)
      assert.throws(
        () => readCertificate(path, name),
        (error) => error instanceof EngineError && expected.test(error.message),
      )
    })
})

describe('renderTls', () => {
  const model = { name, binds: ['203.0.113.5:443', '[2001:db8::5]:443'], apiPort: 4777, pem: 'PEM' }
  const render = (changed: Partial<typeof model> = {}, dir = '/run/x') =>
    renderTls({ ...model, ...changed }, { dir, user: { name: 'haproxy', group: 'haproxy' } })

  it('ends TLS in front of the API, for its name only, and leaves Host alone', () => {
    const { files } = render()
    const [file = ''] = files.keys()
    assert.equal(files.get(file), 'PEM')
    const text = files.get('haproxy.cfg') ?? ''
    const from = text.indexOf('frontend')
    assert.equal(
      text.slice(from),
      `frontend public-api
  bind 203.0.113.5:443 ssl crt /run/x/${file} alpn http/1.1 ssl-min-ver TLSv1.2
  bind [2001:db8::5]:443 v6only ssl crt /run/x/${file} alpn http/1.1 ssl-min-ver TLSv1.2
  http-request return status 421 content-type text/plain string "The API is api.example.com.\\n" unless { req.hdr(host),host_only,lower -m str api.example.com }
  stick-table type ipv6 size 10k expire 60s store gpc0,gpc0_rate(10s)
  http-request track-sc0 src,ipmask(32,64)
  http-response sc-inc-gpc0(0) if { status 401 403 }
  acl flooding sc_gpc0_rate(0) gt 100
  http-request set-log-level silent if flooding
  http-request return status 503 content-type text/xml string "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>" if flooding { req.hdr(authorization) -m sub /s3/aws4_request }
  http-request return status 503 content-type text/xml string "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors></Response>" if flooding { req.hdr(authorization) -m sub /ec2/aws4_request }
  http-request return status 400 content-type text/xml string "<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>" if flooding
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-For %[src]
  default_backend api

backend api
  server api 127.0.0.1:4777
`,
    )
  })
  it('has another frame for whatever changes, and the same in another folder', () => {
    const { frame } = render()
    for (const changed of [{ name: 'b' }, { binds: [] }, { apiPort: 1 }, { pem: 'other' }])
      assert.notEqual(render(changed).frame, frame)
    assert.equal(render({}, '/elsewhere').frame, frame)
  })
  it('binds loopback unless addresses are given, never both', () => {
    assert.equal(bindsOf([], 443)[0], '127.0.0.1:443')
    assert.deepEqual(bindsOf(['203.0.113.5', '2001:db8::5'], 8443), [
      '203.0.113.5:8443',
      '[2001:db8::5]:8443',
    ])
  })
})
