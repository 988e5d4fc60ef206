// What attributes of load balancers and target groups make of requests, on HAProxy.
import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { type BalancerEngine, type BalancerModel, listenerTo, type LoadBalancer } from './engine.ts'
import { get, makeTestNetwork, type TestNetwork } from './test-network.ts'

const HOST = 'shop-1.localhost'

describe('haproxy, by attributes', () => {
  let net: TestNetwork
  let engine: BalancerEngine
  before(async () => {
    net = await makeTestNetwork()
    engine = net.engine()
    for (const n of [1, 2]) await net.order({ address: addressOf(n), port: 80, name: `i-${n}`, status: 200 })
  })
  after(() => net.close())

  const addressOf = (n: number) => `10.213.2.${n}`
  const target = (n: number) => ({ id: `i-${n}`, address: addressOf(n), port: 80, draining: false })
  const model = (targets: ReturnType<typeof target>[]): BalancerModel => ({
    loadBalancers: [
      {
        ...{ id: 'app/balancer/1', address: '10.213.1.1', elasticAddress: null, internetFacing: true },
        ...{ hosts: [HOST], loopbackPort: null, idleTimeoutSeconds: 60, cutsOnRevoke: false },
        listeners: [listenerTo(80, 'group-1', ['0.0.0.0/0'])],
      },
    ],
    targetGroups: [
      {
        id: 'group-1',
        healthCheck: {
          ...{ protocol: 'HTTP', port: null, path: '/', intervalSeconds: 1, timeoutSeconds: 1 },
          ...{ healthyThreshold: 2, unhealthyThreshold: 2, matcher: '200' },
        },
        targets,
      },
    ],
  })
  const request = (headers: Record<string, string> = {}) => get(net.home.ports.http, HOST, headers)
  const untilHealthy = async (count: number) => {
    for (const end = clock.monotonic() + 8_000; clock.monotonic() < end; await clock.sleep(20)) {
      const { targets } = await engine.observe()
      if (targets.filter(({ health }) => health === 'healthy').length === count) return
    }
    assert.fail(`not ${count} healthy targets`)
  }

  it('treats headers as a load balancer says', async () => {
    const told = async (headers: LoadBalancer['headers'], sent: Record<string, string>) => {
      const [balancer] = model([target(1)]).loadBalancers
      const treated = { ...balancer!, ...(headers ? { headers } : {}) }
      await engine.apply({ ...model([target(1)]), loadBalancers: [treated] })
      await untilHealthy(1)
      return (JSON.parse((await request(sent)).body) as { headers: Record<string, string> }).headers
    }
    const plain = { forwardedFor: 'append', withClientPort: false, dropsInvalid: false } as const
    const sent = { 'x-forwarded-for': '203.0.113.9', 'x_odd.one': 'a', 'x-even': 'b' }
    const kept = await told({ ...plain, forwardedFor: 'preserve' }, sent)
    assert.equal(kept['x-forwarded-for'], '203.0.113.9')
    assert.equal(kept['x_odd.one'], 'a')
    assert.equal((await told({ ...plain, forwardedFor: 'preserve' }, {}))['x-forwarded-for'], undefined)
    assert.equal((await told({ ...plain, forwardedFor: 'remove' }, sent))['x-forwarded-for'], undefined)
    const withPort = await told({ ...plain, withClientPort: true, dropsInvalid: true }, sent)
    assert.match(withPort['x-forwarded-for'] ?? '', /^203\.0\.113\.9, 127\.0\.0\.1:\d+$/)
    assert.deepEqual([withPort['x_odd.one'], withPort['x-even']], [undefined, 'b'])
    const alone = await told({ ...plain, withClientPort: true }, {})
    assert.match(alone['x-forwarded-for'] ?? '', /^127\.0\.0\.1:\d+$/)
  })

  it('takes away what a life that died after its reload has left', async () => {
    await engine.apply(model([target(1)]))
    const left = join(net.home.runDir, 'haproxy', 'clients-0123456789ab-80-4.map')
    writeFileSync(left, '0.0.0.0/0 1\n')
    const next = net.engine()
    await next.apply(model([target(1)]))
    assert.equal(existsSync(left), false)
    engine = next
  })

  it('lets requests wait for a target, as long as it is told to', async () => {
    const waiting = (queueSeconds: number, targets: ReturnType<typeof target>[]): BalancerModel => {
      const { loadBalancers, targetGroups } = model(targets)
      return { loadBalancers: [{ ...loadBalancers[0]!, queueSeconds }], targetGroups }
    }
    await engine.apply(waiting(1, []))
    const asked = clock.monotonic()
    assert.equal((await request()).status, 503)
    const waitedMs = clock.monotonic() - asked
    assert.ok(waitedMs > 900 && waitedMs < 3_000, `${waitedMs} ms`)
    await engine.apply(waiting(60, []))
    const early = [1, 2, 3].map(() => request())
    // A reload meanwhile, and the target comes after it.
    await engine.apply(waiting(30, []))
    await engine.apply(waiting(30, [target(1)]))
    await untilHealthy(1)
    assert.deepEqual(
      (await Promise.all(early)).map(({ by }) => by),
      ['i-1', 'i-1', 'i-1'],
    )
    await engine.apply(waiting(0, []))
    const then = clock.monotonic()
    assert.equal((await request()).status, 503)
    assert.ok(clock.monotonic() - then < 500, 'at once')
  })

  it('lets the share of a target that became healthy grow', async () => {
    const routing = { algorithm: 'round_robin', slowStartSeconds: 3, stickiness: null } as const
    const slowly = model([target(1), target(2)])
    slowly.targetGroups[0]!.routing = routing
    await net.order({ address: addressOf(2), port: 80, name: 'i-2', status: null })
    await engine.apply({ ...slowly, targetGroups: [{ ...slowly.targetGroups[0]!, targets: [target(1)] }] })
    await untilHealthy(1)
    await engine.apply(slowly)
    const share = async () => {
      let second = 0
      for (let i = 0; i < 60; i++) if ((await request()).by === 'i-2') second++
      return second / 60
    }
    await net.order({ address: addressOf(2), port: 80, name: 'i-2', status: 200 })
    await untilHealthy(2)
    const first = await share()
    assert.ok(first < 0.35, `begins with ${first}`)
    for (const end = clock.monotonic() + 8_000; clock.monotonic() < end;) if ((await share()) > 0.45) return
    assert.fail('does not reach its share')
  })
})
