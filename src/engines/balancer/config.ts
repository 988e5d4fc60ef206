// The model as HAProxy's files: pure text, compared in tests. Server lines change over the runtime socket; everything
// else (the frame) needs a reload, and `frame` names it, so that one can ask a running HAProxy which one it follows.
import { bodyFile } from './answers.ts'
import { AWAIT_FILE, AWAIT_TARGET, loadLine } from './await-target.ts'
import { answerBackendLines, backendLines } from './backends.ts'
import { certificateFile, certificatesOf } from './certificates.ts'
import { commonDefaultsLines, commonGlobalLines } from './common-config.ts'
import type { BalancerModel } from './engine.ts'
import {
  errorFiles,
  errorLines,
  ownPageFiles,
  reasonEntries,
  REASONS_MAP,
  unknownHostLine,
} from './error-page-lines.ts'
import { errorPage, PLAIN_CODES } from './error-pages.ts'
import { renderFrontends } from './frontends.ts'
import { logFormatLine, logGlobalLine, SILENT } from './request-lines.ts'
import { networkBackendLines } from './network-lines.ts'
import { answersOf, type Backend, backendsOf, digest, NO_TARGETS, UNKNOWN_HOST } from './names.ts'
import { type Server, serverLine } from './servers.ts'
import { stayEntries, stayMap } from './stickiness.ts'
import type { Bind, HostAddresses } from './wanted-ports.ts'

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

export type Rendered = {
  config: string
  /** Names the frame: equal frames differ only in servers and maps. */
  frame: string
  /** File name → content, of what changes over the socket. */
  maps: Map<string, string>
  /** File name → PEM; a changed one is taken over the socket too. */
  certificates: Map<string, string>
  /** The others that the configuration names; another content has another name. */
  files: Map<string, string>
  /** Everything wanted on the host, also what is left out. */
  hostBinds: Bind[]
}

export function renderConfig(model: BalancerModel, settings: Settings, servers: Server[]): Rendered {
  const backends = backendsOf(model)
  const answers = answersOf(model)
  const awaits = model.loadBalancers.some(({ queueSeconds = 0 }) => queueSeconds > 0)
  const { frontends, network, maps, files, hostBinds } = renderFrontends(model, backends, settings)
  const text = (frame: string, all: Server[]) => {
    const lines = Map.groupBy(all, ({ backend }) => backend)
    return [
      ...globalLines(settings, frame, awaits),
      ...defaultsLines(model, settings),
      ...frontends,
      ...backends
        .filter(isOfHttp)
        .flatMap((backend) => withServers(backendLines(backend, settings.dir), backend, lines)),
      ...answers.flatMap((answer) => [...answerBackendLines(answer, settings), '']),
      `backend ${NO_TARGETS}`,
      '',
      `backend ${UNKNOWN_HOST}`,
      `  ${SILENT}`,
      unknownHostLine(settings.dir),
      '',
      ...network,
      ...backends
        .filter((backend) => !isOfHttp(backend))
        .flatMap((backend) => withServers(networkBackendLines(backend), backend, lines)),
    ].join('\n')
  }
  maps.set(REASONS_MAP, reasonEntries(model))
  for (const backend of backends)
    if (backend.group.routing?.stickiness) maps.set(stayMap(backend), stayEntries(backend, servers))
  // A server that came over the socket starts at full weight, whatever `slowstart` says (seen with 2.6): where that matters
  // servers are of the frame, and come with a reload.
  const slow = new Set(
    backends.filter(({ group }) => (group.routing?.slowStartSeconds ?? 0) > 0).map(({ name }) => name),
  )
  const fixed = servers.filter(({ backend, role }) => slow.has(backend) && role !== 'open')
  const frame = digest(text('', fixed), 16)
  const bodies = answers.flatMap(({ action }) =>
    action.type === 'fixed-response' ? [[bodyFile(action), action.body] as const] : [],
  )
  const certificates = new Map([...certificatesOf(model)].map(([id, pem]) => [certificateFile(id), pem]))
  const scripts = awaits ? [[AWAIT_FILE, AWAIT_TARGET] as const] : []
  const pages = [
    ...PLAIN_CODES.map((code) => [`${code}.http`, errorPage(code)] as const),
    ...errorFiles(settings.dir),
    ...ownPageFiles(model, settings.dir),
  ]
  return {
    config: text(frame, servers),
    frame,
    maps,
    files: new Map([...pages, ...bodies, ...scripts, ...files]),
    certificates,
    hostBinds,
  }
}

const isOfHttp = ({ loadBalancer }: Backend) => !loadBalancer.isNetwork

const withServers = (head: string[], { name }: Backend, servers: Map<string, Server[]>): string[] => [
  ...head,
  ...(servers.get(name) ?? []).map((server) => serverLine(server)),
  '',
]

function globalLines(
  { dir, threads, connectionsMax, user }: Settings,
  frame: string,
  awaits: boolean,
): string[] {
  return [
    '# Written by Polebean from the load balancers that its AWS API describes; changes here are lost.',
    ...commonGlobalLines({ frame, threads, connectionsMax, dir, user }),
    logGlobalLine,
    '  stats timeout 10s',
    `  server-state-file ${dir}/servers.state`,
    ...(awaits ? [loadLine(dir)] : []),
    '',
  ]
}

function defaultsLines(model: BalancerModel, { dir }: Settings): string[] {
  const idle = Math.max(60, ...model.loadBalancers.map(({ idleTimeoutSeconds }) => idleTimeoutSeconds))
  return [
    ...commonDefaultsLines,
    '  log global',
    logFormatLine,
    '  option dontlognull',
    '  option redispatch 1',
    '  http-reuse safe',
    '  load-server-state-from-file global',
    `  timeout client ${idle}s`,
    `  timeout http-keep-alive ${idle}s`,
    `  timeout http-request ${idle}s`,
    `  timeout server ${idle}s`,
    `  timeout tunnel ${idle}s`,
    ...PLAIN_CODES.map((code) => `  errorfile ${code} ${dir}/${code}.http`),
    ...errorLines(dir),
    '',
  ]
}
