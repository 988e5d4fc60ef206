// Network interfaces as rows: each VPC address is one of them, of an instance or of a load balancer.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import { printable } from './cidr.ts'
import type { Ec2Deps } from './deps.ts'
import { dissociate } from './elastic-addresses.ts'
import { freeAddress, isUsable, type Subnet } from './network.ts'
import { ADDRESS_REST_MS, type NetworkInterfaceRow } from './store.ts'

/** Takes the address that is asked for, or the lowest one of the subnet; nobody has it or had it within ADDRESS_REST_MS.
 *  Throws before it writes. */
export function allocateInterface(
  { store, clock, ids, networkOf }: Ec2Deps,
  context: Context,
  wanted: {
    subnet: Subnet
    groups: string[]
    description: string
    instanceId: string | null
    address?: string | undefined
  },
): NetworkInterfaceRow {
  purgeReleased({ store, clock })
  const rows = store.all<{ address: string }>('select address from ec2_network_interface')
  const taken = new Set(rows.map((row) => row.address))
  if (wanted.address !== undefined) requireFree(wanted.subnet, wanted.address, taken)
  const address = wanted.address ?? freeAddress(wanted.subnet, taken)
  if (!address)
    throw new DeclaredError(
      'InsufficientFreeAddressesInSubnet',
      `The specified subnet does not have enough free addresses to satisfy the request.`,
    )
  const row: NetworkInterfaceRow = {
    id: ids.hex('eni-', 17),
    account: context.account,
    region: context.region,
    subnetId: wanted.subnet.id,
    vpcId: networkOf(context).vpcId,
    zone: wanted.subnet.zone,
    address,
    groups: JSON.stringify(wanted.groups),
    description: wanted.description,
    instanceId: wanted.instanceId,
    createdAt: clock.now(),
    releasedAt: null,
  }
  store.insert('ec2_network_interface', row)
  return row
}

function requireFree(subnet: Subnet, address: string, taken: ReadonlySet<string>): void {
  if (!isUsable(subnet, address))
    throw new DeclaredError(
      'InvalidParameterValue',
      `Address ${printable(address)} does not fall within the subnet's address range ${subnet.cidr}, or is reserved.`,
    )
  if (taken.has(address))
    throw new DeclaredError(
      'InvalidIPAddress.InUse',
      `Address ${address} is in use, or was within the last 10 minutes.`,
    )
}

/** Gives an address back: nobody gets it before it has rested. */
export function releaseInterface({ store, clock }: Pick<Ec2Deps, 'store' | 'clock'>, id: string): void {
  store.run('update ec2_network_interface set released_at = :now where id = :id and released_at is null', {
    id,
    now: clock.now(),
  })
  dissociate(store, id)
  store.remove('ec2_tag', { resourceId: id })
}

export function purgeReleased({ store, clock }: Pick<Ec2Deps, 'store' | 'clock'>): number {
  return store.run('delete from ec2_network_interface where released_at <= :until', {
    until: clock.now() - ADDRESS_REST_MS,
  })
}
