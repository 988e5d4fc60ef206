import type { NetworkInterface } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { hardwareAddressOf } from '../../../kernel/hardware-address.ts'
import { pageOf } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { allocateInterface, releaseInterface } from '../addresses.ts'
import { isInternal, type Ec2Deps } from '../deps.ts'
import { missing, noInterface, noSubnet, paging, unsupported } from '../errors.ts'
import { associationOf } from '../describe-instance.ts'
import { filtered, type FilterTable } from '../filters.ts'
import { requireGroups } from '../groups.ts'
import {
  instanceOf,
  networkInterfaceOf,
  networkInterfacesOf,
  securityGroupsOf,
  tagsOf,
  type NetworkInterfaceRow,
} from '../store.ts'
import { describeTagsOf, putTags, tagsFor } from './tags.ts'

type Implemented = Pick<
  Ec2Operations,
  | 'createNetworkInterface'
  | 'describeNetworkInterfaces'
  | 'deleteNetworkInterface'
  | 'modifyNetworkInterfaceAttribute'
>

export function makeNetworkInterfaceOperations(deps: Ec2Deps): Implemented {
  const { store, networkOf } = deps
  return {
    createNetworkInterface(context, input) {
      if (!input.SubnetId) throw missing('subnetId')
      const subnet = networkOf(context).subnets.find((one) => one.id === input.SubnetId)
      if (!subnet) throw noSubnet(input.SubnetId)
      const groups = requireGroups(deps, context, input.Groups)
      const tags = tagsFor(context, input.TagSpecifications, ['network-interface'])
      const description = input.Description ?? ''
      const row = allocateInterface(deps, context, { subnet, groups, description, instanceId: null })
      putTags(deps, context, row.id, tags)
      return { NetworkInterface: describeInterface(context, row) }
    },
    describeNetworkInterfaces(context, input) {
      const rows = networkInterfacesOf(store, context)
      const wrong = input.NetworkInterfaceIds?.find((id) => !rows.some((row) => row.id === id))
      if (wrong !== undefined) throw noInterface(wrong)
      const asked = rows.filter(
        (row) => !input.NetworkInterfaceIds?.length || input.NetworkInterfaceIds.includes(row.id),
      )
      const found = filtered(asked, input.Filters, FILTERS, (row) => tagsOf(store, row.id))
      const limits = { token: input.NextToken, max: input.MaxResults }
      const page = pageOf(found, (row) => row.id, limits, paging())
      return {
        NextToken: page.next,
        NetworkInterfaces: page.items.map((row) => describeInterface(context, row)),
      }
    },
    deleteNetworkInterface(context, input) {
      const id = input.NetworkInterfaceId ?? ''
      const row = networkInterfacesOf(store, context).find((one) => one.id === id)
      if (!row) throw noInterface(id)
      if (row.instanceId || (isBalancers(row) && !isInternal(context)))
        throw new DeclaredError('InvalidParameterValue', `Network interface '${id}' is currently in use.`)
      releaseInterface(deps, id)
      return {}
    },
    modifyNetworkInterfaceAttribute(context, input) {
      const id = input.NetworkInterfaceId ?? ''
      if (!networkInterfaceOf(store, context, id)) throw noInterface(id)
      if (input.Groups && input.Description)
        throw new DeclaredError(
          'InvalidParameterCombination',
          'Fields for multiple attribute types specified: description, groupSet',
        )
      const set = input.Groups?.length
        ? { groups: JSON.stringify(requireGroups(deps, context, input.Groups)) }
        : input.Description
          ? { description: input.Description.Value ?? '' }
          : undefined
      if (!set) throw unsupported('An attribute other than Groups and Description')
      store.update('ec2_network_interface', { id }, set)
      return {}
    },
  }

  function describeInterface(context: Context, row: NetworkInterfaceRow): NetworkInterface {
    const names = new Map(securityGroupsOf(store, context).map((group) => [group.id, group.name]))
    const groups = JSON.parse(row.groups) as string[]
    const association = associationOf(store, row.id)
    const attachedAt = row.instanceId ? instanceOf(store, context, row.instanceId)?.launchedAt : undefined
    return {
      NetworkInterfaceId: row.id,
      SubnetId: row.subnetId,
      VpcId: row.vpcId,
      AvailabilityZone: row.zone,
      Description: row.description,
      OwnerId: row.account,
      InterfaceType: 'interface',
      MacAddress: hardwareAddressOf(row.address),
      PrivateIpAddress: row.address,
      PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: row.address }],
      SourceDestCheck: true,
      RequesterManaged: isBalancers(row),
      Status: statusOf(row),
      Groups: groups.map((id) => ({ GroupId: id, GroupName: names.get(id) })),
      Ipv6Addresses: [],
      ...(association && { Association: association }),
      TagSet: describeTagsOf(deps, row.id),
      ...(row.instanceId && {
        Attachment: {
          AttachmentId: row.id.replace('eni-', 'eni-attach-'),
          InstanceId: row.instanceId,
          InstanceOwnerId: row.account,
          DeviceIndex: 0,
          DeleteOnTermination: true,
          Status: 'attached',
          AttachTime: attachedAt === undefined ? undefined : new Date(attachedAt),
        },
      }),
      ...(isBalancers(row) && {
        Attachment: {
          AttachmentId: row.id.replace('eni-', 'ela-attach-'),
          InstanceOwnerId: 'amazon-elb',
          DeviceIndex: 1,
          DeleteOnTermination: false,
          Status: 'attached',
        },
      }),
    }
  }
}

const FILTERS: FilterTable<NetworkInterfaceRow> = {
  'network-interface-id': (row) => [row.id],
  'attachment.instance-id': (row) => [row.instanceId],
  'attachment.status': (row) => (statusOf(row) === 'in-use' ? ['attached'] : []),
  'interface-type': () => ['interface'],
  'owner-id': (row) => [row.account],
  'requester-managed': (row) => [isBalancers(row)],
  'source-dest-check': () => [true],
  'addresses.primary': () => [true],
  'availability-zone': (row) => [row.zone],
  description: (row) => [row.description],
  'group-id': (row) => JSON.parse(row.groups) as string[],
  'mac-address': (row) => [hardwareAddressOf(row.address)],
  'private-ip-address': (row) => [row.address],
  'addresses.private-ip-address': (row) => [row.address],
  status: (row) => [statusOf(row)],
  'subnet-id': (row) => [row.subnetId],
  'vpc-id': (row) => [row.vpcId],
}

const statusOf = (row: NetworkInterfaceRow) =>
  row.instanceId !== null || isBalancers(row) ? 'in-use' : 'available'

/** As CreateLoadBalancer describes it; one interface a load balancer. */
const isBalancers = ({ instanceId, description }: NetworkInterfaceRow) =>
  instanceId === null && /^ELB app\/[^/]+\/[0-9a-f]{16}$/.test(description)
