import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const vpcId = () => world.ec2.describeVpcs(world.context, {}).Vpcs![0]!.VpcId
const subnets = () => world.ec2.describeSubnets(world.context, {}).Subnets!.map((one) => one.SubnetId!)
const elb = () => world.elasticloadbalancingv2
const targetGroup = (more: object = {}) =>
  elb().createTargetGroup(world.context, { Name: 'web', Protocol: 'HTTP', Port: 80, VpcId: vpcId(), ...more })
    .TargetGroups![0]!
const loadBalancer = (more: object = {}) =>
  elb().createLoadBalancer(world.context, { Name: 'web', Subnets: subnets(), ...more }).LoadBalancers![0]!
const listener = (LoadBalancerArn: string, TargetGroupArn: string, more: object = {}) =>
  elb().createListener(world.context, {
    LoadBalancerArn,
    Protocol: 'HTTP',
    Port: 80,
    DefaultActions: [{ Type: 'forward', TargetGroupArn }],
    ...more,
  }).Listeners![0]!

describe('target groups', () => {
  it("have AWS's defaults", () => {
    const { TargetGroupArn, LoadBalancerArns, VpcId, ...rest } = targetGroup()
    assert.match(
      TargetGroupArn!,
      /^arn:aws:elasticloadbalancing:us-west-2:000000000000:targetgroup\/web\/[0-9a-f]{16}$/,
    )
    assert.deepEqual(LoadBalancerArns, [])
    assert.equal(VpcId, vpcId())
    assert.deepEqual(rest, {
      TargetGroupName: 'web',
      Protocol: 'HTTP',
      ProtocolVersion: 'HTTP1',
      Port: 80,
      TargetType: 'instance',
      IpAddressType: 'ipv4',
      HealthCheckEnabled: true,
      HealthCheckProtocol: 'HTTP',
      HealthCheckPort: 'traffic-port',
      HealthCheckPath: '/',
      HealthCheckIntervalSeconds: 30,
      HealthCheckTimeoutSeconds: 5,
      HealthyThresholdCount: 5,
      UnhealthyThresholdCount: 2,
      Matcher: { HttpCode: '200' },
    })
  })

  it('are made once for the same settings', () => {
    const first = targetGroup()
    assert.equal(targetGroup().TargetGroupArn, first.TargetGroupArn)
    assert.throws(() => targetGroup({ Port: 81 }), {
      code: 'DuplicateTargetGroupName',
      message: "A target group with the same name 'web' exists, but with different settings",
    })
  })

  const refused: [more: object, message: RegExp][] = [
    [{ Name: 'a'.repeat(33) }, /cannot be longer than '32' characters/],
    [{ Name: '-a' }, /cannot begin or end with hyphen/],
    [{ Name: 'a_b' }, /can only contain characters that are alphanumeric/],
    [{ Port: 0 }, /between 1 and 65535/],
    [{ VpcId: 'vpc-1' }, /The VPC ID 'vpc-1' is not found/],
    [{ Protocol: 'UDP' }, /Protocol 'UDP' is not supported/],
    [{ HealthCheckProtocol: 'TCP' }, /HealthCheckProtocol 'TCP' is not supported/],
    [{ TargetType: 'lambda' }, /TargetType 'lambda' is not supported/],
    [{ HealthCheckIntervalSeconds: 4 }, /Health check interval must be between 5 and 300/],
    [
      { HealthCheckIntervalSeconds: 5, HealthCheckTimeoutSeconds: 5 },
      /interval must be greater than the timeout/,
    ],
    [{ HealthCheckPath: '/a b' }, /must begin with a '\/' character/],
    [{ HealthCheckPath: '/a\nserver x' }, /must begin with a '\/' character/],
    [{ HealthyThresholdCount: 11 }, /Healthy threshold count must be between 2 and 10/],
    [{ Matcher: { HttpCode: '200-500' } }, /must be within '200-499'/],
    [{ Matcher: { HttpCode: 'ok' } }, /must be within '200-499'/],
  ]
  for (const [more, message] of refused)
    it(`refuse ${JSON.stringify(more).slice(0, 60)}`, () => {
      assert.throws(() => targetGroup(more), { message })
      assert.deepEqual(elb().describeTargetGroups(world.context, {}).TargetGroups, [])
    })

  it('keep attributes that have an effect and the defaults of the others', () => {
    const { TargetGroupArn } = targetGroup()
    const modify = (Key: string, Value: string) =>
      elb().modifyTargetGroupAttributes(world.context, { TargetGroupArn, Attributes: [{ Key, Value }] })
    modify('deregistration_delay.timeout_seconds', '20')
    modify('stickiness.enabled', 'false')
    const { Attributes } = elb().describeTargetGroupAttributes(world.context, { TargetGroupArn })
    assert.equal(Attributes!.find(({ Key }) => Key === 'deregistration_delay.timeout_seconds')!.Value, '20')
    assert.throws(() => modify('load_balancing.algorithm.anomaly_mitigation', 'on'), {
      code: 'InvalidConfigurationRequest',
    })
    assert.throws(() => modify('deregistration_delay.timeout_seconds', '3601'), { code: 'ValidationError' })
    assert.throws(() => modify('colour', 'red'), { message: "The attribute key 'colour' is not recognized" })
  })

  it('share requests out as their attributes say', async () => {
    const { TargetGroupArn } = targetGroup()
    listener(loadBalancer().LoadBalancerArn!, TargetGroupArn!)
    const modify = (values: Record<string, string>) =>
      elb().modifyTargetGroupAttributes(world.context, {
        TargetGroupArn,
        Attributes: Object.entries(values).map(([Key, Value]) => ({ Key, Value })),
      })
    const carried = async () => {
      await world.clock.run(2_000)
      return world.balancer.model().targetGroups[0]!.routing
    }
    const plain = { algorithm: 'round_robin', slowStartSeconds: 0, stickiness: null }
    assert.deepEqual(await carried(), plain)
    modify({ 'slow_start.duration_seconds': '30', 'stickiness.enabled': 'true' })
    const sticky = { seconds: 86_400, applicationCookie: null }
    assert.deepEqual(await carried(), { ...plain, slowStartSeconds: 30, stickiness: sticky })
    const byCookie = { 'stickiness.type': 'app_cookie', 'stickiness.app_cookie.duration_seconds': '60' }
    const wrong: [Record<string, string>, RegExp][] = [
      [{ 'slow_start.duration_seconds': '29' }, /value '29' is not valid/],
      [{ 'load_balancing.algorithm.type': 'dice' }, /value 'dice' is not valid/],
      [{ 'load_balancing.algorithm.type': 'weighted_random' }, /only supported with the 'round_robin'/],
      [byCookie, /must specify 'stickiness.app_cookie.cookie_name'/],
      [{ ...byCookie, 'stickiness.app_cookie.cookie_name': 'AWSALB' }, /is not valid/],
      [{ ...byCookie, 'stickiness.app_cookie.cookie_name': 'a\n b' }, /is not valid/],
      [{ 'stickiness.type': 'source_ip' }, /value 'source_ip' is not valid/],
    ]
    for (const [values, message] of wrong) assert.throws(() => modify(values), { message })
    modify({ ...byCookie, 'stickiness.app_cookie.cookie_name': 'SESSION' })
    modify({ 'slow_start.duration_seconds': '0', 'load_balancing.algorithm.type': 'weighted_random' })
    assert.deepEqual(await carried(), {
      ...{ algorithm: 'weighted_random', slowStartSeconds: 0 },
      stickiness: { seconds: 60, applicationCookie: 'SESSION' },
    })
  })

  it('cannot go while a listener uses them', () => {
    const { TargetGroupArn } = targetGroup()
    const { ListenerArn } = listener(loadBalancer().LoadBalancerArn!, TargetGroupArn!)
    const remove = () => elb().deleteTargetGroup(world.context, { TargetGroupArn })
    assert.throws(remove, { code: 'ResourceInUse' })
    elb().deleteListener(world.context, { ListenerArn })
    remove()
    remove()
  })
})

describe('load balancers', () => {
  it('are provisioning until the engine carries them', async () => {
    world.balancer.fault = (call) => (call === 'apply' ? 'error before' : undefined)
    const { LoadBalancerArn, DNSName, State } = loadBalancer()
    assert.match(DNSName!, /^web-\d{10}\.us-west-2\.elb\.localhost$/)
    assert.equal(State!.Code, 'provisioning')
    const state = () =>
      elb().describeLoadBalancers(world.context, { LoadBalancerArns: [LoadBalancerArn!] }).LoadBalancers![0]!
        .State!.Code
    await world.clock.run(5_000)
    assert.equal(state(), 'provisioning')
    world.balancer.fault = () => undefined
    await world.clock.run(20_000)
    assert.equal(state(), 'active')
  })

  it('are impaired, with the reason, as long as another program has a port of theirs', async () => {
    const { LoadBalancerArn } = loadBalancer()
    elb().putLoadBalancerNames(world.context, LoadBalancerArn!, { hosts: [], loopbackPort: 18_003 })
    const state = () => elb().describeLoadBalancers(world.context, {}).LoadBalancers![0]!.State!
    world.balancer.occupy(18_003, 'node (pid 12)')
    await world.clock.run(10_000)
    assert.deepEqual(state(), {
      Code: 'active_impaired',
      Reason: 'port 18003 is taken by node (pid 12)',
    })
    world.balancer.occupy(18_003, null)
    await world.clock.run(10_000)
    assert.deepEqual(state(), { Code: 'active' })
  })

  it('keep their address until the engine has let them go, while the name is free at once', async () => {
    const { LoadBalancerArn } = loadBalancer()
    await world.clock.run(2_000)
    world.balancer.fault = () => 'error before'
    elb().deleteLoadBalancer(world.context, { LoadBalancerArn })
    assert.deepEqual(elb().describeLoadBalancers(world.context, {}).LoadBalancers, [])
    loadBalancer({ Scheme: 'internal' })
    await world.clock.run(5_000)
    const interfaces = world.ec2.describeNetworkInterfaces(world.context, {}).NetworkInterfaces!
    assert.equal(interfaces.length, 2)
    for (const { NetworkInterfaceId, RequesterManaged, Status, Attachment } of interfaces) {
      assert.deepEqual(
        [RequesterManaged, Status, Attachment?.InstanceOwnerId],
        [true, 'in-use', 'amazon-elb'],
      )
      assert.throws(() => world.ec2.deleteNetworkInterface(world.context, { NetworkInterfaceId }), {
        message: /currently in use/,
      })
    }
    world.balancer.fault = () => undefined
    await world.clock.run(20_000)
    assert.equal(world.ec2.describeNetworkInterfaces(world.context, {}).NetworkInterfaces!.length, 1)
    assert.equal(world.balancer.model().loadBalancers.length, 1)
  })

  it('are made once for the same settings, and only of a kind that works', () => {
    const first = loadBalancer()
    assert.equal(loadBalancer().LoadBalancerArn, first.LoadBalancerArn)
    assert.throws(() => loadBalancer({ Scheme: 'internal' }), { code: 'DuplicateLoadBalancerName' })
    assert.throws(() => loadBalancer({ Name: 'n', Type: 'gateway' }), {
      message: "Type 'gateway' is not supported by Polebean.",
    })
    assert.throws(() => loadBalancer({ Name: 'n', Subnets: [] }), { code: 'ValidationError' })
    assert.throws(() => loadBalancer({ Name: 'n', Subnets: ['subnet-1'] }), { code: 'SubnetNotFound' })
    assert.throws(() => loadBalancer({ Name: 'n', SecurityGroups: ['sg-01'] }), {
      code: 'InvalidSecurityGroup',
    })
  })

  it('are known by their own name and those that were put', async () => {
    const { LoadBalancerArn, DNSName } = loadBalancer({ Name: 'Web-App' })
    elb().putLoadBalancerNames(world.context, LoadBalancerArn!, {
      hosts: ['Shop.localhost'],
      loopbackPort: 20_001,
    })
    elb().modifyLoadBalancerAttributes(world.context, {
      LoadBalancerArn,
      Attributes: [{ Key: 'idle_timeout.timeout_seconds', Value: '90' }],
    })
    await world.clock.run(2_000)
    const [carried] = world.balancer.model().loadBalancers
    assert.deepEqual(carried!.hosts, [DNSName!.toLowerCase(), 'shop.localhost'])
    assert.equal(carried!.loopbackPort, 20_001)
    assert.equal(carried!.idleTimeoutSeconds, 90)
    assert.equal(carried!.address, '10.77.0.16')
  })

  it('refuse to go while they are protected', () => {
    const { LoadBalancerArn } = loadBalancer()
    elb().modifyLoadBalancerAttributes(world.context, {
      LoadBalancerArn,
      Attributes: [{ Key: 'deletion_protection.enabled', Value: 'true' }],
    })
    assert.throws(() => elb().deleteLoadBalancer(world.context, { LoadBalancerArn }), {
      code: 'OperationNotPermitted',
    })
  })
})

describe('listeners', () => {
  it('have a default rule, and one port each', () => {
    const { TargetGroupArn } = targetGroup()
    const { LoadBalancerArn } = loadBalancer()
    const { ListenerArn } = listener(LoadBalancerArn!, TargetGroupArn!)
    const [rule] = elb().describeRules(world.context, { ListenerArn }).Rules!
    assert.equal(rule!.IsDefault, true)
    const other = targetGroup({ Name: 'other' }).TargetGroupArn!
    assert.throws(() => listener(LoadBalancerArn!, other), { code: 'DuplicateListener' })
    assert.throws(() => listener(LoadBalancerArn!, other, { Port: 443, Protocol: 'TLS' }), {
      code: 'UnsupportedProtocol',
    })
    assert.throws(
      () => listener(LoadBalancerArn!, other, { Port: 81, DefaultActions: [{ Type: 'authenticate-oidc' }] }),
      { code: 'InvalidConfigurationRequest' },
    )
    const second = loadBalancer({ Name: 'second' })
    assert.throws(() => listener(second.LoadBalancerArn!, TargetGroupArn!), {
      code: 'TargetGroupAssociationLimit',
    })
  })
})

describe('targets', () => {
  const instance = async () => {
    const ImageId = world.ec2.describeImages(world.context, {}).Images![0]!.ImageId
    const { Instances } = world.ec2.runInstances(world.context, { ImageId, MinCount: 1, MaxCount: 1 })
    await world.clock.run(1_000)
    return Instances![0]!.InstanceId!
  }
  const states = (TargetGroupArn: string) =>
    elb()
      .describeTargetHealth(world.context, { TargetGroupArn })
      .TargetHealthDescriptions!.map(({ TargetHealth }) =>
        `${TargetHealth!.State} ${TargetHealth!.Reason ?? ''}`.trim(),
      )

  it('are unavailable while the engine cannot be seen for longer than the grace', async () => {
    const TargetGroupArn = targetGroup().TargetGroupArn!
    listener(loadBalancer().LoadBalancerArn!, TargetGroupArn)
    elb().registerTargets(world.context, { TargetGroupArn, Targets: [{ Id: await instance() }] })
    await world.clock.run(10_000)
    world.balancer.fault = (call) => (call === 'observe' ? 'cannot see' : undefined)
    await world.clock.run(50_000)
    assert.deepEqual(states(TargetGroupArn), ['healthy'])
    await world.clock.run(20_000)
    assert.deepEqual(states(TargetGroupArn), ['unavailable Elb.InternalError'])
    world.balancer.fault = () => undefined
    await world.clock.run(5_000)
    assert.deepEqual(states(TargetGroupArn), ['healthy'])
  })

  it('are unused until a listener forwards to them, then checked, then drained', async () => {
    const TargetGroupArn = targetGroup().TargetGroupArn!
    const Id = await instance()
    elb().registerTargets(world.context, { TargetGroupArn, Targets: [{ Id }] })
    await world.clock.run(5_000)
    assert.deepEqual(states(TargetGroupArn), ['unused Target.NotInUse'])
    listener(loadBalancer().LoadBalancerArn!, TargetGroupArn)
    assert.deepEqual(states(TargetGroupArn), ['initial Elb.RegistrationInProgress'])
    await world.clock.run(10_000)
    assert.deepEqual(states(TargetGroupArn), ['healthy'])
    elb().deregisterTargets(world.context, { TargetGroupArn, Targets: [{ Id }] })
    assert.deepEqual(states(TargetGroupArn), ['draining Target.DeregistrationInProgress'])
    await world.clock.run(5_000)
    assert.deepEqual(states(TargetGroupArn), [])
    const [one] = elb().describeTargetHealth(world.context, {
      TargetGroupArn,
      Targets: [{ Id }],
    }).TargetHealthDescriptions!
    assert.equal(one!.TargetHealth!.Reason, 'Target.NotRegistered')
  })

  it('must be instances that run', async () => {
    const TargetGroupArn = targetGroup().TargetGroupArn!
    const register = (Id: string) =>
      elb().registerTargets(world.context, { TargetGroupArn, Targets: [{ Id }] })
    assert.throws(() => register('i-0123456789abcdef0'), { code: 'InvalidTarget' })
    const Id = await instance()
    world.ec2.terminateInstances(world.context, { InstanceIds: [Id] })
    assert.throws(() => register(Id), {
      code: 'InvalidTarget',
      message: `The following targets are not in a running state and cannot be registered: '${Id}'`,
    })
  })

  it('have figures of about the last ten seconds', async () => {
    const TargetGroupArn = targetGroup().TargetGroupArn!
    const { LoadBalancerArn, DNSName } = loadBalancer()
    listener(LoadBalancerArn!, TargetGroupArn)
    const Id = await instance()
    elb().registerTargets(world.context, { TargetGroupArn, Targets: [{ Id }] })
    const ask = () => world.balancer.request({ host: DNSName! })
    await world.clock.run(20_000)
    assert.throws(ask, /127\.0\.0\.1 is not let in/, 'the default group lets in only its own members')
    world.ec2.authorizeSecurityGroupIngress(world.context, {
      GroupName: 'default',
      ...{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, CidrIp: '127.0.0.0/8' },
    })
    await world.clock.run(1_000)
    for (let count = 0; count < 7; count++) ask()
    await world.clock.run(4_000)
    assert.equal(elb().loadBalancerCounters(world.context, LoadBalancerArn!)!.requests, 7)
    assert.equal(elb().targetCounters(world.context, [TargetGroupArn], Id)!.status2xx, 7)
    await world.clock.run(30_000)
    const after = elb().loadBalancerCounters(world.context, LoadBalancerArn!)!
    assert.equal(after.requests, 0)
    assert.ok(after.seconds >= 10 && after.seconds <= 13)
  })
})

describe('targets by address', () => {
  const vpcAddress = (last: number) => {
    const [network = ''] = world.ec2.describeVpcs(world.context, {}).Vpcs![0]!.CidrBlock!.split('/')
    return network.replace(/\d+\.\d+$/, `200.${last}`)
  }
  const register = (TargetGroupArn: string, ...ids: string[]) =>
    elb().registerTargets(world.context, { TargetGroupArn, Targets: ids.map((Id) => ({ Id, Port: 8080 })) })

  it('are carried, checked by the protocol that is asked for, and drained', async () => {
    const { TargetGroupArn, ...group } = targetGroup({
      ...{ TargetType: 'ip', Protocol: 'HTTPS', Port: 443, HealthCheckProtocol: 'HTTPS' },
    })
    assert.deepEqual([group.TargetType, group.Protocol, group.HealthCheckProtocol], ['ip', 'HTTPS', 'HTTPS'])
    listener(loadBalancer().LoadBalancerArn!, TargetGroupArn!)
    const address = vpcAddress(9)
    register(TargetGroupArn!, address)
    await world.clock.run(3_000)
    const [carried] = world.balancer.model().targetGroups
    assert.deepEqual(carried!.targets, [{ id: address, address, port: 8080, draining: false }])
    assert.deepEqual([carried!.protocol, carried!.healthCheck!.protocol], ['HTTPS', 'HTTPS'])
    const health = () =>
      elb()
        .describeTargetHealth(world.context, { TargetGroupArn })
        .TargetHealthDescriptions!.map((one) => one.TargetHealth!.State)
    await world.clock.run(60_000)
    assert.deepEqual(health(), ['unhealthy'])
    elb().deregisterTargets(world.context, { TargetGroupArn, Targets: [{ Id: address }] })
    await world.clock.run(5_000)
    assert.deepEqual(health(), [])
  })
  it('must be of the VPC, and no group of instances takes them', () => {
    const { TargetGroupArn } = targetGroup({ TargetType: 'ip' })
    for (const wrong of ['192.0.2.1', '10.255.255.255', '169.254.169.254'])
      assert.throws(() => register(TargetGroupArn!, vpcAddress(9), wrong), {
        code: 'InvalidTarget',
        message: `The following targets are not within the VPC '${vpcId()}': '${wrong}'`,
      })
    assert.throws(() => register(TargetGroupArn!, 'i-0123456789abcdef0'), /is not a valid IPv4 address/)
    assert.throws(
      () =>
        world.autoscaling.attachLoadBalancerTargetGroups(world.context, {
          AutoScalingGroupName: 'any',
          TargetGroupARNs: [TargetGroupArn!],
        }),
      { code: 'ValidationError' },
    )
  })
})

describe('security groups of a load balancer', () => {
  const group = (GroupName: string) =>
    world.ec2.createSecurityGroup(world.context, { GroupName, Description: 'd' }).GroupId!
  const held = () =>
    world.ec2
      .describeNetworkInterfaces(world.context, {
        Filters: [{ Name: 'description', Values: ['ELB app/web/*'] }],
      })
      .NetworkInterfaces![0]?.Groups?.map(({ GroupName }) => GroupName)
  const groupsOf = () => elb().describeLoadBalancers(world.context, {}).LoadBalancers?.[0]?.SecurityGroups

  it('are set anew, in the order given, at its address too', () => {
    const [a, b] = [group('a'), group('b')]
    const { LoadBalancerArn } = loadBalancer()
    assert.deepEqual(held(), ['default'])
    const answer = elb().setSecurityGroups(world.context, { LoadBalancerArn, SecurityGroups: [b, a, b] })
    assert.deepEqual(answer, { SecurityGroupIds: [b, a] })
    assert.deepEqual(
      [groupsOf(), held()],
      [
        [b, a],
        ['b', 'a'],
      ],
    )
  })

  it('that are none, unknown or too many are refused, and nothing changes', () => {
    const a = group('a')
    const { LoadBalancerArn } = loadBalancer({ SecurityGroups: [a] })
    const many = Array.from({ length: 17 }, (_unused, index) => group(`g${index}`))
    const wrong: [string[] | undefined, object][] = [
      [undefined, { code: 'ValidationError' }],
      [[], { code: 'ValidationError' }],
      [['a'], { code: 'ValidationError', message: "Security group 'a' is not valid" }],
      [
        ['sg-0123456789abcdef0'],
        {
          code: 'InvalidSecurityGroup',
          message:
            "One or more security groups are invalid: The security group 'sg-0123456789abcdef0' does not exist",
        },
      ],
      [many, { code: 'InvalidConfigurationRequest' }],
    ]
    for (const [SecurityGroups, error] of wrong)
      assert.throws(() => elb().setSecurityGroups(world.context, { LoadBalancerArn, SecurityGroups }), error)
    for (const [SecurityGroups, error] of wrong.slice(2))
      assert.throws(() => loadBalancer({ Name: 'other', SecurityGroups }), error)
    assert.throws(
      () =>
        elb().setSecurityGroups(world.context, {
          LoadBalancerArn: `${LoadBalancerArn}x`,
          SecurityGroups: [a],
        }),
      { code: 'LoadBalancerNotFound' },
    )
    assert.deepEqual([groupsOf(), held()], [[a], ['a']])
  })
})
