// Namespaces, links, addresses and routes of a home's router: how they must be, and how they are.
import { writeFileSync } from 'node:fs'
import { EngineError } from '../../kernel/errors.ts'
import { conflictsWith, describeConflict, readHostRoutes } from './cidr.ts'
import { ensureNamespace, ensureNamespaceName, hasIpv6, ip, ipJson, removeLink, setNetwork } from './ip.ts'
import { BALANCER_LINK, GATEWAY, METADATA, type Range, RESOLVER, type RouterNames, UPLINK } from './names.ts'

export async function ensureRouterNamespace(names: RouterNames, range: Range) {
  await ensureNamespace(names.router)
  await setNetwork(names.router, { 'ipv4/ip_forward': '1', ...withoutIpv6() })
  await ip(names.router, [
    'link set lo up',
    ...[RESOLVER, METADATA, range.resolver].map((address) => `addr replace ${address}/32 dev lo`),
  ])
}

const withoutIpv6 = (): Record<string, string> =>
  hasIpv6() ? { 'ipv6/conf/all/disable_ipv6': '1', 'ipv6/conf/default/disable_ipv6': '1' } : {}

export async function ensureUplink(names: RouterNames, range: Range) {
  const inner = await ipJson<{ ifname: string }>(names.router, ['link'])
  const outer = await ipJson<{ ifname: string; mtu: number }>(null, ['link'])
  const mtu = await readOutsideMtu(outer)
  const has = (links: { ifname: string }[], name: string) => links.some((link) => link.ifname === name)
  if (!has(outer, names.uplink) || !has(inner, UPLINK)) {
    await removeLink(null, names.uplink)
    await ip(null, [
      `link add ${names.uplink} mtu ${mtu} type veth peer name ${UPLINK} netns ${names.router}`,
    ])
  }
  if (hasIpv6()) writeFileSync(`/proc/sys/net/ipv6/conf/${names.uplink}/disable_ipv6`, '1')
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
  const routes = await readHostRoutes()
  if (routes.some(({ dst, dev }) => dst === range.cidr && dev === names.uplink)) return
  const [conflict] = conflictsWith(range.cidr, routes, names.uplink)
  if (conflict) throw new EngineError(describeConflict(range.cidr, conflict))
  // Never `replace`: it would take away a route of the host's own.
  await ip(null, [
    `route add ${range.cidr} via ${range.uplinkRouter} dev ${names.uplink} src ${range.uplinkHost}`,
  ])
}

export async function ensureBalancerNamespace(names: RouterNames) {
  await ensureNamespaceName(names.host)
  await ensureNamespace(names.balancer)
  await setNetwork(names.balancer, {
    ...withoutIpv6(),
    // HAProxy dials from one address: without these it runs out of ports under load without keep-alive.
    'ipv4/ip_local_port_range': '1024 65535',
    'ipv4/tcp_tw_reuse': '1',
  })
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
  if (addresses.length > 0)
    await ip(
      names.balancer,
      addresses.map((address) => `addr replace ${address}/32 dev lo`),
    )
}

/** Who is attached, from the routes: the kernel's state is the only list, so that a crash cannot make it wrong. */
export async function readAttached(names: RouterNames) {
  const routes = await ipJson<{ dst: string; dev?: string }>(names.router, [
    '-4',
    'route',
    'show',
    'scope',
    'link',
  ])
  return {
    members: routes.flatMap(({ dst, dev = '' }) =>
      /^[ib][0-9a-f]{14}$/.test(dev) ? { interface: dev, address: dst } : [],
    ),
    balancers: routes.flatMap(({ dst, dev }) => (dev === BALANCER_LINK ? dst : [])),
  }
}

export async function readAddresses(namespace: string | null, dev: string): Promise<string[]> {
  const links = await ipJson<{ addr_info: { local: string }[] }>(namespace, [
    '-4',
    'addr',
    'show',
    'dev',
    dev,
  ])
  const all = links.flatMap((link) => (link.addr_info ?? []).map((info) => info.local))
  return all.filter((address) => !address.startsWith('127.'))
}

export async function readHostAddresses(): Promise<string[]> {
  const links = await ipJson<{ addr_info?: { local?: string }[] }>(null, ['-4', 'addr'])
  return links.flatMap((link) => (link.addr_info ?? []).flatMap((info) => info.local ?? []))
}

// The smallest of the ways out: fragments are never needed, and senders learn it from the router.
async function readOutsideMtu(links: { ifname: string; mtu: number }[]): Promise<number> {
  const routes = await ipJson<{ dev?: string }>(null, ['-4', 'route', 'show', 'default'])
  const mtus = routes.flatMap(({ dev }) => links.filter(({ ifname }) => ifname === dev).map(({ mtu }) => mtu))
  return Math.max(1280, Math.min(1500, ...mtus))
}

export async function readCounters(names: RouterNames) {
  type Link = { ifname: string; stats64?: { rx: { bytes: number }; tx: { bytes: number } } }
  const links = await ipJson<Link>(names.router, ['-s', 'link'])
  return new Map(
    links.flatMap(({ ifname, stats64 }) =>
      stats64 ? [[ifname, { inBytes: stats64.tx.bytes, outBytes: stats64.rx.bytes }] as const] : [],
    ),
  )
}
