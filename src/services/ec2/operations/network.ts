// Regions, zones, the default VPC and its subnets.
import { pageOf } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { DeclaredError } from '../../../kernel/errors.ts'
import { printable } from '../cidr.ts'
import type { Ec2Deps } from '../deps.ts'
import { ADDRESSES_MAX } from '../elastic-addresses.ts'
import { noSubnet, noVpc, paging, unsupported } from '../errors.ts'
import { GROUPS_PER_INTERFACE_MAX } from '../groups.ts'
import { filtered, type FilterTable } from '../filters.ts'
import { usableAddresses, zoneIdOf, type Subnet } from '../network.ts'
import { addressesTaken, tagsOf } from '../store.ts'
import { describeTagsOf } from './tags.ts'

type Implemented = Pick<
  Ec2Operations,
  | 'describeVpcs'
  | 'describeSubnets'
  | 'describeAvailabilityZones'
  | 'describeRegions'
  | 'describeAccountAttributes'
  | 'describeVpcAttribute'
>

export function makeNetworkOperations({ store, networkOf }: Ec2Deps): Implemented {
  const byId = (item: { id: string }) => item.id
  const tagRows = (item: { id: string }) => tagsOf(store, item.id)

  return {
    describeVpcs(context, input) {
      const { vpcId: id, cidr } = networkOf(context)
      const wrong = input.VpcIds?.find((one) => one !== id)
      if (wrong !== undefined) throw noVpc(wrong)
      const vpcs = filtered([{ id, cidr, owner: context.account }], input.Filters, VPC_FILTERS, tagRows)
      const page = pageOf(vpcs, byId, { token: input.NextToken, max: input.MaxResults }, paging())
      return {
        NextToken: page.next,
        Vpcs: page.items.map(() => ({
          VpcId: id,
          CidrBlock: cidr,
          State: 'available',
          IsDefault: true,
          InstanceTenancy: 'default',
          DhcpOptionsId: 'default',
          OwnerId: context.account,
          CidrBlockAssociationSet: [
            {
              AssociationId: id.replace('vpc-', 'vpc-cidr-assoc-'),
              CidrBlock: cidr,
              CidrBlockState: { State: 'associated' },
            },
          ],
          Tags: describeTagsOf({ store }, id),
        })),
      }
    },
    describeSubnets(context, input) {
      const { vpcId, subnets } = networkOf(context)
      const wrong = input.SubnetIds?.find((id) => !subnets.some((subnet) => subnet.id === id))
      if (wrong !== undefined) throw noSubnet(wrong)
      const asked = subnets.filter(
        (subnet) => !input.SubnetIds?.length || input.SubnetIds.includes(subnet.id),
      )
      const rows = asked.map((subnet) => ({ ...subnet, vpcId, owner: context.account }))
      const found = filtered(rows, input.Filters, SUBNET_FILTERS, tagRows)
      const page = pageOf(found, byId, { token: input.NextToken, max: input.MaxResults }, paging())
      return {
        NextToken: page.next,
        Subnets: page.items.map((subnet) => describeSubnet(context, vpcId, subnet)),
      }
    },
    describeAvailabilityZones(context, input) {
      const zones = networkOf(context).subnets.map((subnet, _index, subnets) => ({
        name: subnet.zone,
        id: zoneIdOf(subnets, subnet.zone),
        region: context.region,
      }))
      const wrong = input.ZoneNames?.find((name) => !zones.some((zone) => zone.name === name))
      if (wrong !== undefined)
        throw new DeclaredError('InvalidParameterValue', `Invalid availability zone: [${printable(wrong)}]`)
      const wrongId = input.ZoneIds?.find((id) => !zones.some((zone) => zone.id === id))
      if (wrongId !== undefined)
        throw new DeclaredError(
          'InvalidParameterValue',
          `Invalid availability zone-id: [${printable(wrongId)}]`,
        )
      const asked = zones.filter(
        (zone) =>
          (!input.ZoneNames?.length || input.ZoneNames.includes(zone.name)) &&
          (!input.ZoneIds?.length || input.ZoneIds.includes(zone.id)),
      )
      return {
        AvailabilityZones: filtered(asked, input.Filters, ZONE_FILTERS, () => []).map((zone) => ({
          ZoneName: zone.name,
          ZoneId: zone.id,
          State: 'available',
          RegionName: context.region,
          GroupName: context.region,
          NetworkBorderGroup: context.region,
          OptInStatus: 'opt-in-not-required',
          ZoneType: 'availability-zone',
          Messages: [],
        })),
      }
    },
    // Differs from AWS: a home is one region, the one the request is signed for.
    describeRegions(context, input) {
      const wrong = input.RegionNames?.find((name) => name !== context.region)
      if (wrong !== undefined)
        throw new DeclaredError('InvalidParameterValue', `Invalid region name: '${printable(wrong)}'`)
      const regions = filtered([{ name: context.region }], input.Filters, REGION_FILTERS, () => [])
      return {
        Regions: regions.map(({ name }) => ({
          RegionName: name,
          Endpoint: `ec2.${name}.amazonaws.com`,
          OptInStatus: 'opt-in-not-required',
        })),
      }
    },
    describeAccountAttributes(context, input) {
      const attributes: Record<string, string> = {
        'default-vpc': networkOf(context).vpcId,
        'supported-platforms': 'VPC',
        'max-elastic-ips': String(ADDRESSES_MAX),
        'vpc-max-elastic-ips': String(ADDRESSES_MAX),
        'vpc-max-security-groups-per-interface': String(GROUPS_PER_INTERFACE_MAX),
      }
      const names = input.AttributeNames?.length ? input.AttributeNames : Object.keys(attributes)
      return {
        AccountAttributes: names.map((name) => {
          const value = Object.hasOwn(attributes, name) ? attributes[name] : undefined
          if (value === undefined)
            throw new DeclaredError('InvalidParameterValue', `Invalid attribute name: ${printable(name)}`)
          return { AttributeName: name, AttributeValues: [{ AttributeValue: value }] }
        }),
      }
    },
    describeVpcAttribute(context, input) {
      const { vpcId } = networkOf(context)
      if (input.VpcId !== vpcId) throw noVpc(input.VpcId ?? '')
      const value = { Value: true }
      if (input.Attribute === 'enableDnsSupport') return { VpcId: vpcId, EnableDnsSupport: value }
      if (input.Attribute === 'enableDnsHostnames') return { VpcId: vpcId, EnableDnsHostnames: value }
      throw unsupported(`Attribute=${input.Attribute ?? ''}`)
    },
  }

  function describeSubnet(context: Context, vpcId: string, subnet: Subnet) {
    return {
      SubnetId: subnet.id,
      SubnetArn: `arn:aws:ec2:${context.region}:${context.account}:subnet/${subnet.id}`,
      VpcId: vpcId,
      CidrBlock: subnet.cidr,
      AvailabilityZone: subnet.zone,
      AvailabilityZoneId: zoneIdOf(networkOf(context).subnets, subnet.zone),
      AvailableIpAddressCount: Math.max(0, usableAddresses(subnet) - addressesTaken(store, subnet.id)),
      DefaultForAz: true,
      MapPublicIpOnLaunch: false,
      State: 'available' as const,
      OwnerId: context.account,
      Ipv6CidrBlockAssociationSet: [],
      Tags: describeTagsOf({ store }, subnet.id),
    }
  }
}

const VPC_FILTERS: FilterTable<{ id: string; cidr: string; owner: string }> = {
  'vpc-id': (vpc) => [vpc.id],
  cidr: (vpc) => [vpc.cidr],
  'cidr-block-association.cidr-block': (vpc) => [vpc.cidr],
  'cidr-block-association.state': () => ['associated'],
  'dhcp-options-id': () => ['default'],
  state: () => ['available'],
  'is-default': () => [true],
  isDefault: () => [true],
  'owner-id': (vpc) => [vpc.owner],
}

const SUBNET_FILTERS: FilterTable<Subnet & { vpcId: string; owner: string }> = {
  'subnet-id': (subnet) => [subnet.id],
  'vpc-id': (subnet) => [subnet.vpcId],
  'availability-zone': (subnet) => [subnet.zone],
  availabilityZone: (subnet) => [subnet.zone],
  'cidr-block': (subnet) => [subnet.cidr],
  cidr: (subnet) => [subnet.cidr],
  cidrBlock: (subnet) => [subnet.cidr],
  state: () => ['available'],
  'default-for-az': () => [true],
  defaultForAz: () => [true],
  'map-public-ip-on-launch': () => [false],
  'owner-id': (subnet) => [subnet.owner],
}

const ZONE_FILTERS: FilterTable<{ name: string; id: string; region: string }> = {
  'zone-name': (zone) => [zone.name],
  'zone-id': (zone) => [zone.id],
  'region-name': (zone) => [zone.region],
  'group-name': (zone) => [zone.region],
  'zone-type': () => ['availability-zone'],
  'opt-in-status': () => ['opt-in-not-required'],
  state: () => ['available'],
}

const REGION_FILTERS: FilterTable<{ name: string }> = {
  'region-name': (region) => [region.name],
  endpoint: (region) => [`ec2.${region.name}.amazonaws.com`],
  'opt-in-status': () => ['opt-in-not-required'],
}
