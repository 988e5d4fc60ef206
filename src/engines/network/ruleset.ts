// The two rulesets of a home as text: values in, nft syntax out. Applied whole, in one netlink transaction each.
import {
  BALANCER_LINK,
  METADATA,
  RELAY_PORTS,
  RESOLVER,
  UPLINK,
  UPLINK_PREFIX,
  rangeOf,
  type RouterNames,
} from './names.ts'

export type RouterRules = {
  cidr: string
  /** Interface and address of everything that is attached, build sandboxes too: who may speak as whom. */
  members: { interface: string; address: string }[]
  balancers: string[]
  /** The host's own addresses: also refused here, so that a flush of the host's rules opens nothing. */
  hostAddresses: string[]
  /** Connections of one member that are remembered at once (flows.ts); null = this kernel does not count them. */
  flowsMax: number | null
}

/**
 * The network's part of the table inside the router namespace: who may speak as whom, and what the router itself answers.
 * What passes between two of them is the firewall's part (engines/firewall): until that is there, nothing does.
 */
export function routerRuleset(rules: RouterRules): string {
  const { cidr, members, balancers, hostAddresses, flowsMax } = rules
  const insiders = `iifname != { "lo", "${BALANCER_LINK}", "${UPLINK}" }`
  const closed = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3', cidr, ...hostAddresses]
  return `table inet polebean {
  set members { type ifname . ipv4_addr; }
  set balancers { type ipv4_addr; }
  set edges { type ipv4_addr; }
  set closed { type ipv4_addr; flags interval; auto-merge; }
  set flows { type ipv4_addr; size 65535; flags dynamic; }
  chain prerouting { type filter hook prerouting priority raw; policy accept; }
  chain flows { type filter hook prerouting priority mangle; policy accept; }
  chain forward { type filter hook forward priority filter; policy drop; }
  chain input { type filter hook input priority filter; policy drop; }
}
flush set inet polebean members
flush set inet polebean balancers
flush set inet polebean edges
flush set inet polebean closed
flush chain inet polebean prerouting
flush chain inet polebean flows
flush chain inet polebean input
${addElements('members', members.map(memberElement))}${addElements('balancers', balancers)}${addElements('edges', edgesOf(balancers, cidr))}${addElements('closed', closed)}table inet polebean {
  chain prerouting {
    meta nfproto ipv6 drop
    iifname "${BALANCER_LINK}" ip saddr != @balancers drop
    iifname "${UPLINK}" ip saddr ${cidr} ip saddr != ${rangeOf(cidr).uplinkHost} drop
    ${insiders} iifname . ip saddr != @members drop
  }
  chain flows {${flowsMax === null ? '' : `\n    ${insiders} ${countingRule(flowsMax)}`}
  }
  chain input {
    iifname "lo" accept
    ct state established,related accept
    iifname { "${BALANCER_LINK}", "${UPLINK}" } drop
    ip daddr { ${RESOLVER}, ${rangeOf(cidr).resolver} } udp dport 53 accept
    ip daddr { ${RESOLVER}, ${rangeOf(cidr).resolver} } tcp dport 53 accept
    ip daddr ${METADATA} tcp dport 80 accept
  }
}
`
}

/** `max`: connections that one source may have at once. */
export const countingRule = (max: number) => `ct state new add @flows { ip saddr ct count over ${max} } drop`

/** Adds one member to a table that is there; the same again is quiet. */
export const addMemberRules = (member: { interface: string; address: string }): string =>
  addElements('members', [memberElement(member)])

/** Takes one member away; added first, because nft refuses to delete what is not there. */
export const removeMemberRules = (member: { interface: string; address: string }): string =>
  addMemberRules(member) + addMemberRules(member).replaceAll('add element', 'delete element')

export const setBalancersRules = (balancers: string[], cidr: string): string =>
  `flush set inet polebean balancers\nflush set inet polebean edges\n` +
  addElements('balancers', balancers) +
  addElements('edges', edgesOf(balancers, cidr))

/** The edge is let in everywhere, and only while HAProxy speaks as it. */
const edgesOf = (balancers: string[], cidr: string): string[] =>
  balancers.filter((address) => address === rangeOf(cidr).edge)

export type HostRules = {
  names: RouterNames
  cidr: string
  /** Interfaces on which forwarding is on only because of us; they forward for the home and for nobody else. */
  forwardingForUs: string[]
}

export const hostTable = (names: RouterNames): string => `pb_${names.router.slice(3)}`

/**
 * The table on the host. Every rule names our uplink or our range, so a host's own firewall is left alone. What comes
 * up the uplink for the host itself is dropped before any DNAT (a published container port is the host's own address),
 * but for the router's own questions for names.
 */
export function hostRuleset({ names, cidr, forwardingForUs }: HostRules): string {
  const table = `inet ${hostTable(names)}`
  const up = `"${names.uplink}"`
  const { uplinkRouter, uplinkHost } = rangeOf(cidr)
  const asks = ['udp', 'tcp']
    .map(
      (protocol) =>
        `iifname ${up} ip saddr ${uplinkRouter} ip daddr ${uplinkHost} ${protocol} dport ${RELAY_PORTS.join('-')} accept`,
    )
    .join('\n    ')
  const alone = forwardingForUs.map((name) => `"${name}"`).join(', ')
  return `table ${table}
delete table ${table}
table ${table} {
  chain prerouting {
    type filter hook prerouting priority -250; policy accept
    iifname ${up} ip saddr != ${cidr} drop
    ${asks}
    iifname ${up} fib daddr type != unicast drop
  }
  chain input {
    type filter hook input priority -250; policy accept
    ${asks}
    iifname ${up} drop
    ip daddr ${uplinkHost} iifname != "lo" drop
  }
  chain forward {
    type filter hook forward priority -250; policy accept
    iifname ${up} oifname "${UPLINK_PREFIX}*" drop
    oifname ${up} ct state established,related accept
    oifname ${up} drop${alone && `\n    iifname { ${alone} } oifname != "${UPLINK_PREFIX}*" drop`}
  }
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept
    ip saddr ${cidr} oifname != "${UPLINK_PREFIX}*" masquerade
  }
}
`
}

const addElements = (set: string, list: string[]) =>
  list.length > 0 ? `add element inet polebean ${set} { ${list.join(', ')} }\n` : ''
const memberElement = (member: { interface: string; address: string }) =>
  `"${member.interface}" . ${member.address}`
