// Replacing on ec2, autoscaling and elasticloadbalancingv2 as they are: what those refuse, the fake cloud may not know.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../../testing/services-world.ts'
import { makeBench, type Bench } from '../test-bench.ts'

let world: ServicesWorld
let bench: Bench
beforeEach(async () => {
  world = makeServicesWorld()
  world.compute.memoryBytes = 2 ** 30 // lent ten times over: ten of t3.micro
  bench = makeBench(world)
  await world.clock.run(1_000)
  bench.version('v1')
  const size = (OptionName: string) => ({ Namespace: 'aws:autoscaling:asg', OptionName, Value: '2' })
  bench.create({ OptionSettings: [size('MinSize'), size('MaxSize')] })
  await bench.until('Ready')
})
afterEach(() => {
  bench.end()
  world.end()
})

const group = () => world.autoscaling.describeAutoScalingGroups(world.context, {}).AutoScalingGroups![0]!
const serving = () =>
  group()
    .Instances!.filter(({ LifecycleState }) => LifecycleState === 'InService')
    .map(({ InstanceId, InstanceType }) => ({ id: InstanceId, type: InstanceType }))
const sizes = () => [group().MinSize, group().MaxSize, group().DesiredCapacity]
async function changeType(Value: string) {
  bench.api.updateEnvironment(bench.context(), {
    EnvironmentName: 'shop-prod',
    OptionSettings: [{ Namespace: 'aws:autoscaling:launchconfiguration', OptionName: 'InstanceType', Value }],
  })
  let fewest = serving().length
  await world.clock.runUntil(() => {
    fewest = Math.min(fewest, serving().length)
    return bench.environment()?.Status === 'Ready'
  }, 3_600_000)
  return fewest
}

describe('replacing instances', () => {
  it('launches first, also in a group at its largest size', async () => {
    assert.equal(await changeType('t3.small'), 2)
    assert.deepEqual(
      serving().map(({ type }) => type),
      ['t3.small', 't3.small'],
    )
    assert.deepEqual(sizes(), [2, 2, 2])
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('ends the new instance whose application fails, and no old one', async () => {
    const before = serving()
    world.compute.check = (id) =>
      before.some((one) => one.id === id) ? { exit: 0, output: '' } : { exit: 1, output: 'MemoryError' }
    assert.equal(await changeType('t3.small'), 2)
    await world.clock.run(60_000)
    assert.deepEqual(serving(), before)
    assert.deepEqual(sizes(), [2, 2, 2])
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('terminates nothing for a type that the machine has no room for', async () => {
    const before = serving()
    assert.equal(await changeType('t3.2xlarge'), 2)
    assert.deepEqual(serving(), before)
    assert.deepEqual(sizes(), [2, 2, 2])
    assert.ok(bench.texts({ Severity: 'ERROR' })[0]?.includes('sufficient t3.2xlarge capacity'))
    await world.clock.run(60_000)
    assert.deepEqual(serving(), before)
    assert.equal(bench.environment()?.Health, 'Green')
  })
})
