// Everything outside the control plane, and the one database: it outlives every life. The machine, its instances, its
// balancer, the bodies of objects, the clock, chance, and the trouble they are in.
import { rmSync } from 'node:fs'
import { migrations, type Engines } from '../src/control-plane.ts'
import { makeFakeBalancerWorld, type FakeBalancerWorld } from '../src/engines/balancer/fake.ts'
import { type FakeProbes, makeFakeProbes } from '../src/engines/probe/fake.ts'
import { challengeName } from '../src/engines/acme/engine.ts'
import { makeFakeAcmeWorld, type FakeAcmeWorld } from '../src/engines/acme/fake.ts'
import { makeFakeAuthority } from '../src/engines/authority/fake.ts'
import { makeFakeHosts } from '../src/engines/hosts/fake.ts'
import { makeFakeDnsWorld, type FakeDnsWorld } from '../src/engines/dns/fake.ts'
import { makeFakeFirewallWorld, type FakeFirewallWorld } from '../src/engines/firewall/fake.ts'
import type { BuildRequest } from '../src/engines/compute/engine.ts'
import { makeFakeCompute } from '../src/engines/compute/fake.ts'
import {
  killInstance,
  makeFakeWorld,
  rebootMachine,
  type FakeWorld,
} from '../src/engines/compute/fake-world.ts'
import { makeFakeDisk, makeFakeRoom, type FakeDisk } from '../src/engines/room/fake.ts'
import { makeFakeObjects } from '../src/engines/objects/fake.ts'
import type { Clock } from '../src/kernel/clock.ts'
import { EngineError } from '../src/kernel/errors.ts'
import { seededRandom, type Random } from '../src/kernel/random.ts'
import type { BundleListing, inspectBundle } from '../src/platforms/bundle.ts'
import { openMetricFile, type MetricFile } from '../src/services/cloudwatch/points/file.ts'
import { logEventsMigrations } from '../src/services/logs/events/file.ts'
import { openStore, type Store } from '../src/store/store.ts'
import { type KnownLogs, noLogs } from './logs.ts'
import type { Backup } from './restoration.ts'
import { calm, makeTrouble, type Trouble, type Weather } from './trouble.ts'
import { VirtualClock } from './virtual-clock.ts'

export const REGION = 'us-west-2'
export const ACCOUNT = '000000000000'
/** Of layers of 1,000 bytes each. */
export const CACHES_BYTES = 4_000
export const DOMAIN = 'elasticbeanstalk.localhost'
export const CREDENTIALS = {
  accessKeyId: 'PBLNSIMULATOR0000000',
  secretAccessKey: 'not-a-secret-in-the-simulator',
}

/** What one life of the control plane is given of the outside. */
export type Outside = Engines & { inspector: { inspect: typeof inspectBundle } }

export type World = {
  clock: VirtualClock
  random: Random
  store: Store
  metricFile: MetricFile
  /** The file of log events; it outlives every life as well. */
  logEvents: Store
  compute: FakeWorld
  balancer: FakeBalancerWorld
  firewall: FakeFirewallWorld
  dns: FakeDnsWorld
  privateDns: FakeDnsWorld
  acme: FakeAcmeWorld
  /** Whom health checks of names ask. */
  probes: FakeProbes
  /** By body id. */
  bodies: Map<string, Buffer>
  disk: FakeDisk
  trouble: Trouble
  /** Instances that a user took out of their target group. */
  takenOut: Set<string>
  /** Instances that a user took out of their Auto Scaling group. */
  detached: Set<string>
  /** Instances of which the kernel has ended processes, all within a moment. */
  starved: Set<string>
  /** Of those: what the kernel did may be known to nobody any more. */
  killsLost: Set<string>
  /** Alarms and policies of environments that a user deleted. */
  unscaled: Set<string>
  /** Instances of the engine that no row ever named, and whether our own database is said to have made them. */
  strangers: Map<string, 'ours' | 'foreign'>
  outside(clock: Clock): Outside
  kill(instanceId: string): void
  reboot(): void
  /** Timers of lives end at multiples of so many milliseconds: with many, days pass in seconds, and each reconciler has its turn
   *  as often as the one that is asked most often. Below what a heartbeat takes for a jump. */
  tickMs: number
  /** Requests whose load balancer was to log them, and which that was. */
  visits: Map<string, string>
  /** The name at which an environment is reached. */
  hostOf(environment: string): string
  /** One request of a user's user to the environment of that name: its status. */
  request(environment: string): number
  logs: KnownLogs
  /** Somebody emptied the cache: instances may name layers that are being built again. */
  layersLost: boolean
  /** A name server lost what it had: an authority may have asked just then. */
  zonesLost: boolean
  /** What lives did without an end, in no time. */
  spinning: string[]
  log(line: string): void
  logged: string[]
  /** The last backup of it, if there is one. */
  backup: Backup | undefined
  /** What to do when it is over. */
  forget: (() => void)[]
}

/** Its last moment. */
export function endWorld({ store, metricFile, logEvents, backup, forget }: World): void {
  store.close()
  metricFile.close()
  logEvents.close()
  if (backup) forget.push(() => rmSync(backup.folder, { recursive: true, force: true }))
  for (const one of forget) one()
}

export function makeWorld(seed: number, weather: Weather = calm): World {
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  const trouble = makeTrouble(clock, seededRandom(seed ^ 0x5eed), weather)
  const store = openStore(':memory:', migrations)
  const metricFile = openMetricFile(':memory:')
  const logEvents = openStore(':memory:', logEventsMigrations)
  const compute = makeFakeWorld()
  const bodies = new Map<string, Buffer>()
  const disk = makeFakeDisk()
  const instanceAt = (address: string) =>
    [...compute.instances.values()].find((one) => one.spec.requestedAddress === address)
  const balancer = makeFakeBalancerWorld({
    clock,
    probe(address) {
      const instance = instanceAt(address)
      if (instance?.state !== 'running' || compute.lost.has(instance.spec.id)) return null
      return trouble.broken.has(instance.spec.id) ? 500 : 200
    },
  })
  balancer.fault = trouble.balancer
  balancer.latencyMs = trouble.balancerLatencyMs

  const firewall = makeFakeFirewallWorld(clock)
  firewall.fault = trouble.firewall
  firewall.latencyMs = trouble.firewallLatencyMs

  const probes = makeFakeProbes()
  const dns = makeFakeDnsWorld(clock)
  const privateDns = makeFakeDnsWorld(clock)
  const acme = makeFakeAcmeWorld(clock)
  const hosts = makeFakeHosts()
  acme.fault = trouble.acme
  acme.told = (_name, type) => (type === 'A' ? ['127.0.0.1'] : [])
  acme.answers = ({ type, name, content }) =>
    type === 'dns-01' &&
    dns.query(challengeName(name), 'TXT').answers.some((one) => one.includes(` "${content}"`))
  acme.latencyMs = trouble.dnsLatencyMs
  for (const one of [dns, privateDns]) {
    one.fault = trouble.dns
    one.latencyMs = trouble.dnsLatencyMs
  }

  // The bundle that a build unpacks, by its path; others have none.
  const bundleOf = ({ inputs }: BuildRequest): string | undefined => {
    const path = inputs.find(({ name }) => name === 'bundle.zip')?.path
    return path === undefined ? undefined : bodyAt(path)
  }
  const bodyAt = (path: string): string => {
    const body = bodies.get(path.split('/').at(-1) ?? '')
    if (!body) throw new EngineError(`${path} is not there`)
    return body.toString()
  }

  let visits = 0
  const world: World = {
    clock,
    random,
    store,
    metricFile,
    logEvents,
    compute,
    balancer,
    firewall,
    dns,
    privateDns,
    acme,
    probes,
    bodies,
    disk,
    trouble,
    takenOut: new Set(),
    detached: new Set(),
    starved: new Set(),
    killsLost: new Set(),
    unscaled: new Set(),
    strangers: new Map(),
    outside: (lifeClock) => ({
      compute: makeFakeCompute({
        world: compute,
        clock: lifeClock,
        zones: [`${REGION}a`, `${REGION}b`],
        fault: trouble.compute,
        program: () =>
          trouble.breaking
            ? { exit: 1, output: "ModuleNotFoundError: No module named 'flask'", truncated: false }
            : undefined,
        buildProgram(request) {
          const bundle = bundleOf(request)
          return trouble.failingBuilds || (bundle !== undefined && trouble.unbuildable.has(bundle))
            ? { exit: 1, output: 'ERROR: No matching distribution found for flask' }
            : undefined
        },
      }),
      balancer: balancer.engine(lifeClock),
      firewall: firewall.engine(lifeClock),
      dns: dns.engine(lifeClock),
      privateDns: privateDns.engine(lifeClock),
      acme: acme.engine(lifeClock),
      authority: makeFakeAuthority(lifeClock),
      hosts,
      probes,
      objects: makeFakeObjects({ bodies, clock: lifeClock, fault: trouble.objects }),
      room: makeFakeRoom(disk),
      inspector: {
        async inspect(path) {
          bodyAt(path)
          return structuredClone(LISTING)
        },
      },
    }),
    kill: (id) => killInstance(compute, id, clock.now()),
    reboot() {
      rebootMachine(compute, clock.now())
      balancer.reboot()
      firewall.lose()
      dns.lose()
      privateDns.lose()
      world.zonesLost = true
    },
    tickMs: 1,
    visits: new Map(),
    logs: noLogs(),
    hostOf: (environment) => `${environment}.${REGION}.${DOMAIN}`,
    request(environment) {
      const host = world.hostOf(environment)
      const path = `/visit/${++visits}`
      const { status } = balancer.request({ host, path })
      const to = balancer.model().loadBalancers.find(({ hosts }) => hosts.includes(host))
      if (to?.logsRequests) world.visits.set(path, to.id)
      return status
    },
    layersLost: false,
    zonesLost: false,
    spinning: [],
    log: (line) => void world.logged.push(line),
    logged: [],
    backup: undefined,
    forget: [],
  }
  return world
}

const LISTING: BundleListing = {
  kind: 'bundle',
  entries: 2,
  unpackedBytes: 100,
  topLevel: ['application.py', 'requirements.txt'],
  texts: { 'requirements.txt': 'flask' },
  unsupported: [],
}
