// May X open a connection to Y? Yes or no, by which rule, or which side lacks one. Pure.
import { BlockList, isIPv4 } from 'node:net'
import { letsIn } from '../../engines/balancer/clients.ts'
import type { FirewallRule } from '../../engines/firewall/engine.ts'
import { contains, describeRule } from '../../engines/firewall/in-force.ts'
import { type Match, reach } from '../../engines/firewall/reach.ts'
import type { PublicListener } from '../../services/cloud.ts'
import type { FirewallReport, NamedInterface } from '../../services/ec2/firewall-report.ts'
import { doorOf, type End } from './ends.ts'
import { describeGroup, groupsOf } from './words.ts'

export type Asked = { protocol: 'tcp' | 'udp'; port: number | null }
export type Answer = {
  allowed: boolean
  from: string
  to: string
  /** By what, or what is missing: a sentence without its end. */
  why: string
  /** Ids of the rules that allow it. */
  rules: string[]
}

/** An answer for each pair of ends. */
export function answersOf(report: FirewallReport, from: End, to: End, asked: Asked): Answer[] {
  const senders = from.kind === 'inside' ? from.interfaces : [from]
  // Whoever is outside meets an environment at its load balancer or elastic address, others at its instances.
  const doors = to.kind === 'inside' ? to.interfaces.filter((one) => doorOf(one) !== null) : []
  const others = to.kind === 'inside' ? to.interfaces.filter(({ loadBalancer }) => loadBalancer === null) : []
  const isEnvironment = to.kind === 'inside' && doors.some(({ environment }) => environment === to.what)
  const receivers =
    to.kind !== 'inside' ? [to] : isEnvironment ? (from.kind === 'inside' ? others : doors) : to.interfaces
  return senders.flatMap((sender) =>
    receivers
      .filter((receiver) => receiver !== sender || receivers.length === 1)
      .map((receiver) =>
        to.kind === 'inside' && !isOuter(sender) && !isOuter(receiver) && receiver.elasticAddress === to.what
          ? atOwnLoopback(sender, to.what)
          : answer(report, sender, receiver, asked),
      ),
  )
}

type Outer = Extract<End, { kind: 'outside' | 'host' }>
type One = NamedInterface | Outer
const isOuter = (one: One): one is Outer => 'kind' in one

export function labelOf(one: One): string {
  if (isOuter(one))
    return one.kind === 'host'
      ? `this machine${one.address === '::1' ? ' (::1)' : ''}`
      : (one.address ?? 'outside')
  if (one.loadBalancer === null)
    return `${one.instanceId ?? one.id} (${[one.address, one.elasticAddress ?? []].flat().join(', ')})`
  return `the load balancer ${one.environment === null ? '' : 'of '}${one.environment ?? one.loadBalancer} (${one.address})`
}

// Elastic addresses are of 127.0.0.0/8 (decision 017), which each instance has for itself.
const atOwnLoopback = (from: NamedInterface, address: string): Answer => ({
  ...{ allowed: false, from: labelOf(from), to: address, rules: [] },
  why: 'within the VPC it is an address of the sender itself; what others of the VPC reach is the instance’s own address',
})

function answer(report: FirewallReport, from: One, to: One, asked: Asked): Answer {
  const ends = { from: labelOf(from), to: labelOf(to) }
  const no = (why: string): Answer => ({ ...ends, allowed: false, why, rules: [] })
  if (report.generation === null) return no('no security group is in force, so nothing passes')
  if (isOuter(from)) {
    if (isOuter(to)) return no('neither end is in this home; its firewall is not asked')
    return doorOf(to) === null
      ? no(
          'from outside of the VPC nothing leads to an instance but its load balancer or its elastic address, whatever the rules say',
        )
      : atPublicSocket(report, from, to, asked, ends)
  }
  if (isOuter(to) && to.kind === 'outside' && to.address !== null && isClosed(report, to.address))
    return no(
      'it is this machine’s own or of no network outside, and nobody in the VPC reaches it, whatever the rules say',
    )
  if (isOuter(to) && to.kind === 'host')
    return no('nobody in the VPC reaches this machine itself, whatever the rules say')
  if (!isOuter(to) && to.id === from.id)
    return { ...ends, allowed: true, why: 'it is itself, and no rule is asked', rules: [] }
  if (isOuter(to) && from.loadBalancer !== null)
    return no('a load balancer opens nothing outside of the VPC, whatever the rules say')
  if (isOuter(to) && to.kind === 'outside' && to.address !== null && !isIPv4(to.address))
    return no('instances have no IPv6')
  return byGroups(report, from, to, asked, ends)
}

function byGroups(
  report: FirewallReport,
  from: NamedInterface,
  to: One,
  asked: Asked,
  ends: { from: string; to: string },
): Answer {
  const address = isOuter(to) ? (to.kind === 'outside' && to.address) || SOMEWHERE : to.address
  const found = reach(report, { from: from.address, to: address, ...asked }, isOuter(to))
  const by = (matches: Match[], word: 'from' | 'to') =>
    matches.map((one) => describeMatch(report, one, word)).join(' or ')
  const rules = [...new Set([...found.egress, ...found.ingress].map(({ rule }) => rule.id))]
  if (found.allowed)
    return {
      ...ends,
      allowed: true,
      why: isOuter(to)
        ? `out by ${by(found.egress, 'to')}; outside of the VPC there is no other end`
        : `in by ${by(found.ingress, 'from')}; out by ${by(found.egress, 'to')}`,
      rules,
    }
  const lacks = (one: NamedInterface, what: string) => {
    const names = groupsOf(report, one.address).map(({ name, id }) => name || id)
    return names.length === 0
      ? `${labelOf(one)} is in no group`
      : `no ${what} rule of the groups of ${labelOf(one)} (${names.join(', ')}) says so`
  }
  const missing = [
    ...(found.egress.length === 0 ? [lacks(from, 'egress')] : []),
    ...(found.ingress.length === 0 && !isOuter(to) ? [lacks(to, 'ingress')] : []),
  ]
  return {
    ...ends,
    allowed: false,
    why:
      missing.join('; and ') || 'the ports that the sender may open are not those that the receiver lets in',
    rules: [],
  }
}

function atPublicSocket(
  report: FirewallReport,
  from: Outer,
  to: NamedInterface,
  { protocol, port }: Asked,
  ends: { from: string; to: string },
): Answer {
  const listeners = report.listeners.filter(
    ({ name, internetFacing }) => name === doorOf(to) && internetFacing,
  )
  const ports = listeners.map((one) => one.port).join(', ')
  const no = (why: string): Answer => ({ ...ends, allowed: false, why, rules: [] })
  if (listeners.length === 0) return no('it is not internet-facing')
  const isMeant = (one: PublicListener) =>
    port === null || one.port === port || (from.kind === 'host' && one.loopbackPort === port)
  const meant = listeners.filter((one) => protocol === 'tcp' && isMeant(one))
  if (meant.length === 0) return no(`it listens on tcp ${ports} only`)
  const { address } = from
  const isIn = ({ clients }: (typeof listeners)[number]) =>
    address === null ? clients.some((range) => /^(0\.0\.0\.0|::)\/0$/.test(range)) : letsIn(clients, address)
  const open = meant.find(isIn)
  if (!open) {
    const ranges = meant.flatMap(({ clients }) => clients)
    return no(`its public socket lets in ${ranges.length === 0 ? 'nobody' : `only ${ranges.join(', ')}`}`)
  }
  const opening = groupsOf(report, to.address).flatMap(({ id, ingress }) =>
    ingress
      .filter(({ peer, protocol: own, fromPort, toPort }) => {
        const range = rangeOf(peer)
        const covers =
          own === '-1' ||
          (own === 'tcp' && (fromPort === null || (open.port >= fromPort && open.port <= toPort!)))
        return (
          covers &&
          range !== undefined &&
          (address === null ? range.endsWith('/0') : letsIn([range], address))
        )
      })
      .map((rule) => ({ groupId: id, rule })),
  )
  const by = opening.map((one) => describeMatch(report, one, 'from')).join(' or ')
  return {
    ...ends,
    allowed: true,
    why: `let in at its public socket by ${by || `tcp ${open.port} from ${open.clients.join(', ')}`}`,
    rules: opening.map(({ rule }) => rule.id),
  }
}

function describeMatch(report: FirewallReport, { groupId, rule }: Match, word: 'from' | 'to'): string {
  const name = report.groups.find(({ id }) => id === groupId)?.name || groupId
  const description = report.descriptions[rule.id]
  const what = describeRule(rule, word, (id) => describeGroup(report, id))
  return `${rule.id} of ${name} (${what}${description ? `; “${description}”` : ''})`
}

/** The range that a rule names; undefined for a group. */
const rangeOf = (peer: FirewallRule['peer']) =>
  'cidr4' in peer ? peer.cidr4 : 'cidr6' in peer ? peer.cidr6 : undefined

const isClosed = ({ closed }: FirewallReport, address: string) =>
  isIPv4(address) && closed.some((range) => holdsIn(range, address))

function holdsIn(range: string, address: string): boolean {
  const [first = '', last] = range.split('-')
  const list = new BlockList()
  if (last === undefined) return contains(range, address)
  list.addRange(first, last)
  return list.check(address)
}

/** Of a documentation range (RFC 5737): what a rule for everywhere holds, and one for a network does not. */
const SOMEWHERE = '198.51.100.1'
