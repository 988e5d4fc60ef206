// Key pairs: AWS keeps the public half. Differs from AWS: nothing logs anybody in by them (no SSH server in instances).
import type { Tag, TagSpecification } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { colonHex, makeSshKeyPair, readSshPublicKey, sha256Base64 } from '../../../kernel/ssh-key.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { printable } from '../cidr.ts'
import type { Ec2Deps } from '../deps.ts'
import { invalidValue, missing, unsupported } from '../errors.ts'
import { filtered, type FilterTable } from '../filters.ts'
import { keyPairsOf, tagsOf, type KeyPairRow } from '../store.ts'
import { describeTagsOf, putTags, tagsFor } from './tags.ts'

type Implemented = Pick<
  Ec2Operations,
  'createKeyPair' | 'importKeyPair' | 'describeKeyPairs' | 'deleteKeyPair'
>

const MATERIAL_BYTES_MAX = 16 * 1024
const RSA_BITS = [1024, 2048, 3072, 4096]

export function makeKeyPairOperations(deps: Ec2Deps): Implemented {
  const { store, clock, ids } = deps

  function requireNew(context: Context, given: string | undefined): string {
    if (!given) throw missing('KeyName')
    if (given.length > 255 || /[^\x20-\x7e]/.test(given) || given.trim() !== given)
      throw invalidValue(
        printable(given),
        'KeyName',
        'It must be up to 255 ASCII characters, without spaces around them.',
      )
    if (keyPairsOf(store, context).some((pair) => pair.name === given))
      throw new DeclaredError('InvalidKeyPair.Duplicate', `The keypair '${given}' already exists`)
    return given
  }

  function put(
    { account, region, ...context }: Context,
    pair: Pick<KeyPairRow, 'name' | 'type' | 'fingerprint' | 'publicKey'>,
    specifications: TagSpecification[] | undefined,
  ) {
    const owner = { account, region }
    const tags = tagsFor({ ...context, ...owner }, specifications, ['key-pair'])
    const id = ids.hex('key-', 17)
    store.insert('ec2_key_pair', { id, ...owner, ...pair, createdAt: clock.now() })
    putTags(deps, { ...context, ...owner }, id, tags)
    return {
      KeyPairId: id,
      KeyName: pair.name,
      KeyFingerprint: pair.fingerprint,
      Tags: describeTagsOf(deps, id),
    }
  }

  return {
    createKeyPair(context, input) {
      const name = requireNew(context, input.KeyName)
      const type: string = input.KeyType || 'rsa'
      if (type !== 'rsa' && type !== 'ed25519')
        throw invalidValue(printable(type), 'KeyType', 'It must be rsa or ed25519.')
      if (input.KeyFormat && input.KeyFormat !== 'pem')
        throw unsupported(`KeyFormat=${printable(input.KeyFormat)}`)
      const { publicKey, material, pkcs8 } = makeSshKeyPair(type, name)
      // AWS, "Verify the fingerprint of your key pair": of keys that EC2 made, the private key's.
      const fingerprint = type === 'rsa' ? colonHex('sha1', pkcs8) : sha256Base64(publicKey.blob)
      const pair = { name, type, fingerprint, publicKey: publicKey.line } as const
      return { ...put(context, pair, input.TagSpecifications), KeyMaterial: material }
    },
    importKeyPair(context, input) {
      const name = requireNew(context, input.KeyName)
      const given = input.PublicKeyMaterial
      if (!given?.length) throw missing('PublicKeyMaterial')
      if (given.length > MATERIAL_BYTES_MAX) throw badFormat()
      const key = readSshPublicKey(Buffer.from(given).toString('latin1'))
      if (!key) throw badFormat()
      if (key.type === 'rsa' && !RSA_BITS.includes(key.bits))
        throw new DeclaredError(
          'InvalidKey.Format',
          `Key length of ${key.bits} bits is not supported; it must be one of ${RSA_BITS.join(', ')}.`,
        )
      const fingerprint = key.type === 'rsa' ? colonHex('md5', key.der) : sha256Base64(key.blob)
      return put(context, { name, type: key.type, fingerprint, publicKey: key.line }, input.TagSpecifications)
    },
    describeKeyPairs(context, input) {
      const all = keyPairsOf(store, context)
      for (const name of input.KeyNames ?? []) requireKeyPair(deps, context, name)
      for (const id of input.KeyPairIds ?? [])
        if (!all.some((pair) => pair.id === id))
          throw new DeclaredError(
            'InvalidKeyPair.NotFound',
            `The key pair ID '${printable(id)}' does not exist`,
          )
      const asked = all.filter(
        ({ id, name }) =>
          (!input.KeyNames?.length || input.KeyNames.includes(name)) &&
          (!input.KeyPairIds?.length || input.KeyPairIds.includes(id)),
      )
      const found = filtered(asked, input.Filters, FILTERS, (pair) => tagsOf(store, pair.id))
      const describe = (pair: KeyPairRow) => ({
        KeyPairId: pair.id,
        KeyName: pair.name,
        KeyType: pair.type,
        KeyFingerprint: pair.fingerprint,
        CreateTime: new Date(pair.createdAt),
        Tags: describeTagsOf(deps, pair.id) satisfies Tag[],
        ...(input.IncludePublicKey && { PublicKey: `${pair.publicKey} ${pair.name}` }),
      })
      return { KeyPairs: found.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(describe) }
    },
    // One that is not there is deleted already.
    deleteKeyPair(context, input) {
      if (!input.KeyName && !input.KeyPairId) throw missing('KeyName')
      const found = keyPairsOf(store, context).find(
        ({ id, name }) =>
          (!input.KeyName || name === input.KeyName) && (!input.KeyPairId || id === input.KeyPairId),
      )
      if (!found) return { Return: true }
      store.remove('ec2_key_pair', { id: found.id })
      store.remove('ec2_tag', { resourceId: found.id })
      return { Return: true, KeyPairId: found.id }
    },
  }
}

/** Throws `InvalidKeyPair.NotFound`. */
export function requireKeyPair(
  { store }: Pick<Ec2Deps, 'store'>,
  context: Context,
  name: string,
): KeyPairRow {
  const found = keyPairsOf(store, context).find((pair) => pair.name === name)
  if (!found)
    throw new DeclaredError('InvalidKeyPair.NotFound', `The key pair '${printable(name)}' does not exist`)
  return found
}

const badFormat = () =>
  new DeclaredError('InvalidKey.Format', 'Key is not in valid OpenSSH public key format')

const FILTERS: FilterTable<KeyPairRow> = {
  'key-pair-id': (pair) => [pair.id],
  'key-name': (pair) => [pair.name],
  fingerprint: (pair) => [pair.fingerprint],
}
