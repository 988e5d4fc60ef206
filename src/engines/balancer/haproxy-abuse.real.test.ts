// Requests that are not what they seem (the published desync cases, RFC 9112 §11.2), half ones and long ones: targets see
// well-formed requests alone, as many as were sent, and the balancer answers the others by itself.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { makeCertificate } from '../../kernel/test-certificate.ts'
import { type BalancerEngine, listenerTo } from './engine.ts'
import { get, makeTestNetwork, type TestNetwork } from './test-network.ts'

const HOST = 'shop-1.localhost'
const EVERYBODY = ['0.0.0.0/0']

describe('haproxy, abused', () => {
  let net: TestNetwork
  let engine: BalancerEngine
  before(async () => {
    net = await makeTestNetwork()
    engine = net.engine()
    await net.order({ address: '10.213.2.1', port: 80, name: 'i-1', status: 200 })
    const { certificate, key } = makeCertificate([HOST])
    await engine.apply({
      loadBalancers: [
        {
          ...{ id: 'app/balancer/1', address: '10.213.1.1', elasticAddress: null, internetFacing: true },
          ...{ hosts: [HOST], loopbackPort: null, idleTimeoutSeconds: 2, cutsOnRevoke: false },
          listeners: [
            listenerTo(80, 'group-1', EVERYBODY),
            {
              ...listenerTo(443, 'group-1', EVERYBODY),
              tls: { certificateIds: ['a'], minVersion: '1.2', maxVersion: '1.3', http2: true },
            },
          ],
        },
      ],
      targetGroups: [
        {
          id: 'group-1',
          healthCheck: {
            ...{ protocol: 'HTTP', port: null, path: '/', intervalSeconds: 60, timeoutSeconds: 1 },
            ...{ healthyThreshold: 2, unhealthyThreshold: 2, matcher: '200' },
          },
          targets: [{ id: 'i-1', address: '10.213.2.1', port: 80, draining: false }],
        },
      ],
      certificates: [{ id: 'a', pem: `${key}${certificate}` }],
    })
    for (const end = clock.monotonic() + 8_000; clock.monotonic() < end; await clock.sleep(20))
      if ((await engine.observe()).targets[0]?.health === 'healthy') return
    assert.fail('the target is not healthy')
  })
  after(() => net.close())

  /** Sends bytes as they are; answers the status of each response until the connection ends or is silent. */
  const exchange = (bytes: string, silentMs = 700) =>
    new Promise<number[]>((resolve) => {
      let said = ''
      const socket = connect(net.home.ports.http, '127.0.0.1', () => socket.write(bytes, 'latin1'))
      socket.setTimeout(silentMs, () => socket.destroy())
      socket.setEncoding('latin1').on('data', (chunk: string) => (said += chunk))
      socket.on('error', () => undefined)
      socket.on('close', () =>
        resolve([...said.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))),
      )
    })
  const arrived = () => net.requestsAt('10.213.2.1', 80)
  const head = (first: string, ...headers: string[]) =>
    [first, `Host: ${HOST}`, ...headers, '', ''].join('\r\n')
  const smuggled = head('GET /smuggled HTTP/1.1')

  const cases: [what: string, bytes: string, statuses: number[], requests: number][] = [
    [
      'both lengths: the chunks count',
      `${head('POST /a HTTP/1.1', 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
      [200],
      1,
    ],
    [
      'a length that would hide a request behind the last chunk: the connection ends with the first',
      `${head('POST /a HTTP/1.1', `Content-Length: ${5 + smuggled.length}`, 'Transfer-Encoding: chunked')}0\r\n\r\n${smuggled}`,
      [200],
      1,
    ],
    [
      'two lengths',
      `${head('POST /a HTTP/1.1', 'Content-Length: 0', `Content-Length: ${smuggled.length}`)}${smuggled}`,
      [400],
      0,
    ],
    ['a length with a sign', `${head('POST /a HTTP/1.1', 'Content-Length: +0')}`, [400], 0],
    ['a length in words', `${head('POST /a HTTP/1.1', 'Content-Length: 0x0')}`, [400], 0],
    [
      'an encoding that nobody knows',
      `${head('POST /a HTTP/1.1', 'Transfer-Encoding: xchunked')}0\r\n\r\n`,
      [400],
      0,
    ],
    ['a blank before the colon', `${head('POST /a HTTP/1.1', 'Content-Length : 0')}`, [400], 0],
    ['a blank in a name', `${head('GET /a HTTP/1.1', 'X A: b')}`, [400], 0],
    ['a NUL in a value', `${head('GET /a HTTP/1.1', 'X-A: b\0c')}`, [400], 0],
    [
      'a chunk whose length is none',
      `${head('POST /a HTTP/1.1', 'Transfer-Encoding: chunked')}zz\r\n\r\n`,
      [400],
      0,
    ],
    ['two hosts', `GET /a HTTP/1.1\r\nHost: ${HOST}\r\nHost: other.localhost\r\n\r\n`, [400], 0],
    // It is passed on as HTTP/1.1.
    ['a version that is none', `GET /a HTTP/9.9\r\nHost: ${HOST}\r\n\r\n`, [200], 1],
    [
      'headers of 64 KB',
      `${head('GET /a HTTP/1.1', ...Array.from({ length: 64 }, (_unused, n) => `X-${n}: ${'a'.repeat(1000)}`))}`,
      [400],
      0,
    ],
  ]
  for (const [what, bytes, statuses, requests] of cases)
    it(`knows ${what}`, async () => {
      const before = await arrived()
      assert.deepEqual(await exchange(bytes), statuses)
      assert.equal((await arrived()) - before, requests)
    })

  it('joins a header that is folded, and takes 12 KB of headers', async () => {
    const before = await arrived()
    const long = Array.from({ length: 12 }, (_unused, n) => `X-${n}: ${'a'.repeat(1000)}`)
    assert.deepEqual(await exchange(head('GET /a HTTP/1.1', ...long)), [200])
    const folded = await exchange(`GET /a HTTP/1.1\r\nHost: ${HOST}\r\nX-A: b\r\n c\r\n\r\n`)
    assert.ok(folded[0] === 200 || folded[0] === 400, String(folded))
    assert.ok((await arrived()) - before <= 2)
  })

  it('goes on after a client that left in the middle of its request', async () => {
    await Promise.all(
      [
        `GET /a HTTP/1.1\r\nHost: ${HOST}\r\nX-A: `,
        `${head('POST /a HTTP/1.1', 'Content-Length: 1000')}abc`,
      ].map((half) => exchange(half, 100)),
    )
    assert.equal((await get(net.home.ports.http, HOST)).status, 200)
  })

  it('tells a target of HTTPS, of HTTP/1.1 and HTTP/2 alike', async () => {
    const { body, certificate } = await get(
      ...([net.home.ports.http + 363, HOST, { 'x-forwarded-proto': 'http' }, '/', false] as const),
      ...(['127.0.0.1', '127.0.0.1', 'GET', true] as const),
    )
    assert.equal(certificate, HOST)
    const { headers } = JSON.parse(body) as { headers: Record<string, string> }
    assert.equal(headers['x-forwarded-proto'], 'https')
    assert.equal(headers['x-forwarded-port'], String(net.home.ports.http + 363))
  })
})
