// What every balancer must keep (the contract of engine.ts), run on the fake always and on HAProxy where it is root.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Clock } from '../../kernel/clock.ts'
import { clientRanges } from './clients.ts'
import { describeRules } from './rules-conformance.ts'
import { describeNetwork } from './network-conformance.ts'
import { describeChallenges } from './challenges-conformance.ts'
import { describePages } from './pages-conformance.ts'
import { describeRequests } from './requests-conformance.ts'
import { describeTls } from './tls-conformance.ts'
import { describeTraffic } from './traffic-conformance.ts'
import {
  type BalancerEngine,
  type BalancerModel,
  type HealthCheck,
  listenerTo,
  type LoadBalancer,
  type Target,
  type TargetHealth,
} from './engine.ts'

export type ConformanceAnswer = {
  status: number
  /** The target's id. */
  by: string | null
  headers: Record<string, string | undefined>
  body: string
  /** The name in the certificate that a client of HTTPS was shown. */
  certificate?: string
}

export type BalancerHarness = {
  clock: Clock
  /** An engine as a control plane that starts now makes it, in the same world. */
  engine(): BalancerEngine
  /** The n-th load balancer's address and loopback port, n from 1. */
  place(n: number): { address: string; loopbackPort: number }
  /** One of this machine's loopback. */
  elasticAddress: string
  /** The n-th target's address, n from 1. */
  targetAddress(n: number): string
  /** Another program listens on a port of the machine from now on, or has gone. */
  occupy(port: number, by: 'somebody' | null): Promise<void>
  /** What target n answers from now on, on port 80; null = nothing listens there. */
  answer(n: number, status: number | null): Promise<void>
  /** One request through the public listener of port 80, or a loopback port. `by` is the target's id. */
  request(
    to: ({ host: string; listenerPort?: number } | { loopbackPort: number } | { elasticAddress: string }) & {
      /** An address of this machine's loopback; 127.0.0.1 unless told. */
      from?: string
      /** With its query. */
      path?: string
      method?: string
      headers?: Record<string, string>
      /** By HTTPS: at listener port 443, or the loopback port. */
      tls?: boolean
    },
  ): Promise<ConformanceAnswer>
  /** Where listener port 80 is served on this machine. */
  httpPort: number
  close(): Promise<void>
}

export function describeBalancer(title: string, open: () => Promise<BalancerHarness>): void {
  describe(title, () => {
    let world: BalancerHarness
    let engine: BalancerEngine
    before(async () => {
      world = await open()
      engine = world.engine()
    })
    after(() => world.close())

    const check = (over: Partial<HealthCheck> = {}): HealthCheck => ({
      protocol: 'HTTP',
      port: null,
      path: '/health',
      intervalSeconds: 0.5,
      timeoutSeconds: 1,
      healthyThreshold: 2,
      unhealthyThreshold: 2,
      matcher: '200',
      ...over,
    })
    const target = (n: number, draining = false): Target => ({
      id: `i-${n}`,
      address: world.targetAddress(n),
      port: 80,
      draining,
    })
    const loadBalancer = (n: number): LoadBalancer => ({
      id: `app/balancer/${n}`,
      elasticAddress: null,
      internetFacing: true,
      hosts: [`shop-${n}.localhost`],
      idleTimeoutSeconds: 60,
      listeners: [listenerTo(80, `group-${n}`, ['0.0.0.0/0'])],
      cutsOnRevoke: false,
      ...world.place(n),
    })
    const model = (targets: Target[], healthCheck = check()): BalancerModel => ({
      loadBalancers: [loadBalancer(1)],
      targetGroups: [{ id: 'group-1', healthCheck, targets }],
    })
    const host = 'shop-1.localhost'
    const healths = async () =>
      Object.fromEntries((await engine.observe()).targets.map(({ targetId, health }) => [targetId, health]))
    const untilHealth = async (wanted: Record<string, TargetHealth>) => {
      let seen: Record<string, TargetHealth> = {}
      for (let waitedMs = 0; waitedMs < 8_000; waitedMs += 20) {
        seen = await healths()
        if (Object.entries(wanted).every(([id, health]) => seen[id] === health)) return
        await world.clock.sleep(20)
      }
      assert.deepEqual(seen, wanted)
    }
    const refusesToServe = async (to: { host: string } | { loopbackPort: number }) => {
      const { status, by } = await world.request(to)
      assert.deepEqual({ status, by }, { status: 503, by: null })
    }
    const servedBy = async (requests: number) => {
      const answers: string[] = []
      for (let i = 0; i < requests; i++) answers.push((await world.request({ host })).by ?? 'balancer')
      return answers.sort()
    }

    it('sees nothing before the first model', async () => {
      assert.deepEqual(await engine.observe(), { targets: [], counters: [], targetCounters: [], taken: [] })
      assert.equal(await engine.traffic(), null)
    })

    it('answers 503 by itself when a group has no target', async () => {
      await engine.apply(model([]))
      await refusesToServe({ host })
      assert.deepEqual(await healths(), {})
    })

    it('gives a target nothing before its first passed check, then everything', async () => {
      await world.answer(1, null)
      await engine.apply(model([target(1)]))
      assert.deepEqual(await healths(), { 'i-1': 'initial' })
      await refusesToServe({ host })
      await world.answer(1, 200)
      await untilHealth({ 'i-1': 'healthy' })
      assert.deepEqual(await servedBy(2), ['i-1', 'i-1'])
    })

    it('shares requests among healthy targets', async () => {
      await world.answer(2, 200)
      await engine.apply(model([target(1), target(2)]))
      await untilHealth({ 'i-1': 'healthy', 'i-2': 'healthy' })
      assert.deepEqual(await servedBy(4), ['i-1', 'i-1', 'i-2', 'i-2'])
    })

    it('knows a balancer by host name whatever its case and port, and by its loopback port whatever the host', async () => {
      assert.equal((await world.request({ host: 'nobody.localhost' })).status, 404)
      const { loopbackPort } = world.place(1)
      assert.match((await world.request({ loopbackPort })).by ?? '', /^i-[12]$/)
    })

    it('gives a draining target nothing new', async () => {
      await engine.apply(model([target(1, true), target(2)]))
      assert.deepEqual(await healths(), { 'i-1': 'draining', 'i-2': 'healthy' })
      assert.deepEqual(await servedBy(3), ['i-2', 'i-2', 'i-2'])
      await engine.apply(model([target(1), target(2)]))
      await untilHealth({ 'i-1': 'healthy', 'i-2': 'healthy' })
      assert.deepEqual(await servedBy(2), ['i-1', 'i-2'])
    })

    it('leaves a target out that fails its checks, and says why', async () => {
      await world.answer(1, 500)
      await untilHealth({ 'i-1': 'unhealthy', 'i-2': 'healthy' })
      const [first] = (await engine.observe()).targets
      assert.equal(first?.reason, 'Target.ResponseCodeMismatch')
      assert.equal(first?.description, 'Health checks failed with these codes: [500]')
      assert.deepEqual(await servedBy(2), ['i-2', 'i-2'])
    })

    it('fails open when every target is unhealthy', async () => {
      await world.answer(2, 404)
      await untilHealth({ 'i-1': 'unhealthy', 'i-2': 'unhealthy' })
      assert.deepEqual(await servedBy(4), ['i-1', 'i-1', 'i-2', 'i-2'])
      await world.answer(1, 200)
      await world.answer(2, 200)
      await untilHealth({ 'i-1': 'healthy', 'i-2': 'healthy' })
    })

    it('takes codes that the matcher names', async () => {
      const matched = model([target(1), target(2)], check({ matcher: '200-299,404' }))
      await world.answer(1, 404)
      await world.answer(2, 302)
      await engine.apply(matched)
      await untilHealth({ 'i-1': 'healthy', 'i-2': 'unhealthy' })
      await world.answer(1, 200)
      await world.answer(2, 200)
      await untilHealth({ 'i-2': 'healthy' })
    })

    it('keeps the model in force when it refuses the next one', async () => {
      await engine.apply(model([target(1), target(2)]))
      await untilHealth({ 'i-1': 'healthy', 'i-2': 'healthy' })
      const bad = model([target(1)], check({ path: '/a\n  server evil 1.2.3.4:80' }))
      await assert.rejects(engine.apply(bad), { name: 'EngineError', message: /health check path/ })
      assert.deepEqual(await servedBy(2), ['i-1', 'i-2'])
    })

    it('keeps counting and serving under the next control plane, and when nothing changed', async () => {
      const before = (await engine.observe()).counters[0]
      engine = world.engine()
      await engine.apply(model([target(1), target(2)]))
      await world.request({ host })
      const now = (await engine.observe()).counters[0]
      assert.equal(now?.boot, before?.boot)
      assert.equal((now?.requests ?? 0) - (before?.requests ?? 0), 1)
    })

    it('counts codes of targets apart from its own', async () => {
      const [before] = (await engine.observe()).counters
      await world.answer(1, 500)
      await world.answer(2, 500)
      await world.request({ host })
      await world.answer(1, null)
      await world.answer(2, null)
      await world.request({ host })
      const [now] = (await engine.observe()).counters
      assert.ok(now && before)
      assert.equal(now.target5xx - before.target5xx, 1)
      assert.equal(now.balancer5xx - before.balancer5xx, 1)
      await world.answer(1, 200)
      await world.answer(2, 200)
    })

    it('moves a name from one balancer to another', async () => {
      const one = model([target(1)])
      const both = (first: string[], second: string[]): BalancerModel => ({
        loadBalancers: [
          { ...loadBalancer(1), hosts: first },
          { ...loadBalancer(2), hosts: second },
        ],
        targetGroups: [...one.targetGroups, { id: 'group-2', healthCheck: check(), targets: [target(2)] }],
      })
      await engine.apply(both([host], ['other.localhost']))
      await untilHealth({ 'i-1': 'healthy', 'i-2': 'healthy' })
      assert.deepEqual(await servedBy(1), ['i-1'])
      await engine.apply(both(['other.localhost'], [host]))
      assert.deepEqual(await servedBy(1), ['i-2'])
    })

    it("knows a balancer by all that is below a name, but for what is somebody else's", async () => {
      const one = model([target(1)])
      await engine.apply({
        loadBalancers: [
          { ...loadBalancer(1), hosts: ['*.wild.localhost', 'own.deep.wild.localhost'] },
          { ...loadBalancer(2), hosts: ['*.deep.wild.localhost', 'own.wild.localhost'] },
        ],
        targetGroups: [...one.targetGroups, { id: 'group-2', healthCheck: check(), targets: [target(2)] }],
      })
      await untilHealth({ 'i-1': 'healthy', 'i-2': 'healthy' })
      for (const [asked, by] of [
        ['a.wild.localhost', 'i-1'],
        ['a.b.wild.localhost', 'i-1'],
        ['own.wild.localhost', 'i-2'],
        ['a.deep.wild.localhost', 'i-2'],
        ['own.deep.wild.localhost', 'i-1'],
        ['wild.localhost', null],
        ['notwild.localhost', null],
      ] as const)
        assert.equal((await world.request({ host: asked })).by, by, asked)
    })

    it('carries all but a port that another program has, says who has it, and takes it once it is free', async () => {
      const both: BalancerModel = {
        loadBalancers: [loadBalancer(1), loadBalancer(2)],
        targetGroups: [
          ...model([target(1)]).targetGroups,
          { id: 'group-2', healthCheck: check(), targets: [target(2)] },
        ],
      }
      const { loopbackPort } = world.place(2)
      await engine.apply({ loadBalancers: [], targetGroups: [] })
      await world.occupy(loopbackPort, 'somebody')
      await engine.apply(both)
      await untilHealth({ 'i-1': 'healthy', 'i-2': 'healthy' })
      assert.equal((await world.request({ host: 'shop-2.localhost' })).by, 'i-2')
      assert.equal((await world.request({ loopbackPort: world.place(1).loopbackPort })).by, 'i-1')
      const [taken, ...more] = (await engine.observe()).taken
      assert.deepEqual(more, [])
      assert.ok(taken)
      assert.equal(taken.id, loadBalancer(2).id)
      assert.deepEqual([taken.listenerPort, taken.port], [null, loopbackPort])
      assert.match(taken.reason, new RegExp(`^port ${loopbackPort} is taken by .+`))
      await world.occupy(loopbackPort, null)
      await engine.apply(both)
      assert.deepEqual((await engine.observe()).taken, [])
      assert.equal((await world.request({ loopbackPort })).by, 'i-2')
    })

    it('serves port 80 first when its own model wants a port twice, and says which listener is not served', async () => {
      const { loopbackPort } = world.place(1)
      await engine.apply({
        loadBalancers: [
          {
            ...loadBalancer(1),
            listeners: [80, loopbackPort].map((port) => listenerTo(port, 'group-1', ['0.0.0.0/0'])),
          },
        ],
        targetGroups: model([target(1)]).targetGroups,
      })
      await untilHealth({ 'i-1': 'healthy' })
      assert.equal((await world.request({ loopbackPort })).by, 'i-1')
      assert.deepEqual((await engine.observe()).taken, [
        {
          id: loadBalancer(1).id,
          listenerPort: loopbackPort,
          port: loopbackPort,
          reason: `port ${loopbackPort} already is the loopback port of ${loadBalancer(1).id}`,
        },
      ])
    })

    it('lets in whom a listener names, by the address, and closes the connection of others', async () => {
      await world.answer(1, 200)
      const open = async (clients: string[], others = clients) => {
        const letting = (n: number, list: string[]): LoadBalancer => ({
          ...loadBalancer(n),
          listeners: [listenerTo(80, 'group-1', list)],
        })
        await engine.apply({
          loadBalancers: [letting(1, clients), letting(2, others)],
          targetGroups: [{ id: 'group-1', healthCheck: check(), targets: [target(1)] }],
        })
        const isLetIn = (to: { host: string } | { loopbackPort: number }, from: string) =>
          world.request({ ...to, from }).then(
            ({ status }) => status !== 404,
            () => false,
          )
        assert.deepEqual(
          (await engine.clients()).map((one) => [one.id, one.listenerPort, one.clients]),
          [clients, others].map((list, index) => [loadBalancer(index + 1).id, 80, clientRanges(list)]),
        )
        const { loopbackPort } = world.place(1)
        return Promise.all([
          ...['127.0.0.1', '127.0.0.9', '::1'].map((from) => isLetIn({ host }, from)),
          ...['127.0.0.1', '127.0.0.9'].map((from) => isLetIn({ loopbackPort }, from)),
          isLetIn({ host: 'shop-2.localhost' }, '127.0.0.9'),
        ])
      }
      assert.deepEqual(await open(['0.0.0.0/0']), [true, true, true, true, true, true])
      assert.deepEqual(await open([]), [false, false, false, false, false, false])
      assert.deepEqual(await open(['127.0.0.9/32', '10.0.0.0/8']), [false, true, false, false, true, true])
      assert.deepEqual(await open(['127.0.0.0/29']), [true, false, true, true, false, false])
      // An IPv4 address is no IPv6 one, though every IPv4 address has a place there.
      assert.deepEqual(await open(['::/0']), [false, false, true, false, false, false])
      assert.deepEqual(await open(['::ffff:127.0.0.0/104', '2001:db8::/32']), Array(6).fill(false))
      // One socket, two balancers: what the other one lets in is no way in.
      assert.deepEqual(await open(['127.0.0.1/32'], ['0.0.0.0/0']), [true, false, true, true, false, true])
      assert.deepEqual(await open(['0.0.0.0/0'], ['127.0.0.1/32']), [true, true, true, true, true, false])
    })

    it('leads from an elastic address to its instance for any host, unchecked, and to another one when it moves', async () => {
      const { elasticAddress } = world
      const { address: edge, loopbackPort } = world.place(3)
      const door = (n: number, id: string, own: string, clients: string[]): LoadBalancer => ({
        ...{ id, address: edge, elasticAddress: own, internetFacing: true, hosts: [`${id}.localhost`] },
        ...{ loopbackPort: loopbackPort + n, idleTimeoutSeconds: 60, cutsOnRevoke: false },
        listeners: [listenerTo(80, id, clients)],
      })
      const behind = (id: string, targets: Target[]) => ({ id, healthCheck: null, targets })
      // Two that dial from one address, beside a load balancer.
      const leading = async (targets: Target[], clients = ['0.0.0.0/0']) =>
        engine.apply({
          loadBalancers: [
            loadBalancer(1),
            door(0, 'eipalloc-1', elasticAddress, clients),
            door(1, 'eipalloc-2', elasticAddress.replace(/1$/, '2'), ['0.0.0.0/0']),
          ],
          targetGroups: [
            { id: 'group-1', healthCheck: check(), targets: [target(1)] },
            behind('eipalloc-1', targets),
            behind('eipalloc-2', []),
          ],
        })
      await world.answer(1, 200)
      await world.answer(2, 404) // no check would pass
      await leading([target(2)])
      await untilHealth({ 'i-1': 'healthy', 'i-2': 'healthy' })
      const ways = [{ elasticAddress }, { host: 'eipalloc-1.localhost' }, { loopbackPort }]
      const servers = () => Promise.all(ways.map(async (way) => (await world.request(way)).by))
      assert.deepEqual(await servers(), ['i-2', 'i-2', 'i-2'])
      assert.equal((await world.request({ host })).by, 'i-1')
      await refusesToServe({ loopbackPort: loopbackPort + 1 })
      const counted = (await engine.observe()).counters.find(({ id }) => id === 'eipalloc-1')
      assert.equal(counted?.requests, 3)

      await leading([target(1)])
      assert.deepEqual(await servers(), ['i-1', 'i-1', 'i-1'])
      await leading([])
      await assert.rejects(async () => assert.notEqual((await world.request({ elasticAddress })).status, 503))
      // The group of the instance is asked, and what others let in is no way in.
      await leading([target(1)], ['10.0.0.0/8'])
      for (const way of ways) await assert.rejects(world.request(way), 'let in')
    })

    describeNetwork(() => ({ world, engine, loadBalancer, target, check, untilHealth }))
    describeChallenges(() => ({ world, engine, loadBalancer, target, check, untilHealth }))

    describePages(() => ({ world, engine, loadBalancer, target, check, untilHealth }))
    describeRequests(() => ({ world, engine, loadBalancer, target, check, untilHealth }))
    describeTraffic(() => ({ world, engine, loadBalancer, target, check, untilHealth }))
    describeTls(() => ({ world, engine, loadBalancer, target, check, untilHealth }))
    describeRules(() => ({ world, engine, loadBalancer, target, check, untilHealth }))

    it('forgets what is taken away', async () => {
      await engine.apply({ loadBalancers: [], targetGroups: [] })
      assert.deepEqual((await engine.observe()).targets, [])
      assert.deepEqual((await engine.traffic())?.counters, [])
      assert.equal((await world.request({ host }).catch(() => ({ status: 404 }))).status, 404)
    })
  })
}
