// Targets that speak HTTPS, and checks that speak another protocol than the requests.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { makeCertificate } from '../../kernel/test-certificate.ts'
import {
  type BalancerEngine,
  type BalancerModel,
  type HealthCheck,
  listenerTo,
  type TargetGroup,
} from './engine.ts'
import { get, makeTestNetwork, type TestNetwork } from './test-network.ts'

const HOST = 'shop.localhost'

describe('haproxy with targets of HTTPS', () => {
  let net: TestNetwork
  let engine: BalancerEngine
  before(async () => {
    net = await makeTestNetwork()
    engine = net.engine()
    const { key, certificate: cert } = makeCertificate(['nobody.asks.for.it'])
    for (const n of [1, 2])
      await net.order({
        address: `10.213.2.${n}`,
        port: 443,
        name: `i-${n}`,
        status: 200,
        tls: { key, cert },
      })
    await net.order({ address: '10.213.2.1', port: 80, name: 'plain', status: 200 })
  })
  after(() => net.close())

  const check = (over: Partial<HealthCheck> = {}): HealthCheck => ({
    ...{ protocol: 'HTTPS', port: null, path: '/', intervalSeconds: 0.5, timeoutSeconds: 0.4 },
    ...{ healthyThreshold: 2, unhealthyThreshold: 2, matcher: '200', ...over },
  })
  const group = (numbers: number[], over: Partial<TargetGroup> = {}, port = 443): TargetGroup => ({
    id: 'group',
    protocol: 'HTTPS',
    healthCheck: check(),
    targets: numbers.map((n) => ({ id: `i-${n}`, address: `10.213.2.${n}`, port, draining: false })),
    ...over,
  })
  const model = (targetGroup: TargetGroup, idleTimeoutSeconds = 60): BalancerModel => ({
    loadBalancers: [
      {
        ...{
          id: 'app/secure/1',
          address: '10.213.1.1',
          elasticAddress: null,
          internetFacing: true,
          hosts: [HOST],
        },
        ...{ loopbackPort: null, idleTimeoutSeconds, cutsOnRevoke: false },
        listeners: [listenerTo(80, 'group', ['0.0.0.0/0'])],
      },
    ],
    targetGroups: [targetGroup],
  })
  const request = () => get(net.home.ports.http, HOST)
  const untilHealthy = async (count: number) => {
    for (let tries = 0; tries < 200; tries++) {
      const { targets } = await engine.observe()
      if (targets.length === count && targets.every(({ health }) => health === 'healthy')) return
      await clock.sleep(25)
    }
    assert.fail(JSON.stringify((await engine.observe()).targets))
  }

  it('speaks HTTPS to those that come while it runs, whatever certificate they show', async () => {
    await engine.apply(model(group([])))
    await engine.apply(model(group([1])))
    await untilHealthy(1)
    const { status, by, headers } = await request()
    assert.deepEqual([status, by], [200, 'i-1'])
    assert.equal(headers['x-forwarded-proto'], undefined)
  })
  it('goes on so through a reload and a restart', async () => {
    await engine.apply(model(group([1]), 61))
    assert.equal((await request()).by, 'i-1')
    await engine.apply(model(group([1, 2]), 62))
    await untilHealthy(2)
    const worker = (await net.supervisor.list()).find(({ name }) => name === 'haproxy')!
    process.kill(worker.pid!, 'SIGKILL')
    for (let tries = 0; tries < 100; tries++) {
      // For a second nobody listens.
      const answer = await request().catch(() => null)
      if (answer?.status === 200) return
      await clock.sleep(50)
    }
    assert.fail('it did not come back')
  })
  it('checks by HTTP what it asks by HTTPS, and the other way about', async () => {
    await engine.apply(model(group([1], { healthCheck: check({ protocol: 'HTTP', port: 80 }) })))
    await untilHealthy(1)
    assert.equal((await request()).by, 'i-1')
    await engine.apply(model(group([1], { protocol: 'HTTP', healthCheck: check({ port: 443 }) }, 80)))
    await untilHealthy(1)
    assert.equal((await request()).by, 'plain')
  })
  it('finds unhealthy what does not speak HTTPS', async () => {
    await engine.apply(model(group([1], {}, 80)))
    for (let tries = 0; tries < 200; tries++) {
      const [target] = (await engine.observe()).targets
      if (target?.health === 'unhealthy') return
      await clock.sleep(25)
    }
    assert.fail('it is not found unhealthy')
  })
})
