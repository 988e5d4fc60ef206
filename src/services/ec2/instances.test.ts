import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { MEMORY_OVERCOMMIT } from './capacity.ts'
import { makeServicesWorld, softwareIntent, type ServicesWorld } from '../testing/services-world.ts'

const AWAITS = [
  { ResourceType: 'instance' as const, Tags: [{ Key: 'polebean:awaits-software', Value: 'true' }] },
]

describe('an instance', () => {
  let world: ServicesWorld
  beforeEach(() => {
    world = makeServicesWorld()
  })
  afterEach(() => world.end())

  const launch = (more: object = {}) => {
    const ImageId = world.ec2.describeImages(world.context, {}).Images![0]!.ImageId
    const { Instances } = world.ec2.runInstances(world.context, {
      ImageId,
      MinCount: 1,
      MaxCount: 1,
      ...more,
    })
    return Instances![0]!.InstanceId!
  }
  const find = (id: string) =>
    world.ec2.describeInstances(world.context, { InstanceIds: [id] }).Reservations![0]!.Instances![0]!
  const state = (id: string) => find(id).State!.Name
  const software = (id: string) => world.ec2.instanceSoftware(world.context, id)
  const callsTo = (id: string) => world.compute.calls.filter((one) => one.id === id).map((one) => one.method)

  it('runs with its address, and is gone an hour after its end', async () => {
    const id = launch()
    assert.equal(state(id), 'pending')
    assert.equal(find(id).PrivateIpAddress, undefined)
    await world.clock.run(1_000)
    assert.equal(state(id), 'running')
    assert.equal(find(id).PrivateIpAddress, '10.77.0.16')
    world.ec2.terminateInstances(world.context, { InstanceIds: [id] })
    assert.equal(state(id), 'shutting-down')
    await world.clock.run(1_000)
    assert.equal(state(id), 'terminated')
    assert.equal(find(id).StateReason!.Code, 'Client.UserInitiatedShutdown')
    assert.equal(world.compute.world.instances.size, 0)
    await world.clock.run(61 * 60_000)
    assert.throws(() => find(id), { code: 'InvalidInstanceID.NotFound' })
  })

  it('tags its interface, too, and refuses what its volume could not be', () => {
    const specification = (ResourceType: 'network-interface' | 'volume') => ({
      TagSpecifications: [{ ResourceType, Tags: [{ Key: 'q', Value: 'z' }] }],
    })
    const id = launch(specification('network-interface'))
    const { Tags = [] } = world.ec2.describeTags(world.context, {})
    assert.deepEqual(
      Tags.map((tag) => [tag.ResourceId, tag.ResourceType, tag.Key]),
      [[find(id).NetworkInterfaces![0]!.NetworkInterfaceId, 'network-interface', 'q']],
    )
    assert.throws(() => launch(specification('volume')), { code: 'UnsupportedOperation' })
    const keeps = { BlockDeviceMappings: [{ DeviceName: '/dev/xvda', Ebs: { DeleteOnTermination: false } }] }
    assert.throws(() => launch(keeps), { code: 'UnsupportedOperation' })
    for (const [Name, code] of [
      ['dns-name', 'UnsupportedOperation'],
      ['no-such', 'InvalidParameterValue'],
    ])
      assert.throws(
        () => world.ec2.describeInstances(world.context, { Filters: [{ Name: Name!, Values: ['x'] }] }),
        { code: code! },
      )
  })

  it('is of a type of the machine whose image it runs', async () => {
    for (const [architecture, own, other] of [
      ['x86_64', 't3.micro', 't4g.micro'],
      ['arm64', 't4g.micro', 't3.micro'],
    ] as const) {
      world.compute.architecture = architecture
      world.restart()
      await world.clock.run(1_000)
      assert.equal(find(launch()).InstanceType, own)
      assert.equal(find(launch({ InstanceType: own })).Architecture, architecture)
      assert.throws(() => launch({ InstanceType: other }), {
        code: 'InvalidParameterValue',
        message: new RegExp(
          `^The architecture '${architecture === 'arm64' ? 'x86_64' : 'arm64'}' of the specified instance type does not match the architecture '${architecture}' of the specified AMI\\.`,
        ),
      })
      const offered = world.ec2.describeInstanceTypeOfferings(world.context, {}).InstanceTypeOfferings!
      const names = offered.map((one): string => one.InstanceType!)
      assert.deepEqual([names.includes(own), names.includes(other)], [true, false])
    }
  })

  it('that awaits software starts when it gets it', async () => {
    const id = launch({ TagSpecifications: AWAITS })
    await world.clock.run(10 * 60_000)
    assert.equal(state(id), 'pending')
    assert.deepEqual(callsTo(id), [])
    world.ec2.putInstanceSoftware(world.context, id, softwareIntent({ A: '1' }))
    assert.deepEqual(software(id), { revision: 1, state: 'pending', output: '' })
    await world.clock.run(200)
    assert.equal(state(id), 'running')
    assert.deepEqual(software(id), { revision: 1, state: 'applied', output: 'started' })
    assert.deepEqual(callsTo(id), ['launch', 'exec'])
  })

  it('is updated in place, keeping its address, and checked once for each revision and boot', async () => {
    const id = launch({ TagSpecifications: AWAITS })
    world.ec2.putInstanceSoftware(world.context, id, softwareIntent())
    await world.clock.run(1_000)
    const address = find(id).PrivateIpAddress
    world.compute.check = (_id, revision) => ({
      exit: revision === 2 ? 1 : 0,
      output: `revision ${revision}`,
    })
    world.ec2.putInstanceSoftware(world.context, id, softwareIntent({ A: '2' }))
    await world.clock.run(10_000)
    assert.deepEqual(software(id), { revision: 2, state: 'failed', output: 'revision 2' })
    assert.equal(state(id), 'running', 'a failed start check does not kill it')
    world.ec2.putInstanceSoftware(world.context, id, softwareIntent({ A: '3' }))
    await world.clock.run(10_000)
    assert.deepEqual(software(id), { revision: 3, state: 'applied', output: 'revision 3' })
    assert.equal(find(id).PrivateIpAddress, address)
    assert.deepEqual(callsTo(id), ['launch', 'exec', 'update', 'exec', 'update', 'exec'])
  })

  it('is not updated twice because a look was taken before the update ended', async () => {
    const id = launch()
    await world.clock.run(1_000)
    for (let pause = 0; pause < 100; pause += 10) {
      world.compute.calls.length = 0
      world.ec2.putInstanceSoftware(world.context, id, softwareIntent({ A: String(pause) }))
      await world.clock.run(pause)
      launch() // wakes the reconciler
      await world.clock.run(1_000)
      assert.deepEqual(callsTo(id), ['update', 'exec'], `woken after ${pause} ms`)
    }
  })

  it('whose first process dies is back in place, three times in five minutes, then terminated', async () => {
    const id = launch()
    await world.clock.run(1_000)
    const address = find(id).PrivateIpAddress
    for (let time = 1; time <= 3; time++) {
      world.compute.kill(id)
      await world.clock.run(3_000)
      assert.equal(state(id), 'running')
      assert.equal(world.compute.world.instances.get(id)!.state, 'running', `after death ${time}`)
    }
    assert.equal(find(id).PrivateIpAddress, address)
    world.compute.kill(id)
    await world.clock.run(5_000)
    assert.equal(state(id), 'terminated')
    assert.equal(find(id).StateReason!.Code, 'Server.InternalError')
    assert.equal(world.compute.world.instances.size, 0)
  })

  it('is stopped, started and rebooted without that counting as a death', async () => {
    const id = launch()
    await world.clock.run(1_000)
    for (let time = 0; time < 5; time++) {
      world.ec2.stopInstances(world.context, { InstanceIds: [id] })
      await world.clock.run(3_000)
      assert.equal(state(id), 'stopped')
      world.ec2.startInstances(world.context, { InstanceIds: [id] })
      await world.clock.run(3_000)
      assert.equal(state(id), 'running')
      world.ec2.rebootInstances(world.context, { InstanceIds: [id] })
      await world.clock.run(3_000)
      assert.equal(state(id), 'running')
    }
    const starts = callsTo(id).filter((call) => call === 'launch' || call === 'start')
    assert.equal(starts.length, 11)
  })

  it('comes back after a reboot of the machine', async () => {
    const some = [launch(), launch(), launch()]
    await world.clock.run(1_000)
    world.die()
    world.compute.reboot()
    world.restart()
    await world.clock.run(5_000)
    for (const id of some) assert.equal(world.compute.world.instances.get(id)!.state, 'running')
  })

  it('of another generation is reported and left alone', async () => {
    const id = launch()
    await world.clock.run(1_000)
    const { spec, ...rest } = world.compute.world.instances.get(id)!
    const stranger = 'i-0123456789abcdef0'
    world.compute.world.instances.set(stranger, {
      ...rest,
      spec: { ...spec, id: stranger, tags: { 'polebean:generation': 'other' } },
    })
    const orphan = 'i-0123456789abcdef1'
    world.compute.world.instances.set(orphan, { ...rest, spec: { ...spec, id: orphan } })
    await world.clock.run(5_000)
    assert.deepEqual([...world.compute.world.instances.keys()].sort(), [stranger, id].sort())
  })

  it('cannot be launched when its memory is not there', async () => {
    world.compute.memoryBytes = Math.ceil((3 * 2 ** 30) / MEMORY_OVERCOMMIT)
    world.restart()
    await world.clock.run(1_000)
    launch({ InstanceType: 't3.small' })
    assert.throws(() => launch({ InstanceType: 't3.small' }), { code: 'InsufficientInstanceCapacity' })
    launch({ InstanceType: 't3.micro' })
  })

  it('counts with what it uses, which the refusal names', async () => {
    world.compute.memoryBytes = 2 ** 30
    world.restart()
    await world.clock.run(1_000)
    const id = launch({
      TagSpecifications: [
        { ResourceType: 'instance', Tags: [{ Key: 'elasticbeanstalk:environment-name', Value: 'shop' }] },
      ],
    })
    await world.clock.run(1_000)
    launch()
    world.compute.world.instances.get(id)!.usedBytes = 900 * 2 ** 20
    await world.clock.run(10_000)
    assert.throws(() => launch(), {
      code: 'InsufficientInstanceCapacity',
      message:
        /^We currently do not have sufficient t3\.micro capacity .* Of this machine's 1024 MiB, other programs use 0 MiB, and 1003 MiB are taken by instances: .* most by i-\w+ \(shop\) 900 MiB, i-\w+ \(no environment\) 103 MiB\. 1 of type t3\.micro need 103 MiB\. End other programs, terminate or scale down/,
    })
    world.compute.world.instances.get(id)!.usedBytes = 100 * 2 ** 20
    await world.clock.run(10_000)
    launch()
  })

  it('finds no room that other programs use, whose little ups and downs are not written', async () => {
    const others = () =>
      world.store.get<{ bytes: number }>('select other_memory_bytes as bytes from ec2_capacity')?.bytes
    world.compute.memoryBytes = 2 ** 30
    world.compute.otherMemoryBytes = 900 * 2 ** 20
    world.restart()
    await world.clock.run(1_000)
    launch()
    assert.throws(() => launch(), {
      code: 'InsufficientInstanceCapacity',
      message: /1024 MiB, other programs use 900 MiB, and 103 MiB are taken by instances/,
    })
    world.compute.otherMemoryBytes = 850 * 2 ** 20
    await world.clock.run(20_000)
    assert.equal(others(), 900 * 2 ** 20)
    world.compute.otherMemoryBytes = 300 * 2 ** 20
    await world.clock.run(20_000)
    assert.equal(others(), 300 * 2 ** 20)
    launch()
  })

  it('leaves its logs, though the control plane dies while it goes', async () => {
    const id = launch()
    await world.clock.run(1_000)
    let deaths = 0
    world.compute.fault = ({ method }) =>
      (method === 'logs' || method === 'remove') && deaths++ < 2 ? 'lost after' : undefined
    world.ec2.terminateInstances(world.context, { InstanceIds: [id] })
    for (let life = 0; life < 3; life++) {
      await world.clock.run(2_000)
      world.restart()
    }
    await world.clock.run(5_000)
    assert.equal(state(id), 'terminated')
    assert.equal(deaths > 1, true)
    const [kept, ...others] = world.ec2.keptLogs()
    assert.deepEqual([kept?.instanceId, others], [id, []])
    assert.match(world.ec2.keptLogText(id)!, new RegExp(`log of ${id}`))
    world.ec2.removeKeptLogs(kept!.bytes)
    assert.equal(world.ec2.keptLogs().length, 1)
    world.ec2.removeKeptLogs(kept!.bytes - 1)
    assert.deepEqual(world.ec2.keptLogs(), [])
  })

  it('goes though its logs cannot be read, which they then say', async () => {
    const id = launch()
    await world.clock.run(1_000)
    world.compute.fault = ({ method }) => (method === 'logs' ? 'error before' : undefined)
    world.ec2.terminateInstances(world.context, { InstanceIds: [id] })
    await world.clock.run(5_000)
    assert.equal(state(id), 'terminated')
    assert.match(world.ec2.keptLogText(id)!, /^The logs of i-\w+ could not be read: logs: error before\n/)
  })

  it('cannot be one more than the owner of the home allows', async () => {
    world.allowed.instances = 2
    launch({ MaxCount: 5 })
    const there = () =>
      world.ec2.describeInstances(world.context, {}).Reservations!.flatMap((one) => one.Instances!)
    assert.equal(there().length, 2)
    assert.throws(() => launch(), {
      code: 'InstanceLimitExceeded',
      message:
        'You have requested more instances (3) than your current instance limit of 2 allows for this home (limits.instances in its config.yaml).',
    })
    world.allowed.instances = 3
    launch()
    world.allowed.instances = 1
    assert.equal(there().length, 3, 'what is there stays')
  })

  it('is launched once for a client token', () => {
    const id = launch({ ClientToken: 'one' })
    assert.equal(launch({ ClientToken: 'one' }), id)
    assert.throws(() => launch({ ClientToken: 'one', InstanceType: 't3.small' }), {
      code: 'IdempotentParameterMismatch',
    })
  })

  it('gives its address to nobody for ten minutes', async () => {
    const first = launch()
    await world.clock.run(1_000)
    world.ec2.terminateInstances(world.context, { InstanceIds: [first] })
    await world.clock.run(5_000)
    const second = launch()
    world.restart()
    await world.clock.run(9 * 60_000)
    const early = launch()
    await world.clock.run(60_000)
    const third = launch()
    await world.clock.run(1_000)
    assert.equal(find(second).PrivateIpAddress, '10.77.0.17')
    assert.equal(find(early).PrivateIpAddress, '10.77.0.18')
    assert.equal(find(third).PrivateIpAddress, '10.77.0.16')
  })

  it('that nobody can see is given up after a minute, and not because the machine slept', async () => {
    const id = launch()
    await world.clock.run(1_000)
    world.compute.world.lost.add(id)
    await world.clock.run(30_000)
    world.clock.setWall(3_600_000)
    await world.clock.run(55_000)
    assert.equal(state(id), 'running')
    await world.clock.run(30_000)
    assert.equal(state(id), 'shutting-down', 'its group replaces it')
    assert.equal(find(id).StateReason!.Code, 'Server.InternalError')
    world.compute.world.lost.clear()
    await world.clock.run(90_000)
    assert.equal(state(id), 'terminated')
    assert.equal(world.compute.world.instances.size, 0)
  })

  it('tells why it does not start', async () => {
    world.compute.fault = ({ method }) =>
      method === 'launch' || method === 'start' ? 'error before' : undefined
    const id = launch({ TagSpecifications: AWAITS })
    world.ec2.putInstanceSoftware(world.context, id, softwareIntent())
    await world.clock.run(2_000)
    assert.match(software(id)!.output, /^(launch|start): error before$/)
    await world.clock.run(30_000)
    assert.equal(software(id)!.state, 'failed')
    await world.clock.run(6 * 60_000)
    assert.equal(find(id).StateReason!.Message, 'Server.InternalError: Internal error on launch')
  })

  it('shows no failure any more when only the answer of a launch was lost', async () => {
    let left = 1
    world.compute.fault = ({ method }) => (method === 'launch' && left-- > 0 ? 'error after' : undefined)
    const id = launch()
    await world.clock.run(5_000)
    assert.equal(state(id), 'running')
    assert.deepEqual(callsTo(id), ['launch'])
    assert.deepEqual(world.store.all('select * from lane_backoff'), [])
  })

  it('is not given up for deaths that a clock set back puts into the future', async () => {
    const id = launch()
    await world.clock.run(1_000)
    for (let time = 0; time < 3; time++) {
      world.compute.kill(id)
      await world.clock.run(3_000)
    }
    world.clock.setWall(-3_600_000)
    world.compute.kill(id)
    await world.clock.run(3_000)
    assert.equal(state(id), 'running')
  })

  it('survives an error of every single engine call, before and after its effect', async () => {
    for (const fault of ['error before', 'error after', 'lost before', 'lost after'] as const) {
      for (let point = 0; point < 8; point++) {
        world.end()
        world = makeServicesWorld()
        let left = point
        world.compute.fault = ({ method }) => (method !== 'list' && left-- === 0 ? fault : undefined)
        const run = async (ms: number) => {
          await world.clock.run(ms)
          if (world.dead) world.restart()
          await world.clock.run(ms)
        }
        const id = launch({ TagSpecifications: AWAITS })
        world.ec2.putInstanceSoftware(world.context, id, softwareIntent())
        await run(3_000)
        world.ec2.putInstanceSoftware(world.context, id, softwareIntent({ A: '2' }))
        await run(3_000)
        assert.equal(state(id), 'running', `${fault} at call ${point}`)
        assert.deepEqual(
          software(id),
          { revision: 2, state: 'applied', output: 'started' },
          `${fault} at call ${point}`,
        )
        world.ec2.terminateInstances(world.context, { InstanceIds: [id] })
        await run(5_000)
        assert.equal(state(id), 'terminated', `${fault} at call ${point}`)
        assert.equal(world.compute.world.instances.size, 0)
      }
    }
  })
})
