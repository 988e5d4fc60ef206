// What every balancer must tell of the requests that ended: a part of conformance.ts.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type BalancerEngine, forwardTo, listenerTo, type Listener, type RequestEntry } from './engine.ts'
import type { Stage } from './rules-conformance.ts'

/** `stage`: asked when a test runs. */
export function describeRequests(stage: () => Stage): void {
  /** Entries that are wanted, once there are so many; what comes after a position is asked until then. */
  const entriesAfter = async (
    after: string | null,
    count: number,
    engine: BalancerEngine = stage().engine,
  ) => {
    const entries: RequestEntry[] = []
    let position = after
    for (let tries = 0; tries < 200; tries++) {
      const read = await engine.requests(position)
      assert.equal(read.lost, false)
      entries.push(...read.entries)
      position = read.position
      if (entries.length >= count && !read.more) break
      await stage().world.clock.sleep(20)
    }
    assert.equal(entries.length, count)
    return { entries, position: position! }
  }
  const now = async (engine: BalancerEngine = stage().engine) => {
    let position: string | null = null
    for (;;) {
      const read = await engine.requests(position)
      position = read.position
      if (!read.more) return position
    }
  }
  const shop = (listener: Listener, logsRequests = true) => {
    const { loadBalancer, target, check } = stage()
    return {
      loadBalancers: [
        { ...loadBalancer(1), ...(logsRequests ? { logsRequests } : {}), listeners: [listener] },
      ],
      targetGroups: [{ id: 'group-1', healthCheck: check(), targets: [target(1)] }],
    }
  }
  const plain = () => listenerTo(80, 'group-1', ['0.0.0.0/0'])

  it('tells of every request of a load balancer that logs them what became of it', async () => {
    const { world, engine, untilHealth } = stage()
    await world.answer(1, 200)
    await engine.apply(
      shop({
        ...plain(),
        rules: [
          {
            priority: 7,
            conditions: [{ field: 'path-pattern', patterns: ['/old/*'] }],
            action: {
              ...{ type: 'redirect', statusCode: 301, protocol: 'HTTPS', host: 'new.example', port: '443' },
              ...{ path: '/#{path}', query: '#{query}' },
            },
          },
          {
            priority: 9,
            conditions: [{ field: 'path-pattern', patterns: ['/x'] }],
            action: forwardTo('group-1'),
          },
        ],
      }),
    )
    await untilHealth({ 'i-1': 'healthy' })
    const before = await now()
    const headers = { 'user-agent': 'a "quoted" \\ agent', 'x-amzn-trace-id': 'Root=1-67891233-abc' }
    await world.request({ host: 'shop-1.localhost', path: '/a?b=1', headers })
    await world.request({ host: 'shop-1.localhost', path: '/x', headers })
    await world.request({ host: 'shop-1.localhost', path: '/old/page?b=1', headers })
    const { entries, position } = await entriesAfter(before, 3)
    assert.deepEqual(
      entries.map((one) => [one.id, one.action, one.status, one.isOfTarget, one.rule, one.targetGroupId]),
      [
        ['app/balancer/1', 'forward', 200, true, 0, 'group-1'],
        ['app/balancer/1', 'forward', 200, true, 9, 'group-1'],
        ['app/balancer/1', 'redirect', 301, false, 7, null],
      ],
    )
    const [first, , redirected] = entries
    assert.equal(first!.request, 'GET /a?b=1 HTTP/1.1')
    assert.equal(first!.userAgent, headers['user-agent'])
    assert.equal(first!.traceId, headers['x-amzn-trace-id'])
    assert.match(first!.host, /^shop-1\.localhost/i)
    assert.deepEqual(first!.target, { id: 'i-1', address: world.targetAddress(1), port: 80 })
    assert.deepEqual([first!.client, first!.listenerPort, first!.weight], ['127.0.0.1', 80, 1])
    assert.ok(first!.requestMs >= 0 && first!.targetMs >= 0 && first!.totalMs >= first!.targetMs)
    assert.ok(first!.bytesIn > 0 && first!.bytesOut > 0)
    assert.equal(redirected!.location, 'https://new.example:443/old/page?b=1')
    assert.deepEqual((await entriesAfter(position, 0)).entries, [])
  })

  it('tells each once to who goes on, also of another life', async () => {
    const { world, engine } = stage()
    await engine.apply(shop(plain()))
    const before = await now()
    await world.request({ host: 'shop-1.localhost' })
    const { position } = await entriesAfter(before, 1)
    await world.request({ host: 'shop-1.localhost', path: '/second' })
    const { entries } = await entriesAfter(position, 1, world.engine())
    assert.deepEqual(
      entries.map(({ request }) => request),
      ['GET /second HTTP/1.1'],
    )
  })

  it('tells of those that it answers by itself for want of a target', async () => {
    const { world, engine, untilHealth } = stage()
    await engine.apply(shop(plain(), false))
    await world.answer(1, null)
    await untilHealth({ 'i-1': 'unhealthy' })
    const before = await now()
    await world.request({ host: 'shop-1.localhost' })
    const { entries } = await entriesAfter(before, 1)
    assert.deepEqual(
      entries.map((one) => [one.status, one.isOfTarget, one.targetMs, one.weight, one.host]),
      [[503, false, -1, 1, '']],
    )
  })

  it('tells of some of the others, and for how many each stands', async () => {
    const { world, engine, untilHealth } = stage()
    await world.answer(1, 200)
    await engine.apply(shop(plain(), false))
    await untilHealth({ 'i-1': 'healthy' })
    const before = await now()
    for (let count = 0; count < 15; count++) await world.request({ host: 'shop-1.localhost' })
    const { entries } = await entriesAfter(before, 15)
    assert.ok(entries.every(({ weight, status }) => weight === 1 && status === 200))
  })
}
