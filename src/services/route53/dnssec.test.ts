import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'
import { makeCalls, put, set } from './test-calls.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const { api, zoneId, change, status } = makeCalls(() => world)
const arn = (name: string) => `arn:aws:kms:us-east-1:123456789012:key/${name}`
const makeKey = (HostedZoneId: string, Name: string, more: object = {}) =>
  api().createKeySigningKey(world.context, {
    ...{ HostedZoneId, Name, CallerReference: Name, KeyManagementServiceArn: arn(Name), Status: 'ACTIVE' },
    ...more,
  })
const enable = (HostedZoneId: string) => api().enableHostedZoneDNSSEC(world.context, { HostedZoneId })
const disable = (HostedZoneId: string) => api().disableHostedZoneDNSSEC(world.context, { HostedZoneId })
const activate = (HostedZoneId: string, Name: string) =>
  api().activateKeySigningKey(world.context, { HostedZoneId, Name })
const deactivate = (HostedZoneId: string, Name: string) =>
  api().deactivateKeySigningKey(world.context, { HostedZoneId, Name })
const remove = (HostedZoneId: string, Name: string) =>
  api().deleteKeySigningKey(world.context, { HostedZoneId, Name })
const get = (HostedZoneId: string) => api().getDNSSEC(world.context, { HostedZoneId })
const served = (name = 'example.com') =>
  world.dns
    .query(name, 'DNSKEY')
    .answers.map((one) => one.replace(/^.* DNSKEY /, ''))
    .toSorted()

describe('signing of a zone', () => {
  it('is by a key that is told with what its parent needs, from enabling to disabling', async () => {
    const id = zoneId()
    const { KeySigningKey: key, ChangeInfo, Location } = makeKey(id, 'first')
    assert.match(Location!, new RegExp(`/2013-04-01/keysigningkey/${id}/first$`))
    assert.deepEqual(get(id), { Status: { ServeSignature: 'NOT_SIGNING' }, KeySigningKeys: [key] })
    const { KeyTag, DigestValue, PublicKey, CreatedDate, LastModifiedDate, ...others } = key!
    assert.match(DigestValue!, /^[0-9A-F]{64}$/)
    assert.deepEqual(others, {
      ...{ Name: 'first', KmsArn: arn('first'), Status: 'ACTIVE', Flag: 257 },
      ...{ SigningAlgorithmMnemonic: 'ECDSAP256SHA256', SigningAlgorithmType: 13 },
      ...{ DigestAlgorithmMnemonic: 'SHA-256', DigestAlgorithmType: 2 },
      ...{ DSRecord: `${KeyTag} 13 2 ${DigestValue}`, DNSKEYRecord: `257 3 13 ${PublicKey}` },
    })
    assert.deepEqual(CreatedDate, LastModifiedDate)
    await world.clock.run(100)
    assert.equal(status(ChangeInfo!.Id!), 'INSYNC')
    assert.deepEqual(served(), [])
    const on = enable(id).ChangeInfo!
    assert.equal(status(on.Id!), 'PENDING')
    await world.clock.run(100)
    assert.equal(status(on.Id!), 'INSYNC')
    assert.equal(get(id).Status!.ServeSignature, 'SIGNING')
    assert.deepEqual(served(), [key!.DNSKEYRecord])
    change(id, ...put(set('www.example.com', 'A', ['192.0.2.1'])))
    await world.clock.run(100)
    assert.deepEqual(served(), [key!.DNSKEYRecord])
    disable(id)
    await world.clock.run(100)
    assert.equal(get(id).Status!.ServeSignature, 'NOT_SIGNING')
    assert.deepEqual(served(), [])
    assert.deepEqual(world.dns.query('www.example.com', 'A').answers, ['www.example.com A 192.0.2.1'])
  })

  it('goes over to another key by way of both', async () => {
    const id = zoneId()
    const first = makeKey(id, 'first').KeySigningKey!.DNSKEYRecord!
    enable(id)
    const second = makeKey(id, 'second', { Status: 'INACTIVE' }).KeySigningKey!.DNSKEYRecord!
    await world.clock.run(100)
    assert.deepEqual(served(), [first])
    activate(id, 'second')
    await world.clock.run(100)
    assert.deepEqual(served(), [first, second].toSorted())
    deactivate(id, 'first')
    remove(id, 'first')
    await world.clock.run(100)
    assert.deepEqual(served(), [second])
    assert.deepEqual(
      get(id).KeySigningKeys!.map(({ Name, Status }) => [Name, Status]),
      [['second', 'ACTIVE']],
    )
  })

  it('is by the same key when the name server lost it, and when the control plane came back', async () => {
    const id = zoneId()
    const key = makeKey(id, 'first').KeySigningKey!.DNSKEYRecord!
    enable(id)
    await world.clock.run(100)
    world.dns.lose()
    await world.clock.run(31_000)
    assert.deepEqual(served(), [key])
    assert.equal(get(id).KeySigningKeys![0]!.DNSKEYRecord, key)
  })

  it('has another serial when its signatures are renewed, for those who have fetched it', async () => {
    const id = zoneId()
    zoneId('plain.example')
    makeKey(id, 'first')
    enable(id)
    await world.clock.run(100)
    const serials = async () =>
      Object.fromEntries((await world.dns.engine().zones()).map(({ name, serial }) => [name, serial]))
    const before = await serials()
    // From one Thursday to the next: the world begins with one.
    world.clock.setWall(6 * 24 * 3_600_000)
    await world.clock.run(11_000)
    assert.deepEqual(await serials(), before)
    world.clock.setWall(24 * 3_600_000)
    await world.clock.run(11_000)
    assert.deepEqual(await serials(), { ...before, 'example.com': before['example.com']! + 1 })
  })

  it('tells the private key to nobody but the name server', () => {
    const id = zoneId()
    const told = JSON.stringify([makeKey(id, 'first'), enable(id), get(id)])
    const [{ secret } = { secret: '' }] = world.store.all<{ secret: string }>(
      'select private_key as secret from route53_key_signing_key',
    )
    assert.equal(Buffer.from(secret, 'base64').length, 32)
    assert.ok(!told.includes(secret))
  })

  it('keeps a zone from being deleted until its keys are gone', () => {
    const id = zoneId()
    makeKey(id, 'first')
    enable(id)
    const gone = () => api().deleteHostedZone(world.context, { Id: id })
    assert.throws(gone, { code: 'HostedZoneNotEmpty', message: /DNSSEC Key Signing Keys/ })
    disable(id)
    deactivate(id, 'first')
    remove(id, 'first')
    gone()
    assert.throws(() => get(id), { code: 'NoSuchHostedZone' })
  })

  it('is refused as AWS refuses it', () => {
    const id = zoneId()
    const fails = (call: () => unknown, code: string) => assert.throws(call, { code })
    fails(() => enable(id), 'KeySigningKeyWithActiveStatusNotFound')
    fails(() => disable(id), 'DNSSECNotFound')
    fails(() => makeKey('Z0', 'first'), 'NoSuchHostedZone')
    fails(() => makeKey(id, 'a b'), 'InvalidKeySigningKeyName')
    fails(() => makeKey(id, 'ab'), 'InvalidKeySigningKeyName')
    fails(() => makeKey(id, 'first', { Status: 'DELETING' }), 'InvalidKeySigningKeyStatus')
    fails(() => makeKey(id, 'first', { KeyManagementServiceArn: 'key' }), 'InvalidKMSArn')
    fails(() => makeKey(id, 'first', { CallerReference: '' }), 'InvalidInput')
    makeKey(id, 'first', { Status: 'INACTIVE' })
    fails(() => enable(id), 'KeySigningKeyWithActiveStatusNotFound')
    fails(() => makeKey(id, 'first', { KeyManagementServiceArn: arn('x') }), 'KeySigningKeyAlreadyExists')
    fails(
      () => makeKey(id, 'second', { KeyManagementServiceArn: arn('first') }),
      'KeySigningKeyAlreadyExists',
    )
    makeKey(id, 'second')
    fails(() => makeKey(id, 'third'), 'TooManyKeySigningKeys')
    enable(id)
    fails(() => deactivate(id, 'second'), 'KeySigningKeyInUse')
    fails(() => remove(id, 'second'), 'InvalidKeySigningKeyStatus')
    fails(() => activate(id, 'third'), 'NoSuchKeySigningKey')
    deactivate(id, 'first')
  })

  it('is of public zones alone', () => {
    const VPCId = world.ec2.describeVpcs(world.context, {}).Vpcs![0]!.VpcId!
    const made = api().createHostedZone(world.context, {
      ...{ Name: 'corp.example', CallerReference: 'corp', VPC: { VPCId, VPCRegion: 'us-west-2' } },
    })
    const id = made.HostedZone!.Id!
    for (const call of [() => makeKey(id, 'first'), () => enable(id), () => get(id)])
      assert.throws(call, { code: 'InvalidArgument', message: /unsupported for private/ })
  })
})
