import assert from 'node:assert/strict'
import { afterEach, beforeEach, it } from 'node:test'
import type { RequestCounters } from '../cloud.ts'
import { makeBench, type Bench } from './test-bench.ts'

let bench: Bench
beforeEach(async () => {
  bench = makeBench()
  bench.version('v1')
  bench.create({ EnvironmentName: 'shop-prod', CNAMEPrefix: 'shop' })
  bench.create({ EnvironmentName: 'blog-prod', CNAMEPrefix: 'blog' })
  await bench.until('Ready', 'blog-prod')
  await bench.clock.run(30_000)
  const counters = (): RequestCounters => ({
    ...{ seconds: 10, requests: 50, status2xx: 40, status3xx: 0, status4xx: 10, status5xx: 0 },
    ...{ balancer4xx: 0, balancer5xx: 0, at: bench.clock.now(), responseTimeAverageMs: 9 },
    ...{ responseTimeMs: (percent: number) => percent * 2, since: () => undefined },
  })
  const read = { loadBalancerCounters: counters, targetCounters: counters }
  Object.assign(bench.cloud.elasticloadbalancingv2, read)
})
afterEach(() => bench.end())

it('top tells of every environment, by its name, what is kept and counted', () => {
  const { environments, instances } = bench.readTop(undefined)
  assert.deepEqual([environments.map(({ name }) => name), instances], [['blog-prod', 'shop-prod'], []])
  const { id, causes, ...shop } = environments[1]!
  assert.match(id, /^e-/)
  assert.ok(Array.isArray(causes))
  assert.deepEqual(shop, {
    ...{ name: 'shop-prod', status: 'Ready', health: 'Ok', colour: 'Green', versionLabel: 'v1' },
    instances: { inService: 1, desired: 1 },
    requests: {
      ...{ perSecond: 5, status2xx: 4, status3xx: 0, status4xx: 1, status5xx: 0 },
      ...{ p50Ms: 100, p90Ms: 180, p99Ms: 198 },
    },
    ...{ cpuPercent: 30, memoryBytes: null, memoryPercent: null },
  })
})

it('top tells of the instances of one that is named, and of none that there is not', () => {
  const { environments, instances } = bench.readTop('shop-prod')
  assert.deepEqual([environments.length, instances.length], [1, 1])
  assert.deepEqual(
    [instances[0]?.health, instances[0]?.cpuPercent, instances[0]?.type, instances[0]?.versionLabel],
    ['Ok', 30, 't3.micro', 'v1'],
  )
  assert.deepEqual(bench.readTop('nobody').environments, [])
})
