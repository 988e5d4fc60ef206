// Composition root: the only file that knows every part. Makes the real engines of a home and joins them with the
// control plane and the gateway.
import { chmodSync, closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { makeApiTlsReconciler } from './api-tls.ts'
import { makeAskedBackups } from './backup/make.ts'
import { makeScheduledBackups } from './backup/scheduled.ts'
import type { Schedule } from './backup/schedule.ts'
import { sweepStaging } from './backup/stage.ts'
import { readConfigIfWhole, type Flags } from './config/file.ts'
import type { Config } from './config/settings.ts'
import { followConfig, type FollowedConfig } from './config/follow.ts'
import { makeControlPlane, migrations } from './control-plane.ts'
import { startDriver } from './control/driver.ts'
import { makeLanes } from './control/lanes.ts'
import type { Reconciler } from './control/reconciler.ts'
import { makeApiTls } from './engines/api-tls/api-tls.ts'
import type { BalancerEngine } from './engines/balancer/engine.ts'
import { makeHaproxy } from './engines/balancer/haproxy.ts'
import { checkPortsFree, explainPort, loopbackAddresses } from './engines/balancer/host-ports.ts'
import { makeRunc, type RuncCompute } from './engines/compute/runc.ts'
import type { FirewallEngine } from './engines/firewall/engine.ts'
import { makeNftables } from './engines/firewall/nftables.ts'
import {
  chooseCidr as choose,
  conflictsWith,
  describeConflict,
  hostRoutes,
  readHostRoutes,
} from './engines/network/cidr.ts'
import { makeRouter, type Router } from './engines/network/router.ts'
import type { RoomEngine } from './engines/room/engine.ts'
import { makeFilesystemRoom } from './engines/room/filesystem.ts'
import { type FilesystemObjects, makeFilesystemObjects } from './engines/objects/filesystem.ts'
import { ensureResolver, resolverDaemons } from './engines/resolver/dnsmasq.ts'
import { readResolverHost, resolverProblem } from './engines/resolver/host.ts'
import type { Supervisor } from './engines/supervisor/engine.ts'
import { makeRunit } from './engines/supervisor/runit.ts'
import { OOM_SCORE_ADJ } from './engines/supervisor/runsvdir.ts'
import { createGateway } from './gateway/server.ts'
import { pathOfObject, presign } from './gateway/sigv4/presign.ts'
import type { ConfigurationStatus, InUse, Machine } from './home-config.ts'
import { rangesOfHomes } from './home-ports.ts'
import { readCredentials, type HomeSettings } from './home.ts'
import { systemClock } from './kernel/clock.ts'
import { EngineError } from './kernel/errors.ts'
import type { Home } from './kernel/home.ts'
import { makeIds } from './kernel/ids.ts'
import { makeLog, type Log } from './kernel/log.ts'
import { systemRandom } from './kernel/random.ts'
import { makeCatalogue, type Catalogue } from './platforms/catalogue.ts'
import { readBuildConfiguration } from './platforms/configuration.ts'
import { interpretersSeen, probeRuntimes } from './platforms/probe.ts'
import { openStore, type Store } from './store/store.ts'

const UPKEEP_MS = 5_000
const INTERPRETERS_MS = 60_000
const CONFIG_MS = 1_000

export type RealEngines = {
  router: Router
  supervisor: Supervisor
  /** `problem`: why names do not resolve in instances, and what helps; null when they should. */
  resolver: { ensure(): Promise<void>; problem(): string | null }
  compute: RuncCompute
  balancer: BalancerEngine
  firewall: FirewallEngine
  objects: FilesystemObjects
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
  const zones = ['a', 'b'].map((letter) => `${home.region}${letter}`)
  return {
    router,
    supervisor,
    resolver: {
      ensure: () => ensureResolver(supervisor, router),
      problem: () => resolverProblem(readResolverHost()),
    },
    compute: makeRunc({ home, router, clock, log, zones }),
    balancer: makeHaproxy({
      ...{ clock, log, home, supervisor, network: router },
      publicAddresses: () => config.now().listeners.publicAddresses,
    }),
    firewall: makeNftables({ clock, network: router }),
    objects: makeFilesystemObjects(join(home.dir, 'objects')),
    room: makeFilesystemRoom(home.dir),
  }
}

export const makeSupervisor = (home: Home): Supervisor =>
  makeRunit({ home, clock: systemClock }, ['haproxy', ...resolverDaemons(readResolverHost())])

/** Throws a sentence that names port and holder when somebody else has taken a port that the home keeps. */
export async function checkPorts(home: HomeSettings): Promise<void> {
  const daemons = await makeSupervisor(home).list()
  const ofServer = daemons.some(({ name, running }) => name === 'server' && running) ? [] : [home.ports.api]
  const ofHaproxy = daemons.some(({ name, running }) => name === 'haproxy' && running)
    ? []
    : [home.ports.http]
  await checkPortsFree(ofServer, ['127.0.0.1'])
  await checkPortsFree(ofHaproxy, loopbackAddresses())
}

/** A range for the VPC that this machine has no route for, and no other home of it. */
export const chooseCidr = async (): Promise<string> =>
  choose([...(await hostRoutes()), ...rangesOfHomes()], Math.floor(systemRandom.next() * 1_000))

/** What was handed out in a home whose server does not run. */
const readInUse = (home: HomeSettings): InUse => {
  const store = openHomeStore(home)
  try {
    return inUseOf(store)
  } finally {
    store.close()
  }
}

function inUseOf(store: Store): InUse {
  const names = (sql: string) => store.all<{ name: string }>(sql).map(({ name }) => name)
  return {
    environments: names('select name from environment where terminated_at is null order by name'),
    network: [
      ...names("select id as name from ec2_instance where state <> 'terminated' order by id"),
      ...names('select name from elbv2_load_balancer order by name'),
      ...names('select name from elbv2_target_group order by name'),
      ...names("select id as name from ec2_security_group where name <> 'default' order by id"),
    ],
  }
}

function describeConfiguration(config: FollowedConfig, store: Store): ConfigurationStatus {
  const given = [...config.sources()].map(([key, { value, source }]) => [key, { value, source }] as const)
  return { given: Object.fromEntries(given), problem: config.problem(), inUse: inUseOf(store) }
}

/** Asks this machine what a change of the configuration must know. `inUse`: of the server, when it runs. */
export const makeMachine = (
  home: HomeSettings,
  inUse: () => Promise<InUse> = async () => readInUse(home),
): Machine => ({
  inUse,
  async portProblem(port) {
    const problem = await checkPortsFree([port], loopbackAddresses()).catch((error: Error) => error.message)
    return problem === undefined ? null : `cannot be ${port}: ${problem}`
  },
  async cidrProblem(cidr) {
    const [route] = conflictsWith(cidr, await readHostRoutes(), makeRouter(home).names.uplink)
    if (route) return describeConflict(cidr, route)
    const theirs = rangesOfHomes(undefined, home.dir).includes(cidr)
    return theirs ? `cannot be ${cidr}: another home of this machine has it` : null
  },
  async leaveRange() {
    const { router, supervisor } = makeEngines(home)
    for (const { name } of await supervisor.list()) if (name !== 'server') await supervisor.remove(name)
    await router.remove()
  },
})

/** Runs the control plane until `signal` is aborted. Throws a sentence when another server holds the home. */
export async function startServer(
  home: HomeSettings,
  signal: AbortSignal,
  flags: Flags = new Map(),
): Promise<{ ended: Promise<void> }> {
  protectFromOom()
  const log = makeServerLog()
  const config = followConfig(home.dir, flags, log)
  mkdirSync(home.runDir, { recursive: true, mode: 0o711 })
  const store = openHomeStore(home)
  const engines = makeEngines(home, log, config)
  engines.objects.open()
  sweepStaging(home.dir)
  await upkeep(engines)
  for (const problem of [...(await engines.router.problems()), engines.resolver.problem() ?? []].flat())
    log.warn('this machine is in the way', { problem })

  const catalogue = makeCatalogue(await probeRuntimes(process.execPath))
  const plane = makeControlPlane({
    store,
    clock: systemClock,
    random: systemRandom,
    log,
    signal,
    engines,
    settings: {
      region: home.region,
      account: home.account,
      domain: home.domain,
      ports: home.ports,
    },
    catalogue,
    budgets: () => config.now().budgets,
    limits: () => config.now().limits,
    configuration: () => describeConfiguration(config, store),
    backups: () => backups.status(),
    buildConfiguration: () => readBuildConfiguration(process.env),
    presign: (context, bucket, key, expiresSeconds): string =>
      presign({
        endpoint: context.endpoint,
        path: pathOfObject(bucket, key),
        service: 's3',
        region: home.region,
        credentials: plane.accessKeys.signingFor(context.caller.accessKeyId),
        at: systemClock.now(),
        expiresSeconds,
      }),
  })
  if (plane.accessKeys.describe().length === 0) plane.accessKeys.adopt(readCredentials(home.dir))
  const askedBackup = makeAskedBackups(home, store, systemClock.now)
  const backups = makeScheduledBackups({
    home,
    store,
    clock: systemClock,
    random: systemRandom,
    log,
    lanes: makeLanes({ clock: systemClock, log, store, signal }, 1, () => undefined),
    schedule: () => scheduleOf(config.now().backup),
    tell: plane.tell,
  })
  const gateway = createGateway({
    services: plane.services,
    credentials: () => plane.accessKeys.valid(),
    used: (use) => plane.accessKeys.used(use),
    account: home.account,
    region: home.region,
    store,
    clock: systemClock,
    ids: makeIds(systemRandom),
    log,
    signed: [
      ...plane.signedRoutes,
      {
        path: '/polebean/backup',
        answer: () => ({
          status: 200,
          headers: { 'content-type': 'application/zstd' },
          body: askedBackup(),
        }),
      },
    ],
    extra: [
      {
        path: '/healthz',
        answer: () => ({ status: 200, headers: { 'content-type': 'text/plain' }, body: `${home.id}\n` }),
      },
    ],
  })
  // First of all: a server that nobody can reach must not act.
  const { api } = home.ports
  const listening = await gateway
    .listen({ host: '127.0.0.1', port: api })
    .catch(async (cause: NodeJS.ErrnoException) => {
      store.close()
      throw new EngineError(await explainPort(api, cause.code ?? cause.message), { cause })
    })
  const driver = plane.start()
  const care = startDriver({ clock: systemClock, log, store, signal }, [
    upkeepReconciler(engines),
    interpretersReconciler(catalogue),
    configReconciler(config),
    makeApiTlsReconciler({
      ...{ clock: systemClock, log, config: () => config.now() },
      tls: makeApiTls({ clock: systemClock, log, home, supervisor: engines.supervisor }),
    }),
    backups.reconciler,
  ])
  log.info('serving', { home: home.id, port: home.ports.api })

  const stopped = new Promise<void>((resolve) =>
    signal.addEventListener('abort', () => resolve(), { once: true }),
  )
  const end = async () => {
    await stopped
    await listening.close()
    await Promise.all([driver.ended, care.ended])
    store.close()
  }
  return { ended: end() }
}

/** Throws a sentence when the home's database is of a newer version, or another server holds it. */
export const checkDatabase = (home: HomeSettings): void => openHomeStore(home).close()

// The order is that of dependence: addresses need the router, HAProxy and the resolver its namespaces.
async function upkeep({ compute, resolver }: RealEngines): Promise<void> {
  await compute.ensure()
  await resolver.ensure()
}

const upkeepReconciler = (engines: RealEngines): Reconciler => ({
  name: 'engines.upkeep',
  everyMs: UPKEEP_MS,
  wakes: [],
  async reconcile() {
    await upkeep(engines)
    return {}
  },
})

const scheduleOf = ({ folder, every, keep, passphraseFile }: Config['backup']): Schedule | null =>
  folder === null ? null : { folder, everyMs: every * 1000, keep, passphraseFile }

const configReconciler = (config: FollowedConfig): Reconciler => ({
  name: 'config.follow',
  everyMs: CONFIG_MS,
  wakes: [],
  async reconcile() {
    config.look()
    return {}
  },
})

// A host that upgrades its Python has other platforms from then on, without a restart of the server.
function interpretersReconciler(catalogue: Catalogue): Reconciler {
  let before = interpretersSeen()
  let isSettled = true
  return {
    name: 'platforms.interpreters',
    everyMs: INTERPRETERS_MS,
    wakes: [],
    async reconcile() {
      const now = interpretersSeen()
      // Once more after the last change: a package manager may have been in the middle of its work.
      if (now !== before || !isSettled) catalogue.renew(await probeRuntimes(process.execPath))
      isSettled = now === before
      before = now
      return { stacks: catalogue.stacks.length }
    },
  }
}

/** Also a server that somebody else than our supervisor started. */
function protectFromOom(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', String(OOM_SCORE_ADJ))
  } catch {
    // a container may not lower it
  }
}

function openHomeStore(home: HomeSettings): Store {
  const path = join(home.dir, 'polebean.db')
  // It holds environment properties and package index credentials; SQLite gives its other files the same mode.
  closeSync(openSync(path, 'a', 0o600))
  chmodSync(path, 0o600)
  try {
    return openStore(path, migrations)
  } catch (error) {
    if (error instanceof Error && /database is locked/.test(error.message))
      throw new EngineError(`another Polebean server holds ${home.dir}`, { cause: error })
    throw error
  }
}

function makeServerLog(): Log {
  return makeLog(systemClock, (line) => void process.stderr.write(line))
}
