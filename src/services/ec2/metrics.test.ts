// The reconciler, driven by its engine: what reaches CloudWatch of instances, second by second.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { MetricPoint } from '../cloud.ts'
import { systemContext } from '../service.ts'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
let points: MetricPoint[]
beforeEach(() => {
  world = makeServicesWorld(1, undefined, { measures: true })
  points = []
  world.measured.take = (all) => void points.push(...all)
})
afterEach(() => world.end())

async function runningInstance() {
  const { ec2 } = world
  const { account, region } = world.context
  const context = systemContext(account, region, 'request-1')
  const ImageId = ec2.describeImages(context, {}).Images![0]!.ImageId!
  const { Instances = [] } = ec2.runInstances(context, {
    ...{ ImageId, MinCount: 1, MaxCount: 1, InstanceType: 't3.micro' },
    TagSpecifications: [
      { ResourceType: 'instance', Tags: [{ Key: 'aws:autoscaling:groupName', Value: 'web' }] },
    ],
  })
  await world.clock.run(20_000)
  points = []
  const id = Instances[0]!.InstanceId!
  return { id, fake: world.compute.world.instances.get(id)! }
}
const of = (metricName: string, dimension: string) =>
  points.filter((one) => one.metricName === metricName && Object.values(one.dimensions)[0] === dimension)
const secondsOf = (found: MetricPoint[]) => found.map(({ at }) => at / 1_000)

describe('instances', () => {
  it('have a point of each second, of their own and of their group', async () => {
    const { id, fake } = await runningInstance()
    const start = world.clock.now()
    for (let second = 1; second <= 5; second++) {
      fake.used = { cpuSeconds: second, networkInBytes: second * 1_000 }
      await world.clock.run(1_000)
    }
    const cpu = of('CPUUtilization', id)
    const first = secondsOf(cpu)[0]!
    assert.deepEqual(
      secondsOf(cpu),
      [0, 1, 2, 3, 4].map((n) => first + n),
    )
    assert.ok(Math.abs(first * 1_000 - start) <= 1_000)
    assert.ok(
      cpu.slice(1).every(({ value }) => value === 50),
      'one of two processors',
    )
    assert.ok(
      of('NetworkIn', id)
        .slice(1)
        .every(({ value }) => value === 1_000),
    )
    assert.equal(of('CPUUtilization', 'web').length, 5)
  })

  it('have no point of the first look at another boot, nor while they do not run', async () => {
    const { id, fake } = await runningInstance()
    fake.used = { cpuSeconds: 1_000 }
    await world.clock.run(3_000)
    world.ec2.stopInstances(world.context, { InstanceIds: [id] })
    await world.clock.run(10_000)
    points = []
    await world.clock.run(5_000)
    assert.deepEqual(of('CPUUtilization', id), [])
    world.ec2.startInstances(world.context, { InstanceIds: [id] })
    fake.used = { cpuSeconds: 3 }
    await world.clock.run(10_000)
    assert.ok(of('CPUUtilization', id).length > 0)
    assert.ok(of('CPUUtilization', id).every(({ value }) => value === 0))
  })

  it('spread what they did while nobody looked, and forget a long stall', async () => {
    const { id, fake } = await runningInstance()
    fake.used = { networkInBytes: 0 }
    await world.clock.run(2_000)
    points = []
    fake.used = { networkInBytes: 5_000 }
    world.clock.setWall(5_000)
    world.clock.stall(0)
    await world.clock.run(3_000)
    const set = of('NetworkIn', id)
    assert.ok(
      set.every(({ value }) => value === 0),
      'the clock was set: counting begins anew',
    )
    points = []
    world.clock.stall(5_000)
    fake.used = { networkInBytes: 11_000 }
    await world.clock.run(2_000)
    const stalled = of('NetworkIn', id)
    assert.equal(
      stalled.reduce((sum, { value }) => sum + (value as number), 0),
      6_000,
    )
    assert.ok(stalled.every(({ value }) => (value as number) <= 1_200))
    points = []
    world.clock.stall(120_000)
    fake.used = { networkInBytes: 900_000 }
    await world.clock.run(4_000)
    assert.ok(of('NetworkIn', id).every(({ value }) => value === 0))
  })

  it('have status checks once a minute, and at once when they change', async () => {
    const { id } = await runningInstance()
    await world.clock.run(180_000)
    assert.equal(of('StatusCheckFailed', id).length, 3)
    points = []
    world.compute.world.lost.add(id)
    await world.clock.run(5_000)
    assert.deepEqual(
      ['StatusCheckFailed', 'StatusCheckFailed_Instance', 'StatusCheckFailed_System'].map((name) =>
        of(name, id).map(({ value }) => value),
      ),
      [[1], [0], [1]],
    )
  })

  it('have their memory every ten seconds, as the agent for CloudWatch tells it', async () => {
    const { id, fake } = await runningInstance()
    fake.usedBytes = 256 * 2 ** 20
    await world.clock.run(20_000)
    const memory = of('mem_used_percent', id)
    assert.equal(memory.length, 2)
    assert.deepEqual([memory[0]!.namespace, memory[0]!.value], ['CWAgent', 25])
  })
})
