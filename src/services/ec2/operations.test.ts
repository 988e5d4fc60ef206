import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const http = { IpProtocol: 'tcp', FromPort: 80, ToPort: 80, IpRanges: [{ CidrIp: '0.0.0.0/0' }] }

describe('security groups', () => {
  const create = (GroupName: string) =>
    world.ec2.createSecurityGroup(world.context, { GroupName, Description: 'for a test' }).GroupId!
  const authorize = (GroupId: string, IpPermissions: object[]) =>
    world.ec2.authorizeSecurityGroupIngress(world.context, { GroupId, IpPermissions })
  const find = (id: string) =>
    world.ec2.describeSecurityGroups(world.context, { GroupIds: [id] }).SecurityGroups![0]!

  it('are made with all egress, and described with their rules', () => {
    const id = create('web')
    const rules = authorize(id, [
      http,
      { IpProtocol: '6', FromPort: 443, ToPort: 443, UserIdGroupPairs: [{ GroupId: id }] },
    ]).SecurityGroupRules!
    assert.equal(rules.length, 2)
    assert.match(rules[0]!.SecurityGroupRuleId!, /^sgr-[0-9a-f]{17}$/)
    const { IpPermissions, IpPermissionsEgress } = find(id)
    assert.equal(IpPermissions!.length, 2)
    assert.equal(IpPermissions![1]!.UserIdGroupPairs![0]!.GroupId, id)
    assert.equal(IpPermissionsEgress![0]!.IpProtocol, '-1')
    assert.equal(IpPermissionsEgress![0]!.IpRanges![0]!.CidrIp, '0.0.0.0/0')
  })

  it('have one default group, which stays', () => {
    const names = world.ec2
      .describeSecurityGroups(world.context, {})
      .SecurityGroups!.map((group) => group.GroupName)
    assert.deepEqual(names, ['default'])
    assert.throws(() => world.ec2.deleteSecurityGroup(world.context, { GroupName: 'default' }), {
      code: 'CannotDelete',
    })
  })

  it('refuse what AWS refuses, in its words, and change nothing', () => {
    const id = create('web')
    authorize(id, [http])
    const before = JSON.stringify(find(id))
    assert.throws(() => create('web'), {
      code: 'InvalidGroup.Duplicate',
      message: /^The security group 'web' already exists for VPC 'vpc-/,
    })
    assert.throws(() => create('sg-web'), { code: 'InvalidParameterValue' })
    assert.throws(() => authorize(id, [{ ...http, FromPort: 443, ToPort: 443 }, http]), {
      code: 'InvalidPermission.Duplicate',
      message: 'the specified rule "peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW" already exists',
    })
    assert.throws(() => authorize(id, [{ ...http, IpRanges: [{ CidrIp: '0.0.0.0/33' }] }]), {
      message: 'CIDR block 0.0.0.0/33 is malformed',
    })
    assert.throws(() => authorize(id, [{ ...http, FromPort: 81 }]), {
      message: 'Invalid TCP/UDP port range (81:80)',
    })
    assert.throws(() => authorize('sg-0123456789abcdef0', [http]), {
      code: 'InvalidGroup.NotFound',
      message: "The security group 'sg-0123456789abcdef0' does not exist",
    })
    assert.throws(() => authorize('nonsense', [http]), { code: 'InvalidGroupId.Malformed' })
    assert.throws(
      () =>
        world.ec2.revokeSecurityGroupIngress(world.context, {
          GroupId: id,
          IpPermissions: [{ ...http, FromPort: 1, ToPort: 1 }],
        }),
      { code: 'InvalidPermission.NotFound' },
    )
    assert.equal(JSON.stringify(find(id)), before)
  })

  it('cannot go while something depends on them', async () => {
    const [balancer, web] = [create('balancer'), create('web')]
    authorize(web, [
      { IpProtocol: 'tcp', FromPort: 80, ToPort: 80, UserIdGroupPairs: [{ GroupId: balancer }] },
    ])
    const remove = (GroupId: string) => world.ec2.deleteSecurityGroup(world.context, { GroupId })
    assert.throws(() => remove(balancer), {
      code: 'DependencyViolation',
      message: `resource ${balancer} has a dependent object`,
    })
    const ImageId = world.ec2.describeImages(world.context, {}).Images![0]!.ImageId
    const { Instances } = world.ec2.runInstances(world.context, {
      ImageId,
      MinCount: 1,
      MaxCount: 1,
      SecurityGroupIds: [web],
    })
    assert.throws(() => remove(web), { code: 'DependencyViolation' })
    world.ec2.terminateInstances(world.context, { InstanceIds: [Instances![0]!.InstanceId!] })
    await world.clock.run(5_000)
    remove(web)
    remove(balancer)
  })

  it('lose rules by their content and by their id', () => {
    const id = create('web')
    const [rule] = authorize(id, [http]).SecurityGroupRules!
    world.ec2.revokeSecurityGroupIngress(world.context, {
      GroupId: id,
      SecurityGroupRuleIds: [rule!.SecurityGroupRuleId!],
    })
    authorize(id, [http])
    world.ec2.revokeSecurityGroupIngress(world.context, { GroupId: id, IpPermissions: [http] })
    assert.deepEqual(find(id).IpPermissions, [])
  })
})

describe('the network', () => {
  it('is the default VPC with one subnet a zone', () => {
    const [vpc] = world.ec2.describeVpcs(world.context, {
      Filters: [{ Name: 'isDefault', Values: ['true'] }],
    }).Vpcs!
    assert.equal(vpc!.CidrBlock, '10.77.0.0/16')
    const subnets = world.ec2.describeSubnets(world.context, {
      Filters: [{ Name: 'vpc-id', Values: [vpc!.VpcId!] }],
    }).Subnets!
    assert.deepEqual(subnets.map((subnet) => subnet.CidrBlock).sort(), ['10.77.0.0/17', '10.77.128.0/17'])
    const [attribute] = world.ec2.describeAccountAttributes(world.context, {
      AttributeNames: ['default-vpc'],
    }).AccountAttributes!
    assert.equal(attribute!.AttributeValues![0]!.AttributeValue, vpc!.VpcId)
  })

  it('has the zones, the region and the attributes of the home, and says which are none', () => {
    const { ec2, context } = world
    const [zone] = ec2.describeAvailabilityZones(context, { ZoneIds: ['polebean-az2'] }).AvailabilityZones!
    assert.equal(zone!.ZoneName, 'us-west-2b')
    assert.throws(() => ec2.describeAvailabilityZones(context, { ZoneIds: ['usw2-az1'] }), {
      message: 'Invalid availability zone-id: [usw2-az1]',
    })
    assert.throws(() => ec2.describeAvailabilityZones(context, { ZoneNames: ['a\nb'] }), {
      message: 'Invalid availability zone: [a?b]',
    })
    assert.equal(ec2.describeRegions(context, { RegionNames: ['us-west-2'] }).Regions!.length, 1)
    assert.throws(() => ec2.describeRegions(context, { RegionNames: ['eu-west-1'] }), {
      code: 'InvalidParameterValue',
    })
    for (const name of ['colour', 'constructor'])
      assert.throws(() => ec2.describeAccountAttributes(context, { AttributeNames: [name as never] }), {
        message: `Invalid attribute name: ${name}`,
      })
    const names = (Name: string, Value: string) =>
      ec2.describeSubnets(context, { Filters: [{ Name, Values: [Value] }] }).Subnets!.length
    assert.deepEqual([names('cidr', '10.77.*'), names('availabilityZone', 'us-west-2a')], [2, 1])
  })

  it('gives each interface an address of its own, and takes it back', () => {
    const SubnetId = world.ec2
      .describeSubnets(world.context, {})
      .Subnets!.find((one) => one.CidrBlock === '10.77.128.0/17')!.SubnetId
    const create = () => world.ec2.createNetworkInterface(world.context, { SubnetId }).NetworkInterface!
    const [one, two] = [create(), create()]
    assert.deepEqual([one.PrivateIpAddress, two.PrivateIpAddress], ['10.77.128.16', '10.77.128.17'])
    world.ec2.deleteNetworkInterface(world.context, { NetworkInterfaceId: one.NetworkInterfaceId })
    assert.equal(create().PrivateIpAddress, '10.77.128.18', 'the first address rests')
    assert.throws(
      () => world.ec2.deleteNetworkInterface(world.context, { NetworkInterfaceId: one.NetworkInterfaceId }),
      { code: 'InvalidNetworkInterfaceID.NotFound' },
    )
  })
})

describe('instances', () => {
  const run = (more: object = {}) => {
    const ImageId = world.ec2.describeImages(world.context, {}).Images![0]!.ImageId
    return world.ec2.runInstances(world.context, { ImageId, MinCount: 1, MaxCount: 1, ...more }).Instances!
  }
  const ids = (Filters: { Name: string; Values: string[] }[]) =>
    world.ec2
      .describeInstances(world.context, { Filters })
      .Reservations!.flatMap((one) => one.Instances!.map((instance) => instance.InstanceId!))

  it('refuse what has no effect', () => {
    for (const more of [
      { InstanceInitiatedShutdownBehavior: 'terminate' },
      { EbsOptimized: true },
      { NetworkInterfaces: [{ DeviceIndex: 0, NetworkInterfaceId: 'eni-1' }] },
    ])
      assert.throws(() => run(more), { code: 'UnsupportedOperation' })
    assert.throws(() => run({ InstanceType: 't9.huge' }), {
      message: "Invalid value 't9.huge' for InstanceType.",
    })
    assert.throws(
      () =>
        run({ TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: 'aws:mine', Value: '' }] }] }),
      { code: 'InvalidParameterValue' },
    )
    assert.deepEqual(world.ec2.describeInstances(world.context, {}).Reservations, [])
    assert.deepEqual(world.ec2.describeNetworkInterfaces(world.context, {}).NetworkInterfaces, [])
  })

  it('are not launched by a dry run, which says whether they would be', () => {
    assert.throws(() => run({ DryRun: true }), {
      code: 'DryRunOperation',
      httpStatus: 412,
      message: 'Request would have succeeded, but DryRun flag is set.',
    })
    assert.throws(() => run({ DryRun: true, InstanceType: 't9.huge' }), { code: 'InvalidParameterValue' })
    assert.deepEqual(world.ec2.describeInstances(world.context, {}).Reservations, [])
    assert.deepEqual(world.ec2.describeNetworkInterfaces(world.context, {}).NetworkInterfaces, [])
  })

  it('are found by tag, type, state and address, with wildcards', async () => {
    const Tags = [{ Key: 'Name', Value: 'shop-1' }]
    const [one] = run({ TagSpecifications: [{ ResourceType: 'instance', Tags }] })
    run({ InstanceType: 't3.small' })
    await world.clock.run(1_000)
    assert.deepEqual(ids([{ Name: 'tag:Name', Values: ['shop-*'] }]), [one!.InstanceId])
    assert.deepEqual(ids([{ Name: 'private-ip-address', Values: ['10.77.0.16'] }]), [one!.InstanceId])
    assert.equal(ids([{ Name: 'instance-state-name', Values: ['running', 'pending'] }]).length, 2)
    assert.equal(
      ids([
        { Name: 'instance-state-name', Values: ['running'] },
        { Name: 'instance-type', Values: ['t3.small'] },
      ]).length,
      1,
    )
    assert.throws(() => ids([{ Name: 'colour', Values: ['red'] }]), {
      message: "The filter 'colour' is invalid",
    })
  })

  it('come in pages', () => {
    run({ MinCount: 12, MaxCount: 12 })
    const first = world.ec2.describeInstances(world.context, { MaxResults: 5 })
    const second = world.ec2.describeInstances(world.context, { MaxResults: 5, NextToken: first.NextToken })
    const third = world.ec2.describeInstances(world.context, { MaxResults: 5, NextToken: second.NextToken })
    const counts = [first, second, third].map(
      (page) => page.Reservations!.flatMap((one) => one.Instances!).length,
    )
    assert.deepEqual(counts, [5, 5, 2])
    assert.equal(third.NextToken, undefined)
    assert.throws(() => world.ec2.describeInstances(world.context, { NextToken: 'nonsense' }), {
      code: 'InvalidNextToken',
    })
  })

  it('belong to one account and region', () => {
    const [one] = run()
    const elsewhere = { ...world.context, region: 'eu-west-1' }
    assert.deepEqual(world.ec2.describeInstances(elsewhere, {}).Reservations, [])
    assert.throws(() => world.ec2.terminateInstances(elsewhere, { InstanceIds: [one!.InstanceId!] }), {
      code: 'InvalidInstanceID.NotFound',
    })
  })
})
