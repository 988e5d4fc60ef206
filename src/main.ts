// Composition root: joins the real engines of a home with the control plane and the gateway.
import { mkdirSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { makeApiTlsReconciler } from './api-tls.ts'
import { makeAskedBackups } from './backup/make.ts'
import { makeScheduledBackups } from './backup/scheduled.ts'
import type { Schedule } from './backup/schedule.ts'
import { sweepStaging } from './backup/stage.ts'
import type { Flags } from './config/file.ts'
import type { Config } from './config/settings.ts'
import { followConfig, type FollowedConfig } from './config/follow.ts'
import { makeControlPlane } from './control-plane.ts'
import { startDriver } from './control/driver.ts'
import { makeLanes } from './control/lanes.ts'
import type { Reconciler } from './control/reconciler.ts'
import { makeApiTls } from './engines/api-tls/api-tls.ts'
import { explainPort } from './engines/balancer/host-ports.ts'
import { UPLINK_PREFIX } from './engines/network/names.ts'
import { OOM_SCORE_ADJ } from './engines/supervisor/runsvdir.ts'
import { createGateway } from './gateway/server.ts'
import { pathOfObject, presign } from './gateway/sigv4/presign.ts'
import type { ConfigurationStatus } from './home-config.ts'
import { inUseOf, openHomeStore, openLogEvents } from './home-store.ts'
import { readCredentials, type HomeSettings } from './home.ts'
import { systemClock } from './kernel/clock.ts'
import { EngineError } from './kernel/errors.ts'
import { readFileIfAny } from './kernel/files.ts'
import { makeIds } from './kernel/ids.ts'
import { systemRandom } from './kernel/random.ts'
import { makeCatalogue, type Catalogue } from './platforms/catalogue.ts'
import { readBuildConfiguration } from './platforms/configuration.ts'
import { interpretersSeen, probeRuntimes } from './platforms/probe.ts'
import { makeEngines, makeServerLog, daemonReconciler, upkeep, upkeepReconciler } from './real-engines.ts'
import { openMetricFile } from './services/cloudwatch/points/file.ts'
import type { AcmeSettings } from './services/acm/deps.ts'
import type { Store } from './store/store.ts'

const INTERPRETERS_MS = 60_000
const CONFIG_MS = 1_000

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
  const metricFile = openMetricFile(join(home.dir, 'metrics.db'))
  const { logEvents, broken } = openLogEvents(home)
  if (broken) log.warn('the file of log events was damaged: it is put aside and begun anew', { at: broken })
  const engines = makeEngines(home, log, config)
  engines.objects.open()
  sweepStaging(home.dir)
  await upkeep(engines)
  for (const problem of [...(await engines.router.problems()), engines.resolver.problem() ?? []].flat())
    log.warn('this machine is in the way', { problem })

  const catalogue = makeCatalogue(await probeRuntimes(process.execPath))
  const plane = makeControlPlane({
    store,
    logEvents,
    clock: systemClock,
    random: systemRandom,
    log,
    signal,
    engines,
    metricFile,
    settings: {
      region: home.region,
      account: home.account,
      domain: home.domain,
      ports: home.ports,
    },
    catalogue,
    budgets: () => config.now().budgets,
    limits: () => config.now().limits,
    outside: () => outsideOf(config.now()),
    acme: () => acmeOf(config.now()),
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
    upgrades: plane.upgradeRoutes,
    extra: [
      ...plane.openRoutes,
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
      logEvents.close()
      throw new EngineError(await explainPort(api, cause.code ?? cause.message), { cause })
    })
  const metadata = await engines.metadata.open(plane.metadata)
  const driver = plane.start()
  const care = startDriver({ clock: systemClock, log, store, signal }, [
    upkeepReconciler(engines),
    daemonReconciler('engines.metadata', engines.metadata),
    daemonReconciler('engines.dns', engines.dns),
    daemonReconciler('engines.private-dns', engines.privateDns),
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
    await Promise.all([listening.close(), metadata.close()])
    await Promise.all([driver.ended, care.ended])
    plane.flush()
    metricFile.close()
    store.close()
    logEvents.close()
  }
  return { ended: end() }
}

/** How clients elsewhere are to reach this machine: by what its owner says, else by where the public listeners are. */
function outsideOf({ dns, listeners }: Config): { A: string[]; AAAA: string[] } {
  const said = dns.publicAddresses.length > 0 ? dns.publicAddresses : listeners.publicAddresses
  // `0.0.0.0` is all that the machine has, but for networks that lead to no client elsewhere: of homes, containers and links.
  const own = Object.entries(networkInterfaces())
    .filter(([name]) => !INNER.test(name))
    .flatMap(([, all = []]) =>
      all.filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/.test(address)),
    )
  const all = said.flatMap((one) =>
    one === '0.0.0.0' || one === '::'
      ? own.filter(({ family }) => family === (one === '::' ? 'IPv6' : 'IPv4')).map(({ address }) => address)
      : one,
  )
  const A = [...new Set(all.filter((one) => isIP(one) === 4))]
  return { A: A.length > 0 ? A : ['127.0.0.1'], AAAA: [...new Set(all.filter((one) => isIP(one) === 6))] }
}
/** A file that is not there trusts nobody, and its name says so. */
function acmeOf({ acme }: Config): AcmeSettings {
  const { directory, staging, email, trust } = acme
  return { directory, staging, email, trust: trust === null ? null : (readFileIfAny(trust) ?? `no ${trust}`) }
}

const INNER = new RegExp(`^(${UPLINK_PREFIX}|docker|br-|veth|virbr|cni|flannel|lxc|podman)`)

function describeConfiguration(config: FollowedConfig, store: Store): ConfigurationStatus {
  const given = [...config.sources()].map(([key, { value, source }]) => [key, { value, source }] as const)
  return { given: Object.fromEntries(given), problem: config.problem(), inUse: inUseOf(store) }
}

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
