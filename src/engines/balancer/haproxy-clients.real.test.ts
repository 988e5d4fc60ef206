// Clients that are not a request and its answer: WebSockets, by HTTPS too, long uploads, those that have said all they will say; and
// targets that fail in each way there is, beside others.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { connect as connectSecurely } from 'node:tls'
import { systemClock as clock } from '../../kernel/clock.ts'
import { makeCertificate } from '../../kernel/test-certificate.ts'
import { type BalancerEngine, listenerTo, type RequestEntry } from './engine.ts'
import { get, makeTestNetwork, type TestNetwork } from './test-network.ts'

const HOST = 'shop-1.localhost'
const EVERYBODY = ['0.0.0.0/0']
const GIB = 2 ** 30

describe('haproxy and its clients', () => {
  let net: TestNetwork
  let engine: BalancerEngine
  const addressOf = (n: number) => `10.213.2.${n}`
  const { certificate, key } = makeCertificate([HOST])
  const apply = (targets: number[]) =>
    engine.apply({
      loadBalancers: [
        {
          ...{ id: 'app/balancer/1', address: '10.213.1.1', elasticAddress: null, internetFacing: true },
          ...{ hosts: [HOST], loopbackPort: null, idleTimeoutSeconds: 10, cutsOnRevoke: false },
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
            ...{ protocol: 'HTTP', port: null, path: '/', intervalSeconds: 0.5, timeoutSeconds: 0.4 },
            ...{ healthyThreshold: 2, unhealthyThreshold: 2, matcher: '200' },
          },
          targets: targets.map((n) => ({ id: `i-${n}`, address: addressOf(n), port: 80, draining: false })),
        },
      ],
      certificates: [{ id: 'a', pem: `${key}${certificate}` }],
    })
  const health = async () =>
    Object.fromEntries((await engine.observe()).targets.map((one) => [one.targetId, one.health]))
  const untilHealth = async (wanted: Record<string, string>) => {
    for (let tries = 0; tries < 400; tries++) {
      const seen = await health()
      if (Object.entries(wanted).every(([id, state]) => seen[id] === state)) return
      await clock.sleep(25)
    }
    assert.deepEqual(await health(), wanted)
  }
  const works = (n: number) => net.order({ address: addressOf(n), port: 80, name: `i-${n}`, status: 200 })
  before(async () => {
    net = await makeTestNetwork()
    engine = net.engine()
    await works(1)
    await apply([1])
    await untilHealth({ 'i-1': 'healthy' })
  })
  after(() => net.close())
  const port = () => net.home.ports.http

  for (const scheme of ['http', 'https'])
    it(`carries WebSockets by ${scheme}, both ways, for as long as somebody speaks`, async () => {
      const socket: Socket =
        scheme === 'http'
          ? connect(port(), '127.0.0.1')
          : connectSecurely({ port: port() + 363, host: '127.0.0.1', servername: HOST, ca: certificate })
      let said = Buffer.alloc(0)
      socket.on('data', (chunk: Buffer) => (said = Buffer.concat([said, chunk])))
      const until = async (done: () => boolean) => {
        for (let tries = 0; tries < 400 && !done(); tries++) await clock.sleep(10)
        assert.ok(done(), said.toString('latin1').slice(0, 300))
      }
      const secret = randomBytes(16).toString('base64')
      socket.write(
        `GET /chat HTTP/1.1\r\nHost: ${HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${secret}\r\n\r\n`,
      )
      await until(() => said.includes('\r\n\r\n'))
      assert.match(said.toString('latin1'), /^HTTP\/1\.1 101 /)
      said = Buffer.alloc(0)
      const message = randomBytes(200_000)
      socket.write(message)
      await until(() => said.length >= message.length)
      assert.ok(said.equals(message))
      socket.destroy()
    })

  it('has a line for some of many requests, and each says for how many it stands', async () => {
    const position = await (async () => {
      for (let read = await engine.requests(null); ; read = await engine.requests(read.position))
        if (!read.more) return read.position
    })()
    const agent = new Agent({ keepAlive: true, maxSockets: 8 })
    const count = 3_000
    let left = count
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (left-- > 0) await get(port(), HOST, {}, '/', agent)
      }),
    )
    agent.destroy()
    // The log's writer is another process, and may have had no turn yet.
    let entries: RequestEntry[] = []
    const stood = () => entries.reduce((sum, { weight }) => sum + weight, 0)
    for (
      const end = clock.monotonic() + 10_000;
      stood() <= count / 2 && clock.monotonic() < end;
      await clock.sleep(50)
    )
      entries = (await engine.requests(position)).entries
    const stoodFor = stood()
    assert.ok(entries.length < count / 4, `${entries.length} lines`)
    assert.ok(stoodFor > count / 2 && stoodFor < count * 2, `${stoodFor} of ${count}`)
  })

  it('takes an upload of a gibibyte, and keeps none of it', { timeout: 120_000 }, async () => {
    const chunk = randomBytes(1 << 20)
    const body = Readable.from(
      (function* () {
        for (let sent = 0; sent < GIB; sent += chunk.length) yield chunk
      })(),
    )
    const answer = await new Promise<string>((resolve, reject) => {
      const options = { port: port(), host: '127.0.0.1', method: 'POST', headers: { host: HOST } }
      const call = httpRequest(options, (response) => {
        let said = ''
        response.setEncoding('utf8').on('data', (part: string) => (said += part))
        response.on('end', () => resolve(said))
      })
      call.on('error', reject)
      body.pipe(call)
    })
    assert.equal((JSON.parse(answer) as { bodyBytes: number }).bodyBytes, GIB)
    const master = (await net.supervisor.list()).find(({ name }) => name === 'haproxy')!.pid!
    const [worker = ''] = readFileSync(`/proc/${master}/task/${master}/children`, 'utf8').trim().split(' ')
    const peakKb = Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${worker}/status`, 'utf8'))![1])
    assert.ok(peakKb < 200_000, `${peakKb} kB`)
  })

  it('answers who has said all they will say', async () => {
    const said = await new Promise<string>((resolve) => {
      let text = ''
      const socket = connect({ port: port(), host: '127.0.0.1', allowHalfOpen: true }, () =>
        socket.end(`GET /last HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`),
      )
      socket.setEncoding('utf8').on('data', (part: string) => (text += part))
      socket.on('close', () => resolve(text))
      socket.on('end', () => socket.destroy())
    })
    assert.match(said, /^HTTP\/1\.1 200 OK\r\n/)
    assert.match(said, /"url":"\/last"/)
  })

  it(
    'takes targets out that are killed, hang, fail or are slow, and takes them back',
    { timeout: 60_000 },
    async () => {
      const all = [1, 2, 3, 4, 5]
      for (const n of all) await works(n)
      await apply(all)
      await untilHealth(Object.fromEntries(all.map((n) => [`i-${n}`, 'healthy'])))
      const order = { port: 80, status: 200 }
      await net.order({ ...order, address: addressOf(2), name: 'i-2', status: null })
      await net.order({ ...order, address: addressOf(3), name: 'i-3', hangs: true })
      await net.order({ ...order, address: addressOf(4), name: 'i-4', status: 500 })
      await net.order({ ...order, address: addressOf(5), name: 'i-5', checkDelayMs: 600 })
      const began = clock.monotonic()
      await untilHealth({
        'i-1': 'healthy',
        'i-2': 'unhealthy',
        'i-3': 'unhealthy',
        'i-4': 'unhealthy',
        'i-5': 'unhealthy',
      })
      // Two checks of half a second, each with 0.4 s to answer in; the rest is this machine's.
      assert.ok(clock.monotonic() - began < 5_000)
      for (let count = 0; count < 20; count++) {
        const { status, by } = await get(port(), HOST)
        assert.deepEqual([status, by], [200, 'i-1'])
      }
      for (const n of [2, 3, 4, 5]) await works(n)
      await untilHealth(Object.fromEntries(all.map((n) => [`i-${n}`, 'healthy'])))
      const by = new Set<string | null>()
      for (let count = 0; count < 20; count++) by.add((await get(port(), HOST)).by)
      assert.equal(by.size, 5)
    },
  )
})
