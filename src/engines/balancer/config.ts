// The model as HAProxy's files: pure text, compared in tests. Server lines change over the runtime socket; everything
// else (the frame) needs a reload, and `frame` names it, so that one can ask a running HAProxy which one it follows.
import { clientMaps, loopbackListener } from './clients.ts'
import { commonDefaultsLines, commonGlobalLines } from './common-config.ts'
import type { BalancerModel, HealthCheck, Target } from './engine.ts'
import { ERROR_CODES, errorPage } from './error-pages.ts'
import {
  type Backend,
  backendOf,
  clientsName,
  backendsOf,
  digest,
  loopbackName,
  NO_TARGETS,
  publicName,
  type Role,
  UNKNOWN_HOST,
} from './names.ts'
import { type Bind, bindsOf, type HostAddresses, type HostPort, wantedPorts } from './wanted-ports.ts'

export type Settings = {
  /** Where HAProxy's files and sockets lie; needs no quoting. */
  dir: string
  threads: number
  /** Connections of clients at once; follows from the limit of open files. */
  connectionsMax: number
  /** HAProxy drops root for this user and group; null = it stays what it is. */
  user: { name: string; group: string } | null
  /** Name of the host's network namespace; null = HAProxy runs in it. */
  hostNamespace: string | null
  addresses: HostAddresses
  /** What somebody else has on the host. */
  leftOut: ReadonlySet<Bind>
  /** Where a public listener port is served on the host. */
  publicPort(listenerPort: number): number
}

/** One server line. `open`: a stand-in that takes requests while no target is healthy (see plan.ts). */
export type Server = { backend: string; name: string; role: Role; target: Target; disabled: boolean }

export type Rendered = {
  config: string
  /** Names the frame: equal frames differ only in servers and maps. */
  frame: string
  /** File name → content. */
  maps: Map<string, string>
  pages: Map<string, string>
  /** Everything wanted on the host, also what is left out. */
  hostBinds: Bind[]
}

export function renderConfig(model: BalancerModel, settings: Settings, servers: Server[]): Rendered {
  const backends = backendsOf(model)
  const { frontends, maps, hostBinds } = renderFrontends(model, backends, settings)
  const text = (frame: string, lines: Server[]) =>
    [
      ...globalLines(settings, frame),
      ...defaultsLines(model, settings),
      ...frontends,
      ...backends.flatMap((backend) => [
        ...backendLines(backend, settings.dir),
        ...lines.filter((server) => server.backend === backend.name).map((server) => serverLine(server)),
        '',
      ]),
      `backend ${NO_TARGETS}`,
      '',
      `backend ${UNKNOWN_HOST}`,
      `  http-request return status 404 content-type text/plain string "No environment answers to this name.\\n"`,
      '',
    ].join('\n')
  const frame = digest(text('', []), 16)
  const pages = new Map(ERROR_CODES.map((code) => [`${code}.http`, errorPage(code)]))
  return { config: text(frame, servers), frame, maps, pages, hostBinds }
}

/** Keywords of a server, for its line and for `add server`; `default-server` does not reach dynamic ones. */
export function serverKeywords(role: Role, check: HealthCheck | null): string {
  if (role === 'open' || check === null) return 'backup'
  const { intervalSeconds, unhealthyThreshold, healthyThreshold, port } = check
  return [
    // One passed check makes a new target healthy (AWS: "it must pass one health check to be considered healthy").
    `check inter ${ms(intervalSeconds)} fall ${unhealthyThreshold} rise ${role === 'initial' ? 1 : healthyThreshold}`,
    // Difference from AWS: a target that is down is looked at more often than at the interval.
    `downinter ${Math.min(DOWN_INTERVAL_MS, intervalSeconds * 1000)}ms`,
    ...(port === null ? [] : [`port ${port}`]),
  ].join(' ')
}

const DOWN_INTERVAL_MS = 250
const ms = (seconds: number) => `${Math.round(seconds * 1000)}ms`

function globalLines({ dir, threads, connectionsMax, user }: Settings, frame: string): string[] {
  return [
    '# Written by Polebean from the load balancers that its AWS API describes; changes here are lost.',
    ...commonGlobalLines({ frame, threads, connectionsMax, dir, user }),
    '  stats timeout 10s',
    `  server-state-file ${dir}/servers.state`,
    '',
  ]
}

function defaultsLines(model: BalancerModel, { dir }: Settings): string[] {
  const idle = Math.max(60, ...model.loadBalancers.map(({ idleTimeoutSeconds }) => idleTimeoutSeconds))
  return [
    ...commonDefaultsLines,
    '  option redispatch 1',
    '  http-reuse safe',
    '  load-server-state-from-file global',
    `  timeout client ${idle}s`,
    `  timeout http-keep-alive ${idle}s`,
    `  timeout http-request ${idle}s`,
    `  timeout server ${idle}s`,
    `  timeout tunnel ${idle}s`,
    ...ERROR_CODES.map((code) => `  errorfile ${code} ${dir}/${code}.http`),
    '',
  ]
}

function renderFrontends(model: BalancerModel, backends: Backend[], settings: Settings) {
  const maps = new Map<string, string>()
  const frontends: string[] = []
  const add = (frontend: Omit<Frontend, 'dir'>) =>
    frontends.push(...frontendLines({ ...frontend, dir: settings.dir }))
  const addClients = (name: string, ranges: string[]) => {
    const { 4: ipv4, 6: ipv6 } = clientMaps(ranges)
    maps.set(`${name}-4.map`, ipv4)
    maps.set(`${name}-6.map`, ipv6)
  }
  const { wanted } = wantedPorts(model, settings.publicPort)
  const where = settings.hostNamespace === null ? '' : ` namespace ${settings.hostNamespace}`
  // Linux makes a socket of one IPv6 address v6only. Unless the line says so too, a reload does not know its own socket
  // again, stops listening to bind it anew, and loses connections (seen with 2.6).
  const bindHost = (port: HostPort) =>
    bindsOf(port, settings.addresses, settings.leftOut)
      .filter((bind) => !settings.leftOut.has(bind))
      .map((bind) => `  bind ${bind}${bind.startsWith('[') ? ' v6only' : ''}${where}`)
  const entries = (port: number, keys: (loadBalancer: BalancerModel['loadBalancers'][number]) => string[]) =>
    model.loadBalancers
      .flatMap((loadBalancer) => {
        const listener = loadBalancer.listeners.find((one) => one.port === port)
        if (!listener) return []
        const backend = backendOf(backends, loadBalancer, listener.targetGroupId)
        return keys(loadBalancer).map((key) => `${key} ${backend}\n`)
      })
      .join('')
  const portsOf = (loadBalancers: BalancerModel['loadBalancers']) =>
    [...new Set(loadBalancers.flatMap(({ listeners }) => listeners.map(({ port }) => port)))].sort(
      (a, b) => a - b,
    )

  const served = wanted.map((one) => ({ ...one, binds: bindHost(one) }))
  for (const { binds, port: hostPort, listenerPort: port } of served) {
    if (port === null || binds.length === 0) continue
    const file = `hosts-${port}.map`
    maps.set(
      file,
      entries(port, ({ internetFacing, hosts }) => (internetFacing ? hosts : [])),
    )
    const byName = `use_backend %[req.hdr(host),host_only,lower,map(${settings.dir}/${file},${UNKNOWN_HOST})]`
    const elastic = entries(port, ({ elasticAddress }) => (elasticAddress === null ? [] : [elasticAddress]))
    const byAddress = `dst,map(${settings.dir}/elastic-${port}.map)`
    if (elastic !== '') maps.set(`elastic-${port}.map`, elastic)
    const route = [
      ...(elastic === '' ? [] : [`use_backend %[${byAddress}] if { ${byAddress} -m found }`]),
      byName,
    ]
    // Who is let in by none of them is refused at once; by which one, only the request tells.
    const clients = `clients-${port}`
    const users = model.loadBalancers.filter(({ internetFacing }) => internetFacing)
    addClients(
      clients,
      users.flatMap(({ listeners }) => listeners.find((one) => one.port === port)?.clients ?? []),
    )
    add({ name: publicName(port), binds, port: hostPort, route, clients })
  }
  const inside = model.loadBalancers.filter(({ elasticAddress }) => elasticAddress === null)
  for (const port of portsOf(inside)) {
    const file = `addresses-${port}.map`
    maps.set(
      file,
      entries(port, ({ address, elasticAddress }) => (elasticAddress === null ? [address] : [])),
    )
    // In the host's own namespace (tests without a network) the address is what tells it from the public one.
    const addresses = inside.filter(({ listeners }) => listeners.some((one) => one.port === port))
    const binds = settings.hostNamespace === null ? addresses.map(({ address }) => address) : ['0.0.0.0']
    const route = [`use_backend %[dst,map(${settings.dir}/${file},${UNKNOWN_HOST})]`]
    add({
      name: `vpc-${port}`,
      binds: binds.map((address) => `  bind ${address}:${port}`),
      port,
      route,
      clients: null,
    })
  }
  for (const loadBalancer of model.loadBalancers) {
    const { loopbackPort } = loadBalancer
    const binds = served.find((one) => one.listenerPort === null && one.port === loopbackPort)?.binds ?? []
    if (loopbackPort === null || binds.length === 0) continue
    const listener = loopbackListener(loadBalancer)
    frontends.push(`# load balancer ${loadBalancer.id}`)
    const route = [`default_backend ${backendOf(backends, loadBalancer, listener?.targetGroupId ?? null)}`]
    const clients = listener ? clientsName(loadBalancer.id, listener.port) : null
    add({ name: loopbackName(loadBalancer.id), binds, port: loopbackPort, route, clients })
  }
  for (const { id, listeners } of model.loadBalancers)
    for (const { port, clients } of listeners) addClients(clientsName(id, port), clients)
  const hostBinds = wanted.flatMap((one) => bindsOf(one, settings.addresses, settings.leftOut))
  return { frontends, maps, hostBinds }
}

/**
 * A frontend, and how a worker that a reload has replaced passes requests on. Clients keep connections to it and send
 * further requests there, but it is told of no change any more: its targets may be gone. So it hands each new request to
 * the worker of now, on a socket that only HAProxy reaches, with the client's address (PROXY protocol, version 2).
 */
const frontendLines = ({ name, binds, port, route, clients, dir }: Frontend): string[] => {
  const socket = `abns@polebean-${digest(dir, 12)}-${name}`
  return [
    `frontend ${name}`,
    ...binds,
    `  bind ${socket} accept-proxy`,
    // What a former worker passes on has been let in there, and has no address yet.
    ...(clients === null
      ? []
      : refusals('tcp-request connection reject', `${dir}/${clients}`, '{ src -m found }')),
    ...requestLines(port),
    `  use_backend handover-${name} if { stopping }`,
    ...route.map((line) => `  ${line}`),
    '',
    `backend handover-${name}`,
    `  server current ${socket} send-proxy-v2`,
    '',
  ]
}
type Frontend = {
  name: string
  binds: string[]
  port: number
  route: string[]
  /** The map of who is let in, without its family's ending; null = the firewall says. */
  clients: string | null
  dir: string
}

/** Refuses whose address is not in the map of its family. */
const refusals = (verb: string, map: string, condition: string): string[] => [
  `  ${verb} if ${condition} { src -m sub : } !{ src,map_ip(${map}-6.map) -m found }`,
  `  ${verb} if ${condition} !{ src -m sub : } !{ src,map_ip(${map}-4.map) -m found }`,
]

/** What an Application Load Balancer tells targets of a request (ELB user guide, "HTTP headers"). `port`: the client's. */
const requestLines = (port: number) => [
  // `option forwardfor if-none` adds the header when there is none.
  '  http-request replace-header X-Forwarded-For (.*) "\\1, %[src]" unless { stopping }',
  '  http-request set-header X-Forwarded-Proto http',
  `  http-request set-header X-Forwarded-Port ${port}`,
  // 1-<seconds>-<96 bits>: half of them are drawn for each request, which is what a drawing costs.
  `  http-request set-header X-Amzn-Trace-Id Root=1-%[date,bytes(4,4),hex,lower]-${digest(String(port), 12)}` +
    '%[uuid(),bytes(24,12)] unless { req.hdr(x-amzn-trace-id) -m found }',
]

function backendLines(backend: Backend, dir: string): string[] {
  const { name, loadBalancer, group } = backend
  const { healthCheck } = group
  return [
    `# load balancer ${loadBalancer.id}, target group ${group.id}`,
    `backend ${name}`,
    '  balance roundrobin',
    `  source ${loadBalancer.address}`,
    '  option allbackups',
    '  option forwardfor if-none',
    ...letInLines(backend, dir),
    `  timeout server ${loadBalancer.idleTimeoutSeconds}s`,
    `  timeout tunnel ${loadBalancer.idleTimeoutSeconds}s`,
    ...(healthCheck === null ? [] : checkLines(healthCheck, loadBalancer.hosts[0] ?? loadBalancer.address)),
  ]
}

const checkLines = (check: HealthCheck, host: string): string[] => [
  `  timeout check ${ms(check.timeoutSeconds)}`,
  ...(check.protocol === 'TCP' ? [] : httpCheckLines(check, host)),
  // The runtime socket adds servers with the same keywords: a change of them is a change of the frame.
  `  default-server ${serverKeywords('settled', check)}`,
]

/**
 * A public socket serves many load balancers: which one is meant is known from the first request on, and its group is
 * asked then. Once for a connection, unless it is to be cut: what is established stays.
 */
function letInLines({ name, loadBalancer, group }: Backend, dir: string): string[] {
  const { id, listeners, cutsOnRevoke } = loadBalancer
  const known = cutsOnRevoke ? '' : `!{ var(sess.let_in) -m str ${name} } `
  return [
    ...listeners
      .filter(({ targetGroupId }) => targetGroupId === group.id)
      .flatMap((listener) => {
        const own = loopbackListener(loadBalancer) === listener ? ` ${loopbackName(id)}` : ''
        const here = `${known}{ fe_name ${publicName(listener.port)}${own} }`
        return refusals('http-request reject', `${dir}/${clientsName(id, listener.port)}`, here)
      }),
    ...(cutsOnRevoke ? [] : [`  http-request set-var(sess.let_in) str(${name}) if ${known.trim()}`]),
  ]
}

// Difference from AWS: Host is the balancer's name, where AWS sends the target's own address.
function httpCheckLines({ path, matcher }: HealthCheck, host: string): string[] {
  return [
    '  option httpchk',
    `  http-check send meth GET uri '${path.replaceAll("'", `'\\''`)}' ver HTTP/1.1` +
      ` hdr Host ${host} hdr User-Agent ELB-HealthChecker/2.0 hdr Connection close`,
    `  http-check expect status ${matcher}`,
  ]
}

function serverLine({ name, role, target, disabled }: Server): string {
  const own = role === 'open' ? 'no-check backup' : role === 'initial' ? 'rise 1' : ''
  return `  server ${name} ${target.address}:${target.port} ${own}${disabled ? ' disabled' : ''}`.trimEnd()
}
