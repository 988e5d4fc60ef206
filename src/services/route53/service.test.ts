import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'
import { alias, makeCalls, put, set } from './test-calls.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const { api, create, zoneId, change, list, named, status } = makeCalls(() => world)
const answers = (name: string, type = 'A', from: 'inside' | 'outside' = 'outside') =>
  world.dns.query(name, type, from).answers.map((one) => one.split(' ').slice(1).join(' '))

/** A load balancer, named as environments' are; answers its address in the VPC. */
async function balance(host: string) {
  const { elasticloadbalancingv2, ec2, context } = world
  const { Subnets = [] } = ec2.describeSubnets(context, {})
  const { LoadBalancers = [] } = elasticloadbalancingv2.createLoadBalancer(context, {
    ...{ Name: host.split('.')[0], Subnets: Subnets.map(({ SubnetId }) => SubnetId!) },
  })
  const [{ LoadBalancerArn = '', DNSName = '' } = {}] = LoadBalancers
  elasticloadbalancingv2.putLoadBalancerNames(context, LoadBalancerArn, { hosts: [host], loopbackPort: null })
  const TargetGroupArn = elasticloadbalancingv2.createTargetGroup(context, {
    ...{ Name: `${host.split('.')[0]}-group`, Protocol: 'HTTP', Port: 80, VpcId: Subnets[0]!.VpcId },
  }).TargetGroups![0]!.TargetGroupArn!
  elasticloadbalancingv2.createListener(context, {
    ...{ LoadBalancerArn, Protocol: 'HTTP', Port: 80, DefaultActions: [{ Type: 'forward', TargetGroupArn }] },
  })
  await world.clock.run(3_000)
  const address = world.balancer.model().loadBalancers.find(({ hosts }) => hosts.includes(host))!.address
  return { arn: LoadBalancerArn, dnsName: DNSName, address, TargetGroupArn }
}
const HOST = 'shop.us-west-2.elasticbeanstalk.localhost'
const OTHER = 'blue.us-west-2.elasticbeanstalk.localhost'

describe('route53', () => {
  it('makes a zone with its SOA and NS, which the name server answers when it is in sync', async () => {
    const made = create('Example.COM.')
    assert.match(made.HostedZone!.Id!, /^\/hostedzone\/Z[A-Z0-9]{20}$/)
    assert.equal(made.HostedZone!.Name, 'example.com.')
    assert.deepEqual(made.DelegationSet!.NameServers, [
      'ns1.elasticbeanstalk.localhost',
      'ns2.elasticbeanstalk.localhost',
    ])
    assert.equal(made.ChangeInfo!.Status, 'PENDING')
    await world.clock.run(100)
    assert.equal(status(made.ChangeInfo!.Id!), 'INSYNC')
    assert.equal(answers('example.com', 'NS').length, 2)
    assert.deepEqual(answers('ns1.elasticbeanstalk.localhost'), ['A 127.0.0.1'])
    const id = made.HostedZone!.Id!
    assert.equal(api().getHostedZone(world.context, { Id: id }).HostedZone!.ResourceRecordSetCount, 2)
    const gone = api().deleteHostedZone(world.context, { Id: id }).ChangeInfo!
    assert.equal(status(gone.Id!), 'PENDING')
    await world.clock.run(100)
    assert.equal(status(gone.Id!), 'INSYNC')
    assert.equal(world.dns.query('example.com', 'NS').rcode, 'REFUSED')
    assert.throws(() => api().getHostedZone(world.context, { Id: id }), { code: 'NoSuchHostedZone' })
  })

  it('has every type, values as they were written, names as AWS writes them', async () => {
    const id = zoneId()
    const long = `"${'x'.repeat(255)}" "${'y'.repeat(255)}" "a \\"quoted\\" \\052 \\\\"`
    change(
      id,
      ...put(
        set('WWW.example.com', 'A', ['192.0.2.1', '192.0.2.2']),
        set('*.example.com', 'AAAA', ['2001:db8::1']),
        set('mail.example.com', 'MX', ['10 mx.example.com']),
        set('txt.example.com', 'TXT', [long]),
        set('_sip._tcp.example.com', 'SRV', ['1 2 5060 sip.example.com']),
        set('example.com', 'CAA', ['0 issue "letsencrypt.org"']),
        set('1.example.com', 'PTR', ['host.example.com']),
      ),
    )
    assert.deepEqual(named(id), [
      ...['example.com. CAA', 'example.com. NS', 'example.com. SOA', '\\052.example.com. AAAA'],
      ...[
        '1.example.com. PTR',
        '_sip._tcp.example.com. SRV',
        'mail.example.com. MX',
        'txt.example.com. TXT',
      ].toSorted((a, b) => (a.split('.').at(-3)! < b.split('.').at(-3)! ? -1 : 1)),
      'www.example.com. A',
    ])
    const [text] = list(id, { StartRecordName: 'txt.example.com' }).ResourceRecordSets!
    assert.deepEqual(text!.ResourceRecords, [{ Value: long }])
    await world.clock.run(100)
    assert.deepEqual(answers('www.example.com'), ['A 192.0.2.1', 'A 192.0.2.2'])
    assert.deepEqual(answers('any.example.com', 'AAAA'), ['AAAA 2001:db8::1'])
    assert.deepEqual(answers('mail.example.com', 'MX'), ['MX 10 mx.example.com.'])
    assert.match(answers('txt.example.com', 'TXT')[0]!, /\\"quoted\\" \\042 \\\\"$/)
  })

  it('takes a batch whole or not at all, and says all that is wrong with it', async () => {
    const id = zoneId()
    change(id, ...put(set('www.example.com', 'A', ['192.0.2.1'])))
    assert.throws(
      () =>
        change(
          id,
          { Action: 'CREATE', ResourceRecordSet: set('new.example.com', 'A', ['192.0.2.9']) },
          { Action: 'CREATE', ResourceRecordSet: set('www.example.com', 'A', ['192.0.2.9']) },
          { Action: 'DELETE', ResourceRecordSet: set('none.example.com', 'A', ['192.0.2.9']) },
        ),
      {
        code: 'InvalidChangeBatch',
        message:
          `[Tried to create resource record set [name='www.example.com.', type='A'] but it already exists, ` +
          `Tried to delete resource record set [name='none.example.com.', type='A'] but it was not found]`,
      },
    )
    await world.clock.run(100)
    assert.equal(world.dns.query('new.example.com', 'A').rcode, 'NXDOMAIN')
    assert.throws(
      () => change(id, { Action: 'DELETE', ResourceRecordSet: set('www.example.com', 'A', ['192.0.2.2']) }),
      /but the values provided do not match the current values/,
    )
    change(
      id,
      { Action: 'DELETE', ResourceRecordSet: set('www.example.com', 'A', ['192.0.2.1']) },
      { Action: 'CREATE', ResourceRecordSet: set('www.example.com', 'CNAME', ['other.example.org']) },
    )
    await world.clock.run(100)
    assert.deepEqual(answers('www.example.com'), ['CNAME other.example.org.'])
  })

  it('refuses zones that there cannot be', () => {
    zoneId()
    const refused = (input: object, code: string) =>
      assert.throws(
        () => api().createHostedZone(world.context, { Name: 'b.example', CallerReference: 'b', ...input }),
        { code },
      )
    refused({ CallerReference: 'example.com' }, 'HostedZoneAlreadyExists')
    refused({ Name: 'EXAMPLE.com.' }, 'ConflictingDomainExists')
    refused({ Name: 'elasticbeanstalk.localhost' }, 'ConflictingDomainExists')
    refused({ Name: 'a b.example' }, 'InvalidDomainName')
    refused({ Name: '*.example' }, 'InvalidDomainName')
    refused({ CallerReference: '' }, 'InvalidInput')
    refused({ DelegationSetId: 'N1' }, 'InvalidInput')
    refused({ Name: 'a.us-west-2.compute.internal' }, 'ConflictingDomainExists')
    refused({ HostedZoneConfig: { Comment: 'x'.repeat(257) } }, 'InvalidInput')
    create('sub.example.com')
  })

  it('lists zones and records page by page', () => {
    const ids = ['c.example', 'a.example', 'b.example'].map((name) => zoneId(name)).toSorted()
    const seen: string[] = []
    for (let Marker: string | undefined; ;) {
      const page = api().listHostedZones(world.context, { Marker, MaxItems: 2 })
      seen.push(...page.HostedZones!.map(({ Id }) => Id!.replace('/hostedzone/', '')))
      Marker = page.NextMarker
      if (!page.IsTruncated) break
    }
    assert.deepEqual(seen, ids)
    const byName = (input: object) => {
      const { HostedZones = [], ...more } = api().listHostedZonesByName(world.context, input)
      return { names: HostedZones.map(({ Name }) => Name), next: more.NextDNSName }
    }
    assert.deepEqual(byName({ MaxItems: 2 }), { names: ['a.example.', 'b.example.'], next: 'c.example.' })
    assert.deepEqual(byName({ DNSName: 'c.example' }), { names: ['c.example.'], next: undefined })
    assert.equal(api().getHostedZoneCount(world.context, {}).HostedZoneCount, 3)
    const [id = ''] = ids
    const { Name = '' } = api().getHostedZone(world.context, { Id: id }).HostedZone!
    change(id, ...put(...['x', 'y', 'z'].map((one) => set(`${one}.${Name}`, 'A', ['192.0.2.1']))))
    const first = list(id, { MaxItems: 3 })
    assert.deepEqual(
      [first.IsTruncated, first.NextRecordName, first.NextRecordType],
      [true, `y.${Name}`, 'A'],
    )
    const rest = list(id, { StartRecordName: first.NextRecordName, StartRecordType: first.NextRecordType })
    assert.deepEqual(
      rest.ResourceRecordSets!.map((one) => one.Name),
      [`y.${Name}`, `z.${Name}`],
    )
    assert.throws(() => list(id, { StartRecordType: 'A' }), { code: 'InvalidInput' })
  })

  it('has tags and limits', () => {
    const id = zoneId()
    const of = { ResourceType: 'hostedzone' as const, ResourceId: id }
    api().changeTagsForResource(world.context, {
      ...of,
      AddTags: [
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' },
      ],
    })
    api().changeTagsForResource(world.context, { ...of, RemoveTagKeys: ['a'] })
    assert.deepEqual(api().listTagsForResource(world.context, of).ResourceTagSet!.Tags, [
      { Key: 'b', Value: '2' },
    ])
    assert.throws(() => api().listTagsForResource(world.context, { ...of, ResourceId: 'Z1' }), {
      code: 'NoSuchHostedZone',
    })
    const { Limit, Count } = api().getHostedZoneLimit(world.context, {
      HostedZoneId: id,
      Type: 'MAX_RRSETS_BY_ZONE',
    })
    assert.deepEqual([Limit!.Value, Count], [10_000, 2])
  })

  it('answers weights, failover and up to eight of many', async () => {
    const id = zoneId()
    const weighted = (SetIdentifier: string, Weight: number, value: string) =>
      set('w.example.com', 'A', [value], { SetIdentifier, Weight })
    change(
      id,
      ...put(
        ...[weighted('a', 1, '192.0.2.1'), weighted('b', 3, '192.0.2.2'), weighted('c', 0, '192.0.2.3')],
        set('f.example.com', 'A', ['192.0.2.1'], { SetIdentifier: 'p', Failover: 'PRIMARY' }),
        set('f.example.com', 'A', ['192.0.2.2'], { SetIdentifier: 's', Failover: 'SECONDARY' }),
        ...Array.from({ length: 12 }, (_, n) =>
          set('m.example.com', 'A', [`192.0.2.${n}`], { SetIdentifier: `m${n}`, MultiValueAnswer: true }),
        ),
      ),
    )
    await world.clock.run(100)
    const seen = Array.from({ length: 8 }, () => answers('w.example.com')[0])
    assert.deepEqual(seen.toSorted(), [...Array(2).fill('A 192.0.2.1'), ...Array(6).fill('A 192.0.2.2')])
    assert.deepEqual(answers('f.example.com'), ['A 192.0.2.1'])
    assert.equal(answers('m.example.com').length, 8)
  })

  it('leads names to load balancers: an alias, one of an alias, a CNAME and all below a name', async () => {
    const { address, dnsName, arn } = await balance(HOST)
    const id = zoneId()
    change(
      id,
      ...put(
        alias('example.com', dnsName),
        alias('app.example.com', 'example.com', {
          AliasTarget: { HostedZoneId: id, DNSName: 'example.com', EvaluateTargetHealth: false },
        }),
        set('www.example.com', 'CNAME', [HOST]),
        set('*.shops.example.com', 'CNAME', ['www.example.com.']),
        set('mail.example.com', 'A', ['192.0.2.1']),
      ),
    )
    await world.clock.run(1_000)
    assert.deepEqual(answers('example.com'), ['A 127.0.0.1'])
    assert.deepEqual(answers('app.example.com', 'A', 'inside'), [`A ${address}`])
    assert.deepEqual(answers('www.example.com'), [`CNAME ${HOST}.`, 'A 127.0.0.1'])
    assert.deepEqual(answers(HOST, 'A', 'inside'), [`A ${address}`])
    const { hosts } = world.balancer.model().loadBalancers[0]!
    assert.deepEqual(
      hosts.toSorted(),
      [
        dnsName.toLowerCase(),
        HOST,
        'example.com',
        'app.example.com',
        'www.example.com',
        '*.shops.example.com',
      ].toSorted(),
    )
    // Another name of the load balancer, and its end.
    world.elasticloadbalancingv2.putLoadBalancerNames(world.context, arn, {
      hosts: [OTHER],
      loopbackPort: null,
    })
    await world.clock.run(1_000)
    assert.equal(world.dns.query(HOST, 'A').rcode, 'NXDOMAIN')
    assert.deepEqual(answers(OTHER), ['A 127.0.0.1'])
    assert.ok(!world.balancer.model().loadBalancers[0]!.hosts.includes('www.example.com'))
    world.elasticloadbalancingv2.deleteLoadBalancer(world.context, { LoadBalancerArn: arn })
    await world.clock.run(3_000)
    assert.deepEqual(answers('example.com'), [])
  })

  it('fails over from a load balancer that has nobody to one that has', async () => {
    const [first, second] = [await balance(HOST), await balance(OTHER)]
    const { InstanceId = '' } = world.ec2.runInstances(world.context, {
      ...{
        MinCount: 1,
        MaxCount: 1,
        ImageId: world.ec2.describeImages(world.context, {}).Images![0]!.ImageId,
      },
    }).Instances![0]!
    const id = zoneId()
    const one = (SetIdentifier: string, Failover: 'PRIMARY' | 'SECONDARY', host: string) =>
      alias('www.example.com', host, { SetIdentifier, Failover })
    change(id, ...put(one('p', 'PRIMARY', HOST), one('s', 'SECONDARY', OTHER)))
    await world.clock.run(5_000)
    // Both have nobody: the primary one it is.
    assert.deepEqual(answers('www.example.com', 'A', 'inside'), [`A ${first.address}`])
    const { TargetGroupArn } = second
    world.elasticloadbalancingv2.registerTargets(world.context, {
      TargetGroupArn,
      Targets: [{ Id: InstanceId }],
    })
    await world.clock.run(60_000)
    assert.deepEqual(answers('www.example.com', 'A', 'inside'), [`A ${second.address}`])
    const holder = () =>
      world.balancer.model().loadBalancers.find(({ hosts }) => hosts.includes('www.example.com'))
    assert.equal(holder()?.address, second.address)
  })

  it('refuses weights between load balancers of one machine', async () => {
    await balance(HOST)
    await balance(OTHER)
    const id = zoneId()
    const both = [HOST, OTHER].map((host, n) =>
      alias('www.example.com', host, { SetIdentifier: `${n}`, Weight: 1 }),
    )
    assert.throws(() => change(id, ...put(...both)), /weights load balancers of Polebean/)
  })

  it('tells the server everything again that it lost, and takes away what nobody made', async () => {
    const id = zoneId()
    change(id, ...put(set('www.example.com', 'A', ['192.0.2.1'])))
    await world.clock.run(100)
    world.dns.lose()
    await world.dns.engine().put({
      name: 'stranger.example',
      recordSets: [
        { name: 'stranger.example', type: 'SOA', ttl: 1, values: ['a. b. 1 1 1 1 1'] },
        { name: 'stranger.example', type: 'NS', ttl: 1, values: ['a.'] },
      ],
    })
    await world.clock.run(60_000)
    assert.deepEqual(answers('www.example.com'), ['A 192.0.2.1'])
    assert.equal(world.dns.query('stranger.example', 'NS').rcode, 'REFUSED')
  })

  it('takes a zone that is made anew for another one', async () => {
    const id = zoneId()
    change(id, ...put(set('old.example.com', 'A', ['192.0.2.1'])))
    await world.clock.run(100)
    // All of it while the server cannot be told: the new zone counts its changes as the old one did.
    world.dns.fault = () => 'error before'
    change(id, { Action: 'DELETE', ResourceRecordSet: set('old.example.com', 'A', ['192.0.2.1']) })
    api().deleteHostedZone(world.context, { Id: id })
    const again = create('example.com', 'again').HostedZone!.Id!.replace('/hostedzone/', '')
    const made = change(again, ...put(set('new.example.com', 'A', ['192.0.2.2'])))
    await world.clock.run(2_000)
    assert.equal(status(made.Id!), 'PENDING')
    world.dns.fault = () => undefined
    await world.clock.run(60_000)
    assert.equal(status(made.Id!), 'INSYNC')
    assert.deepEqual(answers('new.example.com'), ['A 192.0.2.2'])
    assert.equal(world.dns.query('old.example.com', 'A').rcode, 'NXDOMAIN')
  })

  it('says in the end that a change is in sync of which the answer was lost', async () => {
    const id = zoneId()
    await world.clock.run(100)
    const { Id = '' } = change(id, ...put(set('www.example.com', 'A', ['192.0.2.1'])))
    world.dns.fault = (call) => {
      if (call !== 'put') return undefined
      world.die()
      return 'never'
    }
    await world.clock.run(100)
    world.dns.fault = () => undefined
    world.restart()
    await world.clock.run(1_000)
    assert.equal(status(Id), 'INSYNC')
    assert.deepEqual(answers('www.example.com'), ['A 192.0.2.1'])
  })

  it('follows names that lead to each other, and to many others, no more than once each', async () => {
    await balance(HOST)
    const id = zoneId()
    const many = (name: string, to: string) =>
      Array.from({ length: 40 }, (_, n) => set(name, 'CNAME', [to], { SetIdentifier: `${n}`, Weight: 1 }))
    change(id, ...put(...many('a.example.com', 'b.example.com'), ...many('b.example.com', 'a.example.com')))
    change(id, ...put(set('www.example.com', 'CNAME', [HOST])))
    await world.clock.run(1_000)
    assert.deepEqual(answers('www.example.com', 'A', 'outside').at(-1), 'A 127.0.0.1')
  })

  it('keeps no zone waiting for one that the server does not take', async () => {
    const ids = ['bad.example', 'good.example'].map((name) => zoneId(name))
    await world.clock.run(100)
    let tries = 0
    world.dns.fault = (call) => (call === 'put' && tries++ % 2 === 0 ? 'error before' : undefined)
    for (const [n, id] of ids.entries())
      change(id, ...put(set(`www.${n === 0 ? 'bad' : 'good'}.example`, 'A', ['192.0.2.1'])))
    await world.clock.run(30_000)
    for (const name of ['www.bad.example', 'www.good.example'])
      assert.deepEqual(answers(name), ['A 192.0.2.1'])
  })

  it('goes on after the control plane died between two zones', async () => {
    const ids = ['a.example', 'b.example'].map((name) => zoneId(name))
    await world.clock.run(100)
    const changes = ids.map((id, n) =>
      change(id, ...put(set(`www.${n === 0 ? 'a' : 'b'}.example`, 'A', ['192.0.2.1']))),
    )
    let puts = 0
    world.dns.fault = (call) => {
      if (call === 'put' && ++puts === 1) world.die()
      return undefined
    }
    await world.clock.run(100)
    world.restart()
    await world.clock.run(100)
    for (const { Id = '' } of changes) assert.equal(status(Id), 'INSYNC')
    for (const name of ['www.a.example', 'www.b.example']) assert.deepEqual(answers(name), ['A 192.0.2.1'])
  })
})
