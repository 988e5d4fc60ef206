import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

const NAME = 'shop.us-west-2.elasticbeanstalk.com'
const PROBE = 'polebean-probe.us-west-2.elasticbeanstalk.com'
let world: ServicesWorld
afterEach(() => world.end())

function balance() {
  const { elasticloadbalancingv2: elb, ec2, context } = world
  const { Subnets = [] } = ec2.describeSubnets(context, {})
  const [{ LoadBalancerArn = '', DNSName = '' } = {}] = elb.createLoadBalancer(context, {
    ...{ Name: 'shop', Subnets: Subnets.map(({ SubnetId }) => SubnetId!) },
  }).LoadBalancers!
  elb.putLoadBalancerNames(context, LoadBalancerArn, { hosts: [NAME, 'www.example.org'], loopbackPort: null })
  return { LoadBalancerArn, DNSName }
}

describe('names of a machine', () => {
  beforeEach(() => {
    world = makeServicesWorld(1, 'elasticbeanstalk.com')
  })

  it("writes names below AWS's domain down for the machine, and no others", async () => {
    assert.match(world.route53.nameProblem(), /was not looked at yet/)
    const { LoadBalancerArn, DNSName } = balance()
    assert.match(DNSName, /\.elb\.localhost$/)
    await world.clock.run(3_000)
    assert.deepEqual(world.hosts.names(), [PROBE, NAME].toSorted())
    assert.deepEqual([world.route53.nameProblem(), world.route53.hostProblem(NAME)], ['', ''])
    world.elasticloadbalancingv2.deleteLoadBalancer(world.context, { LoadBalancerArn })
    await world.clock.run(60_000)
    assert.deepEqual(world.hosts.names(), [PROBE])
    assert.match(world.route53.hostProblem(NAME), /not looked at/)
  })

  it('says where they lead instead, and when they cannot be written', async () => {
    world.hosts.elsewhere = ['192.0.2.5']
    await world.clock.run(31_000)
    assert.match(
      world.route53.nameProblem(),
      /polebean-probe\.\S+ is 192\.0\.2\.5 for programs of this machine, not its loopback/,
    )
    world.hosts.elsewhere = null
    world.hosts.isStuck = true
    await world.clock.run(3_000)
    assert.match(world.route53.nameProblem(), /cannot be written/)
    world.hosts.isStuck = false
    await world.clock.run(3_000)
    assert.equal(world.route53.nameProblem(), '')
  })

  it('has nothing to do with another domain', async () => {
    world.end()
    world = makeServicesWorld()
    balance()
    await world.clock.run(3_000)
    assert.deepEqual([world.hosts.names(), world.route53.nameProblem()], [[], ''])
  })
})
