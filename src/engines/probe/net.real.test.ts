import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '../../kernel/clock.ts'
import { makeCertificate } from '../../kernel/test-certificate.ts'
import type { Probe } from './engine.ts'
import { makeNetProbes } from './net.ts'

const { probe } = makeNetProbes(systemClock)
const HOST = '127.0.0.1'

describe('a probe', { timeout: 60_000 }, () => {
  const servers: Server[] = []
  const open = async (server: Server) => {
    servers.push(server.listen(0, HOST))
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  }
  let [http, tls, silent, closed] = [0, 0, 0, 0]
  before(async () => {
    const { certificate, key } = makeCertificate(['shop.example'])
    const answer: Parameters<typeof createServer>[1] = ({ url, headers }, response) => {
      const status = Number(/\d+/.exec(url ?? '')?.[0] ?? 200)
      response
        .writeHead(status, { location: '/' })
        .end(`${'x'.repeat(url === '/late' ? 5_120 : 10)} hello ${headers.host}`)
    }
    http = await open(createServer(answer))
    tls = await open(createTlsServer({ cert: certificate, key }, answer))
    silent = await open(createTcpServer(() => undefined))
    closed = await open(createTcpServer(() => undefined))
    servers.at(-1)!.close()
  })
  after(() => {
    for (const server of servers) server.close()
  })

  const of = (more: Partial<Probe>): Probe => ({
    ...{
      protocol: 'HTTP',
      host: HOST,
      port: http,
      path: '/',
      hostHeader: 'shop.example',
      sni: true,
      searchFor: null,
      isOwn: true,
    },
    ...more,
  })
  const cases: [what: string, more: () => Partial<Probe>, told: RegExp][] = [
    ['a page', () => ({}), /^Success: HTTP Status Code 200, OK$/],
    ['a redirect', () => ({ path: '/301' }), /^Success: HTTP Status Code 301/],
    ['a page that is not there', () => ({ path: '/404' }), /^Failure: HTTP Status Code 404, Not Found$/],
    ['HTTPS, whoever signed', () => ({ protocol: 'HTTPS', port: tls }), /^Success: HTTP Status Code 200/],
    ['a text in it', () => ({ searchFor: 'hello shop.example' }), /^Success/],
    ['a text that is not', () => ({ searchFor: 'goodbye' }), /Search string was not found/],
    ['a text that comes too late', () => ({ searchFor: 'hello', path: '/late' }), /not found/],
    ['an open port', () => ({ protocol: 'TCP' }), /^Success: TCP/],
    ['a closed port', () => ({ protocol: 'TCP', port: closed }), /^Failure: .*ECONNREFUSED/],
    ['HTTP of a closed port', () => ({ port: closed }), /^Failure: .*ECONNREFUSED/],
    ...['127.0.0.1', 'localhost', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '169.254.169.254', '0.0.0.0'].map(
      (host): [string, () => Partial<Probe>, RegExp] => [
        `the machine itself as ${host}`,
        () => ({ host, isOwn: false }),
        /^Failure: \S+ is an address of the machine itself$/,
      ],
    ),
    ['a name that is none', () => ({ host: 'nobody.invalid' }), /^Failure: .*(ENOTFOUND|EAI_AGAIN)/],
    ['who says nothing', () => ({ port: silent }), /^Failure: .*timeout limit/],
  ]
  for (const [what, more, told] of cases)
    it(`tells of ${what}`, async () => {
      const result = await probe(of(more()))
      assert.match(result.told, told)
      assert.equal(result.ok, result.told.startsWith('Success'))
    })
})
