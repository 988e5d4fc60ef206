// A model as what nftables holds of it: pure values, of which ruleset.ts makes text. What two interfaces have in common
// is their combination of groups; it has a number (a mark), so that a new member of a known one is two elements of sets.
import { type FirewallModel, type FirewallRule, protocolOf } from './engine.ts'

export type CompiledGroup = { addresses: Set<string>; ingress: string[]; egress: string[] }

export type Compiled = {
  /** By group id. */
  groups: Map<string, CompiledGroup>
  /** Mark → ids of groups, sorted. */
  combinations: Map<number, string[]>
  /** Address → mark. */
  marks: Map<string, number>
  /** Addresses whose connections end with their rule. */
  cut: Set<string>
}

/** What allows the sender: no combination has it. */
export const ALLOWED = 0xffff_ffff

/** Combinations that `before` had keep their numbers. */
export function compile(model: FirewallModel, before?: Compiled): Compiled {
  const addresses = new Map(model.interfaces.map(({ id, address }) => [id, address]))
  const groups = new Map<string, CompiledGroup>()
  const groupsOf = new Map<string, string[]>()
  const cut = new Set<string>()
  const known = new Set(model.groups.map(({ id }) => id))
  for (const { id, members, ingress, egress, cutsOnRevoke } of model.groups) {
    const own = members.map((member) => addresses.get(member)!)
    groups.set(id, {
      addresses: new Set(own),
      ingress: linesOf(ingress, known, 'saddr', 'accept'),
      egress: linesOf(egress, known, 'daddr', `meta mark set ${ALLOWED} return`),
    })
    for (const address of own) {
      groupsOf.set(address, [...(groupsOf.get(address) ?? []), id])
      if (cutsOnRevoke) cut.add(address)
    }
  }

  const combinations = new Map<number, string[]>()
  const markOf = new Map<string, number>()
  const marks = new Map<string, number>()
  const formerMarks = new Map([...(before?.combinations ?? [])].map(([mark, ids]) => [ids.join(' '), mark]))
  const taken = new Set(formerMarks.values())
  let next = 1
  for (const [address, ids] of groupsOf) {
    const key = ids.toSorted().join(' ')
    let mark = markOf.get(key) ?? formerMarks.get(key)
    if (mark === undefined) {
      while (taken.has(next)) next++
      taken.add((mark = next))
    }
    markOf.set(key, mark)
    combinations.set(mark, ids.toSorted())
    marks.set(address, mark)
  }
  return { groups, combinations, marks, cut }
}

export const setOf = (groupId: string): string => groupId.replace('-', '_')

/** What a rule says of a packet, by its connection's first packet: so it is true of packets in both directions. */
function linesOf(
  rules: FirewallRule[],
  known: ReadonlySet<string>,
  end: 'saddr' | 'daddr',
  verdict: string,
): string[] {
  return rules.flatMap(({ id, protocol, fromPort, toPort, peer }) => {
    if ('cidr6' in peer || protocolOf(protocol) === 'icmpv6') return []
    if ('group' in peer && !known.has(peer.group)) return []
    const from = 'group' in peer ? `@${setOf(peer.group)}` : peer.cidr4
    const words = [
      ...(from.endsWith('/0') ? [] : [`ct original ip ${end} ${from}`]),
      ...protocolWords(protocolOf(protocol), fromPort, toPort),
    ]
    return [`${words.join(' ')} ${verdict} comment "${id}"`.trimStart()]
  })
}

function protocolWords(protocol: string, from: number | null, to: number | null): string[] {
  switch (protocol) {
    case '-1':
      return []
    case 'tcp':
    case 'udp':
      return [
        `meta l4proto ${protocol}`,
        ...(from === null || to === null || (from === 0 && to === 65_535)
          ? []
          : [`ct original proto-dst ${from === to ? from : `${from}-${to}`}`]),
      ]
    case 'icmp':
      if (from === null || from < 0) return ['meta l4proto icmp']
      return [`icmp type ${from}`, ...(to === null || to < 0 ? [] : [`icmp code ${to}`])]
    default:
      return [`meta l4proto ${protocol}`]
  }
}
