import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { RunInstancesCommandInput } from '@aws-sdk/client-ec2'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
let ImageId: string
let subnets: { SubnetId?: string; CidrBlock?: string }[]
beforeEach(async () => {
  world = makeServicesWorld()
  await world.clock.run(1_000)
  ImageId = world.ec2.describeImages(world.context, {}).Images![0]!.ImageId!
  subnets = world.ec2.describeSubnets(world.context, {}).Subnets!
})
afterEach(() => world.end())

const group = (GroupName: string) =>
  world.ec2.createSecurityGroup(world.context, { GroupName, Description: 'd' }).GroupId!
type Asked = NonNullable<RunInstancesCommandInput['NetworkInterfaces']>[number]
const run = (one: Asked | Asked[], more: object = {}) =>
  world.ec2.runInstances(world.context, {
    ...{ ImageId, MinCount: 1, MaxCount: 1, InstanceType: 't3.nano' },
    NetworkInterfaces: [one].flat(),
    ...more,
  }).Instances![0]!
/** The 100th of a subnet. */
const addressIn = (index: number) => {
  const [a, b, c, d] = subnets[index]!.CidrBlock!.split('/')[0]!.split('.').map(Number)
  return `${a}.${b}.${c}.${d! + 100}`
}
const interfaceOf = (id: string | undefined) =>
  world.ec2.describeNetworkInterfaces(world.context, {
    Filters: [{ Name: 'attachment.instance-id', Values: [id ?? ''] }],
  }).NetworkInterfaces![0]!

describe('the network interface of a launch', () => {
  it('says subnet, groups, address and description of the instance', () => {
    const Groups = [group('a'), group('b')]
    const PrivateIpAddress = addressIn(1)
    const { InstanceId } = run({
      ...{ DeviceIndex: 0, SubnetId: subnets[1]!.SubnetId, Groups, PrivateIpAddress, Description: 'web' },
      ...{ DeleteOnTermination: true, AssociatePublicIpAddress: false },
    })
    const made = interfaceOf(InstanceId)
    assert.deepEqual(
      [made.SubnetId, made.PrivateIpAddress, made.Description, made.Groups?.map((one) => one.GroupId)],
      [subnets[1]!.SubnetId, PrivateIpAddress, 'web', Groups],
    )
  })

  it('has an address that nobody has, and nobody had within ten minutes', async () => {
    const asked = { DeviceIndex: 0, PrivateIpAddress: addressIn(0) }
    const { InstanceId } = run(asked)
    const inUse = { code: 'InvalidIPAddress.InUse' }
    assert.throws(() => run(asked), inUse)
    world.ec2.terminateInstances(world.context, { InstanceIds: [InstanceId!] })
    await world.clock.run(9 * 60_000)
    assert.throws(() => run(asked), inUse)
    await world.clock.run(2 * 60_000)
    assert.equal(interfaceOf(run(asked).InstanceId).PrivateIpAddress, asked.PrivateIpAddress)
  })

  it('is refused in the words of AWS, and for what it cannot be here', () => {
    const both = { code: 'InvalidParameterCombination' }
    const wrong: [Asked | Asked[], object, object][] = [
      [
        { DeviceIndex: 0 },
        { SecurityGroupIds: ['sg-1'] },
        {
          ...both,
          message:
            'Network interfaces and an instance-level security groups may not be specified on the same request',
        },
      ],
      [{ DeviceIndex: 0 }, { SubnetId: subnets[0]!.SubnetId }, both],
      [{ DeviceIndex: 0 }, { PrivateIpAddress: addressIn(0) }, both],
      [{ DeviceIndex: 0, PrivateIpAddress: addressIn(0) }, { MaxCount: 2 }, both],
      [{ DeviceIndex: 1 }, {}, { code: 'InvalidParameterValue' }],
      [{}, {}, { code: 'InvalidParameterValue' }],
      [{ DeviceIndex: 0, PrivateIpAddress: addressIn(1) }, {}, { code: 'InvalidParameterValue' }],
      [{ DeviceIndex: 0, PrivateIpAddress: '10.0.0.1x' }, {}, { code: 'InvalidParameterValue' }],
      [{ DeviceIndex: 0, Groups: ['sg-0123456789abcdef0'] }, {}, { code: 'InvalidGroup.NotFound' }],
      [[{ DeviceIndex: 0 }, { DeviceIndex: 1 }], {}, { code: 'UnsupportedOperation' }],
      ...[
        { DeviceIndex: 0, NetworkInterfaceId: 'eni-1' },
        { DeviceIndex: 0, DeleteOnTermination: false },
        { DeviceIndex: 0, AssociatePublicIpAddress: true },
        { DeviceIndex: 0, Ipv6AddressCount: 1 },
      ].map((one): [Asked, object, object] => [one, {}, { code: 'UnsupportedOperation' }]),
    ]
    const before = world.ec2.describeNetworkInterfaces(world.context, {}).NetworkInterfaces!.length
    for (const [one, more, error] of wrong) assert.throws(() => run(one, more), error)
    assert.equal(world.ec2.describeNetworkInterfaces(world.context, {}).NetworkInterfaces!.length, before)
  })

  it('of a template is taken, where the request does not say otherwise', () => {
    const [a, b] = [group('a'), group('b')]
    const LaunchTemplateData = {
      ...{ ImageId, InstanceType: 't3.nano' as const },
      NetworkInterfaces: [{ DeviceIndex: 0, SubnetId: subnets[1]!.SubnetId, Groups: [a] }],
    }
    world.ec2.createLaunchTemplate(world.context, { LaunchTemplateName: 'web', LaunchTemplateData })
    const launch = (more: object) => {
      const { InstanceId } = world.ec2.runInstances(world.context, {
        ...{ MinCount: 1, MaxCount: 1, LaunchTemplate: { LaunchTemplateName: 'web' } },
        ...more,
      }).Instances![0]!
      const { SubnetId, Groups } = interfaceOf(InstanceId)
      return [subnets.findIndex((one) => one.SubnetId === SubnetId), Groups?.map(({ GroupId }) => GroupId)]
    }
    assert.deepEqual(launch({}), [1, [a]])
    assert.deepEqual(launch({ SubnetId: subnets[0]!.SubnetId }), [0, [a]])
    assert.deepEqual(launch({ SecurityGroupIds: [b] }), [1, [b]])
    assert.deepEqual(launch({ NetworkInterfaces: [{ DeviceIndex: 0, Groups: [b] }] }), [1, [b]])
    assert.throws(
      () =>
        world.ec2.createLaunchTemplate(world.context, {
          LaunchTemplateName: 'both',
          LaunchTemplateData: { ...LaunchTemplateData, SecurityGroupIds: [a] },
        }),
      { code: 'InvalidParameterCombination' },
    )
  })
})
