// What every balancer must do for network load balancers: a part of conformance.ts.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { type BalancerModel, type Listener, listenerTo, type LoadBalancer } from './engine.ts'
import type { Stage } from './rules-conformance.ts'

/** `stage`: asked when a test runs. */
export function describeNetwork(stage: () => Stage): void {
  const model = (network: Partial<LoadBalancer>, ports: number[], clients = ['0.0.0.0/0']): BalancerModel => {
    const { loadBalancer, target, check } = stage()
    const listeners = ports.map((port): Listener => listenerTo(port, 'group-tcp', clients))
    const healthCheck = { ...check(), protocol: 'TCP' as const }
    return {
      loadBalancers: [{ ...loadBalancer(1), isNetwork: true, listeners, ...network }, loadBalancer(2)],
      targetGroups: [
        { id: 'group-tcp', protocol: 'TCP', healthCheck, targets: [target(1)] },
        { id: 'group-2', healthCheck: check(), targets: [target(2)] },
      ],
    }
  }
  const at = (listenerPort: number, from?: string) =>
    stage().world.request({ host: 'any.example', listenerPort, ...(from ? { from } : {}) })

  it('passes connections on, whatever name they ask for, beside those of HTTP', async () => {
    const { world, engine, untilHealth } = stage()
    await world.answer(1, 201)
    await world.answer(2, 200)
    await engine.apply(model({}, [NETWORK_PORT]))
    await untilHealth({ 'i-1': 'healthy', 'i-2': 'healthy' })
    const counted = async () => (await engine.observe()).counters.find(({ id }) => id === 'app/balancer/1')!
    const before = await counted()
    const { status, by } = await at(NETWORK_PORT)
    assert.deepEqual([status, by], [201, 'i-1'])
    assert.equal((await world.request({ loopbackPort: world.place(1).loopbackPort })).by, 'i-1')
    assert.equal((await world.request({ host: 'shop-2.localhost' })).by, 'i-2')
    const after = await counted()
    assert.deepEqual([after.requests - before.requests, after.target2xx - before.target2xx], [2, 0])
  })

  it('lets in whom its listener lets in, and nobody where no target is there', async () => {
    const { world, engine, untilHealth } = stage()
    await engine.apply(model({}, [NETWORK_PORT], ['127.0.0.1/32']))
    assert.equal((await at(NETWORK_PORT)).by, 'i-1')
    await assert.rejects(() => at(NETWORK_PORT, '127.0.0.2'))
    await world.answer(1, null)
    await untilHealth({ 'i-1': 'unhealthy' })
    await assert.rejects(() => at(NETWORK_PORT))
    await world.answer(1, 201)
  })

  it('leaves a port to those of HTTP', async () => {
    const { world, engine, untilHealth } = stage()
    await engine.apply(model({}, [80, NETWORK_PORT]))
    await untilHealth({ 'i-1': 'healthy', 'i-2': 'healthy' })
    assert.equal((await world.request({ host: 'shop-2.localhost' })).by, 'i-2')
    const { taken } = await engine.observe()
    assert.deepEqual(
      taken.map(({ id, listenerPort, port, reason }) => [id, listenerPort, port, reason]),
      [['app/balancer/1', 80, world.httpPort, `port ${world.httpPort} already serves HTTP`]],
    )
    const internal = (range: string) =>
      model({ internetFacing: false, loopbackPort: null }, [NETWORK_PORT], [range])
    await engine.apply(internal('192.0.2.0/24'))
    await engine.apply(internal('198.51.100.0/24'))
    const [listener] = (await engine.clients()).filter(({ id }) => id === 'app/balancer/1')
    assert.deepEqual(listener?.clients, ['198.51.100.0/24'])
    // Nobody listens there, or somebody else.
    const answer = await at(NETWORK_PORT).catch(() => null)
    assert.notEqual(answer?.by, 'i-1')
  })
}

const NETWORK_PORT = 15_432
