// Environments that share a load balancer which a user made, on the services as they are.
import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { type GivenOption, onRealServices, option } from '../test-real-bench.ts'

const ENVIRONMENT = 'aws:elasticbeanstalk:environment'
const BALANCER = 'aws:elbv2:loadbalancer'
const RULE = 'aws:elbv2:listenerrule'
const host = (prefix: string) => `${prefix}.us-west-2.elasticbeanstalk.localhost`

const stage = onRealServices()
let arn = ''
beforeEach(() => {
  const Subnets = stage.world.ec2
    .describeSubnets(stage.world.context, {})
    .Subnets!.map(({ SubnetId }) => SubnetId!)
  arn = elb().createLoadBalancer(stage.world.context, { Name: 'front', Subnets }).LoadBalancers![0]!
    .LoadBalancerArn!
  for (const Port of [80, 8080])
    elb().createListener(stage.world.context, {
      ...{ LoadBalancerArn: arn, Protocol: 'HTTP', Port },
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
    })
})

const elb = () => stage.world.elasticloadbalancingv2
const shared = () => [
  option(ENVIRONMENT, 'LoadBalancerIsShared', 'true'),
  option(BALANCER, 'SharedLoadBalancer', arn),
]
async function create(name: string, settings: GivenOption[] = []) {
  const input = { EnvironmentName: name, CNAMEPrefix: name, OptionSettings: [...shared(), ...settings] }
  stage.bench.create(input)
  await settled(name)
}
async function settled(name: string) {
  await stage.bench.until('Ready', name)
  await stage.world.clock.run(60_000)
  const texts = stage.bench.texts({ EnvironmentName: name })
  assert.deepEqual(
    texts.filter((text) => text.startsWith('ERROR')),
    [],
  )
  assert.equal(stage.bench.environment(name)?.Health, 'Green', name)
}
async function terminate(name: string) {
  stage.bench.api.terminateEnvironment(stage.bench.context(), { EnvironmentName: name })
  await stage.bench.until('Terminated', name)
  await stage.world.clock.run(10_000)
}
const instancesOf = (name: string) =>
  stage.bench.api
    .describeEnvironmentResources(stage.bench.context(), { EnvironmentName: name })
    .EnvironmentResources!.Instances!.map(({ Id }) => Id)
const ask = (to: { host: string; listenerPort?: number } | { loopbackPort: number }, path = '/') =>
  stage.world.balancer.request({ ...to, path })
const groupsOfLoadBalancer = () =>
  elb().describeLoadBalancers(stage.world.context, { LoadBalancerArns: [arn] }).LoadBalancers![0]!
    .SecurityGroups!
const tags = () =>
  elb()
    .describeTags(stage.world.context, { ResourceArns: [arn] })
    .TagDescriptions![0]!.Tags!.map(({ Key, Value }) => `${Key}=${Value}`)
const priorities = () => {
  const { Listeners = [] } = elb().describeListeners(stage.world.context, { LoadBalancerArn: arn })
  return Listeners.toSorted((a, b) => a.Port! - b.Port!).flatMap(({ Port, ListenerArn }) =>
    elb()
      .describeRules(stage.world.context, { ListenerArn })
      .Rules!.filter(({ IsDefault }) => !IsDefault)
      .map(({ Priority, Conditions = [] }) => [
        Port,
        Number(Priority),
        ...Conditions.map(({ Values }) => Values!.join(' ')),
      ]),
  )
}

describe('a shared load balancer', () => {
  it('leads to each environment by its name and its loopback port, and stays when all are gone', async () => {
    const before = groupsOfLoadBalancer()
    await create('first')
    await create('second', [option(`aws:elbv2:listener:8080`, 'Rules', 'default')])
    assert.deepEqual(tags(), ['elasticbeanstalk:shared-elb-environment-count=2'])
    assert.deepEqual(priorities(), [
      [80, 1, host('first')],
      [8080, 1, host('second')],
    ])
    assert.ok(instancesOf('first').includes(ask({ host: host('first') }).targetId!))
    assert.equal(ask({ host: host('second') }).status, 404)
    assert.ok(instancesOf('second').includes(ask({ host: host('second'), listenerPort: 8080 }).targetId!))
    assert.ok(instancesOf('first').includes(ask({ loopbackPort: 18_000 }).targetId!))
    assert.ok(instancesOf('second').includes(ask({ loopbackPort: 18_001 }).targetId!))
    const own = groupsOfLoadBalancer()
    assert.equal(own.length, before.length + 1, 'one group for both')
    assert.equal(
      stage.bench.environment('first')?.EndpointURL,
      stage.bench.environment('second')?.EndpointURL,
    )
    await terminate('first')
    assert.deepEqual(
      [groupsOfLoadBalancer(), tags()],
      [own, ['elasticbeanstalk:shared-elb-environment-count=1']],
    )
    assert.equal(ask({ host: host('first') }).status, 404)
    assert.ok(instancesOf('second').includes(ask({ loopbackPort: 18_001 }).targetId!))
    await terminate('second')
    assert.deepEqual(
      [groupsOfLoadBalancer(), tags()],
      [before, ['elasticbeanstalk:shared-elb-environment-count=0']],
    )
    assert.deepEqual(
      [priorities(), elb().describeTargetGroups(stage.world.context, {}).TargetGroups],
      [[], []],
    )
    const left = stage.world.ec2.describeSecurityGroups(stage.world.context, {}).SecurityGroups!
    assert.deepEqual(
      left.map(({ GroupName }) => GroupName),
      ['default'],
    )
  })

  it('has the rules of each in their own order, behind those of others', async () => {
    const admin = [
      option('aws:elasticbeanstalk:environment:process:admin', 'Port', '81'),
      ...[option(`${RULE}:admin`, 'PathPatterns', '/admin*'), option(`${RULE}:admin`, 'Process', 'admin')],
      ...[option(`${RULE}:host`, 'HostHeaders', 'www.example.com'), option(`${RULE}:host`, 'Priority', '2')],
      option('aws:elbv2:listener:80', 'Rules', 'default,host,admin'),
    ]
    await create('first', admin)
    await create(
      'second',
      admin.slice(0, 3).concat(option('aws:elbv2:listener:80', 'Rules', 'admin, default')),
    )
    assert.deepEqual(priorities(), [
      [80, 1, host('first'), '/admin*'],
      [80, 2, `${host('first')} www.example.com`],
      [80, 3, host('first')],
      [80, 4, host('second'), '/admin*'],
      [80, 5, host('second')],
    ])
    assert.equal(ask({ host: 'www.example.com' }).targetPort, 80)
    assert.deepEqual(
      [ask({ loopbackPort: 18_001 }, '/admin/x').targetPort, ask({ loopbackPort: 18_001 }).targetPort],
      [81, 80],
    )
    stage.bench.api.updateEnvironment(stage.bench.context(), {
      EnvironmentName: 'first',
      OptionSettings: [option(`${RULE}:admin`, 'Priority', '3')],
      OptionsToRemove: [{ Namespace: 'aws:elbv2:listener:80', OptionName: 'Rules' }],
    })
    await settled('first')
    assert.deepEqual(priorities(), [
      [80, 1, host('first')],
      [80, 4, host('second'), '/admin*'],
      [80, 5, host('second')],
    ])
  })

  it('tells visitors of one environment why it does not answer, and those of another one nothing of it', async () => {
    await create('first', [option('aws:elasticbeanstalk:environment:process:default', 'Port', '81')])
    await create('second')
    stage.world.silentPorts.add(81)
    await stage.world.clock.run(300_000)
    assert.equal(ask({ host: host('second') }).status, 200)
    assert.deepEqual(
      [stage.bench.environment('first')?.Health, stage.bench.environment('second')?.Health],
      ['Red', 'Green'],
    )
  })

  it('has the groups that are named, and none of its own then; instances let these in', async () => {
    const edge = stage.world.ec2.createSecurityGroup(stage.world.context, {
      GroupName: 'edge',
      Description: 'd',
    }).GroupId!
    const before = groupsOfLoadBalancer()
    await create('first', [option(BALANCER, 'SecurityGroups', edge)])
    assert.deepEqual(groupsOfLoadBalancer().toSorted(), [...before, edge].toSorted())
    const peers = stage.world.ec2
      .describeSecurityGroupRules(stage.world.context, {})
      .SecurityGroupRules!.flatMap(({ ReferencedGroupInfo, FromPort }) =>
        FromPort === 80 ? (ReferencedGroupInfo?.GroupId ?? []) : [],
      )
    assert.deepEqual(peers, [edge])
    await terminate('first')
    assert.deepEqual(groupsOfLoadBalancer().toSorted(), [...before, edge].toSorted(), 'the user named it')
  })

  it('goes with a word when somebody deletes it, and the environment can still be terminated', async () => {
    await create('first')
    elb().deleteLoadBalancer(stage.world.context, { LoadBalancerArn: arn })
    await stage.world.clock.run(60_000)
    assert.notEqual(stage.bench.environment('first')?.Health, 'Green')
    await terminate('first')
    assert.deepEqual(elb().describeTargetGroups(stage.world.context, {}).TargetGroups, [])
  })

  it('is left for an elastic address, and taken again', async () => {
    await create('first')
    const update = async (value: string) => {
      const OptionSettings = [option(ENVIRONMENT, 'EnvironmentType', value)]
      stage.bench.api.updateEnvironment(stage.bench.context(), { EnvironmentName: 'first', OptionSettings })
      await settled('first')
    }
    await update('SingleInstance')
    assert.deepEqual(priorities(), [])
    assert.deepEqual(tags(), ['elasticbeanstalk:shared-elb-environment-count=0'])
    await update('LoadBalanced')
    assert.deepEqual(priorities(), [[80, 1, host('first')]])
    assert.ok(instancesOf('first').includes(ask({ loopbackPort: 18_000 }).targetId!))
  })

  it('is offered by DescribeConfigurationOptions, unless it is the own one of an environment', async () => {
    stage.bench.create()
    await stage.bench.until('Ready')
    const { Options = [] } = stage.bench.api.describeConfigurationOptions(stage.bench.context(), {
      ...{ ApplicationName: 'shop', EnvironmentName: 'shop-prod' },
      Options: [{ Namespace: BALANCER, OptionName: 'SharedLoadBalancer' }],
    })
    assert.deepEqual(
      Options.map(({ ValueOptions }) => ValueOptions),
      [[arn]],
    )
    assert.equal(elb().describeLoadBalancers(stage.world.context, {}).LoadBalancers!.length, 2)
  })

  const isShared = option(ENVIRONMENT, 'LoadBalancerIsShared', 'true')
  const bad: [what: string, settings: () => GivenOption[], message: RegExp][] = [
    ['without its ARN', () => [isShared], /A shared load balancer must be named/],
    [
      'with an ARN of none',
      () => [isShared, option(BALANCER, 'SharedLoadBalancer', arn.replace('front', 'back'))],
      /no Application Load Balancer of that ARN/,
    ],
    [
      'at a port where it has no listener',
      () => [...shared(), option('aws:elbv2:listener:443', 'Rules', 'default')],
      /has no listener at port 443/,
    ],
    [
      'with rules of the default listener, which it has not',
      () => [
        ...shared(),
        option('aws:elbv2:listener:default', 'Rules', 'a'),
        option(`${RULE}:a`, 'PathPatterns', '/a'),
      ],
      /not an option of environments with a shared load balancer/,
    ],
    [
      "with its owner's options",
      () => [...shared(), option(BALANCER, 'IdleTimeout', '9')],
      /not an option of environments with a shared load balancer/,
    ],
    [
      'with five hosts besides its own',
      () => [
        ...shared(),
        option('aws:elbv2:listener:80', 'Rules', 'a'),
        option(`${RULE}:a`, 'HostHeaders', 'a.b,c.d,e.f,g.h,i.j'),
      ],
      /at most 4 host headers and path patterns/,
    ],
  ]
  for (const [what, settings, message] of bad)
    it(`is refused ${what}`, () => {
      assert.throws(() => stage.bench.create({ OptionSettings: settings() }), message)
    })

  it('has no group of its own any more when others are named for it later', async () => {
    await create('first')
    const { GroupId: edge = '' } = stage.world.ec2.createSecurityGroup(stage.world.context, {
      ...{ GroupName: 'edge', Description: 'd' },
    })
    const all = { ...{ FromPort: 80, ToPort: 80, IpProtocol: 'tcp' }, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }
    stage.world.ec2.authorizeSecurityGroupIngress(stage.world.context, {
      GroupId: edge,
      IpPermissions: [all],
    })
    const startedAt = stage.world.clock.now()
    stage.bench.api.updateEnvironment(stage.bench.context(), {
      EnvironmentName: 'first',
      OptionSettings: [option(BALANCER, 'SecurityGroups', edge)],
    })
    await stage.bench.until('Ready', 'first')
    assert.ok(stage.world.clock.now() - startedAt < 60_000)
    const named = groupsOfLoadBalancer().map(
      (id) =>
        stage.world.ec2.describeSecurityGroups(stage.world.context, { GroupIds: [id] }).SecurityGroups![0]!
          .GroupName!,
    )
    assert.deepEqual(named.sort(), ['default', 'edge'])
    assert.equal(ask({ host: host('first') }).status, 200)
  })

  it('gets a group again, open where the rules are, when no other is named any more', async () => {
    const { GroupId: edge = '' } = stage.world.ec2.createSecurityGroup(stage.world.context, {
      ...{ GroupName: 'edge', Description: 'd' },
    })
    await create('first', [option(BALANCER, 'SecurityGroups', edge)])
    stage.bench.api.updateEnvironment(stage.bench.context(), {
      EnvironmentName: 'first',
      OptionsToRemove: [{ Namespace: BALANCER, OptionName: 'SecurityGroups' }],
    })
    await settled('first')
    assert.equal(ask({ host: host('first') }).status, 200)
  })

  it('that is deleted keeps nobody from ending, whoever made the group of all', async () => {
    await create('first')
    await create('second')
    elb().deleteLoadBalancer(stage.world.context, { LoadBalancerArn: arn })
    await stage.world.clock.run(10_000)
    stage.bench.version('v2')
    const input = { EnvironmentName: 'first', VersionLabel: 'v2' }
    stage.bench.api.updateEnvironment(stage.bench.context(), input)
    await stage.bench.until('Ready', 'first')
    assert.ok(
      stage.bench
        .texts({ EnvironmentName: 'first' })
        .some((text) => /^WARN The shared load balancer is not there/.test(text)),
    )
    const startedAt = stage.world.clock.now()
    await terminate('first')
    await terminate('second')
    assert.ok(stage.world.clock.now() - startedAt < 10 * 60_000)
    const left = stage.world.ec2.describeSecurityGroups(stage.world.context, {}).SecurityGroups!
    assert.deepEqual(
      left.map(({ GroupName }) => GroupName),
      ['default'],
    )
  })

  it('may lose a listener without that deployments are refused, and opens no port that nobody asked for', async () => {
    await create('first', [option('aws:elbv2:listener:8080', 'Rules', 'default')])
    const { SecurityGroupRules = [] } = stage.world.ec2.describeSecurityGroupRules(stage.world.context, {})
    const opened = SecurityGroupRules.flatMap(({ CidrIpv4, IsEgress, FromPort }) =>
      CidrIpv4 === '0.0.0.0/0' && !IsEgress ? FromPort : [],
    )
    assert.deepEqual(opened, [8080])
    const { Listeners = [] } = elb().describeListeners(stage.world.context, { LoadBalancerArn: arn })
    const { ListenerArn } = Listeners.find(({ Port }) => Port === 8080)!
    elb().deleteListener(stage.world.context, { ListenerArn })
    stage.bench.version('v2')
    const input = { EnvironmentName: 'first', VersionLabel: 'v2' }
    stage.bench.api.updateEnvironment(stage.bench.context(), input)
    await stage.bench.until('Ready', 'first')
  })

  it('tells each environment of its own loopback port alone', async () => {
    await create('first')
    await create('second')
    stage.world.balancer.occupy(18_000, 'somebody')
    await stage.world.clock.run(120_000)
    const told = (name: string) =>
      stage.bench.texts({ EnvironmentName: name }).filter((text) => /18000/.test(text))
    assert.deepEqual([told('first').length > 0, told('second')], [true, []])
  })

  it('is for good', async () => {
    await create('first')
    const update = (...OptionSettings: GivenOption[]) =>
      stage.bench.api.updateEnvironment(stage.bench.context(), { EnvironmentName: 'first', OptionSettings })
    assert.throws(() => update(option(ENVIRONMENT, 'LoadBalancerIsShared', 'false')), /cannot be changed/)
    assert.throws(() => update(option(BALANCER, 'SharedLoadBalancer', `${arn}0`)), /cannot be changed/)
  })
})
