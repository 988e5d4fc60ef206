// Environments with a classic load balancer, and what the classic API says of it, on the services as they are.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { imported, type GivenOption, onRealServices, option } from '../elasticbeanstalk/test-real-bench.ts'
import { makeElasticloadbalancingService } from './service.ts'

const ENVIRONMENT = 'aws:elasticbeanstalk:environment'
const CHECK = 'aws:elb:healthcheck'
const POLICIES = 'aws:elb:policies'
const HTTPS = 'aws:elb:listener:443'
const HOST = 'shop.us-west-2.elasticbeanstalk.localhost'
const CLASSIC = option(ENVIRONMENT, 'LoadBalancerType', 'classic')

const stage = onRealServices()

const elb = () =>
  makeElasticloadbalancingService({ cloud: stage.bench.cloud, store: stage.world.store }).operations
const errors = () => stage.bench.texts().filter((text) => text.startsWith('ERROR'))
async function settle() {
  await stage.bench.until('Ready')
  await stage.world.clock.run(60_000)
  assert.deepEqual(errors(), [])
  assert.equal(stage.bench.environment()?.Health, 'Green')
}
async function create(...settings: GivenOption[]) {
  stage.bench.create({ OptionSettings: [CLASSIC, ...settings] })
  await settle()
}
async function update(...OptionSettings: GivenOption[]) {
  stage.bench.api.updateEnvironment(stage.bench.context(), { EnvironmentName: 'shop-prod', OptionSettings })
  await settle()
}
const described = () => elb().describeLoadBalancers(stage.world.context, {}).LoadBalancerDescriptions![0]!
const listeners = () =>
  described().ListenerDescriptions!.map(({ Listener }) => {
    const { Protocol, LoadBalancerPort, InstanceProtocol, InstancePort } = Listener!
    return `${Protocol} ${LoadBalancerPort} → ${InstanceProtocol} ${InstancePort}`
  })
const targetGroups = () => stage.world.balancer.model().targetGroups

describe('a classic load balancer', () => {
  it('is what an environment has by AWS’s defaults, known by its name', async () => {
    await create()
    const { LoadBalancerName: name = '', HealthCheck, DNSName, Instances, ...rest } = described()
    assert.match(name, /^awseb-e-.-AWSEBLoa-[A-Z0-9]{13}$/)
    assert.deepEqual(HealthCheck, {
      ...{ Target: 'TCP:80', Interval: 10, Timeout: 5, UnhealthyThreshold: 5, HealthyThreshold: 3 },
    })
    assert.deepEqual(listeners(), ['HTTP 80 → HTTP 80'])
    assert.equal(stage.bench.environment()?.EndpointURL, DNSName)
    assert.equal(stage.bench.environment()?.Resources?.LoadBalancer?.LoadBalancerName, name)
    const { EnvironmentResources } = stage.bench.api.describeEnvironmentResources(stage.bench.context(), {
      EnvironmentName: 'shop-prod',
    })
    assert.deepEqual(EnvironmentResources!.LoadBalancers, [{ Name: name }])
    assert.deepEqual(
      Instances!.map(({ InstanceId }) => InstanceId),
      EnvironmentResources!.Instances!.map(({ Id }) => Id),
    )
    assert.equal(rest.Scheme, 'internet-facing')
    assert.equal(stage.world.balancer.request({ host: HOST }).status, 200)
    assert.equal(targetGroups()[0]!.routing!.algorithm, 'least_outstanding_requests')
    const [group] = stage.world.autoscaling.describeAutoScalingGroups(
      stage.world.context,
      {},
    ).AutoScalingGroups!
    assert.deepEqual(group!.LoadBalancerNames, [name])
    const texts = stage.bench.texts().join('\n')
    assert.match(texts, new RegExp(`INFO Created load balancer named: ${name}`))
    assert.doesNotMatch(texts, /target group|Load Balancer listener/)
  })

  it('is not one of elasticloadbalancingv2, nor are its target groups', async () => {
    await create()
    const v2 = stage.world.elasticloadbalancingv2
    assert.deepEqual(v2.describeLoadBalancers(stage.world.context, {}).LoadBalancers, [])
    assert.deepEqual(v2.describeTargetGroups(stage.world.context, {}).TargetGroups, [])
    assert.throws(
      () => v2.describeLoadBalancers(stage.world.context, { Names: [described().LoadBalancerName!] }),
      {
        code: 'LoadBalancerNotFound',
      },
    )
  })

  it('checks as its options say, by HTTP at a path or by a connection', async () => {
    await create(option(CHECK, 'Target', 'HTTP:80/ping'), option(CHECK, 'Interval', '30'))
    assert.deepEqual(
      [described().HealthCheck!.Target, described().HealthCheck!.Interval],
      ['HTTP:80/ping', 30],
    )
    assert.equal(targetGroups()[0]!.healthCheck!.path, '/ping')
    await update(option('aws:elasticbeanstalk:application', 'Application Healthcheck URL', '/health'))
    assert.equal(described().HealthCheck!.Target, 'HTTP:80/health')
    await update(option('aws:elasticbeanstalk:application', 'Application Healthcheck URL', 'TCP:81'))
    assert.equal(described().HealthCheck!.Target, 'TCP:81')
    assert.deepEqual(targetGroups()[0]!.healthCheck!.protocol, 'TCP')
  })

  it('has further listeners, of HTTPS and to other ports, one check for all', async () => {
    const arn = imported(stage, 'shop.example')
    await create(
      ...[option(HTTPS, 'ListenerProtocol', 'HTTPS'), option(HTTPS, 'SSLCertificateId', arn)],
      option('aws:elb:listener:8080', 'InstancePort', '81'),
    )
    assert.deepEqual(listeners(), ['HTTP 80 → HTTP 80', 'HTTPS 443 → HTTP 80', 'HTTP 8080 → HTTP 81'])
    assert.equal(described().ListenerDescriptions![1]!.Listener!.SSLCertificateId, arn)
    assert.deepEqual(
      targetGroups().map(({ healthCheck }) => healthCheck!.port),
      [80, 80],
    )
    assert.equal(stage.world.balancer.request({ host: HOST, listenerPort: 8080 }).targetPort, 81)
    await update(option('aws:elb:listener', 'ListenerEnabled', 'false'))
    assert.deepEqual(listeners(), ['HTTPS 443 → HTTP 80', 'HTTP 8080 → HTTP 81'])
  })

  it('goes on where its requests are when another listener is the first, and lets itself check', async () => {
    await create(
      ...[option('aws:elb:listener:8080', 'InstancePort', '81'), option(CHECK, 'Target', 'TCP:82')],
    )
    const before = targetGroups().find(({ targets }) => targets[0]!.port === 81)!.id
    stage.bench.api.updateEnvironment(stage.bench.context(), {
      EnvironmentName: 'shop-prod',
      OptionSettings: [option('aws:elb:listener', 'ListenerEnabled', 'false')],
    })
    while (stage.bench.environment()?.Status !== 'Ready') {
      await stage.world.clock.run(100)
      const { status, targetPort } = stage.world.balancer.request({ host: HOST, listenerPort: 8080 })
      assert.deepEqual([status, targetPort], [200, 81])
    }
    assert.deepEqual(
      targetGroups().map(({ id }) => id),
      [before],
    )
    const { SecurityGroupRules = [] } = stage.world.ec2.describeSecurityGroupRules(stage.world.context, {})
    const ports = SecurityGroupRules.flatMap(({ ReferencedGroupInfo, FromPort = -1 }) =>
      ReferencedGroupInfo && FromPort >= 0 ? FromPort : [],
    )
    assert.deepEqual(ports.sort(), [81, 82])
  })

  it('drains, keeps clients and waits as its policies say', async () => {
    await create()
    const attributes = () =>
      elb().describeLoadBalancerAttributes(stage.world.context, {
        LoadBalancerName: described().LoadBalancerName,
      }).LoadBalancerAttributes!
    assert.deepEqual(
      [attributes().ConnectionDraining?.Enabled, attributes().ConnectionSettings],
      [false, { IdleTimeout: 60 }],
    )
    await update(
      ...[
        option(POLICIES, 'ConnectionDrainingEnabled', 'true'),
        option(POLICIES, 'Stickiness Policy', 'true'),
      ],
      ...[option(POLICIES, 'ConnectionSettingIdleTimeout', '90')],
      option(POLICIES, 'Stickiness Cookie Expiration', '120'),
    )
    assert.deepEqual(
      [attributes().ConnectionDraining, attributes().ConnectionSettings],
      [{ Enabled: true, Timeout: 20 }, { IdleTimeout: 90 }],
    )
    assert.deepEqual(targetGroups()[0]!.routing!.stickiness, { seconds: 120, applicationCookie: null })
    const [policy] = described().Policies!.LBCookieStickinessPolicies!
    assert.equal(policy!.CookieExpirationPeriod, 120)
    assert.deepEqual(described().ListenerDescriptions![0]!.PolicyNames, [policy!.PolicyName])
  })

  it('tells the health of instances, which may be taken out and put back, and its tags', async () => {
    await create(option('aws:autoscaling:asg', 'MinSize', '2'))
    const LoadBalancerName = described().LoadBalancerName!
    const health = () =>
      elb()
        .describeInstanceHealth(stage.world.context, { LoadBalancerName })
        .InstanceStates!.map(({ State, ReasonCode }) => `${State} ${ReasonCode}`)
    assert.deepEqual(health(), ['InService N/A', 'InService N/A'])
    const Instances = described().Instances!.slice(0, 1)
    const left = elb().deregisterInstancesFromLoadBalancer(stage.world.context, {
      LoadBalancerName,
      Instances,
    })
    assert.equal(left.Instances!.length, 1)
    assert.throws(() => elb().describeInstanceHealth(stage.world.context, { LoadBalancerName, Instances }), {
      code: 'InvalidInstance',
    })
    elb().registerInstancesWithLoadBalancer(stage.world.context, { LoadBalancerName, Instances })
    assert.ok(health().includes('OutOfService ELB'))
    await stage.world.clock.run(60_000)
    stage.world.silentPorts.add(80)
    await stage.world.clock.run(120_000)
    assert.deepEqual(health(), ['OutOfService Instance', 'OutOfService Instance'])
    const names = { LoadBalancerNames: [LoadBalancerName] }
    elb().addTags(stage.world.context, { ...names, Tags: [{ Key: 'team', Value: 'a' }] })
    const tags = () =>
      elb()
        .describeTags(stage.world.context, names)
        .TagDescriptions![0]!.Tags!.map(({ Key }) => Key)
    assert.ok(tags().includes('team') && tags().includes('elasticbeanstalk:environment-name'))
    elb().removeTags(stage.world.context, { ...names, Tags: [{ Key: 'team' }] })
    assert.ok(!tags().includes('team'))
  })

  it('is let in by instances until it is gone, by the group that was named for it', async () => {
    const { GroupId: edge = '' } = stage.world.ec2.createSecurityGroup(stage.world.context, {
      ...{ GroupName: 'edge', Description: 'd' },
    })
    const http = { IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }
    stage.world.ec2.authorizeSecurityGroupIngress(stage.world.context, {
      GroupId: edge,
      IpPermissions: [http],
    })
    await create(
      option('aws:elb:loadbalancer', 'ManagedSecurityGroup', edge),
      option(CHECK, 'Target', 'TCP:82'),
    )
    const OptionSettings = [option(ENVIRONMENT, 'EnvironmentType', 'SingleInstance')]
    stage.bench.api.updateEnvironment(stage.bench.context(), { EnvironmentName: 'shop-prod', OptionSettings })
    const openTo = () =>
      stage.world.ec2
        .describeSecurityGroupRules(stage.world.context, {})
        .SecurityGroupRules!.flatMap(({ ReferencedGroupInfo, FromPort }) =>
          ReferencedGroupInfo?.GroupId === edge ? FromPort : [],
        )
        .sort()
    while (elb().describeLoadBalancers(stage.world.context, {}).LoadBalancerDescriptions!.length > 0) {
      assert.deepEqual(openTo(), [80, 82])
      await stage.world.clock.run(500)
    }
    await settle()
    assert.deepEqual(openTo(), [])
  })

  it('goes with its environment, and with a change to a single instance', async () => {
    await create()
    await update(option(ENVIRONMENT, 'EnvironmentType', 'SingleInstance'))
    assert.deepEqual(elb().describeLoadBalancers(stage.world.context, {}).LoadBalancerDescriptions, [])
    await update(option(ENVIRONMENT, 'EnvironmentType', 'LoadBalanced'))
    assert.equal(listeners().length, 1)
    stage.bench.api.terminateEnvironment(stage.bench.context(), { EnvironmentName: 'shop-prod' })
    await stage.bench.until('Terminated')
    assert.deepEqual(elb().describeLoadBalancers(stage.world.context, {}).LoadBalancerDescriptions, [])
    assert.deepEqual(stage.world.store.all('select arn from elbv2_target_group'), [])
  })

  const bad: [what: string, settings: GivenOption[], message: RegExp][] = [
    [
      'HTTPS without a certificate',
      [option(HTTPS, 'ListenerProtocol', 'HTTPS')],
      /has a certificate when its protocol is HTTPS/,
    ],
    [
      'an unknown certificate',
      [option(HTTPS, 'ListenerProtocol', 'HTTPS'), option(HTTPS, 'SSLCertificateId', 'arn:x')],
      /certificate 'arn:x' does not exist/,
    ],
    [
      'a listener of TCP',
      [option(HTTPS, 'ListenerProtocol', 'TCP')],
      /does not implement this value yet. It takes: HTTP, HTTPS/,
    ],
    ['a check of SSL', [option(CHECK, 'Target', 'SSL:443')], /It takes: TCP, HTTP, HTTPS/],
    ['a check of TCP with a path', [option(CHECK, 'Target', 'TCP:80/x')], /TCP has no path/],
    ['a check at port 70000', [option(CHECK, 'Target', 'HTTP:70000/x')], /A port is 1 to 65535/],
    ['a path with a blank', [option(CHECK, 'Target', 'HTTP:80/a b')], /no blanks/],
    ['a time-out as long as its interval', [option(CHECK, 'Interval', '5')], /interval must be greater/],
    [
      'port 80 twice',
      [option('aws:elb:listener:80', 'InstancePort', '81')],
      /Port 80 is that of aws:elb:listener/,
    ],
    ['no listener', [option('aws:elb:listener', 'ListenerEnabled', 'false')], /must have a listener/],
    [
      'a load balancer of others',
      [
        option(ENVIRONMENT, 'LoadBalancerIsShared', 'true'),
        option('aws:elbv2:loadbalancer', 'SharedLoadBalancer', 'arn'),
      ],
      /Only an Application Load Balancer can be shared/,
    ],
    [
      '50 further listeners',
      Array.from({ length: 50 }, (_unused, n) =>
        option(`aws:elb:listener:${8_000 + n}`, 'InstancePort', '81'),
      ),
      /at most 50 listeners/,
    ],
    ['an unknown group', [option('aws:elb:loadbalancer', 'SecurityGroups', 'sg-1')], /sg-1/],
  ]
  for (const [what, settings, message] of bad)
    it(`is refused with ${what}`, () => {
      assert.throws(() => stage.bench.create({ OptionSettings: [CLASSIC, ...settings] }), message)
    })

  it('cannot become an Application Load Balancer, nor the other way round', async () => {
    await create()
    const OptionSettings = [option(ENVIRONMENT, 'LoadBalancerType', 'application')]
    const input = { EnvironmentName: 'shop-prod', OptionSettings }
    assert.throws(() => stage.bench.api.updateEnvironment(stage.bench.context(), input), /cannot be changed/)
    const removed = {
      EnvironmentName: 'shop-prod',
      OptionsToRemove: [{ Namespace: ENVIRONMENT, OptionName: 'LoadBalancerType' }],
    }
    assert.throws(
      () => stage.bench.api.updateEnvironment(stage.bench.context(), removed),
      /cannot be changed/,
    )
    assert.throws(() => elb().describeInstanceHealth(stage.world.context, { LoadBalancerName: 'none' }), {
      code: 'LoadBalancerNotFound',
      message: "There is no ACTIVE Load Balancer named 'none'",
    })
  })

  it('says which settings are of the other kind of load balancer', async () => {
    await create()
    const { Messages = [] } = stage.bench.api.validateConfigurationSettings(stage.bench.context(), {
      ...{ ApplicationName: 'shop', EnvironmentName: 'shop-prod' },
      OptionSettings: [option('aws:elbv2:loadbalancer', 'IdleTimeout', '9')],
    })
    assert.match(Messages.map(({ Message }) => Message).join(), /belongs to Application Load Balancers/)
  })
})
