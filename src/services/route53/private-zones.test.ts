import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { zoneWith } from '../../engines/dns/conformance.ts'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'
import { makeCalls, put, set } from './test-calls.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const { api, zoneId, change, status } = makeCalls(() => world)
const vpc = () => ({
  ...{ VPCId: world.ec2.describeVpcs(world.context, {}).Vpcs![0]!.VpcId!, VPCRegion: 'us-west-2' as const },
})
const createPrivate = (Name: string, CallerReference = `private ${Name}`) =>
  api().createHostedZone(world.context, { Name, CallerReference, VPC: vpc() })
const privateZoneId = (name: string) => createPrivate(name).HostedZone!.Id!.replace('/hostedzone/', '')
const inside = (name: string, type = 'A') => world.privateDns.query(name, type)
const outside = (name: string, type = 'A') => world.dns.query(name, type)

describe('private zones', () => {
  it('are answered by a server of their own, beside a public one of the same name', async () => {
    const open = zoneId('example.com')
    const made = createPrivate('example.com')
    const hidden = made.HostedZone!.Id!.replace('/hostedzone/', '')
    assert.equal(made.HostedZone!.Config!.PrivateZone, true)
    assert.deepEqual([made.VPC, made.DelegationSet], [vpc(), undefined])
    change(open, ...put(set('www.example.com', 'A', ['192.0.2.1'])))
    const { Id } = change(hidden, ...put(set('www.example.com', 'A', ['10.0.0.1'])))
    assert.equal(status(Id!), 'PENDING')
    await world.clock.run(100)
    assert.equal(status(Id!), 'INSYNC')
    assert.deepEqual(inside('www.example.com').answers, ['www.example.com A 10.0.0.1'])
    assert.deepEqual(outside('www.example.com').answers, ['www.example.com A 192.0.2.1'])
    assert.deepEqual(api().getHostedZone(world.context, { Id: hidden }).VPCs, [vpc()])
    assert.equal(api().getHostedZone(world.context, { Id: open }).VPCs, undefined)
    const listed = api().listHostedZones(world.context, { HostedZoneType: 'PrivateHostedZone' })
    assert.deepEqual(
      listed.HostedZones!.map((zone) => zone.Id),
      [`/hostedzone/${hidden}`],
    )
    assert.deepEqual(
      api()
        .listHostedZonesByVPC(world.context, vpc())
        .HostedZoneSummaries!.map((one) => one.HostedZoneId),
      [hidden],
    )
  })

  it('are gone from the server when they are deleted, and the public one is not', async () => {
    zoneId('example.com')
    const hidden = privateZoneId('example.com')
    await world.clock.run(100)
    assert.deepEqual(world.privateDns.names(), ['example.com'])
    const { ChangeInfo } = api().deleteHostedZone(world.context, { Id: hidden })
    assert.equal(status(ChangeInfo!.Id!), 'PENDING')
    await world.clock.run(100)
    assert.equal(status(ChangeInfo!.Id!), 'INSYNC')
    assert.deepEqual(world.privateDns.names(), [])
    assert.ok(world.dns.names().includes('example.com'))
  })

  it('are put again when their server lost them, and what nobody knows of goes', async () => {
    const hidden = privateZoneId('corp.example')
    change(hidden, ...put(set('db.corp.example', 'A', ['10.0.0.7'])))
    await world.clock.run(100)
    world.privateDns.lose()
    await world.privateDns.engine().put(zoneWith('stranger.example'))
    assert.deepEqual(world.privateDns.names(), ['stranger.example'])
    await world.clock.run(31_000)
    assert.deepEqual(inside('db.corp.example').answers, ['db.corp.example A 10.0.0.7'])
    assert.deepEqual(world.privateDns.names(), ['corp.example'])
  })

  it('lead to load balancers by their addresses in the VPC, by alias and by CNAME, and route nothing outside', async () => {
    const { elasticloadbalancingv2, ec2, context } = world
    const { Subnets = [] } = ec2.describeSubnets(context, {})
    const [{ DNSName = '' } = {}] = elasticloadbalancingv2.createLoadBalancer(context, {
      ...{ Name: 'shop', Subnets: Subnets.map(({ SubnetId }) => SubnetId!) },
    }).LoadBalancers!
    const hidden = privateZoneId('corp.example')
    const AliasTarget = { HostedZoneId: 'Z1', DNSName, EvaluateTargetHealth: true }
    change(
      hidden,
      ...put(
        { Name: 'shop.corp.example', Type: 'A', AliasTarget },
        set('www.corp.example', 'CNAME', [DNSName]),
        set('far.corp.example', 'CNAME', ['elsewhere.example.org']),
      ),
    )
    await world.clock.run(3_000)
    const [model] = world.balancer.model().loadBalancers
    const address = model!.address
    assert.deepEqual(inside('shop.corp.example').answers, [`shop.corp.example A ${address}`])
    assert.deepEqual(inside('www.corp.example').answers, [`www.corp.example A ${address}`])
    assert.deepEqual(inside('far.corp.example', 'CNAME').answers, [
      'far.corp.example CNAME elsewhere.example.org.',
    ])
    const report = await world.route53.report()
    assert.deepEqual(
      report.names.filter(({ isPrivate }) => isPrivate).map((one) => `${one.name} ${one.problem}`),
      ['shop.corp.example ', 'www.corp.example '],
    )
    assert.ok(!model!.hosts.some((host) => host.endsWith('corp.example')))
  })

  it('are refused without a VPC that is there, twice, and other associations with the reason', () => {
    const refused = (input: object, code: string) =>
      assert.throws(
        () => api().createHostedZone(world.context, { Name: 'a.example', CallerReference: 'a', ...input }),
        { code },
      )
    refused({ HostedZoneConfig: { PrivateZone: true } }, 'InvalidInput')
    refused({ HostedZoneConfig: { PrivateZone: false }, VPC: vpc() }, 'InvalidInput')
    refused({ VPC: { VPCId: 'vpc-1', VPCRegion: 'us-west-2' } }, 'InvalidVPCId')
    refused({ VPC: { ...vpc(), VPCRegion: 'eu-west-1' } }, 'InvalidVPCId')
    const hidden = privateZoneId('corp.example')
    const open = zoneId('example.com')
    refused({ Name: 'corp.example', VPC: vpc() }, 'ConflictingDomainExists')
    const { context } = world
    const ofZone = (HostedZoneId: string, VPC: object = vpc()) => ({ HostedZoneId, VPC })
    const fails = (call: () => unknown, code: string) => assert.throws(call, { code })
    fails(() => api().associateVPCWithHostedZone(context, ofZone(hidden)), 'ConflictingDomainExists')
    fails(() => api().associateVPCWithHostedZone(context, ofZone(open)), 'PublicZoneVPCAssociation')
    fails(() => api().associateVPCWithHostedZone(context, ofZone(open, { VPCId: 'vpc-1' })), 'InvalidVPCId')
    fails(() => api().associateVPCWithHostedZone(context, ofZone('Z0')), 'NoSuchHostedZone')
    fails(() => api().disassociateVPCFromHostedZone(context, ofZone(hidden)), 'LastVPCAssociation')
    fails(() => api().disassociateVPCFromHostedZone(context, ofZone(open)), 'VPCAssociationNotFound')
  })
})
