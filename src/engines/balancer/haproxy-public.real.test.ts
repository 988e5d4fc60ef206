// Listeners of port 80 on addresses besides loopback, on the real HAProxy.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { Agent } from 'node:http'
import { createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { run } from '../../kernel/process.ts'
import { type BalancerEngine, type BalancerModel, listenerTo } from './engine.ts'
import { get, makeTestNetwork, type TestNetwork } from './test-network.ts'

const HOST = 'shop.us-west-2.elasticbeanstalk.localhost'

describe('haproxy on public addresses', () => {
  let net: TestNetwork
  let engine: BalancerEngine
  let wanted: BalancerModel
  before(async () => {
    net = await makeTestNetwork()
    engine = net.engine()
    await net.order({ address: '10.213.2.1', port: 80, name: 'i-1', status: 200 })
    const healthCheck = {
      ...{ protocol: 'HTTP' as const, port: null, path: '/', matcher: '200' },
      ...{ intervalSeconds: 1, timeoutSeconds: 1, healthyThreshold: 2, unhealthyThreshold: 2 },
    }
    wanted = {
      loadBalancers: [
        {
          ...{ id: 'app/balancer/1', address: '10.213.1.1', internetFacing: true, hosts: [HOST] },
          elasticAddress: null,
          ...{ loopbackPort: net.home.ports.environments + 1, idleTimeoutSeconds: 60 },
          listeners: [listenerTo(80, 'group-1', ['0.0.0.0/0', '::/0'])],
          cutsOnRevoke: false,
        },
      ],
      targetGroups: [
        {
          ...{ id: 'group-1', healthCheck },
          targets: [{ id: 'i-1', address: '10.213.2.1', port: 80, draining: false }],
        },
      ],
    }
    await engine.apply(wanted)
    for (const end = clock.monotonic() + 8_000; (await at('127.0.0.1')) === null; await clock.sleep(20))
      assert.ok(clock.monotonic() < end, 'the target is not healthy')
  })
  after(() => net.close())

  /** Which target answers there; null = nobody. */
  const at = async (host: string, port = net.home.ports.http) =>
    (await run(['curl', '-sS', '-m', '2', '-H', `Host: ${HOST}`, `http://${host}:${port}/`])).stdout
      .toString()
      .match(/"name":"(.*?)"/)?.[1] ?? null
  /** What cannot be had of them. */
  const follows = async (...addresses: string[]) => {
    net.setPublicAddresses(...addresses)
    await engine.apply(wanted)
    return (await engine.observe()).taken.map(({ reason }) => reason)
  }
  const worker = async () => {
    const master = (await net.supervisor.list()).find(({ name }) => name === 'haproxy')?.pid ?? 0
    return (await run(['ps', '-o', 'pid=', '--ppid', String(master)])).stdout.toString().trim().split('\n')[0]
  }
  const sameAgain = async (...addresses: string[]) => {
    const before = await worker()
    await follows(...addresses)
    assert.equal(await worker(), before, 'the same again disturbs nobody')
  }

  it('listens there for port 80 and for nothing else, and on loopback as before', async () => {
    assert.equal(await at('127.0.0.2'), null)
    assert.deepEqual(await follows('127.0.0.2'), [])
    assert.deepEqual([await at('127.0.0.2'), await at('127.0.0.1')], ['i-1', 'i-1'])
    assert.equal(await at('127.0.0.2', net.home.ports.environments + 1), null)
    assert.deepEqual(await follows('0.0.0.0', '::'), [])
    for (const host of ['127.0.0.1', '127.0.0.3', '[::1]']) assert.equal(await at(host), 'i-1', host)
    await sameAgain('0.0.0.0', '::')
    assert.deepEqual(await follows(), [])
    assert.deepEqual([await at('127.0.0.1'), await at('127.0.0.3')], ['i-1', null])
  })

  it('falls back to loopback where a program is in the way of all addresses, until that ends', async () => {
    const server = createServer()
    await new Promise<void>((resolve) =>
      server.listen({ port: net.home.ports.http, host: '127.0.0.4' }, resolve),
    )
    const [taken] = await follows('0.0.0.0')
    assert.match(taken ?? '', new RegExp(`^0\\.0\\.0\\.0:\\d+ is taken by .* \\(pid ${process.pid}\\)$`))
    assert.deepEqual([await at('127.0.0.1'), await at('127.0.0.3')], ['i-1', null])
    await new Promise((resolve) => server.close(resolve))
    assert.deepEqual(await follows('0.0.0.0'), [])
    assert.equal(await at('127.0.0.3'), 'i-1')
    await follows()
  })

  it('leaves out an address that the machine has not, and interrupts nobody for it', async () => {
    const before = await worker()
    const [absent] = await follows('203.0.113.7')
    assert.match(absent ?? '', /^203\.0\.113\.7:\d+ cannot be listened on: this machine has no such address$/)
    assert.equal(await worker(), before)
    assert.equal(await at('127.0.0.1'), 'i-1')
    await sameAgain('203.0.113.7')
    await follows()
  })

  it('does not try all addresses again at once when they could not be had', async () => {
    // Bound, but not listening: no list of listeners has it.
    const program = `import socket, time; s = socket.socket(); s.bind(('127.0.0.5', ${net.home.ports.http})); print('bound', flush=True); time.sleep(60)`
    const holder = spawn('/usr/bin/python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise((resolve) => holder.stdout.once('data', resolve))
    try {
      assert.match((await follows('0.0.0.0'))[0] ?? '', /cannot be listened on: Address already in use$/)
      assert.equal(await at('127.0.0.1'), 'i-1')
      await sameAgain('0.0.0.0')
    } finally {
      holder.kill('SIGKILL')
      await follows()
    }
  })

  it('keeps a connection that was let in, for its load balancer alone, unless it is to be cut', async () => {
    const [first] = wanted.loadBalancers
    const open = ['0.0.0.0/0']
    const apply = async (clients: string[], others: string[], cutsOnRevoke = false) => {
      const letting = (ranges: string[]) => [listenerTo(80, 'group-1', ranges)]
      const one = { ...first!, listeners: letting(clients), cutsOnRevoke }
      const two = {
        ...one,
        id: 'app/balancer/2',
        address: '10.213.1.2',
        hosts: ['other'],
        loopbackPort: null,
      }
      const loadBalancers = [one, { ...two, listeners: letting(others), cutsOnRevoke: false }]
      await engine.apply({ ...wanted, loadBalancers })
    }
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = (host: string, by: Agent | false) =>
      get(net.home.ports.http, host, {}, '/', by).then(
        ({ status }) => status,
        (error: NodeJS.ErrnoException) => error.code,
      )
    const untilServed = async () => {
      for (const end = clock.monotonic() + 8_000; (await ask(HOST, false)) !== 200; await clock.sleep(20))
        assert.ok(clock.monotonic() < end, 'the target is not healthy')
    }
    try {
      await apply(open, open)
      await untilServed()
      assert.equal(await ask(HOST, agent), 200)
      await apply([], open)
      assert.deepEqual([await ask(HOST, agent), await ask(HOST, false)], [200, 'ECONNRESET'])
      await apply(open, [])
      assert.deepEqual([await ask(HOST, agent), await ask('other', agent)], [200, 'ECONNRESET'])
      await apply(open, open, true)
      await untilServed()
      assert.equal(await ask(HOST, agent), 200)
      await apply([], open, true)
      assert.equal(await ask(HOST, agent), 'ECONNRESET')
    } finally {
      agent.destroy()
      await engine.apply(wanted)
    }
  })
})
