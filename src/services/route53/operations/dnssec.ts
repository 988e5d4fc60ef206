// Signing of a zone, and the keys that it is signed by. AWS keeps them in KMS and signs with keys of its own beside them; here each key
// is a row, and signs all of the zone.
import type { ChangeInfo, KeySigningKey } from '@aws-sdk/client-route-53'
import { DeclaredError } from '../../../kernel/errors.ts'
import {
  ALGORITHM,
  DIGEST,
  digestOf,
  dnskeyOf,
  FLAGS,
  keyTagOf,
  makeZoneKey,
} from '../../../kernel/zone-key.ts'
import type { Context } from '../../context.ts'
import type { Route53Operations } from '../../generated/route53.ts'
import type { Route53Deps } from '../deps.ts'
import { invalidInput, noZone } from '../errors.ts'
import { type KeyRow, keysOf, zoneOf, type ZoneRow } from '../store.ts'
import { noteChange, withoutPrefix } from './common.ts'

type Implemented = Pick<
  Route53Operations,
  | 'createKeySigningKey'
  | 'activateKeySigningKey'
  | 'deactivateKeySigningKey'
  | 'deleteKeySigningKey'
  | 'enableHostedZoneDNSSEC'
  | 'disableHostedZoneDNSSEC'
  | 'getDNSSEC'
>

/** AWS: of one hosted zone. */
const KEYS_MAX = 2
const KMS_ARN = /^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)\/[\w/-]{1,250}$/

export function makeDnssecOperations(deps: Route53Deps): Implemented {
  const { store, clock } = deps
  return {
    createKeySigningKey(context, input) {
      const { Name: name = '', KeyManagementServiceArn: kmsArn = '', Status: status } = input
      const zone = requireZone(context, input.HostedZoneId)
      if (!/^.{1,128}$/s.test(input.CallerReference ?? ''))
        throw invalidInput('CallerReference must have 1 to 128 characters')
      if (!/^[A-Za-z0-9_.-]{3,128}$/.test(name))
        throw new DeclaredError(
          'InvalidKeySigningKeyName',
          `${name.slice(0, 200)} is not valid: a Key Signing Key has a name of 3 to 128 letters, digits, underscores, periods and hyphens.`,
        )
      if (status !== 'ACTIVE' && status !== 'INACTIVE')
        throw new DeclaredError(
          'InvalidKeySigningKeyStatus',
          `Key Signing Key with name ${name} is created as ACTIVE or INACTIVE.`,
        )
      if (!KMS_ARN.test(kmsArn))
        throw new DeclaredError('InvalidKMSArn', `${kmsArn.slice(0, 300)} is not the ARN of a key of KMS.`)
      const keys = keysOf(store, zone.id)
      if (keys.some((key) => key.name === name || key.kmsArn === kmsArn))
        throw new DeclaredError(
          'KeySigningKeyAlreadyExists',
          `The hosted zone ${zone.id} has a Key Signing Key with the name ${name}, or with that key of KMS.`,
        )
      if (keys.length >= KEYS_MAX)
        throw new DeclaredError(
          'TooManyKeySigningKeys',
          `The hosted zone ${zone.id} has ${KEYS_MAX} Key Signing Keys already.`,
        )
      const now = clock.now()
      const key: KeyRow = {
        zoneId: zone.id,
        name,
        kmsArn,
        status,
        ...makeZoneKey(),
        createdAt: now,
        modifiedAt: now,
      }
      store.insert('route53_key_signing_key', key)
      return {
        ChangeInfo: changed(zone),
        KeySigningKey: shown(zone, key),
        Location: `${context.endpoint}/2013-04-01/keysigningkey/${zone.id}/${name}`,
      }
    },
    activateKeySigningKey(context, input) {
      const { zone, key } = requireKey(context, input)
      return setStatus(zone, key, 'ACTIVE')
    },
    deactivateKeySigningKey(context, input) {
      const { zone, key } = requireKey(context, input)
      const others = keysOf(store, zone.id).filter(
        ({ name, status }) => status === 'ACTIVE' && name !== key.name,
      )
      if (zone.signed && key.status === 'ACTIVE' && others.length === 0)
        throw new DeclaredError(
          'KeySigningKeyInUse',
          `Key Signing Key with name ${key.name} is the only active one of a hosted zone that is signed.`,
        )
      return setStatus(zone, key, 'INACTIVE')
    },
    deleteKeySigningKey(context, input) {
      const { zone, key } = requireKey(context, input)
      if (key.status !== 'INACTIVE')
        throw new DeclaredError(
          'InvalidKeySigningKeyStatus',
          `Key Signing Key with name ${key.name} cannot be deleted because current status is not INACTIVE.`,
        )
      store.remove('route53_key_signing_key', { zoneId: zone.id, name: key.name })
      return { ChangeInfo: changed(zone) }
    },
    enableHostedZoneDNSSEC(context, { HostedZoneId }) {
      const zone = requireZone(context, HostedZoneId)
      if (!keysOf(store, zone.id).some(({ status }) => status === 'ACTIVE'))
        throw new DeclaredError(
          'KeySigningKeyWithActiveStatusNotFound',
          `Hosted zone with ID '${zone.id}' does not have a Key Signing Key in ACTIVE status.`,
        )
      return { ChangeInfo: changed({ ...zone, signed: 1 }) }
    },
    disableHostedZoneDNSSEC(context, { HostedZoneId }) {
      const zone = requireZone(context, HostedZoneId)
      if (keysOf(store, zone.id).length === 0)
        throw new DeclaredError('DNSSECNotFound', `Hosted zone with ID '${zone.id}' has no DNSSEC resources.`)
      return { ChangeInfo: changed({ ...zone, signed: 0 }) }
    },
    getDNSSEC(context, { HostedZoneId }) {
      const zone = requireZone(context, HostedZoneId)
      return {
        Status: { ServeSignature: zone.signed ? 'SIGNING' : 'NOT_SIGNING' },
        KeySigningKeys: keysOf(store, zone.id).map((key) => shown(zone, key)),
      }
    },
  }

  function requireZone(context: Context, given: string | undefined): ZoneRow {
    const id = withoutPrefix(given ?? '')
    const row = zoneOf(store, context, id)
    if (!row) throw noZone(id)
    if (row.private)
      throw new DeclaredError('InvalidArgument', 'Operation is unsupported for private hosted zones.')
    return row
  }

  function requireKey(
    context: Context,
    input: { HostedZoneId?: string | undefined; Name?: string | undefined },
  ) {
    const zone = requireZone(context, input.HostedZoneId)
    const key = keysOf(store, zone.id).find(({ name }) => name === input.Name)
    if (!key)
      throw new DeclaredError(
        'NoSuchKeySigningKey',
        `The hosted zone ${zone.id} has no Key Signing Key with the name ${String(input.Name).slice(0, 200)}.`,
      )
    return { zone, key }
  }

  function setStatus(zone: ZoneRow, { name }: KeyRow, status: KeyRow['status']): { ChangeInfo: ChangeInfo } {
    store.update('route53_key_signing_key', { zoneId: zone.id, name }, { status, modifiedAt: clock.now() })
    return { ChangeInfo: changed(zone) }
  }

  function changed(zone: ZoneRow): ChangeInfo {
    const revision = zone.revision + 1
    store.update('route53_zone', { id: zone.id }, { revision, signed: zone.signed })
    return noteChange(deps, zone, revision, undefined)
  }
}

function shown(zone: ZoneRow, key: KeyRow): KeySigningKey {
  const { name, kmsArn, status, publicKey, createdAt, modifiedAt } = key
  const [tag, digest] = [keyTagOf(key), digestOf(zone.name, key)]
  return {
    ...{ Name: name, KmsArn: kmsArn, Status: status, Flag: FLAGS, KeyTag: tag },
    ...{ SigningAlgorithmMnemonic: 'ECDSAP256SHA256', SigningAlgorithmType: ALGORITHM },
    ...{ DigestAlgorithmMnemonic: 'SHA-256', DigestAlgorithmType: DIGEST, DigestValue: digest },
    ...{ PublicKey: publicKey, DNSKEYRecord: dnskeyOf(key) },
    DSRecord: `${tag} ${ALGORITHM} ${DIGEST} ${digest}`,
    ...{ CreatedDate: new Date(createdAt), LastModifiedDate: new Date(modifiedAt) },
  }
}
