// Names and addresses that a home has outside its folder. Pure; everything else asks here.
import { createHash } from 'node:crypto'
import { EngineError } from '../../kernel/errors.ts'
import type { Home } from '../../kernel/home.ts'

export type RouterNames = {
  /** Namespaces, as `ip netns` and HAProxy's `namespace` keyword name them. */
  router: string
  /** HAProxy's own: it runs there and dials from there. The balancers' addresses are on its `lo`. */
  balancer: string
  /** The host's own namespace under a name, for `bind … namespace` (HAProxy lives in `balancer`). */
  host: string
  /** The host's end of the uplink. */
  uplink: string
}

/** On every router's end: instances need no neighbour, and proxy ARP fails on a host without a default route. */
export const GATEWAY = '169.254.1.1'
export const RESOLVER = '169.254.169.253'
export const METADATA = '169.254.169.254'
/** Where the router may ask the host for names, at the host's end of the uplink: for those of elsewhere, Polebean's own, and
 *  those of private zones. */
export const RELAY_PORT = 5300
export const NAMES_PORT = 5301
export const PRIVATE_NAMES_PORT = 5302
/** All of them, first and last. */
export const RELAY_PORTS = [RELAY_PORT, PRIVATE_NAMES_PORT] as const
/** Router's ends of the balancer's link and of the uplink. */
export const BALANCER_LINK = 'lb0'
export const UPLINK = 'up0'
/** First letters of every interface that a home has on the host: two homes know each other by it. */
export const UPLINK_PREFIX = 'pole'

export function namesOf(home: Pick<Home, 'id'>): RouterNames {
  if (!/^[a-z0-9]{6}$/.test(home.id)) throw new EngineError(`not a home id: ${JSON.stringify(home.id)}`)
  const router = `pb-${home.id}`
  return { router, balancer: `${router}-lb`, host: `${router}-host`, uplink: UPLINK_PREFIX + home.id }
}

export type Range = {
  cidr: string
  /** AWS's second resolver address: the range's base plus two. */
  resolver: string
  /** AWS's "reserved for future use": from here HAProxy dials for clients outside whose address it has checked itself. */
  edge: string
  /** The last /24 belongs to the engine: uplink and build sandboxes. */
  uplinkHost: string
  uplinkRouter: string
  builders: string[]
}

export function rangeOf(cidr: string): Range {
  const [, a = '', b = ''] = /^(\d{1,3})\.(\d{1,3})\.0\.0\/16$/.exec(cidr) ?? []
  if (a === '' || Number(a) > 255 || Number(b) > 255)
    throw new EngineError(`the VPC range must be a /16: ${cidr}`)
  return {
    cidr,
    resolver: `${a}.${b}.0.2`,
    edge: `${a}.${b}.0.3`,
    uplinkHost: `${a}.${b}.255.253`,
    uplinkRouter: `${a}.${b}.255.252`,
    builders: Array.from({ length: 200 }, (_unused, index) => `${a}.${b}.255.${index + 1}`),
  }
}

/** Interface names end at 15 bytes: a letter and 14 digits of the id's hash, so that ids that begin alike differ. */
export function interfaceOf(id: string): string {
  if (!/^[ib]-[0-9a-f]{17}$/.test(id)) throw new EngineError(`not an instance id: ${JSON.stringify(id)}`)
  return id[0] + createHash('sha256').update(id).digest('hex').slice(0, 14)
}

export function checkAddress(address: string): string {
  const parts = address.split('.')
  if (parts.length !== 4 || parts.some((part) => !/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255))
    throw new EngineError(`not an IPv4 address: ${JSON.stringify(address)}`)
  return address
}
