import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { systemContext } from '../service.ts'
import { makeServicesWorld, softwareIntent, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
let id: string
beforeEach(async () => {
  world = makeServicesWorld()
  id = launch()
  await world.clock.run(1_000)
})
afterEach(() => world.end())

const GIB = 2 ** 30
const base64 = (text: string) => Buffer.from(text).toString('base64')
function launch(more: object = {}): string {
  const ImageId = world.ec2.describeImages(world.context, {}).Images![0]!.ImageId
  return world.ec2.runInstances(world.context, { ImageId, MinCount: 1, MaxCount: 1, ...more }).Instances![0]!
    .InstanceId!
}
const modify = (more: object) => world.ec2.modifyInstanceAttribute(world.context, { InstanceId: id, ...more })
const attribute = (Attribute: string) =>
  world.ec2.describeInstanceAttribute(world.context, { InstanceId: id, Attribute: Attribute as never })
const find = () =>
  world.ec2.describeInstances(world.context, { InstanceIds: [id] }).Reservations![0]!.Instances![0]!
const stop = async () => {
  world.ec2.stopInstances(world.context, { InstanceIds: [id] })
  await world.clock.run(3_000)
}
const start = async () => {
  world.ec2.startInstances(world.context, { InstanceIds: [id] })
  await world.clock.run(3_000)
}
const seen = () => world.compute.world.instances.get(id)!

describe('the type of an instance', () => {
  it('changes while it is stopped, and with it what the engine gives it', async () => {
    assert.equal(seen().spec.memoryBytes, GIB)
    const address = find().PrivateIpAddress
    await stop()
    modify({ InstanceType: { Value: 't3.small' } })
    assert.deepEqual(attribute('instanceType'), { InstanceId: id, InstanceType: { Value: 't3.small' } })
    await start()
    assert.equal(find().InstanceType, 't3.small')
    assert.equal(find().PrivateIpAddress, address)
    assert.deepEqual([seen().state, seen().spec.memoryBytes], ['running', 2 * GIB])
  })

  it('changes also when a deployment starts it', async () => {
    await stop()
    modify({ Attribute: 'instanceType', Value: 'm5.large' })
    world.ec2.putInstanceSoftware(world.context, id, softwareIntent())
    await start()
    assert.deepEqual([seen().spec.memoryBytes, seen().spec.cpu, seen().revision], [8 * GIB, 2, 1])
  })

  it('is refused while it runs, and when there is none of the name', async () => {
    assert.throws(() => modify({ InstanceType: { Value: 't3.small' } }), {
      code: 'IncorrectInstanceState',
      message: `The instance '${id}' is not in the 'stopped' state.`,
    })
    await stop()
    assert.throws(() => modify({ InstanceType: { Value: 't9.huge' } }), { code: 'InvalidParameterValue' })
    assert.throws(() => modify({ InstanceType: { Value: 't4g.micro' } }), { message: /^The architecture/ })
    assert.equal(find().InstanceType, 't3.micro')
  })

  it('must fit when it starts again', async () => {
    await stop()
    modify({ InstanceType: { Value: 'm5.8xlarge' } })
    world.compute.memoryBytes = GIB
    world.restart()
    await world.clock.run(1_000)
    assert.throws(() => world.ec2.startInstances(world.context, { InstanceIds: [id] }), {
      code: 'InsufficientInstanceCapacity',
    })
    assert.equal(find().State!.Name, 'stopped')
  })
})

describe('other attributes of an instance', () => {
  it('are its groups, at any time', () => {
    const group = (GroupName: string) =>
      world.ec2.createSecurityGroup(world.context, { GroupName, Description: 'x' }).GroupId!
    const [one, two] = [group('one'), group('two')]
    modify({ Groups: [one, two] })
    assert.deepEqual(attribute('groupSet').Groups, [{ GroupId: one }, { GroupId: two }])
    assert.deepEqual(
      find().SecurityGroups!.map((each) => each.GroupName),
      ['one', 'two'],
    )
    assert.throws(() => world.ec2.deleteSecurityGroup(world.context, { GroupId: one }), {
      code: 'DependencyViolation',
    })
    assert.throws(() => modify({ Groups: ['sg-0123456789abcdef0'] }), { code: 'InvalidGroup.NotFound' })
    const many = Array.from({ length: 17 }, (_unused, index) => group(`g${index}`))
    assert.throws(() => modify({ Groups: many }), { code: 'SecurityGroupsPerInterfaceLimitExceeded' })
    world.store.update('ec2_security_group', { id: two }, { vpcId: 'vpc-other' })
    assert.throws(() => modify({ Groups: [two] }), {
      code: 'InvalidGroup.NotFound',
      message: 'You have specified two resources that belong to different networks.',
    })
    const NetworkInterfaceId = find().NetworkInterfaces![0]!.NetworkInterfaceId
    world.ec2.modifyNetworkInterfaceAttribute(world.context, { NetworkInterfaceId, Groups: [one] })
    assert.deepEqual(attribute('groupSet').Groups, [{ GroupId: one }])
  })

  it('protect it from being terminated and stopped, but not from its group', async () => {
    modify({ DisableApiTermination: { Value: true } })
    modify({ DisableApiStop: { Value: true } })
    assert.equal(attribute('disableApiTermination').DisableApiTermination!.Value, true)
    const other = launch({ DisableApiTermination: true })
    const terminate = (InstanceIds: string[]) => world.ec2.terminateInstances(world.context, { InstanceIds })
    assert.throws(() => terminate([launch(), id]), {
      code: 'OperationNotPermitted',
      message: `The instance '${id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
    })
    assert.throws(() => terminate([other]), { code: 'OperationNotPermitted' })
    await assert.rejects(stop, { code: 'OperationNotPermitted' })
    assert.equal(find().State!.Name, 'running')
    const { account, region } = world.context
    world.ec2.terminateInstances(systemContext(account, region, 'r'), { InstanceIds: [other] })
    modify({ DisableApiTermination: { Value: false } })
    terminate([id])
    assert.throws(() => modify({ DisableApiStop: { Value: false } }), { code: 'IncorrectInstanceState' })
  })

  it('come one at a time, and only those that have an effect', async () => {
    await stop()
    for (const [more, code] of [
      [{}, 'MissingParameter'],
      [{ Value: 'x' }, 'MissingParameter'],
      [{ Attribute: 'userData' }, 'MissingParameter'],
      [
        { InstanceType: { Value: 't3.small' }, DisableApiStop: { Value: true } },
        'InvalidParameterCombination',
      ],
      [{ SourceDestCheck: { Value: false } }, 'UnsupportedOperation'],
      [{ EbsOptimized: { Value: true } }, 'UnsupportedOperation'],
      [{ InstanceInitiatedShutdownBehavior: { Value: 'terminate' } }, 'UnsupportedOperation'],
      [{ EnaSupport: { Value: true } }, 'UnsupportedOperation'],
      [{ Attribute: 'kernel', Value: 'x' }, 'UnsupportedOperation'],
      [{ Attribute: 'disableApiStop', Value: 'perhaps' }, 'InvalidParameterValue'],
      [{ Groups: [] }, 'MissingParameter'],
    ] as const)
      assert.throws(() => modify(more), { code }, JSON.stringify(more))
    modify({ SourceDestCheck: { Value: true } })
    modify({ InstanceInitiatedShutdownBehavior: { Value: 'stop' } })
    assert.throws(() => attribute('colour'), { code: 'InvalidParameterValue' })
    assert.throws(
      () =>
        world.ec2.describeInstanceAttribute(world.context, {
          InstanceId: 'i-0123456789abcdef0',
          Attribute: 'userData',
        }),
      { code: 'InvalidInstanceID.NotFound' },
    )
  })
})

describe('instances are found', () => {
  const ids = (Name: string, ...Values: string[]) =>
    world.ec2
      .describeInstances(world.context, { Filters: [{ Name, Values }] })
      .Reservations!.flatMap((one) => one.Instances!.map((instance) => instance.InstanceId!))
  const withStatus = (Name: string, ...Values: string[]) =>
    world.ec2
      .describeInstanceStatus(world.context, { Filters: [{ Name, Values }], IncludeAllInstances: true })
      .InstanceStatuses!.map((status) => status.InstanceId)

  it('by their key, elastic address, name, type of machine and groups', async () => {
    world.ec2.createKeyPair(world.context, { KeyName: 'mine', KeyType: 'ed25519' })
    const other = launch({ KeyName: 'mine' })
    const { AllocationId } = world.ec2.allocateAddress(world.context, {})
    world.ec2.associateAddress(world.context, { AllocationId, InstanceId: other })
    await world.clock.run(1_000)
    assert.deepEqual(ids('key-name', 'm*'), [other])
    assert.deepEqual(ids('key-name', ''), [])
    assert.deepEqual(ids('ip-address', '127.77.0.1'), [other])
    assert.deepEqual(ids('private-dns-name', 'ip-10-77-0-16.*'), [id])
    assert.deepEqual(ids('architecture', 'x86_64').toSorted(), [id, other].toSorted())
    assert.deepEqual(ids('architecture', 'arm64'), [])
    assert.deepEqual(ids('network-interface.group-name', 'default').length, 2)
  })

  it('by their status', async () => {
    const other = launch()
    assert.deepEqual(withStatus('instance-status.status', 'ok'), [id])
    assert.deepEqual(withStatus('system-status.status', 'initializing'), [other])
    assert.deepEqual(withStatus('instance-status.reachability', 'passed'), [id])
    assert.throws(() => withStatus('instance-type', 't3.micro'), { code: 'InvalidParameterValue' })
  })
})

describe('user data', () => {
  const SCRIPT = '#!/bin/sh\necho grüß >/var/lib/x\n'
  const filesOf = (path: string) => seen().spec.software.files.filter((file) => file.path === path)

  it('is laid into the instance as a script, also beside the software of a deployment', async () => {
    id = launch({ UserData: base64(SCRIPT) })
    await world.clock.run(1_000)
    const path = '/var/lib/cloud/instance/scripts/part-001'
    assert.deepEqual(filesOf(path), [{ path, content: SCRIPT, mode: 0o700, owner: 'root' }])
    assert.equal(filesOf('/etc/service/user-data/run').length, 1)
    world.ec2.putInstanceSoftware(world.context, id, softwareIntent())
    await world.clock.run(1_000)
    assert.deepEqual([seen().revision, filesOf(path).length], [1, 1])
    assert.deepEqual(attribute('userData').UserData, { Value: base64(SCRIPT) })
  })

  it('changes while the instance is stopped', async () => {
    const UserData = { Value: Buffer.from(SCRIPT) }
    assert.throws(() => modify({ UserData }), { code: 'IncorrectInstanceState' })
    assert.deepEqual(attribute('userData').UserData, {})
    await stop()
    modify({ UserData })
    assert.deepEqual(attribute('userData').UserData, { Value: base64(SCRIPT) })
    modify({ UserData: { Value: Buffer.alloc(0) } })
    assert.deepEqual(attribute('userData').UserData, {})
  })

  it('is refused when it is no base64, too long or no script', () => {
    for (const [UserData, code] of [
      ['***', 'InvalidParameterValue'],
      ['IyE', 'InvalidParameterValue'],
      [base64(`#!${'x'.repeat(16 * 1024)}`), 'InvalidParameterValue'],
      [base64('#cloud-config\n'), 'UnsupportedOperation'],
      [base64('echo x'), 'UnsupportedOperation'],
      [base64('#!/bin/sh\n\0'), 'UnsupportedOperation'],
      [Buffer.from([0x23, 0x21, 0xff]).toString('base64'), 'UnsupportedOperation'],
    ])
      assert.throws(() => launch({ UserData }), { code }, UserData)
  })

  it('and a key pair are kept with the launch', () => {
    world.ec2.createKeyPair(world.context, { KeyName: 'mine', KeyType: 'ed25519' })
    id = launch({ KeyName: 'mine' })
    assert.equal(find().KeyName, 'mine')
    assert.throws(() => launch({ KeyName: 'none' }), { code: 'InvalidKeyPair.NotFound' })
  })
})
