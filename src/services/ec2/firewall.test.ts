import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { generationOf } from '../../engines/firewall/engine.ts'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'
import { readFirewall } from './firewall.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const group = (GroupName: string) =>
  world.ec2.createSecurityGroup(world.context, { GroupName, Description: 'for a test' }).GroupId!
const launch = (...SecurityGroupIds: string[]) => {
  const ImageId = world.ec2.describeImages(world.context, {}).Images![0]!.ImageId
  const wanted = { ImageId, MinCount: 1, MaxCount: 1, SecurityGroupIds }
  return world.ec2.runInstances(world.context, wanted).Instances![0]!.InstanceId!
}
const interfaceOf = (id: string) => {
  const Filters = [{ Name: 'attachment.instance-id', Values: [id] }]
  return world.ec2.describeNetworkInterfaces(world.context, { Filters }).NetworkInterfaces![0]!
    .NetworkInterfaceId!
}
const postgres = (peer: string) => ({
  IpProtocol: 'tcp',
  FromPort: 5432,
  ToPort: 5432,
  UserIdGroupPairs: [{ GroupId: peer }],
})
const isOpen = (from: string, to: string) =>
  world.firewall.allows({ from: interfaceOf(from), to: interfaceOf(to), protocol: 'tcp', port: 5432 })
/** No time passes but what a reconciler needs to be woken. */
const soon = () => world.clock.run(20)

describe('the firewall', () => {
  it('follows a rule at once: granted, revoked, granted to a group that has the instance later', async () => {
    const [app, db] = [group('app'), group('db')]
    const [client, server] = [launch(app), launch(db)]
    await world.clock.run(1_000)
    assert.equal(isOpen(client, server), false)
    const IpPermissions = [postgres(app)]
    world.ec2.authorizeSecurityGroupIngress(world.context, { GroupId: db, IpPermissions })
    await soon()
    assert.equal(isOpen(client, server), true)
    assert.equal(isOpen(server, client), false)
    const later = launch(app)
    await soon()
    assert.equal(isOpen(later, server), true, 'its groups are in force before it runs')
    world.ec2.revokeSecurityGroupIngress(world.context, { GroupId: db, IpPermissions })
    await soon()
    assert.equal(isOpen(client, server), false)
  })

  it('is asked before an instance is launched, which waits while it fails', async () => {
    world.firewall.fault = (call) => (call === 'apply' ? 'error before' : undefined)
    const id = launch(group('app'))
    await world.clock.run(10_000)
    assert.deepEqual(
      world.compute.calls.filter((one) => one.id === id).map(({ method }) => method),
      [],
    )
    world.firewall.fault = () => undefined
    await world.clock.run(30_000)
    const { Reservations } = world.ec2.describeInstances(world.context, { InstanceIds: [id] })
    assert.equal(Reservations![0]!.Instances![0]!.State!.Name, 'running')
  })

  it('is whole again when somebody took the rules away, also for the next control plane', async () => {
    const id = launch(group('app'))
    await world.clock.run(1_000)
    for (const begin of [() => undefined, () => world.restart()]) {
      world.firewall.lose()
      begin()
      await world.clock.run(2_500)
      assert.ok(world.firewall.model()!.interfaces.some((one) => one.id === interfaceOf(id)))
    }
  })

  it('does nothing while nothing changes', async () => {
    launch(group('app'))
    await world.clock.run(5_000)
    const { changes } = world.firewall
    await world.clock.run(60_000)
    assert.equal(world.firewall.changes, changes)
  })

  it('forgets an instance when its address goes to rest', async () => {
    const id = launch(group('app'))
    await world.clock.run(1_000)
    const was = interfaceOf(id)
    world.ec2.terminateInstances(world.context, { InstanceIds: [id] })
    await world.clock.run(3_000)
    const model = world.firewall.model()!
    assert.equal(
      model.interfaces.some((one) => one.id === was),
      false,
    )
    assert.equal(generationOf(model), generationOf(readFirewall(world.store)))
  })

  it('cuts for the members of a group that is tagged so', async () => {
    const id = group('db')
    const tagged = { Resources: [id], Tags: [{ Key: 'polebean:cuts-on-revoke', Value: 'true' }] }
    const cuts = () => world.firewall.model()?.groups.find((one) => one.id === id)?.cutsOnRevoke
    world.ec2.createTags(world.context, tagged)
    await soon()
    assert.equal(cuts(), true)
    world.ec2.deleteTags(world.context, tagged)
    await soon()
    assert.equal(cuts(), false)
  })

  it('tells from where a port of an interface may be opened by those outside', async () => {
    const [one, two] = [group('one'), group('two')]
    const eni = interfaceOf(launch(one, two))
    const open = (GroupId: string, FromPort: number, ToPort: number, cidr: string, IpProtocol = 'tcp') => {
      const ranges = cidr.includes(':')
        ? { Ipv6Ranges: [{ CidrIpv6: cidr }] }
        : { IpRanges: [{ CidrIp: cidr }] }
      const IpPermissions = [{ IpProtocol, FromPort, ToPort, ...ranges }]
      world.ec2.authorizeSecurityGroupIngress(world.context, { GroupId, IpPermissions })
    }
    open(one, 80, 80, '0.0.0.0/0')
    open(two, 80, 90, '2001:db8::/32')
    open(two, 80, 80, '10.0.0.0/8', 'udp')
    open(two, 0, 0, '192.0.2.0/24', '-1')
    open(two, 443, 443, '0.0.0.0/0')
    world.ec2.authorizeSecurityGroupIngress(world.context, {
      GroupId: two,
      IpPermissions: [{ ...postgres(one), FromPort: 80, ToPort: 80 }],
    })
    const { ranges } = world.ec2.clientRules()
    assert.deepEqual(ranges(eni, 80), ['0.0.0.0/0', '192.0.2.0/24', '2001:db8::/32'])
    assert.deepEqual(ranges(eni, 81), ['192.0.2.0/24', '2001:db8::/32'])
    assert.deepEqual(ranges('eni-00000000', 80), [])
  })
})
