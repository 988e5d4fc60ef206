import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeBench, type Bench } from '../test-bench.ts'

let bench: Bench
beforeEach(() => {
  bench = makeBench()
  bench.version('v1')
})
afterEach(() => bench.end())

const HOSTS = ['shop.us-west-2.elasticbeanstalk.localhost']
const setting = (Namespace: string, OptionName: string, Value: string) => ({ Namespace, OptionName, Value })
const TYPE = 'aws:elasticbeanstalk:environment'
const single = setting(TYPE, 'EnvironmentType', 'SingleInstance')
const loadBalanced = setting(TYPE, 'EnvironmentType', 'LoadBalanced')
const created = async (...more: object[]) => {
  bench.create({ OptionSettings: [single, ...(more as (typeof single)[])] })
  await bench.until('Ready')
  await bench.clock.run(60_000)
}
const update = async (...OptionSettings: (typeof single)[]) => {
  bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', OptionSettings })
  await bench.until('Ready')
}
const addresses = () => [...bench.world.addresses.values()]
const sizes = () => {
  const { loadBalancers, listeners, targetGroups, addresses: elastic, securityGroups } = bench.world
  return [loadBalancers, listeners, targetGroups, elastic, securityGroups].map(({ size }) => size)
}
const groups = () =>
  [...bench.world.groups.values()].map(({ min, max, targetGroups }) => [min, max, targetGroups.length])
const allCauses = () =>
  bench.api.describeEnvironmentHealth(bench.context(), {
    EnvironmentName: 'shop-prod',
    AttributeNames: ['All'],
  }).Causes

describe('an environment of a single instance', () => {
  it('has an elastic address in the place of a load balancer, and one instance whatever sizes are asked for', async () => {
    await created(setting('aws:autoscaling:asg', 'MinSize', '3'))
    const [address] = addresses()
    assert.deepEqual(sizes(), [0, 0, 0, 1, 1])
    assert.deepEqual(groups(), [[1, 1, 0]])
    assert.deepEqual([address?.hosts, address?.loopbackPort], [HOSTS, 18_000])
    assert.equal(address?.associatedWith, bench.world.instances()[0]?.id)
    const shown = bench.environment()
    assert.deepEqual([shown?.Health, shown?.EndpointURL], ['Green', address?.publicIp])
    assert.ok(bench.texts().includes(`INFO Created EIP: ${address?.publicIp}`))
    assert.ok(!bench.texts().some((text) => /target group|load balancer/i.test(text)))
  })

  it('keeps its address when its instance dies, and says meanwhile that nothing is there', async () => {
    await created()
    const [before] = addresses()
    const ip = before?.publicIp
    bench.world.launchFailure = 'No room. Launching EC2 instance failed.'
    bench.world.kill(bench.world.instances()[0]?.id ?? '')
    Object.assign(before!, { associatedWith: null, instance: null, leadsTo: null })
    await bench.clock.run(20_000)
    assert.equal(bench.environment()?.Health, 'Red')
    const said = bench.texts().filter((text) => text.includes('No room. Launching EC2 instance failed.'))
    assert.equal(said.length, 1, bench.texts().join('\n'))
    bench.world.launchFailure = ''
    await bench.clock.run(20_000)
    assert.deepEqual(
      addresses().map(({ publicIp, associatedWith }) => [publicIp, associatedWith]),
      [[ip, bench.world.instances()[0]?.id]],
    )
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('is Severe while the engine does not lead to the instance', async () => {
    await created()
    Object.assign(addresses()[0]!, { leadsTo: null })
    await bench.clock.run(70_000)
    assert.deepEqual(allCauses(), ['The elastic address of the environment does not lead to its instance.'])
    assert.equal(bench.environment()?.Health, 'Red')
  })

  it('moves its address to a new instance before the old one goes', async () => {
    await created()
    const [old] = bench.world.instances()
    const held: (string | null)[] = []
    const { associateAddress } = bench.cloud.ec2
    bench.cloud.ec2.associateAddress = (context, input) => {
      held.push(...bench.world.instances().map(({ id }) => id))
      return associateAddress(context, input)
    }
    await update(setting('aws:autoscaling:launchconfiguration', 'InstanceType', 't3.small'))
    const [now, ...others] = bench.world.instances()
    assert.deepEqual(others, [])
    assert.notEqual(now?.id, old?.id)
    assert.equal(addresses()[0]?.associatedWith, now?.id)
    assert.ok(held.includes(old?.id ?? ''), 'the old instance was there when the address left it')
  })

  it('gets a load balancer, and gives its address back, without another instance', async () => {
    await created()
    const before = bench.world.instances().map(({ id }) => id)
    await update(loadBalanced)
    assert.deepEqual(sizes(), [1, 1, 1, 0, 2])
    assert.deepEqual(groups(), [[1, 4, 1]])
    assert.deepEqual(
      bench.world.instances().map(({ id }) => id),
      before,
    )
    assert.deepEqual(bench.world.names.at(-1), { hosts: HOSTS, loopbackPort: 18_000 })
    assert.match(bench.environment()?.EndpointURL ?? '', /^awseb-AWSEB-/)
    await bench.clock.run(60_000)
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('gets a load balancer before several instances, of another type', async () => {
    await created()
    await update(
      loadBalanced,
      setting('aws:autoscaling:asg', 'MinSize', '2'),
      setting('aws:autoscaling:launchconfiguration', 'InstanceType', 't3.small'),
    )
    assert.ok(bench.texts().includes('INFO Environment update completed successfully.'))
    assert.deepEqual(sizes(), [1, 1, 1, 0, 2])
    assert.equal(bench.world.instances().length, 2)
    await bench.clock.run(60_000)
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('takes the place of a load balancer, which keeps the names until the address serves', async () => {
    bench.create({ OptionSettings: [setting('aws:autoscaling:asg', 'MinSize', '2')] })
    await bench.until('Ready')
    await update(single)
    assert.deepEqual(sizes(), [0, 0, 0, 1, 1])
    assert.deepEqual(groups(), [[1, 1, 0]])
    const [address] = addresses()
    assert.deepEqual(address?.hosts, HOSTS)
    assert.deepEqual(bench.world.names.at(-1), { hosts: [], loopbackPort: null })
    await bench.clock.run(60_000)
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('stays what it was when the load balancer does not find it healthy', async () => {
    await created()
    bench.world.checks = () => 'Health checks failed'
    await update(loadBalanced)
    assert.ok(bench.texts().some((text) => text === 'ERROR Failed to deploy configuration.'))
    assert.deepEqual(sizes(), [0, 0, 0, 1, 1])
    assert.deepEqual(addresses()[0]?.hosts, HOSTS)
    assert.deepEqual(groups(), [[1, 1, 0]])
    await bench.clock.run(60_000)
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('is terminated with its address', async () => {
    await created()
    const ip = addresses()[0]?.publicIp
    bench.api.terminateEnvironment(bench.context(), { EnvironmentName: 'shop-prod' })
    await bench.until('Terminated')
    assert.deepEqual(sizes(), [0, 0, 0, 0, 0])
    assert.ok(bench.texts().includes(`INFO Deleted EIP named: ${ip}`))
  })
})
