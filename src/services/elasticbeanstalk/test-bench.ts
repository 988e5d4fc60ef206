// A whole Beanstalk service on a virtual clock, for its unit tests.
import type { CreateEnvironmentMessage } from '@aws-sdk/client-elastic-beanstalk'
import { VirtualClock } from '../../../sim/virtual-clock.ts'
import { startDriver } from '../../control/driver.ts'
import { lanesMigration, makeLanes } from '../../control/lanes.ts'
import { makeWorkflows, workflowsMigration, type Workflows } from '../../control/workflows.ts'
import type { BuildRequest, BuildResult } from '../../engines/compute/engine.ts'
import { makeFakeDisk, makeFakeRoom } from '../../engines/room/fake.ts'
import { EngineError } from '../../kernel/errors.ts'
import { makeIds } from '../../kernel/ids.ts'
import { silentLog } from '../../kernel/log.ts'
import { seededRandom } from '../../kernel/random.ts'
import type { BundleListing, BundleProblem } from '../../platforms/bundle.ts'
import { makeCatalogue, type Runtime } from '../../platforms/catalogue.ts'
import { openStore } from '../../store/store.ts'
import { DEFAULT_BUDGETS, type Budgets } from '../budgets.ts'
import type { Cloud } from '../cloud.ts'
import type { Context } from '../context.ts'
import type { ServicesWorld } from '../testing/services-world.ts'
import { makeFakeCloud } from './fake-cloud.ts'
import { elasticbeanstalkMigrations, makeElasticbeanstalkService } from './service.ts'

export const STACK = '64bit Amazon Linux 2023 v4.6.0 running Python 3.11'
export const BUCKET = 'elasticbeanstalk-us-west-2-000000000000'
const BUILD_MS = 5_000
const REMOVAL_MS = 2_000

export const PYTHON: Runtime = {
  family: 'python',
  language: '3.11',
  program: '/usr/bin/python3.11',
  build: '3.11.2 test',
}
export const NODEJS_STACK = '64bit Amazon Linux 2023 v6.5.0 running Node.js 26'
export const NODEJS: Runtime = { family: 'nodejs', language: '26', program: '/opt/node', build: 'v26.0.0' }

export type Bench = ReturnType<typeof makeBench>

/** On the fake cloud, or with ec2, autoscaling and elasticloadbalancingv2 as they are (services-world.ts). */
export function makeBench(
  real?: Pick<
    ServicesWorld,
    | 'clock'
    | 'compute'
    | 'ec2'
    | 'autoscaling'
    | 'cloudwatch'
    | 'elasticloadbalancingv2'
    | 'acm'
    | 'iam'
    | 'route53'
    | 'logs'
  >,
) {
  const clock = real?.clock ?? new VirtualClock()
  const random = seededRandom(1)
  const ids = makeIds(random)
  const store = openStore(':memory:', [workflowsMigration, lanesMigration, ...elasticbeanstalkMigrations])
  const over = new AbortController()
  const { cloud: fake, world } = makeFakeCloud(clock)
  const cloud = real
    ? Object.assign({} as Cloud, fake, {
        ec2: real.ec2,
        autoscaling: { ...fake.autoscaling, ...real.autoscaling },
        cloudwatch: real.cloudwatch,
        elasticloadbalancingv2: real.elasticloadbalancingv2,
        acm: real.acm,
        route53: real.route53,
        iam: real.iam,
        logs: real.logs,
      })
    : fake
  const layers: { digest: string; key: string; bytes: number }[] = []
  const hooks = {
    /** What a build answers; exit 0 makes a layer. */
    build: (_request: BuildRequest): Omit<BuildResult, 'digest'> => ({ exit: 0, output: 'done' }),
    /** What the home's owner allows. */
    environmentsMax: null as number | null,
    /** Files of every instance; ID stands for its id. */
    logs: {} as Record<string, string>,
    /** Why no other file of an instance can be read; '' = there is none. */
    unreadable: '',
    inspect: (): BundleListing | BundleProblem => listing(),
    pipConfiguration: '',
    npm: { dir: '/usr/share/nodejs/npm', version: '10.9.0' },
    /** Nothing that nobody names is kept, unless a test says so. */
    budgets: { caches: 0 } as Partial<Budgets>,
    /** Called while a layer is being removed. */
    removing: () => undefined as void,
  }
  const catalogue = makeCatalogue([PYTHON, NODEJS])
  const disk = makeFakeDisk()
  let driver: ReturnType<typeof startDriver> | undefined
  const workflows: Workflows = makeWorkflows(
    { clock, log: silentLog, store, newId: () => ids.uuid() },
    () => service.workflows,
  )
  const service = makeElasticbeanstalkService({
    store,
    clock,
    ids,
    random,
    cloud,
    log: silentLog,
    workflows,
    makeLanes: (name, atOnceMax) =>
      makeLanes({ clock, log: silentLog, store, signal: over.signal }, atOnceMax, () => driver?.wake(name)),
    region: 'us-west-2',
    account: '000000000000',
    compute: real?.compute.engine() ?? {
      layers: async () => [...layers],
      stats: async () =>
        world.instances().map(({ id }) => {
          // Each runs half a second of user code in each second, and a tenth of the kernel's.
          const seconds = clock.monotonic() / 1000
          const used = { cpuUserSeconds: seconds / 2, cpuSystemSeconds: seconds / 10 }
          return { id, boot: 'b1', at: clock.now(), ...used }
        }),
      async removeLayer(digest) {
        hooks.removing()
        await clock.sleep(REMOVAL_MS)
        const index = layers.findIndex((one) => one.digest === digest)
        if (index !== -1) layers.splice(index, 1)
      },
      async read(id, path) {
        if (world.instances().every((one) => one.id !== id || one.intent === null))
          throw new EngineError(`no instance ${id}`) // it waits for its software
        if (hooks.logs[path] === undefined)
          throw new EngineError(hooks.unreadable || `${path}: No such file or directory`)
        return Buffer.from(hooks.logs[path].replaceAll('ID', id))
      },
      follow: async () => [],
      async build(request) {
        await clock.sleep(BUILD_MS)
        const { exit, ...result } = hooks.build(request)
        const digest = exit === 0 ? `digest-of-${request.key}` : ''
        if (exit === 0) layers.push({ digest, key: request.key, bytes: 1 })
        return { exit, ...result, digest }
      },
    },
    room: makeFakeRoom(disk),
    budgets: () => ({ ...DEFAULT_BUDGETS, ...hooks.budgets }),
    objects: { path: (id) => `/objects/${id}` },
    catalogue,
    inspect: async () => hooks.inspect(),
    buildConfiguration: () => ({
      files: [{ name: 'pip.conf', content: hooks.pipConfiguration, mode: 0o644 }],
      inputs: [],
      env: {},
      npm: hooks.npm,
    }),
    environmentsMax: () => hooks.environmentsMax,
    domain: 'elasticbeanstalk.localhost',
    ports: { http: 80, environments: 18_000 },
    presign: (context, bucket, key) => `${context.endpoint}/${bucket}/${key}?signature`,
  })
  driver = startDriver({ clock, log: silentLog, store, signal: over.signal }, [
    workflows.reconciler,
    ...service.reconcilers,
  ])

  let calls = 0
  const context = (): Context => ({
    account: '000000000000',
    region: 'us-west-2',
    requestId: `request-${++calls}`,
    caller: { accessKeyId: 'AKID', arn: 'arn:aws:iam::000000000000:root', userId: '000000000000' },
    endpoint: 'http://127.0.0.1:4777',
  })
  const api = service.operations
  const environment = (name = 'shop-prod') =>
    api.describeEnvironments(context(), { EnvironmentNames: [name] }).Environments?.[0]
  const events = (filter: object = {}) =>
    (api.describeEvents(context(), { EnvironmentName: 'shop-prod', ...filter }).Events ?? []).toReversed()

  return {
    clock,
    store,
    world,
    cloud,
    hooks,
    api,
    readTop: service.internal.readTop,
    context,
    environment,
    events,
    layers,
    disk,
    catalogue,
    texts: (filter: object = {}) => events(filter).map(({ Severity, Message }) => `${Severity} ${Message}`),
    /** An object in S3, the version made of it and, the first time, its application. */
    version(label: string, content = label) {
      world.objects.set(`${BUCKET}/${label}.zip`, {
        id: `body-${content}`,
        bytes: 100,
        sha256Hex: content.padEnd(64, '0'),
      })
      return api.createApplicationVersion(context(), {
        ApplicationName: 'shop',
        VersionLabel: label,
        AutoCreateApplication: true,
        SourceBundle: { S3Bucket: BUCKET, S3Key: `${label}.zip` },
      })
    },
    create(input: Partial<CreateEnvironmentMessage> = {}) {
      return api.createEnvironment(context(), {
        ApplicationName: 'shop',
        EnvironmentName: 'shop-prod',
        CNAMEPrefix: 'shop',
        VersionLabel: 'v1',
        SolutionStackName: STACK,
        ...input,
      })
    },
    until: (status: string, name?: string) =>
      clock.runUntil(() => environment(name)?.Status === status, 3_600_000),
    end() {
      over.abort()
      store.close()
    },
  }
}

export const listing = (texts: Record<string, string> = { 'requirements.txt': 'flask' }): BundleListing => ({
  kind: 'bundle',
  entries: 2,
  unpackedBytes: 100,
  topLevel: ['application.py', ...Object.keys(texts)],
  texts,
  unsupported: [],
})
