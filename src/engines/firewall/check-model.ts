// Nothing of a model reaches a ruleset before it has been checked here (design §7).
import { isIPv4, isIPv6 } from 'node:net'
import { EngineError } from '../../kernel/errors.ts'
import type { FirewallGroup, FirewallModel, FirewallRule } from './engine.ts'

/** Throws an EngineError that names the first thing which cannot be carried. */
export function checkModel({ interfaces, groups }: FirewallModel): void {
  for (const { id, address } of interfaces) {
    need(/^eni-[0-9a-f]{8,17}$/.test(id), 'an interface', id)
    need(isIPv4(address), `the address of ${id}`, address)
  }
  unique(
    'interface',
    interfaces.map(({ id }) => id),
  )
  unique(
    'address',
    interfaces.map(({ address }) => address),
  )
  unique(
    'group',
    groups.map(({ id }) => id),
  )
  const known = new Set(interfaces.map(({ id }) => id))
  for (const group of groups) checkGroup(group, known)
}

function checkGroup({ id, members, ingress, egress }: FirewallGroup, known: ReadonlySet<string>) {
  need(/^sg-[0-9a-f]{8,17}$/.test(id), 'a group', id)
  for (const member of members) need(known.has(member), `a member of ${id}`, member)
  unique(`member of ${id}`, members)
  for (const rule of [...ingress, ...egress]) checkRule(rule)
}

function checkRule({ id, protocol, fromPort, toPort, peer }: FirewallRule) {
  need(/^sgr-[0-9a-f]{8,17}$/.test(id), 'a rule', id)
  const isNumber = /^\d{1,3}$/.test(protocol) && Number(protocol) <= 255
  need(
    isNumber || ['tcp', 'udp', 'icmp', 'icmpv6', '-1'].includes(protocol),
    `the protocol of ${id}`,
    protocol,
  )
  const [least, most] = protocol.startsWith('icmp') ? [-1, 255] : [0, 65_535]
  for (const port of [fromPort, toPort])
    need(port === null || (Number.isInteger(port) && port >= least && port <= most), `a port of ${id}`, port)
  if (protocol === 'tcp' || protocol === 'udp') {
    need((fromPort === null) === (toPort === null), `the ports of ${id}`, [fromPort, toPort])
    need((fromPort ?? 0) <= (toPort ?? 0), `the ports of ${id}`, [fromPort, toPort])
  }
  if ('group' in peer) need(/^sg-[0-9a-f]{8,17}$/.test(peer.group), `the peer of ${id}`, peer.group)
  else if ('cidr4' in peer) need(isRange(peer.cidr4, isIPv4, 32), `the peer of ${id}`, peer.cidr4)
  else need(isRange(peer.cidr6, isIPv6, 128), `the peer of ${id}`, peer.cidr6)
}

function isRange(text: string, isAddress: (text: string) => boolean, bitsMax: number): boolean {
  const [address = '', bits = '', ...more] = text.split('/')
  return more.length === 0 && isAddress(address) && /^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax
}

function need(holds: boolean, what: string, value: unknown) {
  if (!holds) throw new EngineError(`${what} cannot be ${JSON.stringify(value)}`)
}

function unique(what: string, values: string[]) {
  const seen = new Set<string>()
  for (const value of values) {
    if (seen.has(value)) throw new EngineError(`two have the same ${what}: ${value}`)
    seen.add(value)
  }
}
