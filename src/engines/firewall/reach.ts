// Whether one address may open a connection to another, and by which rules. Pure: what is asked is what is in force.
import { type FirewallInForce, type FirewallRule, protocolOf } from './engine.ts'
import { contains } from './in-force.ts'

export type Question = {
  /** Of an instance or a load balancer. */
  from: string
  /** Of one of those, or outside of the VPC. */
  to: string
  protocol: 'tcp' | 'udp'
  /** null = at any port. */
  port: number | null
}

export type Match = { groupId: string; rule: FirewallRule }

export type Reach = {
  allowed: boolean
  /** Rules of the sender's groups that let it out; with `allowed`, those that lead on. */
  egress: Match[]
  /** Rules of the receiver's groups that let it in. Outside of the VPC there are none, and none are needed. */
  ingress: Match[]
}

export function reach(
  { groups }: Pick<FirewallInForce, 'groups'>,
  { from, to, protocol, port }: Question,
  isOutside: boolean,
): Reach {
  const groupsOf = (address: string) => groups.filter(({ addresses }) => addresses.includes(address))
  const about = (rule: FirewallRule, other: string) => {
    const { peer } = rule
    const isPeer =
      'group' in peer
        ? groupsOf(other).some(({ id }) => id === peer.group)
        : 'cidr4' in peer && contains(peer.cidr4, other)
    return isPeer && ['-1', protocol].includes(protocolOf(rule.protocol)) && rangesMeet(rule, { port })
  }
  const egress = groupsOf(from).flatMap(({ id, egress: rules }) =>
    rules.filter((rule) => about(rule, to)).map((rule) => ({ groupId: id, rule })),
  )
  if (isOutside) return { allowed: egress.length > 0, egress, ingress: [] }
  const ingress = groupsOf(to).flatMap(({ id, ingress: rules }) =>
    rules.filter((rule) => about(rule, from)).map((rule) => ({ groupId: id, rule })),
  )
  const out = egress.filter((one) => ingress.some((other) => portsMeet(one.rule, other.rule)))
  const into = ingress.filter((one) => egress.some((other) => portsMeet(one.rule, other.rule)))
  return out.length > 0 ? { allowed: true, egress: out, ingress: into } : { allowed: false, egress, ingress }
}

const ALL: [number, number] = [0, 65_535]
const portsOf = ({ protocol, fromPort, toPort }: FirewallRule): [number, number] =>
  protocol === '-1' || fromPort === null || toPort === null ? ALL : [fromPort, toPort]

const portsMeet = (one: FirewallRule, other: FirewallRule) => {
  const [[from, to], [least, most]] = [portsOf(one), portsOf(other)]
  return from <= most && least <= to
}
const rangesMeet = (rule: FirewallRule, { port }: { port: number | null }) => {
  const [from, to] = portsOf(rule)
  return port === null || (port >= from && port <= to)
}
