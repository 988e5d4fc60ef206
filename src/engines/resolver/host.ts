// What the host says about its own resolvers: which of them instances can be led to, and as which user dnsmasq runs.
import { isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { readFileIfAny } from '../../kernel/files.ts'

export type ResolverHost = {
  /** The file that dnsmasq follows. */
  resolvFile: string
  /** Resolvers in it that can be reached from the router's namespace. */
  upstreams: string[]
  /** Resolvers in it that only the host itself can ask: on its loopback, on an address of its own, over IPv6. */
  hostOnly: string[]
  user: string
  group: string
}

/** `read` answers a file's text, or undefined when it is not there. */
export function readResolverHost(
  read: (path: string) => string | undefined = readFileIfAny,
  ownAddresses: string[] = hostAddresses(),
): ResolverHost {
  const isDirect = (address: string) =>
    isIPv4(address) && !/^(127|0)\./.test(address) && !ownAddresses.includes(address)
  const files = RESOLV_FILES.map((path) => ({ path, servers: nameservers(read(path) ?? '') }))
  const chosen = files.find(({ servers }) => servers.some(isDirect)) ?? files[0]!
  const users = ['dnsmasq', 'nobody'].filter((name) => hasEntry(read('/etc/passwd'), name))
  const groups = ['dnsmasq', 'nogroup', 'nobody'].filter((name) => hasEntry(read('/etc/group'), name))
  return {
    resolvFile: chosen.path,
    upstreams: chosen.servers.filter(isDirect),
    hostOnly: chosen.servers.filter((server) => !isDirect(server)),
    user: users[0] ?? 'nobody',
    group: groups[0] ?? 'nogroup',
  }
}

/** Whether the router's dnsmasq asks through a second one on the host. */
export const needsRelay = ({ upstreams, hostOnly }: ResolverHost): boolean =>
  upstreams.length === 0 && hostOnly.length > 0

/** Why names do not resolve inside instances, and what helps; null when they should. */
export function resolverProblem({ resolvFile, upstreams, hostOnly }: ResolverHost): string | null {
  if (upstreams.length + hostOnly.length > 0) return null
  return (
    `${resolvFile} names no resolver, so instances and builds cannot resolve names. ` +
    `Add a line "nameserver ADDRESS" with a resolver of your network to it.`
  )
}

// The second is systemd-resolved's list of real resolvers, behind its stub on 127.0.0.53; the third NetworkManager's.
const RESOLV_FILES = [
  '/etc/resolv.conf',
  '/run/systemd/resolve/resolv.conf',
  '/run/NetworkManager/no-stub-resolv.conf',
] as const

const nameservers = (text: string): string[] =>
  text.split('\n').flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? [])

const hostAddresses = (): string[] =>
  Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address))

const hasEntry = (file: string | undefined, name: string): boolean =>
  (file ?? '').split('\n').some((line) => line.startsWith(`${name}:`))
