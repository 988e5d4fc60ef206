// With a real HAProxy and a real supervisor, in front of a server that says what it was asked.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { makeIds } from '../../kernel/ids.ts'
import { silentLog as log } from '../../kernel/log.ts'
import { systemRandom } from '../../kernel/random.ts'
import { makeRunit } from '../supervisor/runit.ts'
import { claim } from '../test-claims.ts'
import { makeApiTls, type ApiTls, type TlsWish } from './api-tls.ts'
import { writeCertificate } from '../../kernel/test-certificate.ts'
import { freePort } from '../../kernel/test-ports.ts'

type Asked = { method: string; url: string; headers: IncomingHttpHeaders; body: string }

describe('api-tls on the machine', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pbt-'))
  const id = makeIds(systemRandom).lower('', 6)
  const unclaim = claim(dir, id)
  const home = { dir, runDir: `/run/polebean/${id}`, ports: { api: 0, http: 0, environments: 0, dns: 0 } }
  const supervisor = makeRunit({ clock, home: { dir, id } }, ['api-tls'])
  const certificate = join(dir, 'api.pem')
  const api = createServer({ maxHeaderSize: 64 << 10 }, (incoming, answer) => {
    let body = ''
    // A character may come in two chunks.
    incoming.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming
      if (url === '/wrong-signature') answer.statusCode = 403
      answer.end(JSON.stringify({ method, url, headers, body } satisfies Asked))
    })
  })
  let tls: ApiTls
  let wish: TlsWish
  before(async () => {
    mkdirSync(home.runDir, { recursive: true, mode: 0o711 })
    api.listen(0, '127.0.0.1')
    await once(api, 'listening')
    home.ports.api = (api.address() as AddressInfo).port
    writeCertificate(certificate, 'api.example.com')
    wish = { name: 'api.example.com', certificate, addresses: [], port: await freePort() }
    tls = makeApiTls({ clock, log, home, supervisor })
    await tls.ensure(wish)
  })
  after(async () => {
    await supervisor.shutdown()
    api.close()
    rmSync(dir, { recursive: true })
    rmSync(home.runDir, { recursive: true })
    unclaim()
  })

  const ask = (
    path: string,
    headers: Record<string, string>,
    body = '',
    ca = readFileSync(certificate),
    localAddress = '127.0.0.1',
  ) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const { port, name: servername } = wish
      const options = { host: '127.0.0.1', port, servername, path, headers, ca, localAddress, agent: false }
      const call = request({ ...options, method: 'POST' }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      })
      call.on('error', reject)
      call.end(body)
    })

  it('hands on what is signed as it came, and believes nothing that a client says of itself', async () => {
    const path = '/bucket//a%20b/%C3%BC+?list-type=2&prefix=a%2Fb&empty'
    const host = `API.example.com:${wish.port}`
    const sent = {
      ...{ host, authorization: 'AWS4-HMAC-SHA256 x', 'x-amz-meta-a': ' two  spaces ' },
      ...{ 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'http' },
    }
    const { status, text } = await ask(path, sent, 'ü'.repeat(20_000))
    assert.equal(status, 200)
    const asked = JSON.parse(text) as Asked
    assert.deepEqual([asked.method, asked.url, asked.body], ['POST', path, 'ü'.repeat(20_000)])
    assert.deepEqual([asked.headers.host, asked.headers['x-amz-meta-a']], [host, 'two  spaces'])
    assert.equal(asked.headers['x-forwarded-proto'], 'https')
    assert.equal(asked.headers['x-forwarded-for'], '127.0.0.1')
  })
  it('takes headers as large as the API does, and no other name', async () => {
    const large = { host: wish.name, 'x-amz-meta-a': 'a'.repeat(30_000) }
    assert.equal((await ask('/', large)).status, 200)
    assert.deepEqual(await ask('/', { host: 'evil.example' }), {
      status: 421,
      text: 'The API is api.example.com.\n',
    })
  })
  it('follows the file, and stays with what is in force while that is no certificate', async () => {
    const former = readFileSync(certificate)
    const pid = (await supervisor.list())[0]?.pid
    writeFileSync(certificate, 'half of it')
    await assert.rejects(tls.ensure(wish), /has no certificate in PEM/)
    assert.equal((await ask('/', { host: wish.name }, '', former)).status, 200)
    writeCertificate(certificate, wish.name, 5)
    const { endsAt } = (await tls.ensure(wish)) ?? assert.fail()
    assert.ok(Math.abs(endsAt - clock.now() - 5 * 86_400_000) < 86_400_000)
    assert.equal((await ask('/', { host: wish.name })).status, 200)
    await assert.rejects(ask('/', { host: wish.name }, '', former), /self-signed|verify/)
    assert.equal((await supervisor.list())[0]?.pid, pid, 'it was not started anew')
  })
  it('names who has the port, and keeps the one it has', async () => {
    const { port } = api.address() as AddressInfo
    await assert.rejects(
      tls.ensure({ ...wish, port }),
      new RegExp(
        `the API cannot be at 127\\.0\\.0\\.1:${port}: it is taken by \\S+ \\(pid ${process.pid}\\)`,
      ),
    )
    assert.equal((await ask('/', { host: wish.name })).status, 200)
  })
  it('refuses an address that the machine has not', async () => {
    await assert.rejects(tls.ensure({ ...wish, addresses: ['203.0.113.77'] }), /203\.0\.113\.77/)
    assert.equal((await ask('/', { host: wish.name })).status, 200)
  })
  it('holds off an address whose signatures are wrong again and again, and no other', async () => {
    const from = (address: string, path: string, service = 'sts') => {
      const headers = {
        host: wish.name,
        authorization: `Credential=A/20260101/us-west-2/${service}/aws4_request`,
      }
      return ask(path, headers, '', readFileSync(certificate), address)
    }
    const statuses: number[] = []
    for (let each = 0; each < 120; each++) statuses.push((await from('127.0.0.2', '/wrong-signature')).status)
    assert.deepEqual([statuses[0], statuses[90], statuses.at(-1)], [403, 403, 400])
    for (const [service, code] of [
      ['sts', 'Throttling'],
      ['s3', 'SlowDown'],
      ['ec2', 'RequestLimitExceeded'],
    ] as const)
      assert.match((await from('127.0.0.2', '/', service)).text, new RegExp(`<Code>${code}</Code>`))
    assert.equal((await from('127.0.0.3', '/')).status, 200)
    const log = readFileSync(join(dir, 'log/api-tls/current'), 'utf8')
    assert.ok(!log.includes('127.0.0.2:'), log)
  })
  it('answers 503 while the API is not there', async () => {
    api.close()
    api.closeAllConnections()
    assert.equal((await ask('/', { host: wish.name })).status, 503)
  })
  it('ends when no name is wished any more', async () => {
    assert.equal(await tls.ensure(null), null)
    assert.deepEqual(await supervisor.list(), [])
    await assert.rejects(ask('/', { host: wish.name }), /ECONNREFUSED/)
  })
})
