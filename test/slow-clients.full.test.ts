// Clients that take their time, a few hundred at once: those that never end their headers are answered 408 when a minute is over, those
// that send a body byte by byte are served, and nobody else waits for either.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { systemClock as clock } from '../src/kernel/clock.ts'
import { type BalancerEngine, listenerTo } from '../src/engines/balancer/engine.ts'
import { get, makeTestNetwork, type TestNetwork } from '../src/engines/balancer/test-network.ts'

const HOST = 'shop-1.localhost'
const SLOW = 300
const BODY = 30
/** HAProxy's `timeout http-request` here, the idle time-out of load balancers. */
const HEADERS_MS = 60_000

describe('clients that take their time', { concurrency: 1, timeout: 3 * HEADERS_MS }, () => {
  let net: TestNetwork
  let engine: BalancerEngine
  const address = '10.213.2.1'
  before(async () => {
    net = await makeTestNetwork()
    engine = net.engine()
    await net.order({ address, port: 80, name: 'i-1', status: 200 })
    await engine.apply({
      loadBalancers: [
        {
          ...{ id: 'app/balancer/1', address: '10.213.1.1', elasticAddress: null, internetFacing: true },
          ...{ hosts: [HOST], loopbackPort: null, idleTimeoutSeconds: 60, cutsOnRevoke: false },
          listeners: [listenerTo(80, 'group-1', ['0.0.0.0/0'])],
        },
      ],
      targetGroups: [
        { id: 'group-1', healthCheck: null, targets: [{ id: 'i-1', address, port: 80, draining: false }] },
      ],
    })
  })
  after(() => net.close())
  const port = () => net.home.ports.http

  /** What it was told until it was hung up on, and after how many milliseconds. */
  function slowly(first: string, parts: string[], everyMs: number): Promise<{ said: string; ms: number }> {
    const startedAt = clock.monotonic()
    const socket: Socket = connect(port(), '127.0.0.1')
    let said = ''
    const left = [...parts]
    socket.write(first)
    const timer = setInterval(() => {
      const part = left.shift()
      if (part !== undefined && socket.writable) socket.write(part)
    }, everyMs)
    return new Promise((resolve) => {
      socket.on('error', () => undefined)
      socket.on('data', (chunk: Buffer) => (said += chunk.toString('latin1')))
      socket.on('close', () => {
        clearInterval(timer)
        resolve({ said, ms: clock.monotonic() - startedAt })
      })
    })
  }

  it('wait, and nobody else does', async () => {
    const endless = Array.from({ length: SLOW }, (_unused, n) =>
      slowly(
        `GET /endless HTTP/1.1\r\nHost: ${HOST}\r\n`,
        Array.from({ length: 200 }, (_each, line) => `X-${n}-${line}: a\r\n`),
        1_000,
      ),
    )
    const bodies = Array.from({ length: SLOW }, () =>
      slowly(
        `POST /body HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\nContent-Length: ${BODY}\r\n\r\n`,
        Array.from({ length: BODY }, () => 'x'),
        1_000,
      ),
    )
    let over = false
    const others: { status: number; ms: number }[] = []
    const visitor = (async () => {
      while (!over) {
        const startedAt = clock.monotonic()
        const { status } = await get(port(), HOST)
        others.push({ status, ms: clock.monotonic() - startedAt })
        await clock.sleep(50)
      }
    })()
    const served = await Promise.all(bodies)
    assert.ok(
      served.every(({ said }) => /^HTTP\/1\.1 200 /.test(said) && said.includes(`"bodyBytes":${BODY}`)),
    )
    const refused = await Promise.all(endless)
    over = true
    await visitor
    assert.ok(
      refused.every(({ said }) => /^HTTP\/1\.[01] 408 /.test(said)),
      refused[0]!.said,
    )
    const [first, last] = [Math.min, Math.max].map((most) => most(...refused.map(({ ms }) => ms)))
    assert.ok(first! >= HEADERS_MS - 1_000 && last! < HEADERS_MS + 20_000, `${first} to ${last} ms`)
    assert.ok(others.length > 200 && others.every(({ status }) => status === 200))
    const longest = Math.max(...others.map(({ ms }) => ms))
    assert.ok(longest < 5_000, `${longest} ms`)
    // The target had whole requests alone.
    const read = await engine.requests(null)
    const paths = new Set(
      read.entries.filter(({ target }) => target).map(({ request }) => request.split(' ')[1]),
    )
    assert.ok(paths.has('/body') && !paths.has('/endless'), [...paths].join())
  })
})
