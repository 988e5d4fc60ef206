// Network load balancers: connections are passed on as they are. Their part of the configuration is the last one, with defaults of
// its own.
import { targetGroupIdsOf } from './actions.ts'
import { checkLines } from './backends.ts'
import { refusals } from './clients.ts'
import { loopbackListener } from './own-ports.ts'
import type { BalancerModel, Listener, LoadBalancer } from './engine.ts'
import { type Backend, backendName, clientsName, networkNames, NO_TARGETS_TCP } from './names.ts'

/** AWS: 350 seconds for TCP, which nobody can change. */
const IDLE = '350s'

export const networkDefaultsLines: readonly string[] = [
  'defaults',
  '  mode tcp',
  '  log global',
  '  option tcplog',
  '  option dontlog-normal',
  '  option dontlognull',
  '  retries 3',
  '  option redispatch 1',
  '  load-server-state-from-file global',
  '  timeout connect 5s',
  `  timeout client ${IDLE}`,
  `  timeout server ${IDLE}`,
  '',
]

export type NetworkBinds = {
  /** Lines of the host's sockets, by listener port; none where it is left out. */
  host(loadBalancer: LoadBalancer, listener: Listener): string[]
  /** The same of its loopback port. */
  loopback(loadBalancer: LoadBalancer): string[]
}

export function networkLines(
  { loadBalancers }: BalancerModel,
  backends: Backend[],
  binds: NetworkBinds,
  dir: string,
): string[] {
  const network = loadBalancers.filter(({ isNetwork }) => isNetwork)
  if (network.length === 0) return []
  const frontends = network.flatMap((loadBalancer) =>
    loadBalancer.listeners.flatMap((listener) => {
      const { id, address } = loadBalancer
      const names = networkNames(id, listener.port)
      const [group] = targetGroupIdsOf(listener)
      const name = group === undefined ? undefined : backendName(id, group)
      const to = backends.some((backend) => backend.name === name) ? name! : NO_TARGETS_TCP
      const clients = `${dir}/${clientsName(id, listener.port)}`
      const isOwn = loopbackListener(loadBalancer) === listener
      const open = (frontend: string, lines: string[]) =>
        lines.length === 0
          ? []
          : [
              `frontend ${frontend}`,
              ...lines,
              ...refusals('tcp-request connection reject', clients, ''),
              `  default_backend ${to}`,
              '',
            ]
      return [
        `# load balancer ${id}`,
        ...open(names.public, binds.host(loadBalancer, listener)),
        ...open(names.loopback, isOwn ? binds.loopback(loadBalancer) : []),
        `frontend ${names.vpc}`,
        `  bind ${address}:${listener.port}`,
        // HAProxy knows the maps that are named somewhere, and has others not changed.
        ...refusals('tcp-request connection reject', clients, '{ always_false }'),
        `  default_backend ${to}`,
        '',
      ]
    }),
  )
  return [...networkDefaultsLines, ...frontends, `backend ${NO_TARGETS_TCP}`, '']
}

export function networkBackendLines({ name, loadBalancer, group }: Backend): string[] {
  return [
    `# load balancer ${loadBalancer.id}, target group ${group.id}`,
    `backend ${name}`,
    '  balance roundrobin',
    `  source ${loadBalancer.address}`,
    '  option allbackups',
    ...(group.healthCheck === null ? [] : checkLines(group.healthCheck, group, loadBalancer.address)),
  ]
}
