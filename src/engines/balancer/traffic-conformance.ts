// What every balancer must tell of the requests that it has counted: a part of conformance.ts.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { forwardTo, type Listener, listenerTo, type TrafficCounters } from './engine.ts'
import { noTraffic } from './traffic.ts'
import type { Stage } from './rules-conformance.ts'

/** `stage`: asked when a test runs. */
export function describeTraffic(stage: () => Stage): void {
  const counted = async (group: string | null, id = 'app/balancer/1'): Promise<TrafficCounters> => {
    const traffic = await stage().engine.traffic()
    const found = traffic?.counters.find((one) => one.id === id && one.targetGroupId === group)
    return found ?? { id, targetGroupId: group, ...noTraffic() }
  }
  /** What has grown, but for what depends on how connections are kept. */
  const grown = (before: TrafficCounters, now: TrafficCounters) =>
    Object.fromEntries(
      Object.keys(noTraffic()).flatMap((name) => {
        const more = now[name as keyof typeof before] as number
        const count = more - (before[name as keyof typeof before] as number)
        return count === 0 || ['bytes', 'connections', 'current'].includes(name) ? [] : [[name, count]]
      }),
    )
  const listener = (): Listener => ({
    ...listenerTo(80, 'group-1', ['0.0.0.0/0']),
    rules: [
      {
        conditions: [{ field: 'path-pattern', patterns: ['/second'] }],
        action: forwardTo('group-2'),
      },
      {
        conditions: [{ field: 'path-pattern', patterns: ['/moved'] }],
        action: {
          ...{ type: 'redirect', statusCode: 302, protocol: 'HTTP', host: 'new.example', port: '80' },
          ...{ path: '/', query: '' },
        },
      },
      {
        conditions: [{ field: 'path-pattern', patterns: ['/gone'] }],
        action: { type: 'fixed-response', statusCode: 410, contentType: 'text/plain', body: 'gone' },
      },
    ],
  })

  it('counts what each target group was asked, and what it answered by itself', async () => {
    const { world, engine, loadBalancer, target, check, untilHealth } = stage()
    await world.answer(1, 200)
    await world.answer(2, 200)
    await engine.apply({
      loadBalancers: [{ ...loadBalancer(1), listeners: [listener()] }],
      targetGroups: [
        { id: 'group-1', healthCheck: check(), targets: [target(1)] },
        { id: 'group-2', healthCheck: check(), targets: [target(2)] },
      ],
    })
    await untilHealth({ 'i-1': 'healthy', 'i-2': 'healthy' })
    const all = () => Promise.all([counted('group-1'), counted('group-2'), counted(null)])
    const before = await all()
    const host = 'shop-1.localhost'
    for (const path of ['/', '/', '/second', '/moved', '/gone', '/gone']) await world.request({ host, path })
    await world.answer(2, 404)
    await world.request({ host, path: '/second' })
    const now = await all()
    assert.deepEqual(
      before.map((one, index) => grown(one, now[index]!)),
      [
        { requests: 2, target2xx: 2 },
        { requests: 2, target2xx: 1, target4xx: 1 },
        { balancer3xx: 1, balancer4xx: 2, redirects: 1, fixedResponses: 2 },
      ],
    )
    assert.ok(now[0].bytes >= before[0].bytes)
    await world.answer(2, 200)
  })

  it('counts what it answered for want of a target as its own', async () => {
    const { world, engine, loadBalancer } = stage()
    await engine.apply({
      loadBalancers: [loadBalancer(1)],
      targetGroups: [{ id: 'group-1', healthCheck: null, targets: [] }],
    })
    const before = await counted('group-1')
    assert.equal((await world.request({ host: 'shop-1.localhost' })).status, 503)
    const { target5xx = 0, balancer5xx } = grown(before, await counted('group-1'))
    assert.deepEqual([target5xx, balancer5xx], [0, 1])
  })

  it('tells another life of the control plane the same counters of the same process', async () => {
    const { world, engine } = stage()
    const mine = await engine.traffic()
    const others = await world.engine().traffic()
    assert.deepEqual([others?.boot, others?.counters], [mine?.boot, mine?.counters])
  })
}
