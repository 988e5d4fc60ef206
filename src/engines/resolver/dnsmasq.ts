// The resolver of instances: dnsmasq in the router's namespace, at AWS's addresses 169.254.169.253 and VPC+2 (design §4).
// It forwards to the host's resolvers and follows their changes by itself (it watches the file).
import { readFileIfAny } from '../../kernel/files.ts'
import type { Service } from '../supervisor/engine.ts'

/** What the resolver needs of the network; `Router` is one. */
export type ResolverNetwork = {
  names: { router: string }
  resolverAddresses: string[]
  execIn(namespace: string, argv: string[]): string[]
}

/** What the host says about its own resolvers and users. */
export type ResolverHost = {
  /** The file that dnsmasq follows. */
  resolvFile: string
  /** Resolvers in it that can be reached from the namespace. */
  upstreams: string[]
  /** Resolvers in it that listen on the host's loopback only. */
  unreachable: string[]
  user: string
  group: string
}

/** The daemon, for the supervisor. Call it at each start and now and then: another resolv.conf is another service. */
export function resolverService(network: ResolverNetwork, host: ResolverHost = readResolverHost()): Service {
  const options = [
    '--keep-in-foreground',
    '--conf-file=/dev/null',
    '--pid-file=',
    '--log-facility=-',
    '--bind-interfaces',
    ...network.resolverAddresses.map((address) => `--listen-address=${address}`),
    `--resolv-file=${host.resolvFile}`,
    '--no-hosts',
    // Names below `localhost` mean the asker's own machine, so nobody outside is asked (RFC 6761 §6.3).
    '--local=/localhost/',
    '--cache-size=1000',
    '--dns-forward-max=1000',
    `--user=${host.user}`,
    `--group=${host.group}`,
  ]
  return {
    name: 'resolver',
    argv: network.execIn(network.names.router, ['dnsmasq', ...options]),
    env: {},
    filesMax: null,
  }
}

/** Why names do not resolve inside instances, and what helps; null when they should. For `status` and `doctor`. */
export function resolverProblem({ resolvFile, upstreams, unreachable }: ResolverHost): string | null {
  if (upstreams.length > 0) return null
  if (unreachable.length === 0) return `${resolvFile} names no resolver, so instances cannot resolve names.`
  return (
    `The host's resolver listens on ${unreachable.join(', ')} only, which instances cannot reach. ` +
    `Add a line "nameserver ADDRESS" with a resolver of your network to ${resolvFile}.`
  )
}

/** `read` answers a file's text, or undefined when it is not there. */
export function readResolverHost(read: (path: string) => string | undefined = readFileIfAny): ResolverHost {
  const files = RESOLV_FILES.map((path) => ({ path, servers: nameservers(read(path) ?? '') }))
  const chosen = files.find(({ servers }) => servers.some((server) => !isLoopback(server))) ?? files[0]!
  const users = ['dnsmasq', 'nobody'].filter((name) => hasEntry(read('/etc/passwd'), name))
  const groups = ['dnsmasq', 'nogroup', 'nobody'].filter((name) => hasEntry(read('/etc/group'), name))
  return {
    resolvFile: chosen.path,
    upstreams: chosen.servers.filter((server) => !isLoopback(server)),
    unreachable: chosen.servers.filter(isLoopback),
    user: users[0] ?? 'nobody',
    group: groups[0] ?? 'nogroup',
  }
}

// The second is systemd-resolved's list of real resolvers, behind its stub on 127.0.0.53; the third NetworkManager's.
const RESOLV_FILES = [
  '/etc/resolv.conf',
  '/run/systemd/resolve/resolv.conf',
  '/run/NetworkManager/no-stub-resolv.conf',
] as const

const nameservers = (text: string): string[] =>
  text.split('\n').flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1'

const hasEntry = (file: string | undefined, name: string): boolean =>
  (file ?? '').split('\n').some((line) => line.startsWith(`${name}:`))
