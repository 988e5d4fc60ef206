import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { MEMORY_OVERCOMMIT } from '../ec2/capacity.ts'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

describe('an Auto Scaling group behind a load balancer', () => {
  let world: ServicesWorld
  beforeEach(() => {
    world = makeServicesWorld()
  })
  afterEach(() => world.end())

  const NAME = 'web'
  const HOST = 'shop.us-west-2.elasticbeanstalk.localhost'
  let targetGroupArn = ''
  let loadBalancerArn = ''
  let listenerArn = ''

  function make(sizes: { MinSize: number; MaxSize: number; DesiredCapacity?: number }, more: object = {}) {
    const { context, ec2, autoscaling, elasticloadbalancingv2: elb } = world
    const VpcId = ec2.describeVpcs(context, {}).Vpcs![0]!.VpcId
    const Subnets = ec2.describeSubnets(context, {}).Subnets!.map((subnet) => subnet.SubnetId!)
    const ImageId = ec2.describeImages(context, {}).Images![0]!.ImageId
    targetGroupArn = elb.createTargetGroup(context, {
      Name: 'web',
      Protocol: 'HTTP',
      Port: 80,
      VpcId,
      HealthCheckIntervalSeconds: 5,
      HealthCheckTimeoutSeconds: 2,
    }).TargetGroups![0]!.TargetGroupArn!
    elb.modifyTargetGroupAttributes(context, {
      TargetGroupArn: targetGroupArn,
      Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: '20' }],
    })
    // The default group lets in only its own members.
    world.ec2.authorizeSecurityGroupIngress(context, {
      GroupName: 'default',
      ...{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, CidrIp: '0.0.0.0/0' },
    })
    loadBalancerArn = elb.createLoadBalancer(context, { Name: 'web', Subnets }).LoadBalancers![0]!
      .LoadBalancerArn!
    listenerArn = elb.createListener(context, {
      LoadBalancerArn: loadBalancerArn,
      Protocol: 'HTTP',
      Port: 80,
      DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }],
    }).Listeners![0]!.ListenerArn!
    elb.putLoadBalancerNames(context, loadBalancerArn, { hosts: [HOST], loopbackPort: null })
    autoscaling.createLaunchConfiguration(context, {
      LaunchConfigurationName: 'web-1',
      ImageId,
      InstanceType: 't3.micro',
    })
    autoscaling.createAutoScalingGroup(context, {
      AutoScalingGroupName: NAME,
      LaunchConfigurationName: 'web-1',
      VPCZoneIdentifier: Subnets.join(','),
      TargetGroupARNs: [targetGroupArn],
      Tags: [
        { Key: 'Name', Value: 'shop', PropagateAtLaunch: true },
        { Key: 'private', Value: 'x', PropagateAtLaunch: false },
      ],
      ...sizes,
      ...more,
    })
  }
  const group = () =>
    world.autoscaling.describeAutoScalingGroups(world.context, { AutoScalingGroupNames: [NAME] })
      .AutoScalingGroups![0]
  const members = () => group()?.Instances ?? []
  const inService = () =>
    members()
      .filter((one) => one.LifecycleState === 'InService')
      .map((one) => one.InstanceId!)
  const health = () =>
    world.elasticloadbalancingv2
      .describeTargetHealth(world.context, { TargetGroupArn: targetGroupArn })
      .TargetHealthDescriptions!.map((one) => one.TargetHealth!.State)
  const activities = () =>
    world.autoscaling.describeScalingActivities(world.context, {
      AutoScalingGroupName: NAME,
      IncludeDeletedGroups: true,
    }).Activities!
  const settle = () =>
    world.clock.runUntil(
      () => inService().length === 2 && health().length === 2 && health().every((one) => one === 'healthy'),
      60_000,
    )
  const answers = () => Array.from({ length: 4 }, () => world.balancer.request({ host: HOST }))

  it('brings two instances into service, spread over zones, and both answer', async () => {
    make({ MinSize: 2, MaxSize: 4 })
    await settle()
    assert.deepEqual(
      new Set(members().map((one) => one.AvailabilityZone)),
      new Set(['us-west-2a', 'us-west-2b']),
    )
    assert.deepEqual(new Set(answers().map((one) => one.targetId)), new Set(inService()))
    const [balancer] = world.elasticloadbalancingv2.describeLoadBalancers(world.context, {}).LoadBalancers!
    assert.equal(balancer!.State!.Code, 'active')
    const { Reservations } = world.ec2.describeInstances(world.context, {
      Filters: [{ Name: 'tag:aws:autoscaling:groupName', Values: [NAME] }],
    })
    assert.equal(Reservations!.length, 2)
    const keys = Reservations![0]!.Instances![0]!.Tags!.map((tag) => tag.Key)
    assert.deepEqual(keys, ['Name', 'aws:autoscaling:groupName'])
    assert.match(
      activities()[0]!.Cause!,
      /a user request created an AutoScalingGroup changing the desired capacity from 0 to 2\.  At .* increasing the capacity from 0 to 2\.$/,
    )
    assert.equal(activities()[0]!.StatusCode, 'Successful')
  })

  it('replaces an instance that somebody terminates', async () => {
    make({ MinSize: 2, MaxSize: 4 })
    await settle()
    const [victim] = inService()
    world.ec2.terminateInstances(world.context, { InstanceIds: [victim!] })
    await world.clock.run(100)
    await settle()
    assert.ok(!inService().includes(victim!))
    assert.match(
      activities()
        .map((one) => one.Cause)
        .join('\n'),
      /in response to an EC2 health check indicating it has been terminated or stopped/,
    )
    assert.match(
      activities()[0]!.Cause!,
      /^At \S+Z an instance was launched in response to an unhealthy instance needing to be replaced\.$/,
    )
  })

  it('keeps an instance whose first process dies: it is recovered in place', async () => {
    make({ MinSize: 2, MaxSize: 4 })
    await settle()
    const before = inService()
    world.compute.kill(before[0]!)
    await world.clock.run(20_000)
    assert.deepEqual(inService(), before)
    assert.deepEqual(health(), ['healthy', 'healthy'])
  })

  it('keeps an instance whose application fails, unless its health check is ELB', async () => {
    make({ MinSize: 2, MaxSize: 4 })
    await settle()
    const [first] = inService()
    world.unanswering.add(world.compute.world.instances.get(first!)!.spec.requestedAddress)
    await world.clock.run(60_000)
    assert.ok(inService().includes(first!))
    assert.ok(health().includes('unhealthy'))
    world.autoscaling.updateAutoScalingGroup(world.context, {
      AutoScalingGroupName: NAME,
      HealthCheckType: 'ELB',
      HealthCheckGracePeriod: 10,
    })
    await world.clock.run(1_000)
    await settle()
    assert.ok(!inService().includes(first!))
  })

  it('goes on replacing when its target group was deleted under it', async () => {
    make({ MinSize: 2, MaxSize: 4 })
    await settle()
    const before = inService()
    const { context, elasticloadbalancingv2: elb } = world
    elb.deleteListener(context, { ListenerArn: listenerArn })
    elb.deleteTargetGroup(context, { TargetGroupArn: targetGroupArn })
    world.ec2.terminateInstances(context, { InstanceIds: before })
    await world.clock.run(30_000)
    assert.equal(inService().length, 2)
    assert.equal(members().length, 2, 'what was terminated is forgotten')
    assert.ok(inService().every((id) => !before.includes(id)))
  })

  it('does the rest of a pass when one action of it fails', async () => {
    make({ MinSize: 1, MaxSize: 4, DesiredCapacity: 1 })
    await world.clock.run(20_000)
    const target = world.store.get('select * from elbv2_target')!
    for (let index = 1; index < 1_000; index++)
      world.store.insert('elbv2_target', { ...target, port: 1_000 + index })
    for (const DesiredCapacity of [2, 3]) {
      world.autoscaling.setDesiredCapacity(world.context, { AutoScalingGroupName: NAME, DesiredCapacity })
      await world.clock.run(20_000)
      assert.equal(inService().length, DesiredCapacity, 'registering fails with TooManyTargets')
    }
    world.store.run('delete from elbv2_target where port > 1000')
    await world.clock.run(20_000)
    assert.deepEqual(health(), ['healthy', 'healthy', 'healthy'])
  })

  it('scales in by draining first', async () => {
    make({ MinSize: 1, MaxSize: 4, DesiredCapacity: 2 })
    await settle()
    world.balancer.fault = (call) => (call === 'apply' ? 'error before' : undefined)
    world.autoscaling.setDesiredCapacity(world.context, { AutoScalingGroupName: NAME, DesiredCapacity: 1 })
    await world.clock.run(5_000)
    assert.deepEqual(health().sort(), ['draining', 'healthy'])
    assert.equal(world.compute.world.instances.size, 2, 'nothing is ended while it may still be asked')
    world.balancer.fault = () => undefined
    await world.clock.runUntil(() => world.compute.world.instances.size === 1, 20_000)
    await world.clock.run(1_000)
    assert.equal(members().length, 1)
    assert.deepEqual(health(), ['healthy'])
  })

  it('waits for the drain no longer than the deregistration delay', async () => {
    make({ MinSize: 1, MaxSize: 4, DesiredCapacity: 2 })
    await settle()
    world.balancer.fault = () => 'cannot see'
    world.autoscaling.setDesiredCapacity(world.context, { AutoScalingGroupName: NAME, DesiredCapacity: 1 })
    await world.clock.run(19_000)
    assert.equal(world.compute.world.instances.size, 2)
    await world.clock.run(4_000)
    assert.equal(world.compute.world.instances.size, 1)
  })

  it('goes on, with back-off, when there is no room', async () => {
    world.compute.memoryBytes = Math.ceil(2 ** 30 / MEMORY_OVERCOMMIT)
    world.restart()
    await world.clock.run(100)
    make({ MinSize: 2, MaxSize: 4 })
    await world.clock.run(20_000)
    const [failed] = activities()
    assert.equal(failed!.StatusCode, 'Failed')
    assert.match(failed!.StatusMessage!, /^We currently do not have sufficient t3\.micro capacity/)
    assert.equal(
      activities().filter((one) => one.StatusCode === 'Failed').length,
      3,
      'at 0, 5 and 15 seconds',
    )
    world.compute.memoryBytes = 2 ** 40
    await world.clock.run(10 * 60_000)
    assert.equal(inService().length, 2)
  })

  it('takes only target groups that are there', () => {
    make({ MinSize: 0, MaxSize: 3 })
    for (const arn of ['', 'arn:aws:none'])
      assert.throws(
        () =>
          world.autoscaling.attachLoadBalancerTargetGroups(world.context, {
            AutoScalingGroupName: NAME,
            TargetGroupARNs: [arn],
          }),
        /Provided Target Groups may not be valid/,
      )
  })

  it('never has a desired capacity outside of its bounds', () => {
    make({ MinSize: 1, MaxSize: 3 })
    const desired = () => group()!.DesiredCapacity
    const update = (input: object) =>
      world.autoscaling.updateAutoScalingGroup(world.context, { AutoScalingGroupName: NAME, ...input })
    assert.throws(
      () =>
        world.autoscaling.setDesiredCapacity(world.context, {
          AutoScalingGroupName: NAME,
          DesiredCapacity: 4,
        }),
      { message: 'New SetDesiredCapacity value 4 is above max value 3 for the AutoScalingGroup.' },
    )
    assert.throws(() => update({ DesiredCapacity: 0 }), {
      message: 'Desired capacity:0 must be between the specified min size:1 and max size:3',
    })
    assert.throws(() => update({ MinSize: 5 }), { code: 'ValidationError' })
    update({ MinSize: 2 })
    assert.equal(desired(), 2)
    update({ MinSize: 0, MaxSize: 1 })
    assert.equal(desired(), 1)
  })

  it('terminates one that is asked to go, with and without a replacement', async () => {
    make({ MinSize: 1, MaxSize: 4, DesiredCapacity: 2 })
    await settle()
    const [first, second] = inService()
    world.autoscaling.terminateInstanceInAutoScalingGroup(world.context, {
      InstanceId: first,
      ShouldDecrementDesiredCapacity: false,
    })
    await world.clock.run(100)
    await settle()
    assert.ok(!inService().includes(first!))
    world.autoscaling.terminateInstanceInAutoScalingGroup(world.context, {
      InstanceId: second,
      ShouldDecrementDesiredCapacity: true,
    })
    await world.clock.run(40_000)
    assert.equal(members().length, 1)
    assert.throws(
      () =>
        world.autoscaling.terminateInstanceInAutoScalingGroup(world.context, {
          InstanceId: inService()[0],
          ShouldDecrementDesiredCapacity: true,
        }),
      /Currently, desiredSize equals minSize \(1\)/,
    )
  })

  function remove() {
    const { context, autoscaling, elasticloadbalancingv2: elb } = world
    autoscaling.deleteAutoScalingGroup(context, { AutoScalingGroupName: NAME, ForceDelete: true })
    elb.deleteListener(context, { ListenerArn: listenerArn })
    elb.deleteLoadBalancer(context, { LoadBalancerArn: loadBalancerArn })
  }
  function assertNothingLeft(message = 'something is left') {
    assert.equal(group(), undefined, message)
    assert.equal(world.compute.world.instances.size, 0, message)
    assert.deepEqual(world.balancer.model().loadBalancers, [], message)
    assert.deepEqual(world.ec2.describeNetworkInterfaces(world.context, {}).NetworkInterfaces, [], message)
    world.elasticloadbalancingv2.deleteTargetGroup(world.context, { TargetGroupArn: targetGroupArn })
    world.autoscaling.deleteLaunchConfiguration(world.context, { LaunchConfigurationName: 'web-1' })
    for (const table of [
      'autoscaling_group',
      'autoscaling_instance',
      'autoscaling_tag',
      'elbv2_load_balancer',
      'elbv2_listener',
      'elbv2_target',
      'elbv2_target_group',
      'elbv2_tag',
      'lane_backoff',
      'ec2_instance_software',
    ])
      assert.deepEqual(world.store.all(`select * from ${table}`), [], `${table}: ${message}`)
  }

  it('leaves nothing when all is deleted', async () => {
    make({ MinSize: 2, MaxSize: 4 })
    await settle()
    assert.throws(
      () => world.autoscaling.deleteAutoScalingGroup(world.context, { AutoScalingGroupName: NAME }),
      { code: 'ResourceInUse' },
    )
    remove()
    await world.clock.run(60_000)
    assertNothingLeft()
  })

  it('survives the death of the control plane and errors at every engine call', async () => {
    for (const fault of ['error before', 'error after', 'lost before', 'lost after'] as const)
      for (let point = 0; point < 9; point += 2) {
        world.end()
        world = makeServicesWorld(point)
        let left = point
        world.compute.fault = () => (left-- === 0 ? fault : undefined)
        const run = async (ms: number) => {
          await world.clock.run(ms)
          if (world.dead) world.restart()
          await world.clock.run(ms)
        }
        make({ MinSize: 2, MaxSize: 4 })
        await run(500)
        await settle()
        assert.equal(world.compute.world.instances.size, 2, `${fault} at ${point}`)
        left = point
        world.autoscaling.updateAutoScalingGroup(world.context, {
          AutoScalingGroupName: NAME,
          MinSize: 1,
          DesiredCapacity: 1,
        })
        await run(5_000)
        await world.clock.run(30_000)
        assert.equal(world.compute.world.instances.size, 1, `${fault} at ${point}`)
        remove()
        left = point
        await run(5_000)
        await world.clock.run(60_000)
        assertNothingLeft(`${fault} at ${point}`)
      }
  })

  it('survives the death of the control plane at any moment', async () => {
    for (let at = 0; at < 3_000; at += 211) {
      world.end()
      world = makeServicesWorld(at)
      make({ MinSize: 2, MaxSize: 4 })
      await world.clock.run(at)
      world.restart()
      await settle()
      assert.equal(world.compute.world.instances.size, 2, `killed after ${at} ms`)
      remove()
      await world.clock.run(at)
      world.restart()
      await world.clock.run(60_000)
      assertNothingLeft(`killed after ${at} ms`)
    }
  })
})
