import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../kernel/clock.ts'
import { parsed } from './certificates.ts'
import { describeBalancer } from './conformance.ts'
import { listenerTo } from './engine.ts'
import { makeFakeBalancerWorld } from './fake.ts'

function steppingClock(): Clock {
  let at = 1_000_000
  return { now: () => at, monotonic: () => at, sleep: async (ms) => void (at += ms) }
}

describeBalancer('fake balancer', async () => {
  const clock = steppingClock()
  const statuses = new Map<string, number | null>()
  const address = (n: number) => `10.0.2.${n}`
  const world = makeFakeBalancerWorld({
    ...{ clock, httpPort: 8_080 },
    probe: (of) => statuses.get(of) ?? null,
  })
  return {
    clock,
    engine: world.engine,
    place: (n) => ({ address: `10.0.1.${n}`, loopbackPort: 9_000 + n }),
    elasticAddress: '127.9.0.1',
    targetAddress: address,
    occupy: async (port, by) => world.occupy(port, by),
    answer: async (n, status) => void statuses.set(address(n), status),
    request: async (to) => {
      const headers = Object.fromEntries(
        Object.entries(to.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value]),
      )
      const {
        targetId,
        certificateId = '',
        ...answer
      } = world.request({
        ...('elasticAddress' in to ? { ...to, port: 80 } : to),
        headers,
      })
      const pem = world.model().certificates?.find(({ id }) => id === certificateId)?.pem ?? ''
      const certificate = parsed(pem)?.subject.replace('CN=', '')
      return { ...answer, by: targetId, ...(certificate === undefined ? {} : { certificate }) }
    },
    httpPort: 8_080,
    close: async () => undefined,
  }
})

describe('fake balancer', () => {
  it('has the effect or has it not, as the fault says', async () => {
    const world = makeFakeBalancerWorld({ clock: steppingClock(), probe: () => 200 })
    const engine = world.engine()
    const model = { loadBalancers: [], targetGroups: [group([])] }
    world.fault = () => 'error before'
    await assert.rejects(engine.apply(model), /error before/)
    assert.deepEqual(world.model().targetGroups, [])
    world.fault = () => 'error after'
    await assert.rejects(engine.apply(model), /error after/)
    assert.equal(world.model().targetGroups.length, 1)
    world.fault = () => 'cannot see'
    await assert.rejects(engine.observe(), /cannot see/)
    world.fault = () => 'never'
    const unanswered = engine.apply({ loadBalancers: [], targetGroups: [] }).then(() => 'answered')
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(world.model().targetGroups.length, 0)
    assert.equal(await Promise.race([unanswered, Promise.resolve('no answer')]), 'no answer')
  })

  it('calls a target that never answers unhealthy after as long as AWS takes', async () => {
    const clock = steppingClock()
    const world = makeFakeBalancerWorld({ clock, probe: () => null })
    const engine = world.engine()
    await engine.apply({
      loadBalancers: [balancer],
      targetGroups: [group([{ id: 'i-1', address: '10.0.2.1', port: 80, draining: false }])],
    })
    await clock.sleep(70_000)
    assert.equal((await engine.observe()).targets[0]?.health, 'initial')
    await clock.sleep(6_000)
    assert.equal((await engine.observe()).targets[0]?.health, 'unhealthy')
  })
})

const balancer = {
  id: 'one',
  address: '10.0.1.1',
  elasticAddress: null,
  internetFacing: false,
  hosts: [],
  loopbackPort: null,
  idleTimeoutSeconds: 60,
  listeners: [listenerTo(80, 'group', ['0.0.0.0/0'])],
  cutsOnRevoke: false,
}

const group = (targets: { id: string; address: string; port: number; draining: boolean }[]) => ({
  id: 'group',
  healthCheck: {
    protocol: 'HTTP' as const,
    port: null,
    path: '/',
    intervalSeconds: 15,
    timeoutSeconds: 5,
    healthyThreshold: 3,
    unhealthyThreshold: 5,
    matcher: '200',
  },
  targets,
})
