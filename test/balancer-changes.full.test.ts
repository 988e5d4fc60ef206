// Five hundred changes of rules, listeners, target groups and certificates, one after the other, under as much load as the
// machine gives: no request fails, and what was asked last is in force.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { systemClock as clock } from '../src/kernel/clock.ts'
import { makeCertificate } from '../src/kernel/test-certificate.ts'
import {
  type BalancerEngine,
  type BalancerModel,
  listenerTo,
  type Listener,
  type Rule,
} from '../src/engines/balancer/engine.ts'
import { startWrk } from './support/load.ts'
import { get, makeTestNetwork, type TestNetwork } from '../src/engines/balancer/test-network.ts'

const HOST = 'shop-1.localhost'
const CHANGES = 500
const REQUESTS_LEAST = 200_000
const EVERYBODY = ['0.0.0.0/0']

describe('a load balancer that changes under load', { concurrency: 1 }, () => {
  let net: TestNetwork
  let engine: BalancerEngine
  const pems = ['first', 'second'].map((name) => {
    const { certificate, key } = makeCertificate([HOST, name])
    return `${key}${certificate}`
  })
  const target = (n: number) => ({ id: `i-${n}`, address: `10.213.2.${n}`, port: 80, draining: false })
  const group = (n: number, ids: number[]) => ({
    id: `group-${n}`,
    healthCheck: {
      ...{ protocol: 'HTTP' as const, port: null, path: '/', intervalSeconds: 1, timeoutSeconds: 1 },
      ...{ healthyThreshold: 2, unhealthyThreshold: 2, matcher: '200' },
    },
    targets: ids.map(target),
  })

  before(async () => {
    net = await makeTestNetwork()
    engine = net.engine()
    for (const n of [1, 2, 3])
      await net.order({ address: target(n).address, port: 80, name: `i-${n}`, status: 200 })
  })
  after(() => net.close())

  /** The n-th change: each differs from the one before in its rules, and in turn in something else. */
  function modelOf(n: number): BalancerModel {
    const rules: Rule[] = Array.from({ length: 1 + (n % 5) }, (_unused, index) => ({
      conditions: [
        { field: 'path-pattern', patterns: [`/rule-${index}/*`] },
        ...(n % 2 === 0 ? [{ field: 'http-header' as const, name: 'x-change', patterns: [`${n}`] }] : []),
      ],
      action: { type: 'fixed-response', statusCode: 200, contentType: 'text/plain', body: `change ${n}` },
    }))
    const plain = { ...listenerTo(80, 'group-1', EVERYBODY), rules }
    const further: Listener[] = n % 3 === 0 ? [listenerTo(81, 'group-2', EVERYBODY)] : []
    const tls: Listener = {
      ...listenerTo(443, 'group-1', EVERYBODY),
      tls: { certificateIds: ['shop'], minVersion: '1.2', maxVersion: '1.3', http2: n % 7 !== 0 },
    }
    return {
      loadBalancers: [
        {
          ...{ id: 'app/balancer/1', address: '10.213.1.1', elasticAddress: null, internetFacing: true },
          ...{ hosts: [HOST], loopbackPort: net.home.ports.environments + 1, cutsOnRevoke: false },
          idleTimeoutSeconds: 60 + (n % 4),
          listeners: [plain, ...further, tls],
        },
      ],
      targetGroups: [group(1, n % 10 < 5 ? [1, 2] : [1, 2, 3]), group(2, [1])],
      certificates: [{ id: 'shop', pem: pems[n % 2]! }],
    }
  }

  it(`loses none of ${REQUESTS_LEAST} requests over ${CHANGES} changes`, async (context) => {
    await engine.apply(modelOf(0))
    for (let healthy = 0; healthy < 2; await clock.sleep(50))
      healthy = (await engine.observe()).targets.filter((one) => one.health === 'healthy').length
    const load = startWrk(net.home.ports.http, HOST)
    const started = clock.monotonic()
    for (let n = 1; n <= CHANGES; n++) await engine.apply(modelOf(n))
    const seconds = (clock.monotonic() - started) / 1000
    for (const end = started + 600_000; clock.monotonic() < end && seconds > 0; await clock.sleep(500))
      if (clock.monotonic() - started > (REQUESTS_LEAST / RATE_LEAST) * 1000) break
    const said = await load.stop()
    context.diagnostic(
      `${CHANGES} changes in ${seconds.toFixed(0)} s, ${((seconds / CHANGES) * 1000).toFixed(0)} ms each`,
    )
    const requests = Number(/(\d+) requests in/.exec(said)?.[1])
    context.diagnostic(`${requests} requests`)
    assert.doesNotMatch(said, /Socket errors|Non-2xx/, said)
    assert.ok(requests >= REQUESTS_LEAST, said)
    const last = await get(net.home.ports.http, HOST, { 'x-change': String(CHANGES) }, '/rule-0/x')
    assert.equal(last.body, `change ${CHANGES}`)
    const shown = await get(
      net.home.ports.http + 363,
      HOST,
      {},
      '/',
      false,
      '127.0.0.1',
      '127.0.0.1',
      'GET',
      true,
    )
    assert.equal(shown.status, 200)
  })
})

/** At which the least would be reached when the changes are done sooner. */
const RATE_LEAST = 2_500
