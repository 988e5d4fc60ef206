// Environments with a classic load balancer, and what the classic API says of it, on the services as they are.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { systemClock } from '../../kernel/clock.ts'
import { makeCertificate } from '../../kernel/test-certificate.ts'
import { makeBench, type Bench } from '../elasticbeanstalk/test-bench.ts'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'
import { makeElasticloadbalancingService } from './service.ts'

const ENVIRONMENT = 'aws:elasticbeanstalk:environment'
const CHECK = 'aws:elb:healthcheck'
const POLICIES = 'aws:elb:policies'
const HTTPS = 'aws:elb:listener:443'
const HOST = 'shop.us-west-2.elasticbeanstalk.localhost'
const set = (Namespace: string, OptionName: string, Value: string) => ({ Namespace, OptionName, Value })
const CLASSIC = set(ENVIRONMENT, 'LoadBalancerType', 'classic')

let world: ServicesWorld
let bench: Bench
beforeEach(async () => {
  world = makeServicesWorld()
  // Certificates are of today.
  world.clock.setWall(systemClock.now() + 1_000 - world.clock.now())
  bench = makeBench(world)
  await world.clock.run(1_000)
  bench.version('v1')
})
afterEach(() => {
  bench.end()
  world.end()
})

const elb = () => makeElasticloadbalancingService({ cloud: bench.cloud, store: world.store }).operations
const errors = () => bench.texts().filter((text) => text.startsWith('ERROR'))
async function settle() {
  await bench.until('Ready')
  await world.clock.run(60_000)
  assert.deepEqual(errors(), [])
  assert.equal(bench.environment()?.Health, 'Green')
}
async function create(...settings: ReturnType<typeof set>[]) {
  bench.create({ OptionSettings: [CLASSIC, ...settings] })
  await settle()
}
async function update(...OptionSettings: ReturnType<typeof set>[]) {
  bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', OptionSettings })
  await settle()
}
const described = () => elb().describeLoadBalancers(world.context, {}).LoadBalancerDescriptions![0]!
const listeners = () =>
  described().ListenerDescriptions!.map(({ Listener }) => {
    const { Protocol, LoadBalancerPort, InstanceProtocol, InstancePort } = Listener!
    return `${Protocol} ${LoadBalancerPort} → ${InstanceProtocol} ${InstancePort}`
  })
const targetGroups = () => world.balancer.model().targetGroups

describe('a classic load balancer', () => {
  it('is what an environment has by AWS’s defaults, known by its name', async () => {
    await create()
    const { LoadBalancerName: name = '', HealthCheck, DNSName, Instances, ...rest } = described()
    assert.match(name, /^awseb-e-.-AWSEBLoa-[A-Z0-9]{13}$/)
    assert.deepEqual(HealthCheck, {
      ...{ Target: 'TCP:80', Interval: 10, Timeout: 5, UnhealthyThreshold: 5, HealthyThreshold: 3 },
    })
    assert.deepEqual(listeners(), ['HTTP 80 → HTTP 80'])
    assert.equal(bench.environment()?.EndpointURL, DNSName)
    assert.equal(bench.environment()?.Resources?.LoadBalancer?.LoadBalancerName, name)
    const { EnvironmentResources } = bench.api.describeEnvironmentResources(bench.context(), {
      EnvironmentName: 'shop-prod',
    })
    assert.deepEqual(EnvironmentResources!.LoadBalancers, [{ Name: name }])
    assert.deepEqual(
      Instances!.map(({ InstanceId }) => InstanceId),
      EnvironmentResources!.Instances!.map(({ Id }) => Id),
    )
    assert.equal(rest.Scheme, 'internet-facing')
    assert.equal(world.balancer.request({ host: HOST }).status, 200)
    assert.equal(targetGroups()[0]!.routing!.algorithm, 'least_outstanding_requests')
    const [group] = world.autoscaling.describeAutoScalingGroups(world.context, {}).AutoScalingGroups!
    assert.deepEqual(group!.LoadBalancerNames, [name])
    const texts = bench.texts().join('\n')
    assert.match(texts, new RegExp(`INFO Created load balancer named: ${name}`))
    assert.doesNotMatch(texts, /target group|Load Balancer listener/)
  })

  it('is not one of elasticloadbalancingv2, nor are its target groups', async () => {
    await create()
    const v2 = world.elasticloadbalancingv2
    assert.deepEqual(v2.describeLoadBalancers(world.context, {}).LoadBalancers, [])
    assert.deepEqual(v2.describeTargetGroups(world.context, {}).TargetGroups, [])
    assert.throws(() => v2.describeLoadBalancers(world.context, { Names: [described().LoadBalancerName!] }), {
      code: 'LoadBalancerNotFound',
    })
  })

  it('checks as its options say, by HTTP at a path or by a connection', async () => {
    await create(set(CHECK, 'Target', 'HTTP:80/ping'), set(CHECK, 'Interval', '30'))
    assert.deepEqual(
      [described().HealthCheck!.Target, described().HealthCheck!.Interval],
      ['HTTP:80/ping', 30],
    )
    assert.equal(targetGroups()[0]!.healthCheck!.path, '/ping')
    await update(set('aws:elasticbeanstalk:application', 'Application Healthcheck URL', '/health'))
    assert.equal(described().HealthCheck!.Target, 'HTTP:80/health')
    await update(set('aws:elasticbeanstalk:application', 'Application Healthcheck URL', 'TCP:81'))
    assert.equal(described().HealthCheck!.Target, 'TCP:81')
    assert.deepEqual(targetGroups()[0]!.healthCheck!.protocol, 'TCP')
  })

  it('has further listeners, of HTTPS and to other ports, one check for all', async () => {
    const { certificate, key } = makeCertificate(['shop.example'])
    const bytes = (text: string) => new Uint8Array(Buffer.from(text))
    const input = { Certificate: bytes(certificate), PrivateKey: bytes(key) }
    const arn = world.acm.importCertificate(world.context, input).CertificateArn!
    await create(
      ...[set(HTTPS, 'ListenerProtocol', 'HTTPS'), set(HTTPS, 'SSLCertificateId', arn)],
      set('aws:elb:listener:8080', 'InstancePort', '81'),
    )
    assert.deepEqual(listeners(), ['HTTP 80 → HTTP 80', 'HTTPS 443 → HTTP 80', 'HTTP 8080 → HTTP 81'])
    assert.equal(described().ListenerDescriptions![1]!.Listener!.SSLCertificateId, arn)
    assert.deepEqual(
      targetGroups().map(({ healthCheck }) => healthCheck!.port),
      [80, 80],
    )
    assert.equal(world.balancer.request({ host: HOST, listenerPort: 8080 }).targetPort, 81)
    await update(set('aws:elb:listener', 'ListenerEnabled', 'false'))
    assert.deepEqual(listeners(), ['HTTPS 443 → HTTP 80', 'HTTP 8080 → HTTP 81'])
  })

  it('drains, keeps clients and waits as its policies say', async () => {
    await create()
    const attributes = () =>
      elb().describeLoadBalancerAttributes(world.context, {
        LoadBalancerName: described().LoadBalancerName,
      }).LoadBalancerAttributes!
    assert.deepEqual(
      [attributes().ConnectionDraining?.Enabled, attributes().ConnectionSettings],
      [false, { IdleTimeout: 60 }],
    )
    await update(
      ...[set(POLICIES, 'ConnectionDrainingEnabled', 'true'), set(POLICIES, 'Stickiness Policy', 'true')],
      ...[set(POLICIES, 'ConnectionSettingIdleTimeout', '90')],
      set(POLICIES, 'Stickiness Cookie Expiration', '120'),
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
    await create(set('aws:autoscaling:asg', 'MinSize', '2'))
    const LoadBalancerName = described().LoadBalancerName!
    const health = () =>
      elb()
        .describeInstanceHealth(world.context, { LoadBalancerName })
        .InstanceStates!.map(({ State, ReasonCode }) => `${State} ${ReasonCode}`)
    assert.deepEqual(health(), ['InService N/A', 'InService N/A'])
    const Instances = described().Instances!.slice(0, 1)
    const left = elb().deregisterInstancesFromLoadBalancer(world.context, { LoadBalancerName, Instances })
    assert.equal(left.Instances!.length, 1)
    assert.throws(() => elb().describeInstanceHealth(world.context, { LoadBalancerName, Instances }), {
      code: 'InvalidInstance',
    })
    elb().registerInstancesWithLoadBalancer(world.context, { LoadBalancerName, Instances })
    assert.ok(health().includes('OutOfService ELB'))
    await world.clock.run(60_000)
    world.silentPorts.add(80)
    await world.clock.run(120_000)
    assert.deepEqual(health(), ['OutOfService Instance', 'OutOfService Instance'])
    const names = { LoadBalancerNames: [LoadBalancerName] }
    elb().addTags(world.context, { ...names, Tags: [{ Key: 'team', Value: 'a' }] })
    const tags = () =>
      elb()
        .describeTags(world.context, names)
        .TagDescriptions![0]!.Tags!.map(({ Key }) => Key)
    assert.ok(tags().includes('team') && tags().includes('elasticbeanstalk:environment-name'))
    elb().removeTags(world.context, { ...names, Tags: [{ Key: 'team' }] })
    assert.ok(!tags().includes('team'))
  })

  it('goes with its environment, and with a change to a single instance', async () => {
    await create()
    await update(set(ENVIRONMENT, 'EnvironmentType', 'SingleInstance'))
    assert.deepEqual(elb().describeLoadBalancers(world.context, {}).LoadBalancerDescriptions, [])
    await update(set(ENVIRONMENT, 'EnvironmentType', 'LoadBalanced'))
    assert.equal(listeners().length, 1)
    bench.api.terminateEnvironment(bench.context(), { EnvironmentName: 'shop-prod' })
    await bench.until('Terminated')
    assert.deepEqual(elb().describeLoadBalancers(world.context, {}).LoadBalancerDescriptions, [])
    assert.deepEqual(world.store.all('select arn from elbv2_target_group'), [])
  })

  const bad: [what: string, settings: ReturnType<typeof set>[], message: RegExp][] = [
    [
      'HTTPS without a certificate',
      [set(HTTPS, 'ListenerProtocol', 'HTTPS')],
      /has a certificate when its protocol is HTTPS/,
    ],
    [
      'an unknown certificate',
      [set(HTTPS, 'ListenerProtocol', 'HTTPS'), set(HTTPS, 'SSLCertificateId', 'arn:x')],
      /certificate 'arn:x' does not exist/,
    ],
    [
      'a listener of TCP',
      [set(HTTPS, 'ListenerProtocol', 'TCP')],
      /does not implement this value yet. It takes: HTTP, HTTPS/,
    ],
    ['a check of SSL', [set(CHECK, 'Target', 'SSL:443')], /It takes: TCP, HTTP, HTTPS/],
    ['a check of TCP with a path', [set(CHECK, 'Target', 'TCP:80/x')], /TCP has no path/],
    ['a check at port 70000', [set(CHECK, 'Target', 'HTTP:70000/x')], /A port is 1 to 65535/],
    ['a path with a blank', [set(CHECK, 'Target', 'HTTP:80/a b')], /no blanks/],
    ['a time-out as long as its interval', [set(CHECK, 'Interval', '5')], /interval must be greater/],
    [
      'port 80 twice',
      [set('aws:elb:listener:80', 'InstancePort', '81')],
      /Port 80 is that of aws:elb:listener/,
    ],
    ['no listener', [set('aws:elb:listener', 'ListenerEnabled', 'false')], /must have a listener/],
    ['an unknown group', [set('aws:elb:loadbalancer', 'SecurityGroups', 'sg-1')], /sg-1/],
  ]
  for (const [what, settings, message] of bad)
    it(`is refused with ${what}`, () => {
      assert.throws(() => bench.create({ OptionSettings: [CLASSIC, ...settings] }), message)
    })

  it('cannot become an Application Load Balancer, nor the other way round', async () => {
    await create()
    const OptionSettings = [set(ENVIRONMENT, 'LoadBalancerType', 'application')]
    const input = { EnvironmentName: 'shop-prod', OptionSettings }
    assert.throws(() => bench.api.updateEnvironment(bench.context(), input), /cannot be changed/)
    assert.throws(() => elb().describeInstanceHealth(world.context, { LoadBalancerName: 'none' }), {
      code: 'LoadBalancerNotFound',
      message: "There is no ACTIVE Load Balancer named 'none'",
    })
  })

  it('says which settings are of the other kind of load balancer', async () => {
    await create()
    const { Messages = [] } = bench.api.validateConfigurationSettings(bench.context(), {
      ...{ ApplicationName: 'shop', EnvironmentName: 'shop-prod' },
      OptionSettings: [set('aws:elbv2:loadbalancer', 'IdleTimeout', '9')],
    })
    assert.match(Messages.map(({ Message }) => Message).join(), /belongs to Application Load Balancers/)
  })
})
