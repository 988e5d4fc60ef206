import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../../testing/services-world.ts'

const TOKEN = 'x-aws-ec2-metadata-token'
const TTL = 'x-aws-ec2-metadata-token-ttl-seconds'
const V1 = { MetadataOptions: { HttpTokens: 'optional' } }

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const launch = (more: object = {}): string => {
  const ImageId = world.ec2.describeImages(world.context, {}).Images![0]!.ImageId
  return world.ec2.runInstances(world.context, { ImageId, MinCount: 1, MaxCount: 1, ...more }).Instances![0]!
    .InstanceId!
}
const find = (id: string) =>
  world.ec2.describeInstances(world.context, { InstanceIds: [id] }).Reservations![0]!.Instances![0]!
const runs = async (more: object = {}) => {
  const id = launch(more)
  await world.clock.run(1_000)
  return { id, address: find(id).PrivateIpAddress! }
}
const ask = (source: string, path: string, headers: Record<string, string> = {}, method = 'GET') =>
  world.ec2.metadata({ source, method, path, headers })
const statusOf = (...question: Parameters<typeof ask>) => ask(...question).status
const tokenOf = (source: string, ttl = '60') =>
  String(ask(source, '/latest/api/token', { [TTL]: ttl }, 'PUT').body)

describe('the metadata service', () => {
  it('wants a token unless the launch says otherwise', async () => {
    const { id, address } = await runs()
    assert.equal(statusOf(address, '/latest/meta-data/instance-id'), 401)
    const token = tokenOf(address)
    const answer = ask(address, '/latest/meta-data/instance-id', { [TOKEN]: token })
    assert.deepEqual(answer, { status: 200, headers: { [TTL]: '60' }, body: id })
    const lenient = await runs(V1)
    assert.deepEqual(ask(lenient.address, '/latest/meta-data/instance-id'), {
      status: 200,
      headers: {},
      body: lenient.id,
    })
    assert.equal(statusOf(lenient.address, '/latest/meta-data/', { [TOKEN]: token }), 401, 'of another')
    assert.equal(statusOf(lenient.address, '/latest/meta-data/', { [TOKEN]: '' }), 401)
  })

  it('gives tokens to instances, not to proxies', async () => {
    const { address } = await runs()
    const put = (headers: Record<string, string>) => statusOf(address, '/latest/api/token', headers, 'PUT')
    for (const ttl of ['1', '21600']) assert.equal(put({ [TTL]: ttl }), 200, ttl)
    for (const ttl of ['0', '21601', '-1', '1.5', '1e3', '', ' 1', '0x10', '99999999'])
      assert.equal(put({ [TTL]: ttl }), 400, ttl)
    assert.equal(put({}), 400)
    assert.equal(put({ [TTL]: '60', 'x-forwarded-for': '' }), 403)
    assert.equal(put({ [TTL]: '60', 'x-forwarded-for': '10.0.0.1' }), 403)
    const get = ask(address, '/latest/api/token', { [TTL]: '60' })
    assert.deepEqual(get, { status: 405, headers: { Allow: 'PUT' } })
  })

  it('knows tokens still after a restart of the server, until they end', async () => {
    const { address } = await runs()
    const token = tokenOf(address, '30')
    world.restart()
    assert.equal(statusOf(address, '/latest', { [TOKEN]: token }), 200)
    await world.clock.run(30_000)
    assert.equal(statusOf(address, '/latest', { [TOKEN]: token }), 401)
  })

  it('has versions, and paths with and without a slash at their end', async () => {
    const { address } = await runs(V1)
    assert.equal(ask(address, '/').body, '2021-03-23\nlatest')
    for (const path of ['/latest/meta-data/placement/region', '/2021-03-23/meta-data/placement/region/'])
      assert.equal(ask(address, path).body, 'us-west-2', path)
    for (const path of ['/1.0/meta-data', '/latest/nothing', '/latest/user-data', '/iam', '/latest/../etc'])
      assert.equal(statusOf(address, path), 404, path)
    assert.equal(statusOf(address, '/latest/%'), 400)
    assert.equal(statusOf(address, '/latest/meta-data', {}, 'HEAD'), 200)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS'])
      assert.deepEqual(ask(address, '/latest/meta-data', {}, method), {
        status: 405,
        headers: { Allow: 'GET, HEAD' },
      })
  })

  it('says of an instance what DescribeInstances says', async () => {
    const GroupId = world.ec2.createSecurityGroup(world.context, {
      GroupName: 'db clients',
      Description: 'of a test',
    }).GroupId!
    world.ec2.createKeyPair(world.context, { KeyName: 'mine', KeyType: 'ed25519' })
    const UserData = Buffer.from('#!/bin/sh\necho ü\n').toString('base64')
    const { id, address } = await runs({
      ...V1,
      ...{ KeyName: 'mine', UserData, SecurityGroupIds: [GroupId] },
    })
    const { PublicIp, AllocationId } = world.ec2.allocateAddress(world.context, {})
    world.ec2.associateAddress(world.context, { AllocationId, InstanceId: id })
    const { KeyPairs } = world.ec2.describeKeyPairs(world.context, { IncludePublicKey: true })
    const seen = find(id)
    const [eni] = world.ec2.describeNetworkInterfaces(world.context, {}).NetworkInterfaces!
    const [zone] = world.ec2.describeAvailabilityZones(world.context, {
      ZoneNames: [seen.Placement!.AvailabilityZone!],
    }).AvailabilityZones!
    const mac = `network/interfaces/macs/${eni!.MacAddress}`
    const said = {
      'ami-id': seen.ImageId,
      'instance-type': seen.InstanceType,
      'local-hostname': seen.PrivateDnsName,
      'local-ipv4': seen.PrivateIpAddress,
      mac: eni!.MacAddress,
      'placement/availability-zone': seen.Placement!.AvailabilityZone,
      'placement/availability-zone-id': zone!.ZoneId,
      'public-ipv4': PublicIp,
      'public-keys/0/openssh-key': `${KeyPairs![0]!.PublicKey}\n`,
      'security-groups': 'db clients',
      [`${mac}/interface-id`]: eni!.NetworkInterfaceId,
      [`${mac}/security-group-ids`]: GroupId,
      [`${mac}/subnet-id`]: seen.SubnetId,
      [`${mac}/vpc-id`]: seen.VpcId,
    }
    for (const [path, text] of Object.entries(said))
      assert.equal(ask(address, `/latest/meta-data/${path}`).body, text, path)
    const data = ask(address, '/latest/user-data')
    assert.deepEqual(
      [data.body?.toString(), data.headers!['Content-Type']],
      ['#!/bin/sh\necho ü\n', 'application/octet-stream'],
    )
    world.ec2.deleteKeyPair(world.context, { KeyName: 'mine' })
    assert.equal(
      statusOf(address, '/latest/meta-data/public-keys/0/openssh-key'),
      200,
      'as it was at the launch',
    )
  })

  it('follows groups, options and tags from the next question on', async () => {
    const { id, address } = await runs(V1)
    const read = (path: string) => ask(address, `/latest/meta-data/${path}`)
    const modify = (more: object) =>
      world.ec2.modifyInstanceMetadataOptions(world.context, { InstanceId: id, ...more })
    world.ec2.createTags(world.context, { Resources: [id], Tags: [{ Key: 'a:b=c', Value: 'web ü' }] })
    assert.equal(read('tags/instance/a:b=c').status, 404)
    modify({ InstanceMetadataTags: 'enabled' })
    assert.equal(read('tags/instance/a%3Ab=c').body, 'web ü')
    const GroupId = world.ec2.createSecurityGroup(world.context, {
      GroupName: 'second',
      Description: 'of a test',
    }).GroupId!
    world.ec2.modifyInstanceAttribute(world.context, { InstanceId: id, Groups: [GroupId] })
    assert.equal(read('security-groups').body, 'second')
    modify({ HttpTokens: 'required' })
    assert.equal(read('').status, 401)
    modify({ HttpEndpoint: 'disabled' })
    assert.equal(read('').status, 403)
    assert.equal(statusOf(address, '/latest/api/token', { [TTL]: '60' }, 'PUT'), 403)
  })

  it('answers nobody who is no instance that runs', async () => {
    const { id, address } = await runs(V1)
    const strangers = ['', '10.0.255.1', '127.0.0.1', 'nonsense', `${address} `]
    for (const source of strangers) assert.equal(statusOf(source, '/latest'), 403, source)
    world.ec2.stopInstances(world.context, { InstanceIds: [id] })
    await world.clock.run(3_000)
    assert.equal(statusOf(address, '/latest'), 403)
    world.ec2.startInstances(world.context, { InstanceIds: [id] })
    await world.clock.run(3_000)
    assert.equal(statusOf(address, '/latest'), 200)
    world.ec2.terminateInstances(world.context, { InstanceIds: [id] })
    await world.clock.run(3_000)
    assert.equal(statusOf(address, '/latest'), 403)
  })
})
