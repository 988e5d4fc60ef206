import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const elb = () => world.elasticloadbalancingv2
const Subnets = () => world.ec2.describeSubnets(world.context, {}).Subnets!.map((one) => one.SubnetId!)
const VpcId = () => world.ec2.describeVpcs(world.context, {}).Vpcs![0]!.VpcId
const balancer = (more: object = {}) =>
  elb().createLoadBalancer(world.context, { Name: 'db', Type: 'network', Subnets: Subnets(), ...more })
    .LoadBalancers![0]!
const group = (more: object = {}) =>
  elb().createTargetGroup(world.context, { Name: 'db', Protocol: 'TCP', Port: 5432, VpcId: VpcId(), ...more })
    .TargetGroups![0]!
const listener = (
  LoadBalancerArn: string | undefined,
  TargetGroupArn: string | undefined,
  more: object = {},
) =>
  elb().createListener(world.context, {
    ...{ LoadBalancerArn, Protocol: 'TCP', Port: 5432 },
    DefaultActions: [{ Type: 'forward', TargetGroupArn }],
    ...more,
  }).Listeners![0]!
const carried = () => world.balancer.model().loadBalancers[0]

describe('a network load balancer', () => {
  it('is described as AWS does, and carried', async () => {
    const { LoadBalancerArn, Type, SecurityGroups } = balancer()
    assert.match(LoadBalancerArn!, /:loadbalancer\/net\/db\/[0-9a-f]{16}$/)
    assert.deepEqual([Type, SecurityGroups], ['network', []])
    const { TargetGroupArn, ...described } = group()
    assert.deepEqual(
      { ...described, VpcId: undefined },
      {
        ...{ TargetGroupName: 'db', Protocol: 'TCP', Port: 5432, VpcId: undefined, TargetType: 'instance' },
        ...{ IpAddressType: 'ipv4', HealthCheckEnabled: true, HealthCheckProtocol: 'TCP' },
        ...{ HealthCheckPort: 'traffic-port', HealthCheckIntervalSeconds: 30, HealthCheckTimeoutSeconds: 10 },
        ...{ HealthyThresholdCount: 5, UnhealthyThresholdCount: 2, LoadBalancerArns: [] },
      },
    )
    const { ListenerArn, Protocol } = listener(LoadBalancerArn, TargetGroupArn)
    assert.match(ListenerArn!, /:listener\/net\/db\//)
    assert.equal(Protocol, 'TCP')
    await world.clock.run(3_000)
    assert.equal(carried()!.isNetwork, true)
    // Without a group it lets in everybody.
    assert.deepEqual(carried()!.listeners[0]!.clients, ['0.0.0.0/0', '::/0'])
    assert.deepEqual(
      world.balancer
        .model()
        .targetGroups.map(({ protocol, healthCheck }) => [protocol, healthCheck?.protocol]),
      [['TCP', 'TCP']],
    )
    const { LoadBalancers } = elb().describeLoadBalancers(world.context, {
      LoadBalancerArns: [LoadBalancerArn!],
    })
    assert.equal(LoadBalancers![0]!.State!.Code, 'active')
  })

  it('passes connections to its targets, which may be told whose they are', async () => {
    const { context, ec2 } = world
    const ImageId = ec2.describeImages(context, {}).Images![0]!.ImageId!
    const launched = ec2.runInstances(context, {
      ImageId,
      MinCount: 1,
      MaxCount: 1,
      InstanceType: 't3.micro',
    })
    const Id = launched.Instances![0]!.InstanceId!
    await world.clock.run(20_000)
    const { TargetGroupArn } = group()
    listener(balancer().LoadBalancerArn, TargetGroupArn)
    elb().registerTargets(context, { TargetGroupArn, Targets: [{ Id }] })
    await world.clock.run(5_000)
    assert.equal(world.balancer.request({ host: 'any.example', listenerPort: 5432 }).targetId, Id)
    elb().modifyTargetGroupAttributes(context, {
      TargetGroupArn,
      Attributes: [{ Key: 'proxy_protocol_v2.enabled', Value: 'true' }],
    })
    await world.clock.run(3_000)
    assert.equal(world.balancer.model().targetGroups[0]!.proxyProtocol, true)
  })

  it('has groups where it was made with some, and only then', () => {
    const [{ GroupId = '' } = {}] = world.ec2.describeSecurityGroups(world.context, {}).SecurityGroups ?? []
    const { LoadBalancerArn, SecurityGroups } = balancer({ SecurityGroups: [GroupId] })
    assert.deepEqual(SecurityGroups, [GroupId])
    elb().setSecurityGroups(world.context, { LoadBalancerArn, SecurityGroups: [GroupId] })
    const open = balancer({ Name: 'open' })
    assert.throws(
      () =>
        elb().setSecurityGroups(world.context, {
          LoadBalancerArn: open.LoadBalancerArn,
          SecurityGroups: [GroupId],
        }),
      { code: 'InvalidConfigurationRequest' },
    )
  })

  it('takes nothing that is for requests, and no other takes what is for connections', () => {
    const { LoadBalancerArn } = balancer()
    const web = elb().createLoadBalancer(world.context, { Name: 'web', Subnets: Subnets() })
      .LoadBalancers![0]!
    const http = group({ Name: 'http', Protocol: 'HTTP', Port: 80 })
    const tcp = group()
    const wrong: [() => unknown, object][] = [
      [() => listener(LoadBalancerArn, http.TargetGroupArn), { code: 'IncompatibleProtocols' }],
      [
        () => listener(LoadBalancerArn, tcp.TargetGroupArn, { Protocol: 'HTTP' }),
        { code: 'UnsupportedProtocol' },
      ],
      [
        () => listener(LoadBalancerArn, tcp.TargetGroupArn, { Protocol: 'UDP' }),
        { code: 'UnsupportedProtocol' },
      ],
      [
        () => listener(web.LoadBalancerArn, http.TargetGroupArn, { Protocol: 'TCP' }),
        {
          code: 'UnsupportedProtocol',
          message:
            "Protocol 'TCP' is not supported for load balancers of the type 'application'; Polebean has HTTP and HTTPS",
        },
      ],
      [
        () => listener(web.LoadBalancerArn, tcp.TargetGroupArn, { Protocol: 'HTTP' }),
        { code: 'IncompatibleProtocols' },
      ],
      [
        () =>
          listener(LoadBalancerArn, undefined, {
            DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }],
          }),
        /must forward to one target group/,
      ],
      [
        () => group({ Name: 'path', HealthCheckPath: '/health' }),
        /paths and matchers are not supported for health checks of the protocol 'TCP'/,
      ],
      [
        () =>
          elb().modifyLoadBalancerAttributes(world.context, {
            LoadBalancerArn,
            Attributes: [{ Key: 'idle_timeout.timeout_seconds', Value: '61' }],
          }),
        /is not recognized/,
      ],
      [
        () =>
          elb().modifyTargetGroupAttributes(world.context, {
            TargetGroupArn: tcp.TargetGroupArn,
            Attributes: [{ Key: 'preserve_client_ip.enabled', Value: 'true' }],
          }),
        { code: 'InvalidConfigurationRequest' },
      ],
    ]
    for (const [act, error] of wrong) assert.throws(act, error)
    const { ListenerArn } = listener(LoadBalancerArn, tcp.TargetGroupArn)
    assert.throws(
      () =>
        elb().createRule(world.context, {
          ...{ ListenerArn, Priority: 1 },
          Conditions: [{ Field: 'path-pattern', Values: ['/a'] }],
          Actions: [{ Type: 'forward', TargetGroupArn: tcp.TargetGroupArn }],
        }),
      /Rules are not supported/,
    )
    assert.deepEqual(elb().describeListenerAttributes(world.context, { ListenerArn }).Attributes, [
      { Key: 'tcp.idle_timeout.seconds', Value: '350' },
    ])
  })

  it('checks by HTTP where it is told so', async () => {
    const { TargetGroupArn, ...described } = group({
      HealthCheckProtocol: 'HTTP',
      HealthCheckPath: '/health',
    })
    assert.deepEqual(
      [described.HealthCheckProtocol, described.HealthCheckPath, described.Matcher],
      ['HTTP', '/health', { HttpCode: '200-399' }],
    )
    listener(balancer().LoadBalancerArn, TargetGroupArn)
    await world.clock.run(3_000)
    assert.equal(world.balancer.model().targetGroups[0]!.healthCheck!.path, '/health')
  })
})
