// What settings make of an environment's load balancer and target group, on elasticloadbalancingv2 as it is.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { systemClock } from '../../../kernel/clock.ts'
import { makeCertificate } from '../../../kernel/test-certificate.ts'
import { makeServicesWorld, type ServicesWorld } from '../../testing/services-world.ts'
import { makeBench, type Bench } from '../test-bench.ts'

const PROCESS = 'aws:elasticbeanstalk:environment:process:default'
const set = (OptionName: string, Value: string, Namespace = PROCESS) => ({ Namespace, OptionName, Value })

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

async function settle() {
  await bench.until('Ready')
  await world.clock.run(5_000)
  assert.deepEqual(
    bench.texts().filter((text) => text.startsWith('ERROR')),
    [],
  )
}
async function update(OptionSettings: ReturnType<typeof set>[]) {
  bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', OptionSettings })
  await settle()
}
const stickiness = () => world.balancer.model().targetGroups[0]?.routing?.stickiness

describe('a process', () => {
  it('keeps clients at their instances when it is told so, and not any more when it is told again', async () => {
    bench.create({ OptionSettings: [set('StickinessEnabled', 'true')] })
    await settle()
    assert.deepEqual(stickiness(), { seconds: 86_400, applicationCookie: null })
    await update([set('StickinessLBCookieDuration', '60')])
    assert.deepEqual(stickiness(), { seconds: 60, applicationCookie: null })
    await update([set('StickinessEnabled', 'false')])
    assert.equal(stickiness(), null)
  })
})

describe('listeners besides the default one', () => {
  const HTTPS = 'aws:elbv2:listener:443'
  const imported = (name: string) => {
    const { certificate, key } = makeCertificate([name])
    const bytes = (text: string) => new Uint8Array(Buffer.from(text))
    const input = { Certificate: bytes(certificate), PrivateKey: bytes(key) }
    return world.acm.importCertificate(world.context, input).CertificateArn!
  }
  const listeners = () =>
    world.balancer.model().loadBalancers[0]?.listeners.map(({ port, tls, clients }) => ({
      ...{ port, certificates: tls?.certificateIds, clients: clients.toSorted() },
    }))
  const everybody = ['0.0.0.0/0', '::/0']
  const plain = { port: 80, certificates: undefined, clients: everybody }

  it('are made, changed and removed with their rules; the default one too', async () => {
    const [first, second] = [imported('a.example'), imported('b.example')]
    bench.create({
      OptionSettings: [set('Protocol', 'HTTPS', HTTPS), set('SSLCertificateArns', first, HTTPS)],
    })
    await settle()
    assert.deepEqual(listeners(), [plain, { port: 443, certificates: [first], clients: everybody }])
    await update([set('SSLCertificateArns', `${second},${first}`, HTTPS)])
    assert.deepEqual(listeners()?.[1]?.certificates, [second, first])
    await update([set('ListenerEnabled', 'false', 'aws:elbv2:listener:default')])
    assert.deepEqual(listeners(), [{ port: 443, certificates: [second, first], clients: everybody }])
    assert.equal(bench.environment()?.Health, 'Green')
    await update([
      set('ListenerEnabled', 'true', 'aws:elbv2:listener:default'),
      set('ListenerEnabled', 'false', HTTPS),
    ])
    assert.deepEqual(listeners(), [plain])
    const ports = world.ec2
      .describeSecurityGroupRules(world.context, {})
      .SecurityGroupRules!.map(({ FromPort }) => FromPort)
    assert.ok(!ports.includes(443), 'nobody is let in there any more')
    world.acm.deleteCertificate(world.context, { CertificateArn: first })
  })

  it("leave a user's own alone, come back when somebody deletes them, and go with the environment", async () => {
    bench.create({ OptionSettings: [set('ListenerEnabled', 'true', 'aws:elbv2:listener:8080')] })
    await settle()
    const elb = world.elasticloadbalancingv2
    const { LoadBalancerArn } = elb.describeLoadBalancers(world.context, {}).LoadBalancers![0]!
    const byPort = () =>
      new Map(
        elb
          .describeListeners(world.context, { LoadBalancerArn })
          .Listeners!.map(({ Port, ListenerArn }) => [Port, ListenerArn]),
      )
    elb.createListener(world.context, {
      ...{ LoadBalancerArn, Protocol: 'HTTP', Port: 9090 },
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }],
    })
    elb.deleteListener(world.context, { ListenerArn: byPort().get(8080) })
    await update([set('DeregistrationDelay', '21')])
    assert.deepEqual([...byPort().keys()].sort(), [80, 8080, 9090])
    bench.api.terminateEnvironment(bench.context(), { EnvironmentName: 'shop-prod' })
    await bench.until('Terminated')
    assert.deepEqual(elb.describeLoadBalancers(world.context, {}).LoadBalancers, [])
  })

  it('lack nothing when their group is another one, a policy goes, or somebody else has the port', async () => {
    const arn = imported('a.example')
    const policy = 'ELBSecurityPolicy-TLS13-1-3-2021-06'
    bench.create({
      OptionSettings: [
        ...[set('Protocol', 'HTTPS', HTTPS), set('SSLCertificateArns', arn, HTTPS)],
        set('SSLPolicy', policy, HTTPS),
      ],
    })
    await settle()
    const versions = () =>
      world.balancer.model().loadBalancers[0]!.listeners.find(({ port }) => port === 443)!.tls
    assert.equal(versions()!.minVersion, '1.3')
    const remove = async (Namespace: string, OptionName: string) => {
      const OptionsToRemove = [{ Namespace, OptionName }]
      bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', OptionsToRemove })
      await settle()
    }
    await remove(HTTPS, 'SSLPolicy')
    assert.equal(versions()!.minVersion, '1.2')
    const managed = world.ec2.createSecurityGroup(world.context, {
      GroupName: 'edge',
      Description: 'd',
    }).GroupId!
    await update([set('ManagedSecurityGroup', managed, 'aws:elbv2:loadbalancer')])
    await world.clock.run(60_000)
    await remove('aws:elbv2:loadbalancer', 'ManagedSecurityGroup')
    assert.deepEqual(listeners()?.[1]?.clients, everybody, 'the new group lets in there, too')
    const elb = world.elasticloadbalancingv2
    const { LoadBalancerArn } = elb.describeLoadBalancers(world.context, {}).LoadBalancers![0]!
    elb.createListener(world.context, {
      ...{ LoadBalancerArn, Protocol: 'HTTP', Port: 9090 },
      DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }],
    })
    await update([set('ListenerEnabled', 'true', 'aws:elbv2:listener:9090')])
    assert.ok(bench.texts().some((text) => /^WARN Port 9090 .* not made by this environment/.test(text)))
  })

  const bad: [what: string, settings: ReturnType<typeof set>[], message: RegExp][] = [
    ['HTTPS without a certificate', [set('Protocol', 'HTTPS', HTTPS)], /must have a certificate/],
    [
      'a certificate that is not there',
      [set('Protocol', 'HTTPS', HTTPS), set('SSLCertificateArns', 'arn:aws:acm:x', HTTPS)],
      /The certificate 'arn:aws:acm:x' does not exist/,
    ],
    [
      'port 80 by another name',
      [set('ListenerEnabled', 'true', 'aws:elbv2:listener:80')],
      /Port 80 is that of aws:elbv2:listener:default/,
    ],
    ['no listener', [set('ListenerEnabled', 'false', 'aws:elbv2:listener:default')], /must have a listener/],
  ]
  for (const [what, OptionSettings, message] of bad)
    it(`are refused: ${what}`, () => {
      assert.throws(() => bench.create({ OptionSettings }), message)
    })
})

describe('answers for want of an instance', () => {
  const host = 'shop.us-west-2.elasticbeanstalk.localhost'
  const answer = (name = host) => world.balancer.request({ host: name })
  const silence = () => {
    for (const { address } of world.balancer.model().targetGroups[0]!.targets) world.unanswering.add(address)
  }

  it('tell visitors on this machine why, and which names there are', async () => {
    bench.create({})
    const launching = /<p>shop-prod is Launching; wait for it: polebean events -f shop-prod<\/p>/
    await world.clock.runUntil(() => launching.test(answer().body), 30_000)
    await settle()
    assert.match(
      answer('nobody.localhost').body,
      /^No environment answers to this name\.\nNo environment has that name; there are: shop\.us-west-2\.elasticbeanstalk\.localhost\.$/,
    )
    silence()
    await world.clock.run(120_000)
    const { status, body } = answer()
    assert.equal(status, 503)
    assert.match(
      body,
      /<h1>503 Service Temporarily Unavailable<\/h1><\/center><p>No instance is healthy: .+\.<\/p>/,
    )
  })
  it('are a page of the environment, where it has one', async () => {
    bench.create({ OptionSettings: [set('ErrorPage', '<h1>Soon</h1>#{reason}', 'polebean:loadbalancer')] })
    await settle()
    silence()
    await world.clock.run(120_000)
    assert.match(answer().body, /^<h1>Soon<\/h1><p>No instance is healthy: .+\.<\/p>$/)
    world.unanswering.clear()
    await update([set('ErrorPage', '', 'polebean:loadbalancer')])
    silence()
    assert.match(answer().body, /<h1>503 Service/)
  })
})
