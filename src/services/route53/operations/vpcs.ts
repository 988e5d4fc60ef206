// Private zones and who asks for them: the instances of a VPC, of which a home has one (design §4).
import type { VPC } from '@aws-sdk/client-route-53'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { Route53Operations } from '../../generated/route53.ts'
import { refuseOthers } from '../../parameters.ts'
import type { Route53Deps } from '../deps.ts'
import { noZone, unsupported } from '../errors.ts'
import { shownName } from '../names.ts'
import { zoneOf, type ZoneRow, zonesOf } from '../store.ts'
import { requirePageSize, withoutPrefix } from './common.ts'

type Implemented = Pick<
  Route53Operations,
  'associateVPCWithHostedZone' | 'disassociateVPCFromHostedZone' | 'listHostedZonesByVPC'
>

const ZONES_PER_PAGE_MAX = 100

/** What zones ask of VPCs. */
export function makeVpcs({ cloud, region }: Pick<Route53Deps, 'cloud' | 'region'>) {
  const all = (context: Context): VPC[] =>
    (cloud.ec2.describeVpcs(context, {}).Vpcs ?? []).map(({ VpcId }) => ({
      ...{ VPCId: VpcId, VPCRegion: region as VPC['VPCRegion'] },
    }))
  return {
    all,
    require(context: Context, { VPCId, VPCRegion = region as VPC['VPCRegion'] }: VPC = {}): void {
      if (!all(context).some((one) => one.VPCId === VPCId && one.VPCRegion === VPCRegion))
        throw new DeclaredError('InvalidVPCId', `The VPC: ${VPCId} in region ${VPCRegion} does not exist`)
    },
    associated: ({ VPCId, VPCRegion = region as VPC['VPCRegion'] }: VPC = {}, { id }: ZoneRow) =>
      `The VPC ${VPCId} in region ${VPCRegion} has already been associated with the hosted zone ${id} with the same domain name.`,
  }
}

export function makeVpcOperations(deps: Route53Deps): Implemented {
  const { store, account } = deps
  const vpcs = makeVpcs(deps)
  return {
    associateVPCWithHostedZone(context, { HostedZoneId, VPC }) {
      const zone = requireZone(context, HostedZoneId)
      vpcs.require(context, VPC)
      if (!zone.private)
        throw new DeclaredError(
          'PublicZoneVPCAssociation',
          `The hosted zone ${zone.id} is public, and a VPC is associated with private ones only.`,
        )
      // There is one VPC, and the zone has it since it was made.
      throw new DeclaredError('ConflictingDomainExists', vpcs.associated(VPC, zone))
    },
    disassociateVPCFromHostedZone(context, { HostedZoneId, VPC }) {
      const zone = requireZone(context, HostedZoneId)
      vpcs.require(context, VPC)
      if (!zone.private)
        throw new DeclaredError(
          'VPCAssociationNotFound',
          `The VPC ${VPC?.VPCId} is not associated with the hosted zone ${zone.id}.`,
        )
      throw new DeclaredError('LastVPCAssociation', 'Cannot remove last VPC association for the private zone')
    },
    listHostedZonesByVPC(context, input) {
      refuseOthers(input, ['VPCId', 'VPCRegion', 'MaxItems', 'NextToken'], (member) => unsupported(member))
      vpcs.require(context, input)
      const max = requirePageSize(input.MaxItems, ZONES_PER_PAGE_MAX)
      const rest = zonesOf(store, context).filter(
        (row) => row.private === 1 && row.id >= (input.NextToken ?? ''),
      )
      return {
        HostedZoneSummaries: rest.slice(0, max).map(({ id, name }) => ({
          ...{ HostedZoneId: id, Name: shownName(name), Owner: { OwningAccount: account } },
        })),
        MaxItems: max,
        ...(rest[max] ? { NextToken: rest[max].id } : {}),
      }
    },
  }

  function requireZone(context: Context, given: string | undefined): ZoneRow {
    const id = withoutPrefix(given ?? '')
    const row = zoneOf(store, context, id)
    if (!row) throw noZone(id)
    return row
  }
}
