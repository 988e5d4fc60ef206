// The default VPC: the engine's range, one subnet a zone. Ids are derived, so there is nothing to store or to repair.
// Differs from AWS: there is no other VPC; CreateVpc and CreateSubnet are refused.
import { createHash } from 'node:crypto'
import { isIPv4 } from 'node:net'

export type Subnet = { id: string; zone: string; cidr: string; first: number; size: number }
export type Network = { vpcId: string; cidr: string; edge: string; subnets: Subnet[] }

/** The router, the resolver at VPC+2 and room for more; AWS keeps the first four and the last. */
const RESERVED_FIRST = 16
const RESERVED_LAST = 1

/** Splits the range evenly, rounded down to a power of two, as many parts as there are zones. */
export function makeNetwork(
  range: { cidr: string; zones: string[]; edge: string },
  account: string,
  region: string,
): Network {
  const idOf = (prefix: string, name: string) =>
    prefix +
    createHash('sha256').update(`${account}/${region}/${range.cidr}/${name}`).digest('hex').slice(0, 17)
  const [base = '', bits = ''] = range.cidr.split('/')
  const more = Math.ceil(Math.log2(Math.max(1, range.zones.length)))
  const size = 2 ** (32 - Number(bits) - more)
  const subnets = range.zones.map((zone, index) => {
    const first = numberOfAddress(base) + index * size
    return {
      id: idOf('subnet-', zone),
      zone,
      first,
      size,
      cidr: `${addressOfNumber(first)}/${Number(bits) + more}`,
    }
  })
  return { vpcId: idOf('vpc-', ''), cidr: range.cidr, edge: range.edge, subnets }
}

/** The lowest address of the subnet that is not taken; undefined when it is full. */
export function freeAddress(subnet: Subnet, taken: ReadonlySet<string>): string | undefined {
  for (let offset = RESERVED_FIRST; offset < subnet.size - RESERVED_LAST; offset++) {
    const address = addressOfNumber(subnet.first + offset)
    if (!taken.has(address)) return address
  }
  return undefined
}

/** AWS's ids of zones are the same in all accounts; ours count. */
export const zoneIdOf = (subnets: Pick<Subnet, 'zone'>[], zone: string): string =>
  `polebean-az${subnets.findIndex((one) => one.zone === zone) + 1}`
/** Whether an instance may have that address of the subnet: it is not the router's or the like. */
export function isUsable(subnet: Subnet, address: string): boolean {
  const offset = numberOfAddress(address) - subnet.first
  return isIPv4(address) && offset >= RESERVED_FIRST && offset < subnet.size - RESERVED_LAST
}

export const usableAddresses = (subnet: Subnet) => Math.max(0, subnet.size - RESERVED_FIRST - RESERVED_LAST)

const numberOfAddress = (address: string) =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

const addressOfNumber = (number: number) =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
