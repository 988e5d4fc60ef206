// The network of a home: one router namespace that every packet to or from an instance or a balancer passes (design §4).
//
//   instance ── veth /32 ──┐
//   instance ── veth /32 ──┤ router `pb-<id>`: nftables, resolver and metadata addresses ── uplink ── host ── outside
//   HAProxy `pb-<id>-lb` ──┘
//
// The host holds only: the uplink, a route for the VPC range, masquerade, and a drop of what comes up the uplink for
// the host itself. Everything here is idempotent: `ensure` is the first start, the repair and the start after a reboot.

import { existsSync, writeFileSync } from 'node:fs'
import { EngineError } from '../../kernel/errors.ts'
import { readFileIfAny } from '../../kernel/files.ts'
import type { Home } from '../../kernel/home.ts'
import { run, runOk } from '../../kernel/process.ts'
import { makeTurns } from '../../kernel/turns.ts'
import { ensureAccepted, ensureForwarding, foreignForwardDrops, undoHostChanges } from './host-forwarding.ts'
import {
  ensureNamespace,
  ensureNamespaceName,
  hasNamespace,
  inNamespace,
  ip,
  ipJson,
  nft,
  removeLink,
  removeNamespace,
  sysctl,
} from './ip.ts'
import {
  BALANCER_LINK,
  checkAddress,
  GATEWAY,
  interfaceOf,
  METADATA,
  namesOf,
  type Range,
  rangeOf,
  RESOLVER,
  type RouterNames,
  UPLINK,
} from './names.ts'
import {
  addMemberRules,
  hostRuleset,
  hostTable,
  removeMemberRules,
  routerRuleset,
  setBalancersRules,
  setPortsRules,
} from './ruleset.ts'

/** An instance (`i-…`) or a build sandbox (`b-…`), 17 hexadecimal digits each. */
export type Member = { id: string; address: string }

export type Router = {
  names: RouterNames
  /** Resolver as instances see it; listen on these inside the router namespace (`execIn(names.router, …)`), port 53. */
  resolverAddress: string
  resolverAddresses: string[]
  metadataAddress: string
  /** Makes or repairs everything that does not belong to one instance. Call it at each start and every few seconds. */
  ensure(): Promise<void>
  /** Removes every namespace, interface, route, rule and setting of the home. Quiet when there is nothing. */
  remove(): Promise<void>
  /** The balancers have exactly these addresses from now on. Survives `ensure`. */
  ensureBalancerAddresses(addresses: string[]): Promise<void>
  /** Besides port 80 of every instance, balancers may open exactly these. Lost when the namespace is made anew. */
  ensureBalancerPorts(ports: { address: string; port: number }[]): Promise<void>
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
  let ports: { address: string; port: number }[] = []
  const turns = makeTurns()
  // One change of the network at a time: `ensure` rebuilds sets from what it has read.
  const inTurn = <T>(work: () => Promise<T>) => turns(names.router, work)

  const ensure = async () => {
    await ensureRouterNamespace(names, range)
    await ensureUplink(names, range)
    await ensureBalancerNamespace(names)
    const forwardingForUs = await ensureForwarding(home, names)
    const { members, balancers } = await readAttached(names)
    const hostAddresses = await readHostAddresses()
    await nft(names.router, routerRuleset({ cidr: home.cidr, members, balancers, ports, hostAddresses }))
    await nft(null, hostRuleset({ names, cidr: home.cidr, forwardingForUs }))
    await ensureAccepted(home, names)
  }

  const remove = async () => {
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
      `link add ${link} type veth peer name eth0 netns ${pid}`,
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
    await nft(names.router, setBalancersRules(wanted))
  }

  return {
    names,
    resolverAddress: RESOLVER,
    resolverAddresses: [RESOLVER, range.resolver],
    metadataAddress: METADATA,
    ensure: () => inTurn(ensure),
    remove: () => inTurn(remove),
    ensureBalancerAddresses: (addresses) => inTurn(() => ensureBalancerAddresses(addresses)),
    ensureBalancerPorts: (wanted) =>
      inTurn(async () => {
        ports = wanted.map(({ address, port }) => ({ address: checkAddress(address), port: checkPort(port) }))
        await nft(names.router, setPortsRules(ports))
      }),
    execIn: (namespace, argv) => inNamespace(namespace, argv),
    attach: (member, pid) => inTurn(() => attach(member, pid)),
    detach: (member) => inTurn(() => detach(member)),
    counters: () => readCounters(names),
    problems: async () =>
      (await foreignForwardDrops()).map(
        (chain) =>
          `The host's firewall drops forwarded packets by policy (nft chain ${chain}), so instances cannot reach the ` +
          `outside. Run: nft insert rule ${chain} iifname ${names.uplink} accept; ` +
          `nft insert rule ${chain} oifname ${names.uplink} ct state established,related accept`,
      ),
  }
}

async function ensureRouterNamespace(names: RouterNames, range: Range) {
  await ensureNamespace(names.router)
  await sysctl(names.router, [
    'net.ipv4.ip_forward=1',
    'net.ipv6.conf.all.disable_ipv6=1',
    'net.ipv6.conf.default.disable_ipv6=1',
  ])
  await ip(names.router, [
    'link set lo up',
    ...[RESOLVER, METADATA, range.resolver].map((address) => `addr replace ${address}/32 dev lo`),
  ])
}

async function ensureUplink(names: RouterNames, range: Range) {
  const links = await ipJson<{ ifname: string; mtu: number }>(names.router, ['link'])
  const mtu = await readOutsideMtu()
  if (!existsSync(`/sys/class/net/${names.uplink}`) || !links.some((link) => link.ifname === UPLINK)) {
    await removeLink(null, names.uplink)
    await ip(null, [`link add ${names.uplink} mtu ${mtu} type veth peer name ${UPLINK} netns ${names.router}`])
  }
  writeFileSync(`/proc/sys/net/ipv6/conf/${names.uplink}/disable_ipv6`, '1')
  await ip(null, [
    `link set ${names.uplink} mtu ${mtu} up`,
    `addr replace ${range.uplinkHost}/32 peer ${range.uplinkRouter}/32 dev ${names.uplink}`,
  ])
  await ip(names.router, [
    `link set ${UPLINK} mtu ${mtu} up`,
    `addr replace ${range.uplinkRouter}/32 peer ${range.uplinkHost}/32 dev ${UPLINK}`,
    `route replace default via ${range.uplinkHost} dev ${UPLINK} src ${range.uplinkRouter}`,
    // Addresses that nobody has end here, and do not bounce between router and host.
    `route replace unreachable ${range.cidr}`,
  ])
  await ip(null, [`route replace ${range.cidr} via ${range.uplinkRouter} dev ${names.uplink} src ${range.uplinkHost}`])
}

async function ensureBalancerNamespace(names: RouterNames) {
  await ensureNamespaceName(names.host)
  await ensureNamespace(names.balancer)
  await sysctl(names.balancer, [
    'net.ipv6.conf.all.disable_ipv6=1',
    'net.ipv6.conf.default.disable_ipv6=1',
    // HAProxy dials from one address: without these it runs out of ports under load without keep-alive.
    'net.ipv4.ip_local_port_range=1024 65535',
    'net.ipv4.tcp_tw_reuse=1',
  ])
  const links = await ipJson<{ ifname: string }>(names.router, ['link'])
  if (!links.some((link) => link.ifname === BALANCER_LINK)) {
    await removeLink(names.balancer, 'eth0') // of a router namespace that is going away
    await ip(names.router, [`link add ${BALANCER_LINK} type veth peer name eth0 netns ${names.balancer}`])
  }
  await ip(names.router, [`link set ${BALANCER_LINK} up`, `addr replace ${GATEWAY}/32 dev ${BALANCER_LINK}`])
  await ip(names.balancer, [
    'link set lo up',
    'link set eth0 up',
    `route replace ${GATEWAY} dev eth0 scope link`,
    `route replace default via ${GATEWAY} dev eth0`,
  ])
  // A namespace that was made anew has none of its addresses, while the router's routes may remember them.
  const addresses = (await readAttached(names)).balancers
  if (addresses.length > 0) await ip(names.balancer, addresses.map((address) => `addr replace ${address}/32 dev lo`))
}

/** Who is attached, from the routes: the kernel's state is the only list, so that a crash cannot make it wrong. */
async function readAttached(names: RouterNames) {
  const routes = await ipJson<{ dst: string; dev?: string }>(names.router, ['-4', 'route', 'show', 'scope', 'link'])
  return {
    members: routes.flatMap(({ dst, dev = '' }) => (/^[ib][0-9a-f]{14}$/.test(dev) ? { interface: dev, address: dst } : [])),
    balancers: routes.flatMap(({ dst, dev }) => (dev === BALANCER_LINK ? dst : [])),
  }
}

async function readAddresses(namespace: string | null, dev: string): Promise<string[]> {
  const links = await ipJson<{ addr_info: { local: string }[] }>(namespace, ['-4', 'addr', 'show', 'dev', dev])
  const all = links.flatMap((link) => (link.addr_info ?? []).map((info) => info.local))
  return all.filter((address) => !address.startsWith('127.'))
}

async function readHostAddresses(): Promise<string[]> {
  const links = await ipJson<{ addr_info?: { local?: string }[] }>(null, ['-4', 'addr'])
  return links.flatMap((link) => (link.addr_info ?? []).flatMap((info) => info.local ?? []))
}

// The smallest of the ways out: fragments are never needed, and senders learn it from the router.
async function readOutsideMtu(): Promise<number> {
  const routes = await ipJson<{ dev?: string }>(null, ['-4', 'route', 'show', 'default'])
  const mtus = routes.map(({ dev }) => Number(readFileIfAny(`/sys/class/net/${dev ?? ''}/mtu`) ?? 1500))
  return Math.max(1280, Math.min(1500, ...mtus))
}

async function readCounters(names: RouterNames) {
  type Link = { ifname: string; stats64?: { rx: { bytes: number }; tx: { bytes: number } } }
  const links = await ipJson<Link>(names.router, ['-s', 'link'])
  return new Map(
    links.flatMap(({ ifname, stats64 }) =>
      stats64 ? [[ifname, { inBytes: stats64.tx.bytes, outBytes: stats64.rx.bytes }] as const] : [],
    ),
  )
}

function checkPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new EngineError(`not a port: ${port}`)
  return port
}
