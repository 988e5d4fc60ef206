// Where clients come in, and how their requests find a backend. A listener port is one socket for all load balancers that
// are known by host (on the machine) or by address (in the VPC), and each has a loopback port of its own.
import { awaitLines } from './await-target.ts'
import { certificatesOf, listFile, ownList, sharedList, type Use } from './certificates.ts'
import { clientMaps, refusals } from './clients.ts'
import type { Settings } from './config.ts'
import type { BalancerModel, Listener, LoadBalancer } from './engine.ts'
import {
  type Backend,
  clientsName,
  digest,
  listenerName,
  NO_TARGETS,
  publicName,
  UNKNOWN_HOST,
} from './names.ts'
import { hereLines } from './error-page-lines.ts'
import { SILENT } from './request-lines.ts'
import { networkLines } from './network-lines.ts'
import { ownPortsOf } from './own-ports.ts'
import { entryOf, routeOf } from './routing.ts'
import { type Bind, bindsOf, type HostPort, isServedPublicly, wantedPorts } from './wanted-ports.ts'

export type RenderedFrontends = {
  frontends: string[]
  /** Those of network load balancers, which come last. */
  network: string[]
  maps: Map<string, string>
  files: Map<string, string>
  /** Everything wanted on the host, also what is left out. */
  hostBinds: Bind[]
}

export function renderFrontends(
  model: BalancerModel,
  backends: Backend[],
  settings: Settings,
): RenderedFrontends {
  const { dir } = settings
  const pems = certificatesOf(model)
  const maps = new Map<string, string>()
  const files = new Map<string, string>()
  const frontends: string[] = []
  const addClients = (name: string, ranges: string[]) => {
    const { 4: ipv4, 6: ipv6 } = clientMaps(ranges)
    maps.set(`${name}-4.map`, ipv4)
    maps.set(`${name}-6.map`, ipv6)
  }
  const add = (frontend: Omit<Frontend, 'dir' | 'rules'>, users: Use[]) => {
    const routes = users.map(({ loadBalancer, listener }) => routeOf(backends, loadBalancer, listener, dir))
    for (const [name, content] of routes.flatMap((route) => [...route.files])) files.set(name, content)
    const ids = new Set(users.map(({ loadBalancer }) => loadBalancer.id))
    const own = backends.filter(({ loadBalancer }) => ids.has(loadBalancer.id))
    const rules = [...routes.flatMap(({ lines }) => lines), ...awaitLines(own)]
    frontends.push(...frontendLines({ ...frontend, rules, dir }))
  }
  /** What a bind line says besides of a socket that shows the certificates of a list. */
  const showing = (content: string) => {
    files.set(listFile(content), content)
    return ` ssl crt-list ${dir}/${listFile(content)}`
  }
  const { wanted } = wantedPorts(model, settings.publicPort)
  const where = settings.hostNamespace === null ? '' : ` namespace ${settings.hostNamespace}`
  // Linux makes a socket of one IPv6 address v6only. Unless the line says so too, a reload does not know its own socket
  // again, stops listening to bind it anew, and loses connections (seen with 2.6).
  const bindsOfHost = (port: HostPort) =>
    bindsOf(port, settings.addresses, settings.leftOut)
      .filter((bind) => !settings.leftOut.has(bind))
      .map((bind) => `  bind ${bind}${bind.startsWith('[') ? ' v6only' : ''}${where}`)
  const entries = (users: Use[], keys: (user: LoadBalancer) => string[]) =>
    users
      .flatMap(({ loadBalancer, listener }) =>
        keys(loadBalancer).map((key) => `${key} ${entryOf(backends, loadBalancer, listener)}\n`),
      )
      .join('')

  const { challenges = [] } = model
  maps.set(CHALLENGES, challenges.map(({ path, body }) => `${path} ${body}\n`).join(''))
  // Also while there are none: a line that comes and goes is a reload, which ends connections after a while.
  const challenge = `path,map_str(${dir}/${CHALLENGES})`
  const challenged = `return status 200 content-type text/plain lf-string "%[${challenge}]" if { path_beg /.well-known/acme-challenge/ } { ${challenge} -m found }`

  const open = usesOf(
    model.loadBalancers.filter(({ internetFacing, isNetwork }) => internetFacing && !isNetwork),
  )
  const served = wanted.map((one) => ({ ...one, binds: bindsOfHost(one) }))
  for (const { binds, port: hostPort, listenerPort: port, tls, network } of served) {
    if (port === null || network || binds.length === 0) continue
    const users = open.filter(({ listener }) => listener.port === port && isServedPublicly(model, listener))
    // The longest first: HAProxy takes the first that fits.
    const wild = users
      .flatMap(({ loadBalancer, listener }) =>
        loadBalancer.hosts
          .filter(isWildcard)
          .map((host) => ({ end: host.slice(1), to: entryOf(backends, loadBalancer, listener) })),
      )
      .sort((a, b) => b.end.length - a.end.length || (a.end < b.end ? -1 : 1))
    // Whose own name has no listener here is not somebody else's below a wildcard.
    const elsewhere = wild.length === 0 ? [] : open.flatMap(({ loadBalancer }) => loadBalancer.hosts)
    const exact = entries(users, ({ hosts }) => hosts.filter((host) => !isWildcard(host)))
    const named = new Set(users.flatMap(({ loadBalancer }) => loadBalancer.hosts))
    const unserved = [...new Set(elsewhere)].filter((host) => !named.has(host) && !isWildcard(host))
    maps.set(`hosts-${port}.map`, exact + unserved.map((host) => `${host} ${UNKNOWN_HOST}\n`).join(''))
    if (wild.length > 0) maps.set(`ends-${port}.map`, wild.map(({ end, to }) => `${end} ${to}\n`).join(''))
    const elastic = entries(users, ({ elasticAddress }) => (elasticAddress === null ? [] : [elasticAddress]))
    if (elastic !== '') maps.set(`elastic-${port}.map`, elastic)
    const host = 'req.hdr(host),host_only,lower'
    const lookups = [
      ...(elastic === '' ? [] : [`dst,map(${dir}/elastic-${port}.map`]),
      `${host},map(${dir}/hosts-${port}.map`,
      ...(wild.length === 0 ? [] : [`${host},map_end(${dir}/ends-${port}.map`]),
    ]
    const first = lookups.map(
      (lookup, index) =>
        `set-var(txn.to) ${lookup}${index === lookups.length - 1 ? `,${UNKNOWN_HOST}` : ''})` +
        (index === 0 ? '' : ' unless { var(txn.to) -m found }'),
    )
    // Who is let in by none of them is refused at once; by which one, only the request tells.
    const clients = `clients-${port}`
    addClients(
      clients,
      users.flatMap(({ listener }) => listener.clients),
    )
    const ssl = tls ? showing(sharedList(users, pems, dir)) : ''
    const lines = binds.map((bind) => bind + ssl)
    if (port === 80 && !tls) first.unshift(challenged)
    add({ name: publicName(port), binds: lines, port: hostPort, tls, first, clients }, users)
  }
  const inside = usesOf(
    model.loadBalancers.filter(({ elasticAddress, isNetwork }) => elasticAddress === null && !isNetwork),
  )
  for (const port of portsOf(inside)) {
    const users = inside.filter(({ listener }) => listener.port === port)
    maps.set(
      `addresses-${port}.map`,
      entries(users, ({ address }) => [address]),
    )
    const first = [`set-var(txn.to) dst,map(${dir}/addresses-${port}.map,${UNKNOWN_HOST})`]
    // Never on all addresses at once: a reload that changes from the one to the other stops listening for a moment, everywhere (seen
    // with 2.6).
    for (const tls of [false, true]) {
      const own = users.filter(({ listener }) => (listener.tls !== undefined) === tls)
      if (own.length === 0) continue
      const binds = own.map(
        ({ loadBalancer: { address }, listener }) =>
          `  bind ${address}:${port}${listener.tls ? showing(ownList(listener.tls, dir)) : ''}`,
      )
      add({ name: `vpc-${port}${tls ? '-tls' : ''}`, binds, port, tls, first, clients: null }, own)
    }
  }
  const loopbackBinds = (port: number | null) =>
    served.find((one) => one.listenerPort === null && one.port === port)?.binds ?? []
  for (const loadBalancer of model.loadBalancers.filter(({ isNetwork }) => !isNetwork))
    for (const { port, host, listener, name } of ownPortsOf(loadBalancer)) {
      const binds = loopbackBinds(port)
      if (binds.length === 0) continue
      frontends.push(`# load balancer ${loadBalancer.id}${host === null ? '' : ` as ${host}`}`)
      const entry = listener ? entryOf(backends, loadBalancer, listener) : NO_TARGETS
      const mark =
        host === null || !listener
          ? []
          : [`set-var(txn.own) str(${listenerName(loadBalancer.id, listener.port)})`]
      const first = [...mark, `set-var(txn.to) str(${entry})`]
      const clients = listener ? clientsName(loadBalancer.id, listener.port) : null
      const ssl = listener?.tls ? showing(ownList(listener.tls, dir)) : ''
      const lines = binds.map((bind) => bind + ssl)
      const users = listener ? [{ loadBalancer, listener }] : []
      add({ name, binds: lines, port, tls: ssl !== '', first, clients }, users)
    }
  for (const { id, listeners } of model.loadBalancers)
    for (const { port, clients } of listeners) addClients(clientsName(id, port), clients)
  const networkBinds = {
    host: ({ id }: LoadBalancer, { port }: Listener) =>
      served.find((one) => one.network && one.listenerPort === port && one.loadBalancers.includes(id))
        ?.binds ?? [],
    loopback: ({ loopbackPort }: LoadBalancer) => loopbackBinds(loopbackPort),
  }
  const network = networkLines(model, backends, networkBinds, dir)
  const hostBinds = wanted.flatMap((one) => bindsOf(one, settings.addresses, settings.leftOut))
  return { frontends, network, maps, files, hostBinds }
}

const CHALLENGES = 'challenges.map'

/** `*.example.com`: whatever is below. */
const isWildcard = (host: string) => host.startsWith('*.')

const usesOf = (loadBalancers: LoadBalancer[]): Use[] =>
  loadBalancers.flatMap((loadBalancer) =>
    loadBalancer.listeners.map((listener) => ({ loadBalancer, listener })),
  )

const portsOf = (uses: Use[]) => [...new Set(uses.map(({ listener }) => listener.port))].sort((a, b) => a - b)

/**
 * A frontend, and how a worker that a reload has replaced passes requests on. Clients keep connections to it and send
 * further requests there, but it is told of no change any more: its targets may be gone. So it hands each new request to
 * the worker of now, on a socket that only HAProxy reaches, with the client's address (PROXY protocol, version 2).
 */
const frontendLines = ({ name, binds, port, tls, first, rules, clients, dir }: Frontend): string[] => {
  const socket = `abns@polebean-${digest(dir, 12)}-${name}`
  return [
    `frontend ${name}`,
    ...binds,
    `  bind ${socket} accept-proxy`,
    // What a former worker passes on has been let in there, and has no address yet.
    ...(clients === null
      ? []
      : refusals('tcp-request connection reject', `${dir}/${clients}`, '{ src -m found }')),
    ...(clients === null ? [] : hereLines),
    ...requestLines(port, tls),
    ...first.map((line) => `  http-request ${line}`),
    ...rules.map((line) => `  ${line}`),
    `  use_backend handover-${name} if { stopping }`,
    '  use_backend %[var(txn.to)]',
    '',
    `backend handover-${name}`,
    // Who takes it over has a line for it.
    `  ${SILENT}`,
    `  server current ${socket} send-proxy-v2`,
    '',
  ]
}
type Frontend = {
  name: string
  binds: string[]
  port: number
  tls: boolean
  /** What says first where a request goes. */
  first: string[]
  /** Where it goes on from a listener. */
  rules: string[]
  /** The map of who is let in, without its family's ending; null = the firewall says. */
  clients: string | null
  dir: string
}

/** What an Application Load Balancer tells targets of a request (ELB user guide, "HTTP headers"). `port`: the client's. */
const requestLines = (port: number, tls: boolean) => [
  `  http-request set-header X-Forwarded-Proto ${tls ? 'https' : 'http'}`,
  `  http-request set-header X-Forwarded-Port ${port}`,
  // 1-<seconds>-<96 bits>: half of them are drawn for each request, which is what a drawing costs.
  `  http-request set-header X-Amzn-Trace-Id Root=1-%[date,bytes(4,4),hex,lower]-${digest(String(port), 12)}` +
    '%[uuid(),bytes(24,12)] unless { req.hdr(x-amzn-trace-id) -m found }',
]
