// What a model comes to where it is enforced, and how that differs from what is found there. Pure.
import {
  type FirewallGroup,
  type FirewallInForce,
  type FirewallModel,
  type FirewallRule,
  generationOf,
  type GroupInForce,
  protocolOf,
} from './engine.ts'

export const NOTHING_IN_FORCE: FirewallInForce = {
  generation: null,
  groups: [],
  cut: [],
  closed: [],
  strange: [],
}

/** What is in force once the model is. */
export function carriedOf(model: FirewallModel): FirewallInForce {
  const addresses = new Map(model.interfaces.map(({ id, address }) => [id, address]))
  const known = new Set(model.groups.map(({ id }) => id))
  const addressesOf = ({ members }: FirewallGroup) => members.map((member) => addresses.get(member)!).sort()
  const carried = (rules: FirewallRule[]) => rules.flatMap((rule) => carriedRule(rule, known) ?? [])
  return {
    generation: generationOf(model),
    groups: sortGroups(
      model.groups.map((group) => ({
        id: group.id,
        addresses: addressesOf(group),
        ingress: carried(group.ingress),
        egress: carried(group.egress),
      })),
    ),
    cut: [...new Set(model.groups.filter((group) => group.cutsOnRevoke).flatMap(addressesOf))].sort(),
    closed: [],
    strange: [],
  }
}

export const sortGroups = (groups: GroupInForce[]): GroupInForce[] =>
  groups
    .map((group) => ({
      ...group,
      addresses: group.addresses.toSorted(),
      ingress: group.ingress.toSorted(byId),
      egress: group.egress.toSorted(byId),
    }))
    .toSorted(byId)

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)

/** One way to say it for all rules that mean the same; undefined when no packet of an instance can ever match. */
function carriedRule(
  { id, protocol: given, fromPort, toPort, peer }: FirewallRule,
  known: ReadonlySet<string>,
): FirewallRule | undefined {
  const protocol = protocolOf(given)
  if ('cidr6' in peer || protocol === 'icmpv6' || ('group' in peer && !known.has(peer.group)))
    return undefined
  const all = {
    id,
    protocol,
    fromPort: null,
    toPort: null,
    peer: 'cidr4' in peer ? { cidr4: rangeOf(peer.cidr4) } : peer,
  }
  if (protocol === 'tcp' || protocol === 'udp')
    return fromPort === null || toPort === null || (fromPort === 0 && toPort === 65_535)
      ? all
      : { ...all, fromPort, toPort }
  if (protocol !== 'icmp' || fromPort === null || fromPort < 0) return all
  return { ...all, fromPort, toPort: toPort === null || toPort < 0 ? null : toPort }
}

/** `10.9.9.9/16` → `10.9.0.0/16`. */
export function rangeOf(cidr: string): string {
  const [address = '', bits = '32'] = cidr.split('/')
  const size = 2 ** (32 - Number(bits))
  const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const base = Math.floor(number / size) * size
  return `${[24, 16, 8, 0].map((shift) => Math.floor(base / 2 ** shift) % 256).join('.')}/${bits}`
}

/** Sentences; none when what is in force is what the model says. */
export function differencesOf(model: FirewallModel, found: FirewallInForce): string[] {
  const wanted = carriedOf(model)
  if (found.generation === null)
    return [
      model.groups.length === 0 && found.strange.length === 0
        ? []
        : 'No security group is in force: nothing passes between instances, load balancers and the outside.',
      ...found.strange,
    ].flat()
  const older =
    found.generation === wanted.generation ? [] : ['What is in force is not the newest state of the groups.']
  return [...found.strange, ...older, ...compare(linesOf(wanted), linesOf(found))]
}

function compare(wanted: Map<string, string>, found: Map<string, string>): string[] {
  return [
    ...[...wanted].filter(([line]) => !found.has(line)).map(([, what]) => `Not in force: ${what}.`),
    ...[...found]
      .filter(([line]) => !wanted.has(line))
      .map(([, what]) => `In force, though no group says it: ${what}.`),
  ]
}

/** Everything that is in force, one thing a line, and in words. */
function linesOf({ groups, cut }: FirewallInForce): Map<string, string> {
  const words = [
    ...groups.flatMap(({ id, addresses, ingress, egress }) => [
      `the group ${id}`,
      ...addresses.map((address) => `${address} is a member of ${id}`),
      ...ingress.map((rule) => `${rule.id} of ${id} lets in ${describeRule(rule, 'from')}`),
      ...egress.map((rule) => `${rule.id} of ${id} lets out ${describeRule(rule, 'to')}`),
    ]),
    ...cut.map((address) => `connections of ${address} end with the rule that let them in`),
  ]
  return new Map(words.map((line) => [line, line]))
}

/** `tcp 80 from 10.0.0.0/8` */
export function describeRule(
  rule: FirewallRule,
  word: 'from' | 'to',
  nameOf = (groupId: string): string => groupId,
): string {
  const { peer } = rule
  const who =
    'group' in peer
      ? nameOf(peer.group)
      : 'cidr6' in peer
        ? peer.cidr6
        : peer.cidr4 === '0.0.0.0/0'
          ? 'everywhere'
          : peer.cidr4.replace(/\/32$/, '')
  return `${describePorts(rule)} ${word} ${who}`
}

function describePorts({ protocol, fromPort, toPort }: FirewallRule): string {
  if (protocol === '-1') return 'everything'
  const name = /^\d+$/.test(protocol) ? `protocol ${protocol}` : protocol
  if (fromPort === null) return `all ${name}`.replace('all protocol', 'protocol')
  if (protocol === 'icmp') return `icmp type ${fromPort}${toPort === null ? '' : ` code ${toPort}`}`
  return `${name} ${fromPort === toPort ? fromPort : `${fromPort}-${toPort}`}`
}

/** Whether a range holds an IPv4 address. */
export function contains(cidr: string, address: string): boolean {
  const [base = '', bits = ''] = cidr.split('/')
  const number = (text: string) => text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
  const size = 2 ** (32 - Number(bits))
  return address !== '' && Math.floor(number(base) / size) === Math.floor(number(address) / size)
}
