// One record set, between callers and rows: what a request must say, and how it is answered.
import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53'
import { RECORD_TYPES } from '../../engines/dns/engine.ts'
import { invalidInput, unsupported } from './errors.ts'
import { readName, shownName, sortKeyOf } from './names.ts'
import { type Alias, aliasOf, type Policy, policyOf, type RecordSetRow, valuesOf } from './store.ts'
import { readValue } from './values.ts'

const TTL_MAX = 2_147_483_647
/** AWS: "TooManyRecords": a record set has at most 400. */
export const RECORDS_MAX = 400
const WEIGHT_MAX = 255
const SET_IDENTIFIER_MAX = 128

/** Reads what a change says of its set; throws InvalidInput for what is no set at all. Values are looked at later, all together. */
export function readRecordSet(zoneId: string, { Action, ResourceRecordSet: set }: Change): RecordSetRow {
  const { Name = '', Type, SetIdentifier } = set ?? {}
  const where = `in Change with [Action=${Action}, Name=${Name}, Type=${Type}, SetIdentifier=${SetIdentifier ?? null}]`
  const wrong = (what: string) => invalidInput(`Invalid request: ${what} ${where}`)
  if (!Action || !['CREATE', 'DELETE', 'UPSERT'].includes(Action))
    throw wrong('Expected one of [CREATE, DELETE, UPSERT] as Action')
  const type = RECORD_TYPES.find((one) => one === Type)
  if (!type)
    throw KNOWN.includes(Type ?? '') ? unsupported(`The type ${Type}`) : wrong(`Unknown type '${Type}'`)
  const name = readName(Name)
  if (name === undefined)
    throw wrong(
      `Expected a domain name of letters, digits, hyphens and underscores as Name, found '${Name.slice(0, 300)}'`,
    )
  for (const member of [
    'Region',
    'GeoLocation',
    'GeoProximityLocation',
    'CidrRoutingConfig',
    'TrafficPolicyInstanceId',
  ] as const)
    if (set?.[member] !== undefined) throw unsupported(`${member} ${where}`)
  const { TTL, ResourceRecords, AliasTarget } = set ?? {}
  const kinds = (AliasTarget ? 1 : 0) + (TTL !== undefined || ResourceRecords ? 1 : 0)
  if (kinds !== 1 || (!AliasTarget && (TTL === undefined || !ResourceRecords?.length)))
    throw wrong(
      'Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], ' +
        `but found ${kinds > 1 ? 'more than one' : 'none'}`,
    )
  if (TTL !== undefined && (TTL < 0 || TTL > TTL_MAX)) throw wrong(`Expected a TTL of 0 to ${TTL_MAX}`)
  const policy = readPolicy(set ?? {}, wrong)
  const alias = AliasTarget && readAlias(AliasTarget, wrong)
  return {
    ...{ zoneId, sortKey: sortKeyOf(name), name, type, setIdentifier: SetIdentifier ?? '', ttl: TTL ?? null },
    records: JSON.stringify((ResourceRecords ?? []).map(({ Value = '' }) => Value)),
    alias: alias ? JSON.stringify(alias) : null,
    policy: JSON.stringify(policy),
    healthCheckId: set?.HealthCheckId ?? null,
  }
}

/** Types that Route 53 has and Polebean has not. */
const KNOWN = ['DS', 'HTTPS', 'NAPTR', 'SPF', 'SSHFP', 'SVCB', 'TLSA']

type Wrong = (what: string) => Error

function readPolicy(
  { Weight, Failover, MultiValueAnswer, SetIdentifier }: Partial<ResourceRecordSet>,
  wrong: Wrong,
): Policy {
  const policies: Policy[] = [
    ...(Weight === undefined ? [] : [{ type: 'weighted' as const, weight: Weight }]),
    ...(Failover === undefined ? [] : [{ type: 'failover' as const, role: Failover }]),
    ...(MultiValueAnswer ? [{ type: 'multivalue' as const }] : []),
  ]
  const [policy] = policies
  if (policies.length > 1 || (policies.length === 0 && SetIdentifier !== undefined))
    throw wrong(
      `Expected exactly one of [Weight, Region, Failover, GeoLocation, MultiValueAnswer], but found ${policies.length > 1 ? 'more than one' : 'none'}`,
    )
  if (!policy) return { type: 'simple' }
  if (SetIdentifier === undefined || SetIdentifier === '') throw wrong(`Missing field 'SetIdentifier'`)
  if (SetIdentifier.length > SET_IDENTIFIER_MAX)
    throw wrong(`Expected a SetIdentifier of 1 to ${SET_IDENTIFIER_MAX} characters`)
  if (policy.type === 'weighted' && (policy.weight < 0 || policy.weight > WEIGHT_MAX))
    throw wrong(`Expected a Weight of 0 to ${WEIGHT_MAX}`)
  if (policy.type === 'failover' && !['PRIMARY', 'SECONDARY'].includes(policy.role))
    throw wrong('Expected one of [PRIMARY, SECONDARY] as Failover')
  return policy
}

function readAlias(target: NonNullable<ResourceRecordSet['AliasTarget']>, wrong: Wrong): Alias {
  const dnsName = readName(target.DNSName ?? '')
  if (dnsName === undefined)
    throw wrong(`Expected a domain name as DNSName of AliasTarget, found '${target.DNSName}'`)
  const hostedZoneId = (target.HostedZoneId ?? '').replace(/^\/hostedzone\//, '')
  return { hostedZoneId, dnsName, evaluateTargetHealth: target.EvaluateTargetHealth ?? false }
}

/** As AWS answers it. */
export function shownRecordSet(row: RecordSetRow): ResourceRecordSet {
  const policy = policyOf(row)
  const alias = aliasOf(row)
  return {
    Name: shownName(row.name),
    Type: row.type,
    ...(row.setIdentifier === '' ? {} : { SetIdentifier: row.setIdentifier }),
    ...(policy.type === 'weighted' ? { Weight: policy.weight } : {}),
    ...(policy.type === 'failover' ? { Failover: policy.role } : {}),
    ...(policy.type === 'multivalue' ? { MultiValueAnswer: true } : {}),
    ...(alias
      ? {
          AliasTarget: {
            HostedZoneId: alias.hostedZoneId,
            DNSName: shownName(alias.dnsName),
            EvaluateTargetHealth: alias.evaluateTargetHealth,
          },
        }
      : { TTL: row.ttl ?? 0, ResourceRecords: valuesOf(row).map((Value) => ({ Value })) }),
    ...(row.healthCheckId === null ? {} : { HealthCheckId: row.healthCheckId }),
  }
}

/** What two sets that say the same have in common, however names and values were written. */
export const gistOf = (row: RecordSetRow): string => {
  const values = valuesOf(row).map((value) => readValue(row.type, value) ?? value)
  return JSON.stringify([row.ttl, values.toSorted(), aliasOf(row), policyOf(row), row.healthCheckId])
}

/** `[name='www.example.com.', type='A']`, as AWS names a set in its messages. */
export const toldOf = ({
  name,
  type,
  setIdentifier,
}: Pick<RecordSetRow, 'name' | 'type' | 'setIdentifier'>): string =>
  `[name='${shownName(name)}', type='${type}'${setIdentifier === '' ? '' : `, set identifier='${setIdentifier}'`}]`
