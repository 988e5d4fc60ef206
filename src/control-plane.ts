// Joins services, tables, reconcilers and workflows on any set of engines: real ones in main.ts, fakes in sim/.
import { backupMigration, type BackupsStatus } from './backup/scheduled.ts'
import { startDriver, type Driver } from './control/driver.ts'
import { heartbeatMigration, makeHeartbeat } from './control/heartbeat.ts'
import { lanesMigration, makeLanes } from './control/lanes.ts'
import { readStatus } from './control/status.ts'
import { makeWorkflows, workflowsMigration, type Workflows } from './control/workflows.ts'
import type { BalancerEngine } from './engines/balancer/engine.ts'
import type { ComputeEngine } from './engines/compute/engine.ts'
import type { AcmeSettings } from './services/acm/deps.ts'
import type { AcmeEngine } from './engines/acme/engine.ts'
import type { AuthorityEngine } from './engines/authority/engine.ts'
import type { DnsEngine } from './engines/dns/engine.ts'
import type { FirewallEngine } from './engines/firewall/engine.ts'
import type { ObjectEngine } from './engines/objects/engine.ts'
import type { HostsEngine } from './engines/hosts/engine.ts'
import type { ProbeEngine } from './engines/probe/engine.ts'
import type { RoomEngine } from './engines/room/engine.ts'
import type { OwnRoute, UpgradeRoute } from './gateway/chain.ts'
import type { Clock } from './kernel/clock.ts'
import { makeIds } from './kernel/ids.ts'
import type { Log } from './kernel/log.ts'
import type { Random } from './kernel/random.ts'
import type { Catalogue } from './platforms/catalogue.ts'
import type { BuildConfiguration } from './platforms/plan.ts'
import { autoscalingMigrations } from './services/autoscaling/store.ts'
import { makeAcmService } from './services/acm/service.ts'
import { acmMigrations } from './services/acm/store.ts'
import { makeAutoscalingService } from './services/autoscaling/service.ts'
import { DEFAULT_BUDGETS, type Budgets } from './services/budgets.ts'
import type { Cloud, Context, Ec2Internal } from './services/cloud.ts'
import type { ElasticbeanstalkDeps } from './services/elasticbeanstalk/parts.ts'
import { ec2Migrations } from './services/ec2/store.ts'
import { makeEc2Service } from './services/ec2/service.ts'
import {
  elasticbeanstalkMigrations,
  makeElasticbeanstalkService,
} from './services/elasticbeanstalk/service.ts'
import { elasticloadbalancingv2Migrations } from './services/elasticloadbalancingv2/store.ts'
import type { MetricFile } from './services/cloudwatch/points/file.ts'
import { makeCloudwatchService } from './services/cloudwatch/service.ts'
import { cloudwatchMigrations } from './services/cloudwatch/store.ts'
import { makeElasticloadbalancingService } from './services/elasticloadbalancing/service.ts'
import { makeElasticloadbalancingv2Service } from './services/elasticloadbalancingv2/service.ts'
import type { AccessKeys } from './services/iam/access-keys.ts'
import { iamMigrations } from './services/iam/store.ts'
import { makeIamService } from './services/iam/service.ts'
import { makeLogsService } from './services/logs/service.ts'
import { logsMigrations } from './services/logs/store.ts'
import { makeRoute53Service } from './services/route53/service.ts'
import { route53Migrations } from './services/route53/store.ts'
import { s3Migrations } from './services/s3/store.ts'
import { makeS3Service } from './services/s3/service.ts'
import { systemContext, type Service, type ServiceDeps } from './services/service.ts'
import { makeStsService } from './services/sts/service.ts'
import { sessionRoute } from './sessions/route.ts'
import type { Migration, Store } from './store/store.ts'

export type Engines = {
  compute: ComputeEngine
  balancer: BalancerEngine
  dns: DnsEngine
  privateDns: DnsEngine
  acme: AcmeEngine
  authority: AuthorityEngine
  firewall: FirewallEngine
  objects: ObjectEngine
  probes: ProbeEngine
  hosts: HostsEngine
  room: RoomEngine
}

export type Settings = {
  region: string
  account: string
  domain: string
  /** `http`: where public listeners of port 80 really listen; `environments`: first of the loopback ports. */
  ports: { http: number; environments: number }
}

export type ControlPlane = {
  services: Record<string, Service>
  workflows: Workflows
  /** What requests are signed with. */
  accessKeys: AccessKeys
  /** Our own paths that the gateway answers to everybody. */
  openRoutes: OwnRoute[]
  /** Writes what of points is only in memory; for the end of the server. */
  flush(): void
  /** Our own paths that the gateway answers to who can sign. */
  signedRoutes: OwnRoute[]
  /** What an instance that asks for its metadata is told. */
  metadata: Ec2Internal['metadata']
  /** The same of connections that leave HTTP. */
  upgradeRoutes: UpgradeRoute[]
  /** Starts the reconcilers; until then nothing outside is touched. */
  start(): Driver
  /** Tells the owner something about the home itself: an event of each environment. Joins a transaction. */
  tell(severity: 'INFO' | 'ERROR', message: string): void
}

/** What IAM's operations do not tell or do: when keys end (GET), and that one ends later (POST ?id=…&grace=seconds). */
const KEYS = '/polebean/keys'

/** Followed by the id of an environment. */
const TAILS = '/polebean/logs/'
/** Followed by the id of an instance, which may be gone. */
const INSTANCE_LOGS = '/polebean/instance-logs/'
/** Metrics of the last minute, as Prometheus reads them (GET). */
const METRICS = '/metrics'
const LOCAL = /^http:\/\/(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/
/** Who may reach whom, as it is enforced (GET). */
const FIREWALL = '/polebean/firewall'
/** Which name leads where, asked of the name server (GET). */
const NAMES = '/polebean/names'
/** What the home takes of its disk (GET), and away with what nothing uses (POST; `?dry-run=true` only says it). */
const ROOM = '/polebean/room'
/** The certificate of the home's own authority, in PEM, and certificates that were asked for (GET). */
const AUTHORITY = '/polebean/authority'
const CERTIFICATES = '/polebean/certificates'
/** What others are told of a name that is to lead here (GET ?name=…). */
const DOMAIN = '/polebean/domain'
const PRUNE = '/polebean/prune'
/** How environments fare just now; `?environment=` names the one of which also the instances are told (GET). */
const TOP = '/polebean/top'

type Deps = {
  store: Store
  /** Streams and events of CloudWatch Logs. */
  logEvents: Store
  clock: Clock
  random: Random
  log: Log
  signal: AbortSignal
  engines: Engines
  /** Of the points of metrics; its owner closes it, after `flush`. */
  metricFile: MetricFile
  settings: Settings
  catalogue: Catalogue
  /** What the home's owner allows at once, asked at each use; null = no limit. Without it there is none. */
  limits?: () => { environments: number; instances: number | null }
  /** Addresses by which clients elsewhere reach this machine, asked at each use. Without it: the loopback. */
  outside?: () => { A: string[]; AAAA: string[] }
  /** What the home's owner says of authorities of certificates, asked at each use. Without it: there is none. */
  acme?: () => AcmeSettings
  /** What `status` says of the configuration. */
  configuration?: () => object
  /** What `status` says of the backups that the server makes by itself. */
  backups?: () => BackupsStatus
  /** What the machine's owner configured for pip and npm. */
  buildConfiguration(): BuildConfiguration
  /** What the home's owner configured, asked at each use. Without it: the defaults. */
  budgets?: () => Budgets
  /** How many seconds lie between two measurements; 1 but in the simulator. */
  measureEverySeconds?: number
  /** How source bundles are looked into; the simulator has its own. */
  inspect?: ElasticbeanstalkDeps['inspect']
  /** A URL by which the holder may GET an object for a while, without a signature of their own. */
  presign(context: Context, bucket: string, key: string, expiresSeconds: number): string
}

/** Every table there is, in the order of creation. */
export const migrations: Migration[] = [
  workflowsMigration,
  lanesMigration,
  heartbeatMigration,
  backupMigration,
  ...s3Migrations,
  ...iamMigrations,
  ...ec2Migrations,
  ...autoscalingMigrations,
  ...cloudwatchMigrations,
  ...elasticloadbalancingv2Migrations,
  ...acmMigrations,
  ...route53Migrations,
  ...logsMigrations,
  ...elasticbeanstalkMigrations,
]

/** How reconcilers, objects that fail and operations under way fare. */
const STATUS = '/polebean/status'

export function makeControlPlane(deps: Deps): ControlPlane {
  const { store, clock, random, log, signal, engines, settings } = deps
  const ids = makeIds(random)
  let driver: Driver | undefined
  const services: Record<string, Service> = {}
  const workflows = makeWorkflows({ clock, log, store, newId: () => ids.uuid() }, () =>
    Object.values(services).flatMap((service) => service.workflows),
  )
  const cloud = {} as Cloud
  const common: ServiceDeps = {
    store,
    clock,
    ids,
    random,
    log,
    cloud,
    workflows,
    makeLanes: (name, atOnceMax) =>
      makeLanes({ clock, log, store, signal }, atOnceMax, () => driver?.wake(name)),
    region: settings.region,
    account: settings.account,
    domain: settings.domain,
    ...(deps.budgets ? { budgets: deps.budgets } : {}),
    measureEverySeconds: deps.measureEverySeconds ?? 1,
  }

  const s3 = makeS3Service(common, engines.objects, engines.room)
  const ec2 = makeEc2Service(
    common,
    engines.compute,
    engines.firewall,
    () => deps.limits?.().instances ?? null,
  )
  const autoscaling = makeAutoscalingService(common)
  const cloudwatch = makeCloudwatchService(
    common,
    deps.metricFile,
    () => (deps.budgets?.() ?? DEFAULT_BUDGETS).metrics,
  )
  const elasticloadbalancingv2 = makeElasticloadbalancingv2Service(common, engines.balancer)
  const iam = makeIamService(common)
  const outside = deps.outside ?? (() => ({ A: ['127.0.0.1'], AAAA: [] }))
  const acm = makeAcmService({
    ...common,
    acme: engines.acme,
    authority: engines.authority,
    acmeSettings: deps.acme ?? (() => ({ directory: null, staging: null, email: null, trust: null })),
    outside,
    publicPort: engines.balancer.publicPort,
    tell: (arns, message) => elasticbeanstalk.internal.tellThoseBehind(arns, message),
  })
  const route53 = makeRoute53Service({
    ...common,
    dns: engines.dns,
    privateDns: engines.privateDns,
    probes: engines.probes,
    hosts: engines.hosts,
    publicPort: engines.balancer.publicPort,
    outside,
  })
  const logs = makeLogsService({ ...common, logEvents: deps.logEvents })
  const elasticbeanstalk = makeElasticbeanstalkService({
    ...common,
    compute: engines.compute,
    objects: engines.objects,
    room: engines.room,
    catalogue: deps.catalogue,
    environmentsMax: () => deps.limits?.().environments ?? null,
    ports: settings.ports,
    buildConfiguration: deps.buildConfiguration,
    ...(deps.inspect ? { inspect: deps.inspect } : {}),
    presign: deps.presign,
  })
  Object.assign(cloud, {
    acm: acm.internal,
    route53: route53.internal,
    logs: logs.internal,
    iam: iam.internal,
    s3: { ...s3.operations, ...s3.internal },
    ec2: { ...ec2.operations, ...ec2.internal },
    autoscaling: { ...autoscaling.operations, ...autoscaling.internal },
    cloudwatch: { ...cloudwatch.operations, ...cloudwatch.internal },
    elasticloadbalancingv2: { ...elasticloadbalancingv2.operations, ...elasticloadbalancingv2.internal },
  })
  Object.assign(services, {
    elasticbeanstalk,
    autoscaling,
    cloudwatch,
    ec2,
    elasticloadbalancingv2,
    elasticloadbalancing: makeElasticloadbalancingService(common),
    s3,
    iam,
    acm,
    route53,
    logs,
    sts: makeStsService(),
  })

  const shiftDeadlines = (ms: number) => {
    workflows.shiftDeadlines(ms)
    acm.internal.shiftDeadlines(ms)
    autoscaling.internal.shiftDeadlines(ms)
  }
  const heartbeat = makeHeartbeat({ clock, log, store, shiftDeadlines })
  return {
    services,
    workflows,
    accessKeys: iam.internal,
    metadata: ec2.internal.metadata,
    tell: elasticbeanstalk.internal.tellEnvironments,
    flush: cloudwatch.internal.flush,
    openRoutes: [
      {
        path: METRICS,
        // Whoever is on this machine may see it; nobody who comes by the published API, nor a page whose name was made to lead here.
        answer: ({ endpoint }) =>
          LOCAL.test(endpoint)
            ? {
                ...text(cloudwatch.internal.prometheus(settings)),
                headers: { 'content-type': 'text/plain; version=0.0.4' },
              }
            : { ...text('Ask on the machine itself, at 127.0.0.1 or localhost.\n'), status: 403 },
      },
    ],
    upgradeRoutes: [
      sessionRoute({
        ...{ clock, log, signal, compute: engines.compute },
        requireRunning: ec2.internal.requireRunning,
        tell: elasticbeanstalk.internal.tellEnvironmentOf,
      }),
    ],
    signedRoutes: [
      {
        path: STATUS,
        answer: () =>
          json({
            ...readStatus(store, driver?.status() ?? []),
            configuration: deps.configuration?.() ?? null,
            backups: deps.backups?.() ?? null,
          }),
      },
      { path: KEYS, answer: () => json(iam.internal.describe()) },
      {
        method: 'POST',
        path: KEYS,
        answer: ({ query }) =>
          json(iam.internal.expire(query.get('id') ?? '', Number(query.get('grace') ?? Number.NaN))),
      },
      { path: FIREWALL, answer: async () => json(await ec2.internal.firewallReport()) },
      { path: NAMES, answer: async () => json(await route53.internal.report()) },
      { path: AUTHORITY, answer: async () => text(await acm.internal.authority()) },
      {
        path: DOMAIN,
        answer: async ({ query }) => json(await acm.internal.readDomain(query.get('name') ?? '')),
      },
      { path: CERTIFICATES, answer: () => json(acm.internal.requested()) },
      {
        method: 'POST',
        path: CERTIFICATES,
        answer({ query }) {
          acm.internal.retry(query.get('retry') ?? '')
          return json({})
        },
      },
      { path: ROOM, answer: async () => json(await elasticbeanstalk.internal.readRoom()) },
      {
        path: TOP,
        answer: ({ query }) => json(elasticbeanstalk.internal.readTop(query.get('environment'))),
      },
      {
        method: 'POST',
        path: PRUNE,
        answer: async ({ query }) =>
          json(await elasticbeanstalk.internal.prune({ dryRun: query.get('dry-run') === 'true' })),
      },
      {
        path: INSTANCE_LOGS,
        answer: async ({ path }) =>
          json(await elasticbeanstalk.internal.instanceLogs(path.slice(INSTANCE_LOGS.length))),
      },
      {
        path: TAILS,
        async answer({ path, endpoint }) {
          const context = { ...systemContext(settings.account, settings.region, ids.uuid()), endpoint }
          return json(await elasticbeanstalk.internal.tailLogs(context, path.slice(TAILS.length)))
        },
      },
    ],
    start() {
      const reconcilers = Object.values(services).flatMap((service) => service.reconcilers)
      driver = startDriver({ clock, log, store, signal, beforePass: () => void heartbeat.look() }, [
        heartbeat,
        workflows.reconciler,
        ...reconcilers,
      ])
      return driver
    },
  }
}

const text = (body: string) => ({ status: 200, headers: { 'content-type': 'text/plain' }, body })
const json = (value: unknown) => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
})
