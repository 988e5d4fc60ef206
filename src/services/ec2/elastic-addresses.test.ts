import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const allocate = (more: object = {}) => world.ec2.allocateAddress(world.context, more)
const associate = (more: object) => world.ec2.associateAddress(world.context, more).AssociationId!
const release = (AllocationId: string) => world.ec2.releaseAddress(world.context, { AllocationId })
const find = (more: object = {}) => world.ec2.describeAddresses(world.context, more).Addresses!
const launch = () => {
  const ImageId = world.ec2.describeImages(world.context, {}).Images![0]!.ImageId
  return world.ec2.runInstances(world.context, { ImageId, MinCount: 1, MaxCount: 1 }).Instances![0]!
    .InstanceId!
}
const instance = (id: string) =>
  world.ec2.describeInstances(world.context, { InstanceIds: [id] }).Reservations![0]!.Instances![0]!

describe('elastic addresses', () => {
  it('belong to an instance, which shows them', async () => {
    const Tags = [{ Key: 'for', Value: 'shop' }]
    const { AllocationId, PublicIp } = allocate({ TagSpecifications: [{ ResourceType: 'elastic-ip', Tags }] })
    assert.equal(PublicIp, '127.77.0.1')
    const InstanceId = launch()
    await world.clock.run(1_000)
    const AssociationId = associate({ AllocationId, InstanceId })
    assert.equal(associate({ AllocationId, InstanceId }), AssociationId, 'once more changes nothing')
    const NetworkInterfaceId = instance(InstanceId).NetworkInterfaces![0]!.NetworkInterfaceId
    assert.deepEqual(find({ Filters: [{ Name: 'instance-id', Values: [InstanceId] }] }), [
      {
        AllocationId,
        PublicIp,
        Domain: 'vpc',
        NetworkBorderGroup: 'us-west-2',
        PublicIpv4Pool: 'amazon',
        Tags,
        AssociationId,
        NetworkInterfaceId,
        NetworkInterfaceOwnerId: '000000000000',
        PrivateIpAddress: '10.77.0.16',
        InstanceId,
      },
    ])
    assert.equal(instance(InstanceId).PublicIpAddress, PublicIp)
    const [shown] = world.ec2.describeNetworkInterfaces(world.context, {}).NetworkInterfaces!
    assert.equal(shown!.Association!.PublicIp, PublicIp)
    world.ec2.disassociateAddress(world.context, { AssociationId })
    assert.equal(instance(InstanceId).PublicIpAddress, undefined)
    assert.throws(() => world.ec2.disassociateAddress(world.context, { AssociationId }), {
      code: 'InvalidAssociationID.NotFound',
    })
  })

  it('move to another instance only when that was said', () => {
    const { AllocationId } = allocate()
    const { AllocationId: second } = allocate()
    const [one, two] = [launch(), launch()]
    const first = associate({ AllocationId, InstanceId: one })
    assert.throws(() => associate({ AllocationId, InstanceId: two }), {
      code: 'Resource.AlreadyAssociated',
      message: `resource ${AllocationId} is already associated with associate-id ${first}`,
    })
    associate({ AllocationId, InstanceId: two, AllowReassociation: true })
    assert.equal(instance(one).PublicIpAddress, undefined)
    assert.equal(instance(two).PublicIpAddress, '127.77.0.1')
    associate({ AllocationId: second, InstanceId: two })
    assert.equal(instance(two).PublicIpAddress, '127.77.0.2')
    assert.deepEqual(
      find()
        .map((address) => address.InstanceId)
        .filter(Boolean),
      [two],
    )
  })

  it('stay when their instance goes, and can then be released', async () => {
    const { AllocationId, PublicIp } = allocate()
    const InstanceId = launch()
    associate({ AllocationId, InstanceId })
    assert.throws(() => release(AllocationId!), {
      code: 'InvalidIPAddress.InUse',
      message: `Address ${PublicIp} is in use.`,
    })
    world.ec2.terminateInstances(world.context, { InstanceIds: [InstanceId] })
    assert.throws(() => associate({ AllocationId, InstanceId, AllowReassociation: true }), {
      code: 'InvalidInstanceID',
    })
    await world.clock.run(5_000)
    assert.equal(find()[0]!.AssociationId, undefined)
    release(AllocationId!)
    assert.deepEqual(find(), [])
    assert.throws(() => release(AllocationId!), {
      code: 'InvalidAllocationID.NotFound',
      message: `The allocation ID '${AllocationId}' does not exist`,
    })
  })

  it('are given to nobody for ten minutes after', async () => {
    release(allocate().AllocationId!)
    assert.equal(allocate().PublicIp, '127.77.0.2')
    await world.clock.run(10 * 60_000 - 1)
    assert.equal(allocate().PublicIp, '127.77.0.3')
    await world.clock.run(1)
    assert.equal(allocate().PublicIp, '127.77.0.1')
  })

  it('are refused where they mean nothing on one machine', () => {
    const { AllocationId } = allocate()
    const SubnetId = world.ec2.describeSubnets(world.context, {}).Subnets![0]!.SubnetId
    const { NetworkInterface } = world.ec2.createNetworkInterface(world.context, { SubnetId })
    const InstanceId = launch()
    for (const [more, code] of [
      [{ AllocationId }, 'MissingParameter'],
      [{ InstanceId }, 'MissingParameter'],
      [{ AllocationId, NetworkInterfaceId: NetworkInterface!.NetworkInterfaceId }, 'UnsupportedOperation'],
      [{ AllocationId, NetworkInterfaceId: 'eni-1' }, 'InvalidNetworkInterfaceID.NotFound'],
      [{ AllocationId: 'eipalloc-1', InstanceId }, 'InvalidAllocationID.NotFound'],
      [{ AllocationId: 'x', InstanceId }, 'InvalidAllocationID.Malformed'],
      [{ AllocationId, InstanceId: 'i-0123456789abcdef0' }, 'InvalidInstanceID.NotFound'],
      [{ AllocationId, InstanceId, PrivateIpAddress: '10.77.0.99' }, 'InvalidParameterValue'],
      [{ PublicIp: '127.77.0.1', InstanceId }, 'UnsupportedOperation'],
    ] as const)
      assert.throws(() => associate(more), { code }, JSON.stringify(more))
    for (const more of [
      { Domain: 'standard' },
      { Address: '203.0.113.1' },
      { PublicIpv4Pool: 'mine' },
      { NetworkBorderGroup: 'eu-west-1' },
    ])
      assert.throws(() => allocate(more), { code: 'UnsupportedOperation' }, JSON.stringify(more))
    assert.throws(() => find({ PublicIps: ['1.2.3.4'] }), { code: 'InvalidAddress.NotFound' })
  })

  it('are two hundred and fifty at most', () => {
    for (let count = 0; count < 250; count++) allocate()
    assert.throws(() => allocate(), { code: 'AddressLimitExceeded' })
  })
})
