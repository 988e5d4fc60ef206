// The resolver of instances: dnsmasq in the router's namespace, at AWS's addresses 169.254.169.253 and VPC+2 (design §4).
// It forwards to the host's resolvers and follows their changes by itself (it watches the file). Where only the host can
// ask those (127.0.0.1, Docker's 127.0.0.11, IPv6), a second dnsmasq on the host, at its end of the uplink, asks for it.
import { readFileIfAny, writeFileAtomic } from '../../kernel/files.ts'
import { isElsewhere } from '../network/ip.ts'
import type { Service, Supervisor } from '../supervisor/engine.ts'
import { needsRelay, readResolverHost, type ResolverHost } from './host.ts'

/** What the resolver needs of the network; `Router` is one. */
export type ResolverNetwork = {
  names: { router: string }
  cidr: string
  resolverAddresses: string[]
  /** The host's end of the uplink; the router may ask it there at `port`, and nobody else. */
  relay: { address: string; port: number; namesPort: number; privateNamesPort: number }
  execIn(namespace: string, argv: string[]): string[]
}

const RELAY = 'resolver-relay'
const ON_ITS_WAY_SECONDS = 2

/** Names of the daemons that this host needs. */
export const resolverDaemons = (host: ResolverHost): string[] =>
  needsRelay(host) ? ['resolver', RELAY] : ['resolver']

export type ResolverHome = {
  region: string
  /** The file that names the zones which Polebean's own name server answers for. */
  zonesFile: string
}

/** Makes or repairs the resolver's daemons. Call it at each start and every few seconds: the host's resolvers may change. */
export async function ensureResolver(
  supervisor: Supervisor,
  network: ResolverNetwork,
  home: ResolverHome,
  host: ResolverHost = readResolverHost(),
): Promise<void> {
  if (readFileIfAny(home.zonesFile) === undefined) writeFileAtomic(home.zonesFile, '', 0o644)
  if (needsRelay(host)) await supervisor.ensure(relayService(network, host))
  else await supervisor.remove(RELAY)
  const service = resolverService(network, home, host)
  await supervisor.ensure(service)
  const running = (await supervisor.list()).find(({ name }) => name === service.name)
  // The network was made anew under it: it answers nobody where it is. Its supervisor starts it again, in the new one.
  // One that was just started is still on its way there.
  if (!running?.pid || running.sinceSeconds < ON_ITS_WAY_SECONDS) return
  if (isElsewhere(running.pid, network.names.router)) await supervisor.signal(service.name, 'TERM')
}

/**
 * Instances ask Polebean's name servers for these zones from now on, also where the names are below `localhost`, and what they were told
 * before of any name is forgotten. A private zone is asked for all names below it, also those of public ones (Route 53, "Considerations when
 * working with private hosted zones"). Those of a kind that is left out stay as they are.
 */
export async function leadZones(
  supervisor: Supervisor,
  { relay }: Pick<ResolverNetwork, 'relay'>,
  zonesFile: string,
  zones: LedZones,
): Promise<void> {
  const there = readFileIfAny(zonesFile) ?? ''
  const text = zoneServers(there, relay, zones)
  if (there !== text) writeFileAtomic(zonesFile, text, 0o644)
  const running = (await supervisor.list()).some(({ name, pid }) => name === 'resolver' && pid !== null)
  if (running) await supervisor.signal('resolver', 'HUP')
}

type LedZones = { public?: Iterable<string>; private?: Iterable<string> }

/** dnsmasq's servers-file. `there`: as it is. Pure. */
export function zoneServers(there: string, relay: ResolverNetwork['relay'], zones: LedZones): string {
  const kept = (port: number) =>
    [...there.matchAll(new RegExp(`^server=/(.*)/${relay.address}#${port}$`, 'gm'))].map(([, name]) => name!)
  const hidden = [...(zones.private ?? kept(relay.privateNamesPort))]
  const open = [...(zones.public ?? kept(relay.namesPort))]
  const lineOf = (port: number) => (name: string) => `server=/${name}/${relay.address}#${port}\n`
  const lines = [
    ...hidden.map(lineOf(relay.privateNamesPort)),
    ...open
      .filter((name) => !hidden.some((one) => name === one || name.endsWith(`.${one}`)))
      .map(lineOf(relay.namesPort)),
  ]
  return lines.toSorted().join('')
}

/** The daemon that instances ask, for the supervisor. */
export function resolverService(
  network: ResolverNetwork,
  { region, zonesFile }: ResolverHome,
  host: ResolverHost,
): Service {
  const privateNames = `${region}.compute.internal`
  const { address, port } = network.relay
  const options = [
    ...network.resolverAddresses.map((one) => `--listen-address=${one}`),
    ...(needsRelay(host)
      ? ['--no-resolv', `--server=${address}#${port}`]
      : [`--resolv-file=${host.resolvFile}`]),
    // Names below `localhost` mean the asker's own machine, so nobody outside is asked (RFC 6761 §6.3).
    '--local=/localhost/',
    `--servers-file=${zonesFile}`,
    // The names that EC2 gives to addresses of the VPC (`ip-10-99-0-5.us-west-2.compute.internal`), both ways.
    `--local=/${privateNames}/`,
    `--synth-domain=${privateNames},${network.cidr},ip-`,
    '--cache-size=1000',
  ]
  return {
    name: 'resolver',
    argv: network.execIn(network.names.router, dnsmasq(host, options)),
    env: {},
    filesMax: null,
  }
}

/** The daemon on the host that asks for the router's. */
export function relayService({ relay }: ResolverNetwork, host: ResolverHost): Service {
  const options = [
    `--listen-address=${relay.address}`,
    `--port=${relay.port}`,
    `--resolv-file=${host.resolvFile}`,
    '--cache-size=0',
  ]
  return { name: RELAY, argv: dnsmasq(host, options), env: {}, filesMax: null }
}

const dnsmasq = (host: ResolverHost, options: string[]): string[] => [
  'dnsmasq',
  '--keep-in-foreground',
  '--conf-file=/dev/null',
  '--pid-file=',
  '--log-facility=-',
  '--bind-interfaces',
  ...options,
  '--no-hosts',
  '--dns-forward-max=1000',
  `--user=${host.user}`,
  `--group=${host.group}`,
]
