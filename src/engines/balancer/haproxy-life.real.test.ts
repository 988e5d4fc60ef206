// What only the real HAProxy can show: traffic while it is killed, reloaded, drained, and without a control plane.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { Agent } from 'node:http'
import { connect, createServer } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { run } from '../../kernel/process.ts'
import {
  type BalancerEngine,
  type BalancerModel,
  listenerTo,
  type LoadBalancer,
  type Target,
} from './engine.ts'
import { get, makeTestNetwork, type TestNetwork } from './test-network.ts'

const FILES = ['haproxy.cfg', 'servers.state', 'model.json']
const HOST = 'shop.us-west-2.elasticbeanstalk.localhost'

describe('haproxy on the machine', () => {
  let net: TestNetwork
  let engine: BalancerEngine
  before(async () => {
    net = await makeTestNetwork()
    engine = net.engine()
    for (const n of [1, 2, 3])
      await net.order({ address: addressOf(n), port: 80, name: `i-${n}`, status: 200 })
  })
  after(() => net.close())

  const addressOf = (n: number) => `10.213.2.${n}`
  const target = (n: number, draining = false): Target => ({
    id: `i-${n}`,
    address: addressOf(n),
    port: 80,
    draining,
  })
  const loadBalancer = (n: number, over: Partial<LoadBalancer> = {}): LoadBalancer => ({
    id: `app/balancer/${n}`,
    address: `10.213.1.${n}`,
    elasticAddress: null,
    internetFacing: true,
    hosts: [n === 1 ? HOST : `shop-${n}.localhost`],
    loopbackPort: net.home.ports.environments + n,
    idleTimeoutSeconds: 60,
    listeners: [listenerTo(80, `group-${n}`, ['0.0.0.0/0'])],
    cutsOnRevoke: false,
    ...over,
  })
  const group = (n: number, targets: Target[]) => ({
    id: `group-${n}`,
    healthCheck: {
      protocol: 'HTTP' as const,
      port: null,
      path: '/',
      intervalSeconds: 1,
      timeoutSeconds: 1,
      healthyThreshold: 2,
      unhealthyThreshold: 2,
      matcher: '200',
    },
    targets,
  })
  const model = (targets: Target[], more: LoadBalancer[] = []): BalancerModel => ({
    loadBalancers: [loadBalancer(1), ...more],
    targetGroups: [group(1, targets), ...more.map(({ id }) => group(Number(id.split('/')[2]), [target(3)]))],
  })
  const request = (headers: Record<string, string> = {}, path = '/') =>
    get(net.home.ports.http, HOST, headers, path)
  const untilHealthy = async (count: number) => {
    for (const end = clock.monotonic() + 8_000; clock.monotonic() < end; await clock.sleep(20)) {
      const { targets } = await engine.observe()
      if (targets.filter(({ health }) => health === 'healthy').length === count) return
    }
    assert.fail(`not ${count} healthy targets`)
  }
  const pids = async () => {
    const master = (await net.supervisor.list()).find(({ name }) => name === 'haproxy')?.pid ?? 0
    const { stdout } = await run(['ps', '-o', 'pid=', '--ppid', String(master)])
    return { master, worker: Number(stdout.toString().trim().split('\n')[0]) }
  }

  it('tells a target who asked, as an Application Load Balancer does', async () => {
    await engine.apply(model([target(1), target(2)]))
    await untilHealthy(2)
    const { body } = await request(
      { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' },
      '/a?b=c',
    )
    const { from, url, headers } = JSON.parse(body) as {
      from: string
      url: string
      headers: Record<string, string>
    }
    assert.equal(from, '10.213.1.1')
    assert.equal(url, '/a?b=c')
    assert.equal(headers['host'], HOST)
    assert.equal(headers['x-forwarded-for'], '203.0.113.9, 127.0.0.1')
    assert.equal(headers['x-forwarded-proto'], 'http')
    assert.equal(headers['x-forwarded-port'], String(net.home.ports.http))
    assert.match(headers['x-amzn-trace-id'] ?? '', /^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/)
    const kept = JSON.parse((await request({ 'x-amzn-trace-id': 'Root=mine' })).body) as {
      headers: Record<string, string>
    }
    assert.equal(kept.headers['x-amzn-trace-id'], 'Root=mine')
  })

  it('answers on both loopback addresses and on its own address in the VPC', async () => {
    const urls = [`http://127.0.0.1:${net.home.ports.http}/`, `http://[::1]:${net.home.ports.http}/`]
    for (const url of urls) {
      const { stdout } = await run(['curl', '-sS', '-H', `Host: ${HOST}`, url])
      assert.match(stdout.toString(), /"name":"i-[12]"/)
    }
    const inside = await run(
      net.execIn(net.names.targets, ['curl', '-sS', '--max-time', '5', 'http://10.213.1.1/']),
    )
    assert.match(inside.stdout.toString(), /"name":"i-[12]"/)
  })

  it('says plainly what it has to say by itself', async () => {
    const unknown = await get(net.home.ports.http, 'x"><script>.example')
    assert.equal(unknown.status, 404)
    assert.equal(unknown.body, 'No environment answers to this name.\n')
    await engine.apply(model([]))
    const none = await request()
    assert.equal(none.status, 503)
    assert.match(none.body, /^<html>\r\n<head><title>503 Service Temporarily Unavailable<\/title>/)
    assert.equal(none.headers['server'], 'awselb/2.0')
  })

  it('carries WebSockets', async () => {
    await engine.apply(model([target(1)]))
    await untilHealthy(1)
    const socket = connect({ host: '127.0.0.1', port: net.home.ports.http })
    socket.write(
      `GET / HTTP/1.1\r\nHost: ${HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    )
    let said = ''
    socket.on('data', (chunk) => (said += String(chunk)))
    await until(() => said.includes('101'))
    socket.write('ping')
    await until(() => said.endsWith('ping'))
    socket.destroy()
  })

  it('does nothing for a model that is in force', async () => {
    await engine.observe() // its stand-in opens once it was seen healthy
    const before = await pids()
    const lines = net.logged.length
    const mtime = await run(['stat', '-c', '%Y %i', `${net.home.runDir}/haproxy/haproxy.cfg`])
    for (let i = 0; i < 5; i++) await engine.apply(model([target(1)]))
    assert.deepEqual(await pids(), before)
    assert.equal(net.logged.length, lines)
    const after = await run(['stat', '-c', '%Y %i', `${net.home.runDir}/haproxy/haproxy.cfg`])
    assert.equal(after.stdout.toString(), mtime.stdout.toString())
  })

  it('answers what is in flight on a target that drains, and counts it', async () => {
    await engine.apply(model([target(1), target(2)]))
    await untilHealthy(2)
    await net.order({ address: addressOf(1), port: 80, name: 'i-1', status: 200, delayMs: 4_000 })
    const two = [request(), request()]
    await until(async () =>
      (await engine.observe()).targets.some(({ targetId, current }) => targetId === 'i-1' && current === 1),
    )
    await engine.apply(model([target(1, true), target(2)]))
    // A reload meanwhile (a further balancer) must not hide it: the former worker still answers it.
    await engine.apply(model([target(1, true), target(2)], [loadBalancer(2)]))
    const [draining] = (await engine.observe()).targets
    assert.deepEqual([draining?.health, draining?.current], ['draining', 1])
    for (let i = 0; i < 4; i++) assert.equal((await request()).by, 'i-2')
    assert.deepEqual((await Promise.all(two)).map(({ by }) => by).sort(), ['i-1', 'i-2'])
    await net.order({ address: addressOf(1), port: 80, name: 'i-1', status: 200 })
  })

  it('asks the worker of now also on a connection that a client has kept from before a reload', async () => {
    await engine.apply(model([target(1)]))
    await untilHealthy(1)
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const kept = (headers = {}) => get(net.home.ports.http, HOST, headers, '/', agent)
    try {
      assert.equal((await kept()).by, 'i-1')
      await engine.apply(model([target(1)], [loadBalancer(2)])) // a reload
      await engine.apply(model([target(2)], [loadBalancer(2)])) // of which the former worker is not told
      await untilHealthy(2)
      await net.order({ address: addressOf(1), port: 80, name: 'i-1', status: null })
      const { by, status, body, headers } = await kept({ 'x-forwarded-for': '203.0.113.9' })
      assert.deepEqual([status, by, headers['connection']], [200, 'i-2', 'close'])
      const seen = (JSON.parse(body) as { headers: Record<string, string> }).headers
      assert.equal(seen['x-forwarded-for'], '203.0.113.9, 127.0.0.1')
      assert.equal((await kept()).by, 'i-2')
    } finally {
      agent.destroy()
      await net.order({ address: addressOf(1), port: 80, name: 'i-1', status: 200 })
    }
  })

  it('has a target in service after a reload that was found healthy while the reload was prepared', async () => {
    await engine.apply(model([target(1)]))
    await untilHealthy(1)
    await net.order({ address: addressOf(90), port: 80, name: 'i-90', status: null })
    const both = (more: LoadBalancer[]): BalancerModel => ({
      loadBalancers: [loadBalancer(1), loadBalancer(4), ...more],
      targetGroups: [group(1, [target(1)]), group(4, [target(90)])],
    })
    await engine.apply(both([]))
    const byName = () => get(net.home.ports.http, 'shop-4.localhost')
    assert.equal((await byName()).status, 503)
    const prepared = net.holdChecks()
    const reload = engine.apply(both([loadBalancer(5, { listeners: [] })]))
    await prepared.begun
    await net.order({ address: addressOf(90), port: 80, name: 'i-90', status: 200 })
    await until(async () => (await byName()).status === 200)
    const sights = engine.observe() // waits: the worker that could answer now is not the one that will serve
    prepared.go()
    await reload
    assert.equal((await byName()).status, 200)
    assert.equal((await sights).targets.find(({ targetId }) => targetId === 'i-90')?.health, 'healthy')
    await engine.apply(model([target(1)]))
  })

  it('takes another target when one cannot be connected to, before any check has noticed', async () => {
    await engine.apply(model([target(1), target(2)]))
    await untilHealthy(2)
    await net.order({ address: addressOf(1), port: 80, name: 'i-1', status: null })
    const answers = await Promise.all(Array.from({ length: 10 }, () => request()))
    assert.ok(answers.every(({ status, by }) => status === 200 && by === 'i-2'))
    await net.order({ address: addressOf(1), port: 80, name: 'i-1', status: 200 })
  })

  it(
    'loses no request while balancers come and go and targets change',
    { timeout: 90_000 },
    async ({ signal }) => {
      await engine.apply(model([target(1), target(2)]))
      await untilHealthy(2)
      const load = startLoad(net.home.ports.http, 30_000, signal)
      for (let n = 2; n < 6; n++) {
        const more = Array.from({ length: n - 1 }, (_unused, k) => loadBalancer(k + 2))
        await engine.apply(model([target(1), target(2), target(3)], more))
        await untilHealthy(2 + n)
        await engine.apply(model([target(1), target(2), target(3, true)], more))
        await engine.apply(model([target(1), target(2)], more))
      }
      const { answered, failed } = await load.done()
      assert.deepEqual(failed, [])
      assert.ok(answered >= 30_000)
    },
  )

  it(
    'gives a new target nothing before its first passed check, also under load',
    { timeout: 60_000 },
    async ({ signal }) => {
      await engine.apply(model([target(1)]))
      await untilHealthy(1)
      const load = startLoad(net.home.ports.http, 5_000, signal)
      for (let n = 50; n < 60; n++) {
        await net.order({ address: addressOf(n), port: 80, name: `i-${n}`, status: 200, checkStatus: 503 })
        await engine.apply(model([target(1), target(n)]))
      }
      assert.deepEqual((await load.done()).failed, [])
      for (let n = 50; n < 60; n++) assert.equal(await net.requestsAt(addressOf(n), 80), 0)
    },
  )

  for (const victim of ['worker', 'master'] as const)
    it(`is back within two seconds when its ${victim} is killed, nobody helping`, async () => {
      await engine.apply(model([target(1), target(2)], [loadBalancer(2)]))
      await untilHealthy(3)
      await engine.apply(model([target(1), target(2), target(3)], [loadBalancer(2)])) // added over the socket
      await untilHealthy(4)
      const { counters } = await engine.observe()
      const killed = (await pids())[victim]
      const at = clock.monotonic()
      process.kill(killed, 'SIGKILL')
      await until(() => isGone(killed))
      await until(async () => (await request().catch(() => null))?.status === 200)
      assert.ok(clock.monotonic() - at < 2_000, `${clock.monotonic() - at} ms`)
      const served = new Set<string | null>()
      for (let i = 0; i < 6; i++) served.add((await request()).by)
      assert.deepEqual([...served].sort(), ['i-1', 'i-2', 'i-3'])
      assert.equal((await get(net.home.ports.http, 'shop-2.localhost')).by, 'i-3')
      const now = await engine.observe()
      assert.notEqual(now.counters[0]?.boot, counters[0]?.boot)
      await engine.apply(model([target(1)], [loadBalancer(2)])) // and it takes changes again
      for (let i = 0; i < 3; i++) assert.equal((await request()).by, 'i-1')
    })

  it('knows after a restart which targets were never healthy', async () => {
    await net.order({ address: addressOf(70), port: 80, name: 'i-70', status: 200, checkStatus: 503 })
    await engine.apply(model([target(1), target(70)]))
    await untilHealthy(1)
    const { master } = await pids()
    process.kill(master, 'SIGKILL')
    await until(
      async () => (await pids()).master !== master && (await request().catch(() => null))?.status === 200,
    )
    for (let i = 0; i < 4; i++) assert.equal((await request()).by, 'i-1')
    const { targets } = await engine.observe()
    assert.deepEqual(
      targets.map(({ health }) => health),
      ['healthy', 'initial'],
    )
  })

  it('leaves out the one address that somebody has, says who, and takes it once it is free', async () => {
    const port = net.home.ports.environments + 150
    await engine.apply(model([target(1)]))
    await untilHealthy(1)
    const server = createServer()
    await new Promise<void>((resolve) => server.listen({ port, host: '::1' }, resolve))
    const wanted = model([target(1)], [loadBalancer(2, { loopbackPort: port })])
    try {
      await engine.apply(wanted)
      await untilHealthy(2)
      assert.equal((await get(port, 'any')).by, 'i-3')
      const holder = `is taken by .* \\(pid ${process.pid}\\)$`
      assert.match(
        (await engine.observe()).taken[0]?.reason ?? '',
        new RegExp(`^\\[::1\\]:${port} ${holder}`),
      )
      const { worker } = await pids()
      await engine.apply(wanted)
      assert.equal((await pids()).worker, worker)
      // Another control plane finds it said, and heals it.
      engine = net.engine()
      assert.equal((await engine.observe()).taken.length, 1)
    } finally {
      await new Promise((resolve) => server.close(resolve))
    }
    await engine.apply(wanted)
    assert.deepEqual((await engine.observe()).taken, [])
    const { stdout } = await run(['curl', '-sS', `http://[::1]:${port}/`])
    assert.match(stdout.toString(), /"name":"i-3"/)
    await engine.apply(model([target(1)]))
  })

  it('leaves out what it cannot bind for a reason that nobody could foresee', async () => {
    const port = net.home.ports.environments + 152
    // Bound, but not listening: no list of listeners has it.
    const program = `import socket, time; s = socket.socket(); s.bind(('127.0.0.1', ${port})); print('bound', flush=True); time.sleep(60)`
    const holder = spawn('/usr/bin/python3', ['-c', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve())
      holder.once('close', () => reject(new Error(`somebody has port ${port}`)))
    })
    const wanted = model([target(1)], [loadBalancer(2, { loopbackPort: port })])
    try {
      await engine.apply(wanted)
      await untilHealthy(2)
      assert.equal((await get(net.home.ports.http, 'shop-2.localhost')).by, 'i-3')
      const [taken] = (await engine.observe()).taken
      assert.match(taken?.reason ?? '', /^127\.0\.0\.1:\d+ cannot be listened on: Address already in use$/)
      const { worker } = await pids()
      await engine.apply(wanted)
      assert.equal((await pids()).worker, worker)
    } finally {
      holder.kill('SIGKILL')
      await new Promise((resolve) => holder.once('close', resolve))
    }
    await engine.apply(wanted)
    assert.deepEqual((await engine.observe()).taken, [])
    assert.equal((await get(port, 'any')).by, 'i-3')
    await engine.apply(model([target(1)]))
  })

  it('comes up without a port that somebody took while it was dead', async () => {
    const port = net.home.ports.environments + 151
    const wanted = model([target(1)], [loadBalancer(2, { loopbackPort: port })])
    await engine.apply(wanted)
    await untilHealthy(2)
    await net.supervisor.remove('haproxy')
    const server = createServer()
    await new Promise<void>((resolve) => server.listen({ port, host: '127.0.0.1' }, resolve))
    try {
      await engine.apply(wanted)
      await untilHealthy(2)
      assert.equal((await get(net.home.ports.http, 'shop-2.localhost')).by, 'i-3')
      assert.equal((await engine.observe()).taken[0]?.port, port)
    } finally {
      server.close()
    }
    await engine.apply(model([target(1)]))
  })

  it('lets another engine look without being driven by it', async () => {
    await engine.apply(model([]))
    await net.order({ address: addressOf(80), port: 80, name: 'i-80', status: 200 })
    await engine.apply(model([target(80)]))
    const looking = net.engine()
    const folder = () =>
      run(['stat', '-c', '%n %Y %i', ...FILES.map((name) => `${net.home.runDir}/haproxy/${name}`)])
    const before = (await folder()).stdout.toString()
    await until(async () => (await looking.observe()).targets[0]?.health === 'healthy')
    await looking.observe()
    assert.equal((await folder()).stdout.toString(), before)
    await engine.observe() // the leader's look settles the target
    assert.notEqual((await folder()).stdout.toString(), before)
    await engine.apply(model([target(1)]))
    await untilHealthy(1)
  })

  it('names the line that HAProxy refuses, and keeps what is in force', async () => {
    const { master } = await pids()
    const bad = model([target(1)])
    bad.targetGroups[0]!.healthCheck!.matcher = '300-200'
    await assert.rejects(engine.apply(bad), {
      name: 'EngineError',
      message: /haproxy\.cfg:\d+\].*http-check expect/,
    })
    await engine.apply(model([target(1)]))
    assert.equal((await request()).by, 'i-1')
    assert.equal((await pids()).master, master)
  })

  it('moves along when its namespace is made anew', async () => {
    await net.renewBalancerNamespace()
    await engine.apply(model([target(1)]))
    await untilHealthy(1)
    assert.equal((await request()).by, 'i-1')
  })

  it('carries fifty balancers, and a change of one target is quick among them', async () => {
    const more = Array.from({ length: 50 }, (_unused, k) => loadBalancer(k + 2))
    await engine.apply(model([target(1)], more))
    await untilHealthy(51)
    for (const n of [2, 51]) assert.equal((await get(net.home.ports.http, `shop-${n}.localhost`)).by, 'i-3')
    const { master, worker } = await pids()
    await engine.apply(model([target(1), target(2)], more))
    assert.deepEqual(await pids(), { master, worker })
    await engine.apply(model([target(1)]))
  })

  // A killed process that its parent has not yet buried still has a pid.
  const isGone = async (pid: number) =>
    (await run(['ps', '-o', 'stat=', '-p', String(pid)])).stdout.toString().trim().replace(/^Z.*/, '') === ''
})

/** wrk-like: 16 keep-alive clients in a process of their own, until `requests` were answered and `done` is called. */
function startLoad(port: number, requests: number, signal: AbortSignal) {
  const program = `
    import { Agent, get } from 'node:http'
    const [port, host, least] = [Number(process.argv[1]), process.argv[2], Number(process.argv[3])]
    const agent = new Agent({ keepAlive: true, maxSockets: 16 })
    const failed = []
    let answered = 0, stop = false
    process.stdin.on('data', () => (stop = true))
    const one = () => new Promise((resolve) => {
      const request = get({ port, host: '127.0.0.1', agent, headers: { host } }, (response) => {
        response.resume().on('end', () => {
          if (response.statusCode === 200) answered++
          else failed.push(response.statusCode)
          resolve()
        })
      })
      request.on('error', (error) => { failed.push(error.code ?? error.message); resolve() })
    })
    await Promise.all(Array.from({ length: 16 }, async () => { while (!stop || answered < least) await one() }))
    console.log(JSON.stringify({ answered, failed }))
    process.exit()`
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', program, String(port), HOST, String(requests)],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
      signal,
      killSignal: 'SIGKILL',
    },
  )
  child.on('error', () => undefined) // it was called off
  let said = ''
  child.stdout.on('data', (chunk) => (said += String(chunk)))
  const ended = new Promise((resolve) => child.on('close', resolve))
  return {
    async done(): Promise<{ answered: number; failed: (number | string)[] }> {
      child.stdin.write('stop\n')
      await ended
      return JSON.parse(said)
    },
  }
}

async function until(done: () => boolean | Promise<boolean>, timeoutMs = 8_000) {
  for (const end = clock.monotonic() + timeoutMs; !(await done()); await clock.sleep(10))
    assert.ok(clock.monotonic() < end, 'it did not happen in time')
}
