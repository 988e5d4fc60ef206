// The network of a home: one router namespace that every packet to or from an instance or a balancer passes (design §4).
//
//   instance ── veth /32 ──┐
//   instance ── veth /32 ──┤ router `pb-<id>`: nftables, resolver and metadata addresses ── uplink ── host ── outside
//   HAProxy `pb-<id>-lb` ──┘
//
// The host holds only: the uplink, a route for the VPC range, masquerade, and a drop of what comes up the uplink for
// the host itself. Everything here is idempotent: `ensure` is the first start, the repair and the start after a reboot.

import { hardwareAddressOf } from '../../kernel/hardware-address.ts'
import type { Home } from '../../kernel/home.ts'
import { run, runOk } from '../../kernel/process.ts'
import { makeTurns } from '../../kernel/turns.ts'
import { conflictsWith, describeConflict, readHostRoutes } from './cidr.ts'
import {
  closedChainProblems,
  ensureAccepted,
  ensureForwarding,
  forwardingOf,
  undoHostChanges,
} from './host-forwarding.ts'
import { CLOSED_SECONDS, countsFlows, flowsMaxOf, readRemembered } from './flows.ts'
import { hasNamespace, inNamespace, ip, nft, removeLink, removeNamespace, setNetwork } from './ip.ts'
import {
  BALANCER_LINK,
  checkAddress,
  GATEWAY,
  interfaceOf,
  METADATA,
  namesOf,
  rangeOf,
  NAMES_PORT,
  PRIVATE_NAMES_PORT,
  RELAY_PORT,
  RESOLVER,
  type RouterNames,
} from './names.ts'
import {
  ensureBalancerNamespace,
  ensureRouterNamespace,
  ensureUplink,
  readAddresses,
  readAttached,
  readCounters,
  readHostAddresses,
} from './router-links.ts'
import {
  addMemberRules,
  hostRuleset,
  hostTable,
  removeMemberRules,
  routerRuleset,
  setBalancersRules,
} from './ruleset.ts'

/** An instance (`i-…`) or a build sandbox (`b-…`), 17 hexadecimal digits each. */
export type Member = { id: string; address: string }

export type Router = {
  names: RouterNames
  /** Of the VPC. */
  cidr: string
  /** Resolver as instances see it; listen on these inside the router namespace (`execIn(names.router, …)`), port 53. */
  resolverAddress: string
  resolverAddresses: string[]
  metadataAddress: string
  /** What of the host the router, and nobody else, may reach: the relay for names of elsewhere, and Polebean's name servers. */
  relay: { address: string; port: number; namesPort: number; privateNamesPort: number }
  /** From where it asks there. */
  asker: string
  /** Makes or repairs everything that does not belong to one instance. Call it at each start and every few seconds. */
  ensure(): Promise<void>
  /** Removes every namespace, interface, route, rule and setting of the home. Quiet when there is nothing. */
  remove(): Promise<void>
  /** The balancers have exactly these addresses from now on. Survives `ensure`. */
  ensureBalancerAddresses(addresses: string[]): Promise<void>
  /** Those that are in force. */
  balancerAddresses(): Promise<string[]>
  /** The network's part of the table is right, whoever was at it; what passes is the firewall's part of it. */
  ensureTable(): Promise<void>
  /** argv that runs `argv` inside a namespace of `names`, in the same mount namespace and as the same process. */
  execIn(namespace: string, argv: string[]): string[]
  /** Joins the network namespace of process `pid` to the router as `eth0` with the member's address. */
  attach(member: Member, pid: number): Promise<void>
  /** Takes the member's interface, route and set elements away. Quiet when there are none. */
  detach(member: Member): Promise<void>
  /** Bytes since the member was attached, seen from the member; by interface name (`interfaceOf(id)`). */
  counters(): Promise<Map<string, { inBytes: number; outBytes: number }>>
  /** Sentences about what on this host keeps the network from working, each with the command that helps. */
  problems(): Promise<string[]>
}

export function makeRouter(home: Home): Router {
  const names = namesOf(home)
  const range = rangeOf(home.cidr)
  const turns = makeTurns()
  // One change of the network at a time: `ensure` rebuilds sets from what it has read.
  const inTurn = <T>(work: () => Promise<T>) => turns(names.router, work)

  /** What the host looked like after the last whole pass; a call that finds it so does no more. */
  let seen = ''
  let calls = 0
  /** Whether the kernel is known to count connections. */
  let counts = false

  const look = async () => {
    const all = [names.router, names.balancer, names.host].map((name) => `${name}=${hasNamespace(name)}`)
    const rules = await run(['nft', 'list', 'table', 'inet', hostTable(names)])
    return [...all, ...forwardingOf(), ...(await readHostAddresses()), rules.stdout.toString()].join('\n')
  }

  const ensure = async () => {
    // Not everything is looked at each time: a firewall that was started since, a setting that was changed back.
    if (calls++ % WHOLE_PASS_EVERY !== 0 && (await look()) === seen) return
    await ensureRouterNamespace(names, range)
    await ensureUplink(names, range)
    await ensureBalancerNamespace(names)
    const forwardingForUs = await ensureForwarding(home, names)
    await ensureTable()
    await setNetwork(names.router, CLOSED_SECONDS)
    await nft(null, hostRuleset({ names, cidr: home.cidr, forwardingForUs }))
    await ensureAccepted({ home, names })
    seen = await look()
  }

  const ensureTable = async () => {
    const { members, balancers } = await readAttached(names)
    const hostAddresses = await readHostAddresses()
    counts ||= await countsFlows(names.router)
    const flowsMax = counts ? flowsMaxOf(readRemembered()) : null
    const rules = { cidr: home.cidr, members, balancers, hostAddresses, flowsMax }
    await nft(names.router, routerRuleset(rules))
  }

  const remove = async () => {
    seen = ''
    for (const name of [names.host, names.balancer, names.router]) await removeNamespace(name)
    await removeLink(null, names.uplink) // its end in the router may be kept alive by a process that lives there
    const table = `table inet ${hostTable(names)}`
    await nft(null, `${table}\ndelete ${table}\n`)
    await undoHostChanges(home, names)
  }

  const attach = async (member: Member, pid: number) => {
    const link = interfaceOf(member.id)
    const address = checkAddress(member.address)
    const outer = [
      `link add ${link} type veth peer name eth0 address ${hardwareAddressOf(address)} netns ${pid}`,
      `link set ${link} up`,
      `addr add ${GATEWAY}/32 dev ${link}`,
      `route replace ${address}/32 dev ${link}`,
    ]
    const inner = [
      'link set lo up',
      `addr add ${address}/32 dev eth0`,
      'link set eth0 up',
      `route add ${GATEWAY} dev eth0 scope link`,
      `route add default via ${GATEWAY} dev eth0 src ${address}`,
    ]
    try {
      await ip(names.router, outer)
    } catch {
      // Left of a start that was cut short, or the kernel has not yet taken away that of an earlier namespace.
      await removeLink(names.router, link)
      await run(['nsenter', '-t', String(pid), '-n', 'ip', 'link', 'del', 'eth0'])
      await ip(names.router, outer)
    }
    await Promise.all([
      runOk(['nsenter', '-t', String(pid), '-n', 'ip', '-batch', '-'], { stdin: inner.join('\n') + '\n' }),
      nft(names.router, addMemberRules({ interface: link, address })),
    ])
  }

  const detach = async (member: Member) => {
    if (!hasNamespace(names.router)) return
    const link = interfaceOf(member.id)
    await removeLink(names.router, link)
    try {
      await nft(names.router, removeMemberRules({ interface: link, address: checkAddress(member.address) }))
    } catch {
      // No table yet, in a namespace that was just made anew. An element without its interface lets nobody speak.
    }
  }

  const ensureBalancerAddresses = async (addresses: string[]) => {
    const wanted = [...new Set(addresses.map(checkAddress))].sort()
    const present = (await readAttached(names)).balancers
    const gone = present.filter((address) => !wanted.includes(address))
    const added = wanted.filter((address) => !present.includes(address))
    // The balancer's own end always is set whole: a crash between the two commands must not leave a half.
    const lo = await readAddresses(names.balancer, 'lo')
    const inner = [
      ...lo.filter((address) => !wanted.includes(address)).map((address) => `addr del ${address}/32 dev lo`),
      ...wanted.filter((address) => !lo.includes(address)).map((address) => `addr add ${address}/32 dev lo`),
    ]
    if (inner.length > 0) await ip(names.balancer, inner)
    const outer = [
      ...gone.map((address) => `route del ${address}/32 dev ${BALANCER_LINK}`),
      ...added.map((address) => `route replace ${address}/32 dev ${BALANCER_LINK}`),
    ]
    if (outer.length > 0) await ip(names.router, outer)
    await nft(names.router, setBalancersRules(wanted, home.cidr))
  }

  return {
    names,
    cidr: home.cidr,
    resolverAddress: RESOLVER,
    resolverAddresses: [RESOLVER, range.resolver],
    metadataAddress: METADATA,
    relay: {
      address: range.uplinkHost,
      port: RELAY_PORT,
      namesPort: NAMES_PORT,
      privateNamesPort: PRIVATE_NAMES_PORT,
    },
    asker: range.uplinkRouter,
    ensure: () => inTurn(ensure),
    remove: () => inTurn(remove),
    ensureBalancerAddresses: (addresses) => inTurn(() => ensureBalancerAddresses(addresses)),
    balancerAddresses: async () => (await readAttached(names)).balancers,
    ensureTable: () => inTurn(ensureTable),
    execIn: (namespace, argv) => inNamespace(namespace, argv),
    attach: (member, pid) => inTurn(() => attach(member, pid)),
    detach: (member) => inTurn(() => detach(member)),
    counters: () => readCounters(names),
    problems: async () => [
      ...conflictsWith(home.cidr, await readHostRoutes(), names.uplink).map((route) =>
        describeConflict(home.cidr, route),
      ),
      ...(await closedChainProblems({ home, names })),
      ...(hasNamespace(names.router) && !(await countsFlows(names.router)) ? [CANNOT_COUNT] : []),
    ],
  }
}

const CANNOT_COUNT =
  'This kernel does not count connections (it lacks nft_connlimit), so one instance can use up what it remembers for all.'
const WHOLE_PASS_EVERY = 12
