// The real engines of a home.
import { join } from 'node:path'
import { readConfigIfWhole } from './config/file.ts'
import type { FollowedConfig } from './config/follow.ts'
import type { Reconciler } from './control/reconciler.ts'
import { makeAcmeClient } from './engines/acme/client.ts'
import type { AcmeEngine } from './engines/acme/engine.ts'
import type { AuthorityEngine } from './engines/authority/engine.ts'
import { makeLocalAuthority } from './engines/authority/local.ts'
import type { BalancerEngine } from './engines/balancer/engine.ts'
import { makeHaproxy } from './engines/balancer/haproxy.ts'
import { makeRunc, type RuncCompute } from './engines/compute/runc.ts'
import { makeMetadataDoor, METADATA_DAEMON } from './engines/metadata/door.ts'
import type { MetadataDoor } from './engines/metadata/engine.ts'
import { makeRouter, type Router } from './engines/network/router.ts'
import type { DnsEngine } from './engines/dns/engine.ts'
import { DNS_DAEMON, INSIDE_DNS_DAEMON, makeHomeDns, PRIVATE_DNS_DAEMON } from './engines/dns/home-dns.ts'
import type { FirewallEngine } from './engines/firewall/engine.ts'
import { makeNftables } from './engines/firewall/nftables.ts'
import { type FilesystemObjects, makeFilesystemObjects } from './engines/objects/filesystem.ts'
import { ensureResolver, resolverDaemons } from './engines/resolver/dnsmasq.ts'
import { readResolverHost, resolverProblem } from './engines/resolver/host.ts'
import type { HostsEngine } from './engines/hosts/engine.ts'
import { makeEtcHosts } from './engines/hosts/etc-hosts.ts'
import type { ProbeEngine } from './engines/probe/engine.ts'
import { makeNetProbes } from './engines/probe/net.ts'
import type { RoomEngine } from './engines/room/engine.ts'
import { makeFilesystemRoom } from './engines/room/filesystem.ts'
import type { Supervisor } from './engines/supervisor/engine.ts'
import { makeRunit } from './engines/supervisor/runit.ts'
import type { HomeSettings } from './home.ts'
import { systemClock } from './kernel/clock.ts'
import type { Home } from './kernel/home.ts'
import { makeLog, type Log } from './kernel/log.ts'
import { systemRandom } from './kernel/random.ts'

const UPKEEP_MS = 5_000

export type RealEngines = {
  router: Router
  supervisor: Supervisor
  /** `problem`: why names do not resolve in instances, and what helps; null when they should. */
  resolver: { ensure(): Promise<void>; problem(): string | null }
  dns: DnsEngine & { ensure(): Promise<void> }
  /** Of zones that instances alone ask for. */
  privateDns: DnsEngine & { ensure(): Promise<void> }
  compute: RuncCompute
  balancer: BalancerEngine
  firewall: FirewallEngine
  metadata: MetadataDoor
  objects: FilesystemObjects
  probes: ProbeEngine
  hosts: HostsEngine
  acme: AcmeEngine
  authority: AuthorityEngine
  room: RoomEngine
}

/** The engines of a home. Making them, and methods that only look, touch nothing: the server may be at work. */
export function makeEngines(
  home: HomeSettings,
  log: Log = makeServerLog(),
  config: Pick<FollowedConfig, 'now'> = { now: () => readConfigIfWhole(home.dir) },
): RealEngines {
  const clock = systemClock
  const router = makeRouter(home)
  const supervisor = makeSupervisor(home)
  const zonesFile = join(home.runDir, 'zones.conf')
  const zones = ['a', 'b'].map((letter) => `${home.region}${letter}`)
  const names = makeHomeDns({
    ...{ clock, log, home, supervisor, network: router, zonesFile },
    listens: () => config.now().dns,
  })
  return {
    router,
    supervisor,
    resolver: {
      ensure: () => ensureResolver(supervisor, router, { region: home.region, zonesFile }),
      problem: () => resolverProblem(readResolverHost()),
    },
    dns: names.public,
    privateDns: names.private,
    compute: makeRunc({ home, router, clock, log, zones }),
    balancer: makeHaproxy({
      ...{ clock, log, home, supervisor, network: router },
      publicAddresses: () => config.now().listeners.publicAddresses,
    }),
    firewall: makeNftables({ clock, network: router }),
    metadata: makeMetadataDoor({ clock, log, home, supervisor, network: router }),
    probes: makeNetProbes(clock),
    hosts: makeEtcHosts({ clock, id: home.id }),
    acme: makeAcmeClient({ clock, resolver: () => config.now().acme.resolver }),
    authority: makeLocalAuthority({ clock, random: systemRandom }),
    objects: makeFilesystemObjects(join(home.dir, 'objects')),
    room: makeFilesystemRoom(home.dir),
  }
}

export const makeSupervisor = (home: Home): Supervisor =>
  makeRunit({ home, clock: systemClock }, [
    'haproxy',
    METADATA_DAEMON,
    DNS_DAEMON,
    PRIVATE_DNS_DAEMON,
    INSIDE_DNS_DAEMON,
    ...resolverDaemons(readResolverHost()),
  ])

export function makeServerLog(): Log {
  return makeLog(systemClock, (line) => void process.stderr.write(line))
}

// The order is that of dependence: addresses need the router, HAProxy and the resolver its namespaces.
export async function upkeep({ compute, resolver }: RealEngines): Promise<void> {
  await compute.ensure()
  await resolver.ensure()
}

export const upkeepReconciler = (engines: RealEngines): Reconciler => ({
  name: 'engines.upkeep',
  everyMs: UPKEEP_MS,
  wakes: [],
  async reconcile() {
    await upkeep(engines)
    return {}
  },
})

/** Apart from upkeep: instances start and run without them. */
export const daemonReconciler = (name: string, daemon: { ensure(): Promise<void> }): Reconciler => ({
  name,
  everyMs: UPKEEP_MS,
  wakes: [],
  async reconcile() {
    await daemon.ensure()
    return {}
  },
})
