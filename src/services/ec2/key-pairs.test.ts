import assert from 'node:assert/strict'
import { createHash, createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { ED25519, ED25519_SHA256, RSA, RSA_MD5 } from '../../kernel/test-ssh-keys.ts'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
beforeEach(() => {
  world = makeServicesWorld()
})
afterEach(() => world.end())

const importKey = (KeyName: string, text: string, more: object = {}) =>
  world.ec2.importKeyPair(world.context, { KeyName, PublicKeyMaterial: Buffer.from(text), ...more })
const find = (more: object = {}) => world.ec2.describeKeyPairs(world.context, more).KeyPairs!

describe('key pairs', () => {
  it('are imported, with the fingerprints that AWS computes', () => {
    const TagSpecifications = [{ ResourceType: 'key-pair' as const, Tags: [{ Key: 'of', Value: 'me' }] }]
    const made = importKey('rsa', `${RSA} me@home\n`, { TagSpecifications })
    importKey('ed', ED25519)
    assert.match(made.KeyPairId!, /^key-[0-9a-f]{17}$/)
    assert.deepEqual(
      find().map((pair) => [pair.KeyName, pair.KeyType, pair.KeyFingerprint, pair.PublicKey]),
      [
        ['ed', 'ed25519', ED25519_SHA256, undefined],
        ['rsa', 'rsa', RSA_MD5, undefined],
      ],
    )
    const byTag = { Filters: [{ Name: 'tag:of', Values: ['m?'] }], IncludePublicKey: true }
    assert.deepEqual(
      find(byTag).map((pair) => pair.PublicKey),
      [`${RSA} rsa`],
    )
    assert.deepEqual(
      find({ KeyPairIds: [made.KeyPairId] }).map((pair) => pair.Tags),
      [[{ Key: 'of', Value: 'me' }]],
    )
  })

  it('are made, and the private half is given once and kept nowhere', () => {
    const made = world.ec2.createKeyPair(world.context, { KeyName: 'mine' })
    const pkcs8 = createPrivateKey(made.KeyMaterial!).export({ type: 'pkcs8', format: 'der' })
    assert.equal(made.KeyFingerprint!.replaceAll(':', ''), createHash('sha1').update(pkcs8).digest('hex'))
    assert.match(made.KeyFingerprint!, /^([0-9a-f]{2}:){19}[0-9a-f]{2}$/)
    const other = world.ec2.createKeyPair(world.context, { KeyName: 'other', KeyType: 'ed25519' })
    assert.match(other.KeyMaterial!, /OPENSSH PRIVATE KEY/)
    assert.match(other.KeyFingerprint!, /^[A-Za-z0-9+/]{43}=$/)
    const rows = JSON.stringify(world.store.all('select * from ec2_key_pair'))
    assert.equal(rows.includes('PRIVATE'), false)
  })

  it('are refused when they are there, or are none', () => {
    importKey('mine', RSA)
    for (const [name, text, code] of [
      ['mine', ED25519, 'InvalidKeyPair.Duplicate'],
      ['x', 'ssh-rsa nonsense', 'InvalidKey.Format'],
      ['x', '', 'MissingParameter'],
      ['x', 'a'.repeat(20_000), 'InvalidKey.Format'],
      ['', RSA, 'MissingParameter'],
      [' x', RSA, 'InvalidParameterValue'],
      ['a\nb', RSA, 'InvalidParameterValue'],
      ['x'.repeat(256), RSA, 'InvalidParameterValue'],
    ])
      assert.throws(() => importKey(name!, text!), { code }, name)
    assert.throws(() => importKey('mine', RSA), { message: "The keypair 'mine' already exists" })
    const odd = generateKeyPairSync('rsa', { modulusLength: 1536 }).publicKey
    const der = odd.export({ type: 'spki', format: 'der' }).toString('base64')
    assert.throws(() => importKey('x', der), { code: 'InvalidKey.Format', message: /1536 bits/ })
    const create = (more: object) => world.ec2.createKeyPair(world.context, { KeyName: 'x', ...more })
    assert.throws(() => create({ KeyFormat: 'ppk' }), { code: 'UnsupportedOperation' })
    assert.throws(() => create({ KeyType: 'dsa' }), { code: 'InvalidParameterValue' })
    assert.throws(() => find({ KeyNames: ['none'] }), {
      code: 'InvalidKeyPair.NotFound',
      message: "The key pair 'none' does not exist",
    })
    assert.throws(() => find({ KeyPairIds: ['key-1'] }), { code: 'InvalidKeyPair.NotFound' })
    assert.equal(find().length, 1)
  })

  it('go with their tags, also twice', () => {
    const { KeyPairId } = importKey('mine', RSA)
    world.ec2.createTags(world.context, { Resources: [KeyPairId!], Tags: [{ Key: 'a', Value: 'b' }] })
    const remove = (more: object) => world.ec2.deleteKeyPair(world.context, more)
    assert.deepEqual(remove({ KeyName: 'mine', KeyPairId: 'key-1' }), { Return: true })
    assert.deepEqual(remove({ KeyName: 'mine' }), { Return: true, KeyPairId })
    assert.deepEqual(remove({ KeyPairId }), { Return: true })
    assert.deepEqual(world.ec2.describeTags(world.context, {}).Tags, [])
    assert.throws(() => remove({}), { code: 'MissingParameter' })
  })
})
