import type { HostedZone, VPC } from '@aws-sdk/client-route-53'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { Route53Operations } from '../../generated/route53.ts'
import { refuseOthers } from '../../parameters.ts'
import type { Route53Deps } from '../deps.ts'
import { badDomain, invalidInput, noChange, noZone, unsupported } from '../errors.ts'
import { isWithin, readName, shownName, sortKeyOf } from '../names.ts'
import {
  carriedOf,
  changeOf,
  countRecordSets,
  countZones,
  keysOf,
  recordSetsOf,
  zoneOf,
  type ZoneRow,
  zonesOf,
  zoneWith,
} from '../store.ts'
import { nameServersOf, startOf, systemZoneNames } from '../system-zones.ts'
import { noteChange, requirePageSize, withoutPrefix } from './common.ts'
import { makeVpcs } from './vpcs.ts'

type Implemented = Pick<
  Route53Operations,
  | 'createHostedZone'
  | 'getHostedZone'
  | 'deleteHostedZone'
  | 'updateHostedZoneComment'
  | 'listHostedZones'
  | 'listHostedZonesByName'
  | 'getHostedZoneCount'
  | 'getChange'
>

/** AWS: 500, more on request. */
export const ZONES_MAX = 20_000
const ZONES_PER_PAGE_MAX = 100
const COMMENT_MAX = 256
/** AWS: how long nobody asks again for a name that is not there. */
const NEGATIVE_SECONDS = 86_400

export function makeZoneOperations(deps: Route53Deps): Implemented {
  const { store, clock, ids, domain } = deps
  const vpcs = makeVpcs(deps)
  return {
    createHostedZone(context, input) {
      const known = ['Name', 'CallerReference', 'HostedZoneConfig', 'VPC'] as const
      refuseOthers(input, known, (member) => unsupported(member))
      const { Name = '', CallerReference = '', HostedZoneConfig, VPC } = input
      const isPrivate = kindOf(HostedZoneConfig?.PrivateZone, VPC)
      if (isPrivate) vpcs.require(context, VPC)
      const name = readName(Name)
      if (name === undefined || name.startsWith('*'))
        throw badDomain(Name, 'a hosted zone has the name of a domain')
      if (!/^.{1,128}$/s.test(CallerReference))
        throw invalidInput('CallerReference must have 1 to 128 characters')
      const comment = commentOf(HostedZoneConfig?.Comment)
      if (zoneWith(store, context, { callerReference: CallerReference }))
        throw new DeclaredError(
          'HostedZoneAlreadyExists',
          'A hosted zone has already been created with the specified caller reference.',
        )
      // A name server answers for one zone of a name.
      if (reservedNames(deps).some((own) => isWithin(name, own)))
        throw new DeclaredError(
          'ConflictingDomainExists',
          `${name} has names that are answered already: Polebean's, or those of instances.`,
        )
      const twin = zoneWith(store, context, { name, private: isPrivate })
      if (twin)
        throw new DeclaredError(
          'ConflictingDomainExists',
          isPrivate ? vpcs.associated(VPC, twin) : `There is a hosted zone ${shownName(name)} already.`,
        )
      if (countZones(store, context) >= ZONES_MAX)
        throw new DeclaredError(
          'TooManyHostedZones',
          `Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - ${ZONES_MAX}`,
        )
      const row: ZoneRow = {
        ...{
          id: ids.upper('Z0', 19),
          account: context.account,
          name,
          private: isPrivate,
          callerReference: CallerReference,
        },
        ...{ comment, revision: 1, createdAt: clock.now(), signed: 0 },
      }
      store.insert('route53_zone', row)
      for (const set of startOf(name, domain, NEGATIVE_SECONDS))
        if ('values' in set)
          store.insert('route53_record_set', {
            ...{
              zoneId: row.id,
              sortKey: sortKeyOf(name),
              name,
              type: set.type,
              setIdentifier: '',
              ttl: set.ttl,
            },
            ...{ records: JSON.stringify(set.values), alias: null, healthCheckId: null },
            policy: JSON.stringify({ type: 'simple' }),
          })
      return {
        HostedZone: shown(row),
        ChangeInfo: noteChange(deps, row, row.revision, undefined),
        ...(VPC ? { VPC } : {}),
        DelegationSet: isPrivate ? undefined : delegationSet(),
        Location: `${context.endpoint}/2013-04-01/hostedzone/${row.id}`,
      }
    },
    getHostedZone(context, { Id }) {
      const row = requireZone(context, Id)
      return {
        HostedZone: shown(row),
        ...(row.private ? { VPCs: vpcs.all(context) } : { DelegationSet: delegationSet() }),
      }
    },
    deleteHostedZone(context, { Id }) {
      const row = requireZone(context, Id)
      if (
        recordSetsOf(store, row.id).some(
          ({ name, type }) => name !== row.name || !['SOA', 'NS'].includes(type),
        )
      )
        throw new DeclaredError(
          'HostedZoneNotEmpty',
          'The specified hosted zone contains non-required resource record sets and so cannot be deleted.',
        )
      if (keysOf(store, row.id).length > 0)
        throw new DeclaredError(
          'HostedZoneNotEmpty',
          'The specified hosted zone contains DNSSEC Key Signing Keys and so cannot be deleted.',
        )
      store.remove('route53_zone', { id: row.id })
      store.remove('route53_tag', { resourceType: 'hostedzone', resourceId: row.id })
      return { ChangeInfo: noteChange(deps, row, row.revision + 1, undefined) }
    },
    updateHostedZoneComment(context, { Id, Comment }) {
      const row = requireZone(context, Id)
      const comment = commentOf(Comment)
      store.update('route53_zone', { id: row.id }, { comment })
      return { HostedZone: shown({ ...row, comment }) }
    },
    listHostedZones(context, input) {
      refuseOthers(input, ['Marker', 'MaxItems', 'HostedZoneType'], (member) => unsupported(member))
      const max = requirePageSize(input.MaxItems, ZONES_PER_PAGE_MAX)
      const all = zonesOf(store, context).filter(
        (row) => input.HostedZoneType === undefined || row.private === 1,
      )
      const from = input.Marker ? all.findIndex(({ id }) => id >= input.Marker!) : 0
      const rest = from < 0 ? [] : all.slice(from)
      return {
        HostedZones: rest.slice(0, max).map(shown),
        Marker: input.Marker,
        IsTruncated: rest.length > max,
        NextMarker: rest[max]?.id,
        MaxItems: max,
      }
    },
    listHostedZonesByName(context, input) {
      const max = requirePageSize(input.MaxItems, ZONES_PER_PAGE_MAX)
      if (input.HostedZoneId !== undefined && input.DNSName === undefined)
        throw invalidInput('A hosted zone ID is taken with a DNS name only.')
      const name = input.DNSName === undefined ? undefined : readName(input.DNSName)
      if (input.DNSName !== undefined && name === undefined)
        throw badDomain(input.DNSName, 'it is no domain name')
      const keyOf = (row: { name: string; id: string }) => `${sortKeyOf(row.name)} ${row.id}`
      const all = zonesOf(store, context).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
      const start = name === undefined ? '' : keyOf({ name, id: withoutPrefix(input.HostedZoneId ?? '') })
      const rest = all.filter((row) => keyOf(row) >= start)
      const next = rest[max]
      return {
        HostedZones: rest.slice(0, max).map(shown),
        DNSName: input.DNSName,
        HostedZoneId: input.HostedZoneId,
        IsTruncated: next !== undefined,
        ...(next ? { NextDNSName: shownName(next.name), NextHostedZoneId: next.id } : {}),
        MaxItems: max,
      }
    },
    getHostedZoneCount: (context) => ({ HostedZoneCount: countZones(store, context) }),
    getChange(context, { Id }) {
      const id = (Id ?? '').replace(/^\/change\//, '')
      const row = changeOf(store, context, id)
      if (!row) throw noChange(id)
      // Of a zone that is gone nothing is carried in the end.
      const carried = carriedOf(store, { name: row.zoneName, private: row.private })
      const isOurs = carried?.zoneId === row.zoneId
      const isDone = zoneOf(store, context, row.zoneId)
        ? isOurs && carried.putRevision >= row.revision
        : !isOurs
      return {
        ChangeInfo: {
          Id: `/change/${row.id}`,
          Status: isDone ? 'INSYNC' : 'PENDING',
          SubmittedAt: new Date(row.submittedAt),
          ...(row.comment === null ? {} : { Comment: row.comment }),
        },
      }
    },
  }

  function requireZone(context: Context, id: string | undefined): ZoneRow {
    const row = zoneOf(store, context, withoutPrefix(id ?? ''))
    if (!row) throw noZone(withoutPrefix(id ?? ''))
    return row
  }

  function shown({ id, name, private: isPrivate, callerReference, comment }: ZoneRow): HostedZone {
    return {
      Id: `/hostedzone/${id}`,
      Name: shownName(name),
      CallerReference: callerReference,
      Config: { ...(comment === '' ? {} : { Comment: comment }), PrivateZone: isPrivate === 1 },
      ResourceRecordSetCount: countRecordSets(store, id),
    }
  }

  function delegationSet() {
    return { NameServers: nameServersOf(domain) }
  }
}

/** A zone with a VPC is a private one (as AWS takes it). */
function kindOf(asked: boolean | undefined, vpc: VPC | undefined): 0 | 1 {
  if (asked === true && !vpc)
    throw invalidInput('A private hosted zone is made with a VPC: VPCId and VPCRegion are to be given.')
  if (asked === false && vpc) throw invalidInput('A public hosted zone is not associated with a VPC.')
  return vpc ? 1 : 0
}

/** Names that the resolver of instances answers by itself, or Polebean. */
const reservedNames = ({ domain, region }: Route53Deps) => [
  ...systemZoneNames(domain),
  `${region}.compute.internal`,
]

function commentOf(text: string | undefined): string {
  if ((text ?? '').length > COMMENT_MAX)
    throw invalidInput(`A comment has at most ${COMMENT_MAX} characters.`)
  return text ?? ''
}
