import type { Address, AssociateAddressRequest } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { printable } from '../cidr.ts'
import type { Ec2Deps } from '../deps.ts'
import { dissociate, elasticAddressOf, freeElasticAddress } from '../elastic-addresses.ts'
import { invalidValue, missing, noInstance, noInterface, unsupported } from '../errors.ts'
import { filtered, type FilterTable } from '../filters.ts'
import {
  addressesOf,
  instanceOf,
  networkInterfaceOf,
  tagsOf,
  type AddressRow,
  type NetworkInterfaceRow,
} from '../store.ts'
import { describeTagsOf, putTags, tagsFor } from './tags.ts'

type Implemented = Pick<
  Ec2Operations,
  'allocateAddress' | 'associateAddress' | 'disassociateAddress' | 'releaseAddress' | 'describeAddresses'
>
type Row = AddressRow & { interface: NetworkInterfaceRow | undefined }

export function makeAddressOperations(deps: Ec2Deps): Implemented {
  const { store, clock, ids } = deps

  const rowsOf = (context: Context): Row[] =>
    addressesOf(store, context).map((row) => {
      const id = row.networkInterfaceId
      return { ...row, interface: id === null ? undefined : networkInterfaceOf(store, context, id) }
    })

  function find(context: Context, id: string | undefined): AddressRow {
    if (!id) throw missing('AllocationId')
    const found = addressesOf(store, context).find((row) => row.id === id)
    if (!found) throw noAllocation(id)
    return found
  }

  function interfaceFor(context: Context, input: AssociateAddressRequest): NetworkInterfaceRow {
    const { InstanceId, NetworkInterfaceId, PrivateIpAddress } = input
    if (!InstanceId && !NetworkInterfaceId)
      throw new DeclaredError(
        'MissingParameter',
        'Either instance ID or network interface id must be specified',
      )
    const instance = InstanceId ? instanceOf(store, context, InstanceId) : undefined
    if (InstanceId && !instance) throw noInstance([InstanceId])
    if (instance && instance.desired === 'terminated')
      throw new DeclaredError(
        'InvalidInstanceID',
        `The instance '${instance.id}' is not in a valid state for this operation.`,
      )
    const id = NetworkInterfaceId ?? instance!.networkInterfaceId
    const found = networkInterfaceOf(store, context, id)
    if (!found || (instance && instance.networkInterfaceId !== id)) throw noInterface(id)
    // Those of load balancers: the public listeners are their way in.
    if (!found.instanceId) throw unsupported('NetworkInterfaceId of what is no instance')
    if (PrivateIpAddress && PrivateIpAddress !== found.address)
      throw invalidValue(printable(PrivateIpAddress), 'PrivateIpAddress', `It is not an address of ${id}.`)
    return found
  }

  return {
    allocateAddress(context, input) {
      if (input.Domain && input.Domain !== 'vpc') throw unsupported(`Domain=${printable(input.Domain)}`)
      requireBorderGroup(context, input.NetworkBorderGroup)
      const tags = tagsFor(context, input.TagSpecifications, ['elastic-ip'])
      const publicIp = freeElasticAddress(deps, context)
      const { account, region } = context
      const id = ids.hex('eipalloc-', 17)
      const row: AddressRow = {
        ...{ id, account, region, publicIp },
        ...{ associationId: null, networkInterfaceId: null, releasedAt: null },
        ...{ hosts: '[]', loopbackPort: null, leadsTo: null, inFlight: 0, impairment: '' },
      }
      store.insert('ec2_address', row)
      putTags(deps, context, id, tags)
      return { AllocationId: id, PublicIp: publicIp, Domain: 'vpc', NetworkBorderGroup: region }
    },
    associateAddress(context, input) {
      const address = find(context, input.AllocationId)
      const networkInterface = interfaceFor(context, input)
      if (address.networkInterfaceId === networkInterface.id)
        return { AssociationId: address.associationId ?? '' }
      const before = elasticAddressOf(store, networkInterface.id)
      if (address.associationId && !input.AllowReassociation)
        throw alreadyAssociated(address.id, address.associationId)
      // One interface has one private address here, which has one elastic address.
      if (before) dissociate(store, networkInterface.id)
      const associationId = ids.hex('eipassoc-', 17)
      const set = { associationId, networkInterfaceId: networkInterface.id }
      store.update('ec2_address', { id: address.id }, set)
      return { AssociationId: associationId }
    },
    disassociateAddress(context, { AssociationId: id }) {
      if (!id) throw missing('AssociationId')
      const found = addressesOf(store, context).find((row) => row.associationId === id)
      if (!found)
        throw new DeclaredError(
          'InvalidAssociationID.NotFound',
          `The association ID '${printable(id)}' does not exist`,
        )
      store.update('ec2_address', { id: found.id }, { associationId: null, networkInterfaceId: null })
      return {}
    },
    releaseAddress(context, input) {
      const found = find(context, input.AllocationId)
      requireBorderGroup(context, input.NetworkBorderGroup)
      if (found.associationId)
        throw new DeclaredError('InvalidIPAddress.InUse', `Address ${found.publicIp} is in use.`)
      store.update('ec2_address', { id: found.id }, { releasedAt: clock.now() })
      store.remove('ec2_tag', { resourceId: found.id })
      return {}
    },
    describeAddresses(context, input) {
      const all = rowsOf(context)
      for (const id of input.AllocationIds ?? [])
        if (!all.some((row) => row.id === id)) throw noAllocation(id)
      for (const ip of input.PublicIps ?? [])
        if (!all.some((row) => row.publicIp === ip))
          throw new DeclaredError('InvalidAddress.NotFound', `Address '${printable(ip)}' not found.`)
      const asked = all.filter(
        (row) =>
          (!input.AllocationIds?.length || input.AllocationIds.includes(row.id)) &&
          (!input.PublicIps?.length || input.PublicIps.includes(row.publicIp)),
      )
      const found = filtered(asked, input.Filters, FILTERS, (row) => tagsOf(store, row.id))
      return { Addresses: found.toSorted((a, b) => (a.id < b.id ? -1 : 1)).map(describe) }
    },
  }

  function describe(row: Row): Address {
    return {
      AllocationId: row.id,
      PublicIp: row.publicIp,
      Domain: 'vpc',
      NetworkBorderGroup: row.region,
      PublicIpv4Pool: 'amazon',
      Tags: describeTagsOf(deps, row.id),
      ...(row.associationId &&
        row.interface && {
          AssociationId: row.associationId,
          NetworkInterfaceId: row.interface.id,
          NetworkInterfaceOwnerId: row.account,
          PrivateIpAddress: row.interface.address,
          InstanceId: row.interface.instanceId ?? undefined,
        }),
    }
  }
}

function requireBorderGroup({ region }: Context, given: string | undefined) {
  if (given && given !== region) throw unsupported(`NetworkBorderGroup=${printable(given)}`)
}

const noAllocation = (id: string) =>
  /^eipalloc-[0-9a-f]+$/.test(id)
    ? new DeclaredError('InvalidAllocationID.NotFound', `The allocation ID '${id}' does not exist`)
    : new DeclaredError('InvalidAllocationID.Malformed', `Invalid id: "${printable(id)}"`)

const alreadyAssociated = (id: string, associationId: string) =>
  new DeclaredError(
    'Resource.AlreadyAssociated',
    `resource ${id} is already associated with associate-id ${associationId}`,
  )

const FILTERS: FilterTable<Row> = {
  'allocation-id': (row) => [row.id],
  'association-id': (row) => [row.associationId],
  domain: () => ['vpc'],
  'instance-id': (row) => [row.interface?.instanceId],
  'network-border-group': (row) => [row.region],
  'network-interface-id': (row) => [row.networkInterfaceId],
  'network-interface-owner-id': (row) => [row.networkInterfaceId && row.account],
  'private-ip-address': (row) => [row.interface?.address],
  'public-ip': (row) => [row.publicIp],
}
