import type { InstancesHealthAttribute } from '@aws-sdk/client-elastic-beanstalk'
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { RequestCounters } from '../../cloud.ts'
import { HEALTH } from '../configuration/health-reporting.ts'
import { makeBench, type Bench } from '../test-bench.ts'

let bench: Bench
beforeEach(() => {
  bench = makeBench()
  bench.version('v1')
})
afterEach(() => bench.end())

const set = (OptionName: string, Value: string, Namespace = HEALTH) => ({ Namespace, OptionName, Value })
const named = { EnvironmentName: 'shop-prod' }
const describeAll = () =>
  bench.api.describeEnvironmentHealth(bench.context(), { ...named, AttributeNames: ['All'] })
const instances = (AttributeNames: string[] = ['All']) =>
  bench.api.describeInstancesHealth(bench.context(), {
    ...named,
    AttributeNames: AttributeNames as InstancesHealthAttribute[],
  })

/** As if the load balancer had just been asked so many requests, of which it failed some itself. */
function asked(requests: number, status4xx: number, status5xx: number, own: { 4?: number; 5?: number } = {}) {
  const counts = () => ({
    ...{
      seconds: 10,
      requests,
      status2xx: requests - status4xx - status5xx,
      status3xx: 0,
      status4xx,
      status5xx,
    },
    ...{ balancer4xx: own[4] ?? 0, balancer5xx: own[5] ?? 0 },
  })
  const counters = (): RequestCounters => ({
    ...counts(),
    ...{
      at: bench.clock.now(),
      responseTimeAverageMs: 20,
      responseTimeMs: (percent) => percent,
      since: counts,
    },
  })
  Object.assign(bench.cloud.elasticloadbalancingv2, {
    loadBalancerCounters: counters,
    targetCounters: counters,
  })
}

const ready = async (OptionSettings: ReturnType<typeof set>[] = []) => {
  bench.create({ OptionSettings })
  await bench.until('Ready')
  await bench.clock.run(70_000)
}

describe('enhanced health', () => {
  it('has every attribute of the model, and those that are asked for alone', async () => {
    await ready()
    asked(4234, 0, 843)
    const health = describeAll()
    assert.deepEqual(Object.keys(health).toSorted(), [
      ...['ApplicationMetrics', 'Causes', 'Color', 'EnvironmentName', 'HealthStatus', 'InstancesHealth'],
      ...['RefreshedAt', 'Status'],
    ])
    assert.deepEqual(health.Causes, ['19.9 % of the requests are failing with HTTP 5xx.'])
    assert.deepEqual(health.ApplicationMetrics?.Latency, {
      ...{ P999: 0.1, P99: 0.099, P95: 0.095, P90: 0.09, P85: 0.085, P75: 0.075, P50: 0.05, P10: 0.01 },
    })
    const { InstanceHealthList: [one] = [], RefreshedAt } = instances()
    assert.deepEqual(Object.keys(one ?? {}).toSorted(), [
      ...['ApplicationMetrics', 'AvailabilityZone', 'Causes', 'Color', 'Deployment', 'HealthStatus'],
      ...['InstanceId', 'InstanceType', 'LaunchedAt', 'System'],
    ])
    assert.ok(RefreshedAt instanceof Date)
    assert.deepEqual(instances(['HealthStatus']), {
      InstanceHealthList: [{ InstanceId: one?.InstanceId, HealthStatus: 'Degraded' }],
    })
    assert.deepEqual(bench.api.describeEnvironmentHealth(bench.context(), named), named)
  })

  it('refuses an attribute that there is not, in AWS’s words', async () => {
    await ready()
    assert.throws(() => instances(['Health', 'All']), {
      code: 'ValidationError',
      message:
        "1 validation error detected: Value '[Health, All]' at 'attributeNames' failed to satisfy constraint: Member must satisfy " +
        'constraint: [Member must satisfy enum value set: [HealthStatus, Color, Causes, ApplicationMetrics, RefreshedAt, ' +
        'LaunchedAt, System, Deployment, AvailabilityZone, InstanceType, All]]',
    })
  })

  it('tells transitions with their causes, down as a warning', async () => {
    await ready()
    asked(100, 0, 40)
    await bench.clock.run(10_000)
    asked(100, 0, 0)
    await bench.clock.run(10_000)
    assert.deepEqual(bench.texts().slice(-2), [
      'WARN Environment health has transitioned from Ok to Severe. 40.0 % of the requests are failing with HTTP 5xx. Impaired services on all instances.',
      'INFO Environment health has transitioned from Severe to Ok.',
    ])
  })

  it('does not mind 4xx that the document leaves out', async () => {
    const rule = { Environment: { ELB: { ELBRequests4xx: { Enabled: false } } } }
    await ready([set('ConfigDocument', JSON.stringify({ Version: 1, Rules: rule }))])
    asked(100, 60, 0, { 4: 60 })
    Object.assign(bench.cloud.elasticloadbalancingv2, { targetCounters: () => undefined })
    assert.deepEqual(describeAll().Causes, [])
    asked(100, 60, 0)
    assert.deepEqual(describeAll().Causes?.[0], '60.0 % of the requests are erroring with HTTP 4xx.')
  })

  it('goes by the thresholds that options say', async () => {
    await ready([set('Application5xxWarning', '5', 'polebean:healthreporting')])
    asked(100, 0, 4)
    await bench.clock.run(10_000)
    assert.equal(bench.environment()?.HealthStatus, 'Ok')
    asked(100, 0, 5)
    await bench.clock.run(10_000)
    assert.equal(bench.environment()?.HealthStatus, 'Warning')
  })
})

describe('basic health', () => {
  it('is a colour alone', async () => {
    await ready([set('SystemType', 'basic')])
    asked(100, 0, 100)
    await bench.clock.run(10_000)
    const { Health, HealthStatus } = bench.environment() ?? {}
    assert.deepEqual([Health, HealthStatus], ['Green', undefined])
    for (const [refused, name] of [
      [describeAll, 'DescribeEnvironmentHealth'],
      [instances, 'DescribeInstancesHealth'],
    ] as const)
      assert.throws(() => refused(), {
        code: 'InvalidRequestException',
        message: `${name} is not supported.`,
      })
  })

  it('is told in the words that old clients look for', async () => {
    await ready([set('SystemType', 'basic')])
    const isBroken = () => 'Target.Timeout: Request timed out'
    bench.world.checks = isBroken
    await bench.clock.run(70_000)
    bench.world.checks = () => ''
    await bench.clock.run(10_000)
    const texts = bench.texts().filter((text) => /health/.test(text))
    assert.match(texts[2] ?? '', /^WARN Elastic Load Balancer app\/\S+\/1 has zero healthy instances\.$/)
    assert.deepEqual(texts.toSpliced(2, 1), [
      'INFO Environment health has been set to GREEN',
      'WARN Environment health has transitioned from GREEN to RED',
      'INFO Environment health has transitioned from RED to GREEN',
    ])
  })

  it('becomes enhanced, and back, in place', async () => {
    await ready()
    const update = async (value: string) => {
      bench.api.updateEnvironment(bench.context(), { ...named, OptionSettings: [set('SystemType', value)] })
      await bench.until('Ready')
      await bench.clock.run(10_000)
    }
    const before = bench.world.instances()[0]?.id
    await update('basic')
    assert.throws(describeAll, { code: 'InvalidRequestException' })
    await update('enhanced')
    assert.equal(describeAll().HealthStatus, 'Ok')
    assert.equal(bench.world.instances()[0]?.id, before)
  })
})

describe('a deployment', () => {
  const deploy = async (threshold: string) => {
    await ready([set('HealthCheckSuccessThreshold', threshold)])
    bench.version('v2')
    await bench.clock.run(30_000)
    bench.api.updateEnvironment(bench.context(), { ...named, VersionLabel: 'v2' })
    await bench.until('Ready')
    return bench.texts().findLast((text) => /^ERROR|completed successfully/.test(text))
  }

  it('succeeds when its instances are well', async () => {
    asked(100, 90, 0)
    assert.equal(await deploy('Ok'), 'INFO Environment update completed successfully.')
  })

  it('fails when they fail requests', async () => {
    await ready()
    asked(100, 0, 20)
    bench.version('v2')
    await bench.clock.run(30_000)
    bench.api.updateEnvironment(bench.context(), { ...named, VersionLabel: 'v2' })
    await bench.until('Ready')
    const said = bench.texts().find((text) => text.includes('find these instances'))
    assert.match(said ?? '', /\(20\.0 % of the requests are failing with HTTP 5xx\.\)\.$/)
  })

  it('succeeds when they are as bad as the option allows', async () => {
    asked(100, 0, 20)
    assert.equal(await deploy('Degraded'), 'INFO Environment update completed successfully.')
  })

  it('succeeds though the load balancer finds them unhealthy when Severe is allowed', async () => {
    bench.world.checks = () => 'Target.ResponseCodeMismatch: Health checks failed with these codes: [500]'
    assert.equal(await deploy('Severe'), 'INFO Environment update completed successfully.')
  })
})
