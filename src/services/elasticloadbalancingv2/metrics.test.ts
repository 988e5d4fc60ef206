// The reconciler, driven by its engine: what reaches CloudWatch of load balancers, second by second.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { MetricPoint } from '../cloud.ts'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
let points: MetricPoint[]
beforeEach(() => {
  world = makeServicesWorld(1, undefined, { measures: true })
  points = []
  world.measured.take = (all) => void points.push(...all)
})
afterEach(() => world.end())

/** A load balancer with a healthy instance, reached as `shop.example`. */
async function shop() {
  const { context, ec2, elasticloadbalancingv2: elb } = world
  const ImageId = ec2.describeImages(context, {}).Images![0]!.ImageId!
  const { Instances = [] } = ec2.runInstances(context, {
    ...{ ImageId, MinCount: 1, MaxCount: 1, InstanceType: 't3.micro' },
  })
  const VpcId = ec2.describeVpcs(context, {}).Vpcs![0]!.VpcId!
  const Subnets = ec2.describeSubnets(context, {}).Subnets!.map((one) => one.SubnetId!)
  const group = elb.createTargetGroup(context, { Name: 'web', Protocol: 'HTTP', Port: 80, VpcId })
  const { TargetGroupArn } = group.TargetGroups![0]!
  const { LoadBalancerArn } = elb.createLoadBalancer(context, { Name: 'web', Subnets }).LoadBalancers![0]!
  elb.createListener(context, {
    ...{ LoadBalancerArn, Protocol: 'HTTP', Port: 80 },
    DefaultActions: [{ Type: 'forward', TargetGroupArn }],
  })
  elb.putLoadBalancerNames(context, LoadBalancerArn!, { hosts: ['shop.example'], loopbackPort: null })
  ec2.authorizeSecurityGroupIngress(context, {
    GroupName: 'default',
    IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
  })
  await world.clock.run(20_000)
  elb.registerTargets(context, { TargetGroupArn, Targets: [{ Id: Instances[0]!.InstanceId! }] })
  await world.clock.run(5_000)
  points = []
  return {
    balancer: LoadBalancerArn!.split(':loadbalancer/')[1]!,
    group: TargetGroupArn!.split(':').at(-1)!,
  }
}
const request = () => world.balancer.request({ host: 'shop.example' })
const of = (metricName: string, ...dimensions: string[]) =>
  points.filter(
    (one) =>
      one.metricName === metricName &&
      JSON.stringify(Object.values(one.dimensions)) === JSON.stringify(dimensions),
  )
const sum = (found: MetricPoint[]) => found.reduce((all, { value }) => all + (value as number), 0)

describe('load balancers', () => {
  it('have a point of each second, and none is counted twice', async () => {
    const { balancer, group } = await shop()
    for (let second = 1; second <= 5; second++) {
      for (let n = 0; n < second; n++) request()
      await world.clock.run(1_000)
    }
    await world.clock.run(2_000)
    const counted = of('RequestCount', balancer)
    assert.equal(new Set(counted.map(({ at }) => at)).size, counted.length)
    assert.equal(counted.length, 7)
    assert.equal(sum(counted), 15)
    assert.equal(sum(of('HTTPCode_Target_2XX_Count', group, balancer)), 15)
    assert.equal(sum(of('RequestCountPerTarget', group)), 15)
    assert.ok(of('HealthyHostCount', group, balancer).every(({ value }) => value === 1))
    assert.ok(of('UnHealthyHostCount', group, balancer).every(({ value }) => value === 0))
    const [time] = of('TargetResponseTime', balancer)
    assert.deepEqual((time!.value as { values: unknown }).values, [[0.001, 1]])
  })

  it('count from nothing after the engine has died, and lose nothing that it tells', async () => {
    const { balancer } = await shop()
    for (let n = 0; n < 5; n++) request()
    await world.clock.run(3_000)
    world.balancer.kill()
    for (let n = 0; n < 3; n++) request()
    await world.clock.run(3_000)
    assert.equal(sum(of('RequestCount', balancer)), 8)
  })

  it('spread what they carried while the engine could not be seen', async () => {
    const { balancer } = await shop()
    world.balancer.fault = (call) => (call === 'observe' ? 'cannot see' : undefined)
    await world.clock.run(3_000)
    for (let n = 0; n < 60; n++) request()
    await world.clock.run(2_000)
    assert.deepEqual(of('RequestCount', balancer), [])
    world.balancer.fault = () => undefined
    await world.clock.run(2_000)
    const counted = of('RequestCount', balancer)
    assert.equal(sum(counted), 60)
    assert.ok(counted.every(({ value }) => (value as number) <= 15))
  })

  it('say nothing of what came before a restart of the control plane', async () => {
    const { balancer } = await shop()
    world.die()
    for (let n = 0; n < 50; n++) request()
    await world.clock.run(5_000)
    world.restart()
    await world.clock.run(2_000)
    request()
    await world.clock.run(2_000)
    assert.equal(sum(of('RequestCount', balancer)), 1)
  })
})
