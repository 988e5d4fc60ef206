// The way out of the default VPC, as AWS makes it: one internet gateway, and the main route table that leads to it. Like the
// subnets they are derived, and cannot be changed.
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { printable } from '../cidr.ts'
import type { Ec2Deps } from '../deps.ts'
import { paging } from '../errors.ts'
import { filtered, type FilterTable } from '../filters.ts'
import { tagsOf } from '../store.ts'
import { describeTagsOf } from './tags.ts'

type Implemented = Pick<Ec2Operations, 'describeInternetGateways' | 'describeRouteTables'>
type Derived = { id: string; vpcId: string; account: string; gateway: string; cidr: string }

export function makeGatewayOperations({ store, networkOf }: Ec2Deps): Implemented {
  const derived = (context: Context, prefix: string): Derived[] => {
    const { vpcId, cidr } = networkOf(context)
    const id = vpcId.replace('vpc-', prefix)
    return [{ id, vpcId, cidr, account: context.account, gateway: vpcId.replace('vpc-', 'igw-') }]
  }
  const tagRows = ({ id }: Derived) => tagsOf(store, id)

  return {
    describeInternetGateways(context, input) {
      const all = asked(
        derived(context, 'igw-'),
        input.InternetGatewayIds,
        'InvalidInternetGatewayID',
        'internetGateway',
      )
      const found = filtered(all, input.Filters, GATEWAY_FILTERS, tagRows)
      const limits = { token: input.NextToken, max: input.MaxResults }
      const page = pageOf(found, ({ id }) => id, limits, paging())
      return {
        NextToken: page.next,
        InternetGateways: page.items.map(({ id, vpcId, account }) => ({
          InternetGatewayId: id,
          OwnerId: account,
          // AWS says `available` of an attached one, which is no state of an attachment in its model.
          Attachments: [{ VpcId: vpcId, State: 'available' as never }],
          Tags: describeTagsOf({ store }, id),
        })),
      }
    },
    describeRouteTables(context, input) {
      const all = asked(derived(context, 'rtb-'), input.RouteTableIds, 'InvalidRouteTableID', 'routeTable')
      const found = filtered(all, input.Filters, TABLE_FILTERS, tagRows)
      const limits = { token: input.NextToken, max: input.MaxResults }
      const page = pageOf(found, ({ id }) => id, limits, { ...paging(100) })
      return {
        NextToken: page.next,
        RouteTables: page.items.map(({ id, vpcId, account, gateway, cidr }) => ({
          RouteTableId: id,
          VpcId: vpcId,
          OwnerId: account,
          Associations: [
            {
              Main: true,
              RouteTableId: id,
              RouteTableAssociationId: id.replace('rtb-', 'rtbassoc-'),
              AssociationState: { State: 'associated' },
            },
          ],
          Routes: [
            { DestinationCidrBlock: cidr, GatewayId: 'local', Origin: 'CreateRouteTable', State: 'active' },
            { DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway, Origin: 'CreateRoute', State: 'active' },
          ],
          PropagatingVgws: [],
          Tags: describeTagsOf({ store }, id),
        })),
      }
    },
  }
}

function asked(all: Derived[], ids: string[] | undefined, code: string, noun: string): Derived[] {
  const wrong = ids?.find((id) => !all.some((one) => one.id === id))
  if (wrong !== undefined)
    throw new DeclaredError(`${code}.NotFound`, `The ${noun} ID '${printable(wrong)}' does not exist`)
  return all
}

const GATEWAY_FILTERS: FilterTable<Derived> = {
  'attachment.state': () => ['available'],
  'attachment.vpc-id': ({ vpcId }) => [vpcId],
  'internet-gateway-id': ({ id }) => [id],
  'owner-id': ({ account }) => [account],
}

const TABLE_FILTERS: FilterTable<Derived> = {
  'association.main': () => [true],
  'association.route-table-association-id': ({ id }) => [id.replace('rtb-', 'rtbassoc-')],
  'association.route-table-id': ({ id }) => [id],
  'association.subnet-id': () => [],
  'owner-id': ({ account }) => [account],
  'route-table-id': ({ id }) => [id],
  'route.destination-cidr-block': ({ cidr }) => [cidr, '0.0.0.0/0'],
  'route.gateway-id': ({ gateway }) => ['local', gateway],
  'route.origin': () => ['CreateRouteTable', 'CreateRoute'],
  'route.state': () => ['active'],
  'vpc-id': ({ vpcId }) => [vpcId],
}
