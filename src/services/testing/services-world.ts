// ec2, autoscaling and elasticloadbalancingv2 on a virtual clock and fake engines, driven by their reconcilers as in
// main.ts. The control plane may die at any moment and is then made anew on the same rows and the same engines.
import { startDriver, type Driver } from '../../control/driver.ts'
import { lanesMigration, makeLanes } from '../../control/lanes.ts'
import { makeWorkflows, workflowsMigration } from '../../control/workflows.ts'
import { makeFakeAcmeWorld } from '../../engines/acme/fake.ts'
import { makeFakeAuthority } from '../../engines/authority/fake.ts'
import { makeFakeBalancerWorld } from '../../engines/balancer/fake.ts'
import { makeFakeProbes } from '../../engines/probe/fake.ts'
import { makeFakeDnsWorld } from '../../engines/dns/fake.ts'
import { makeFakeHosts } from '../../engines/hosts/fake.ts'
import { makeFakeFirewallWorld } from '../../engines/firewall/fake.ts'
import { makeIds } from '../../kernel/ids.ts'
import { silentLog } from '../../kernel/log.ts'
import { seededRandom } from '../../kernel/random.ts'
import { openStore } from '../../store/store.ts'
import { VirtualClock } from '../../../sim/virtual-clock.ts'
import type { AcmeSettings } from '../acm/deps.ts'
import { makeAcmService } from '../acm/service.ts'
import { acmMigrations } from '../acm/store.ts'
import { makeAutoscalingService } from '../autoscaling/service.ts'
import { autoscalingMigrations } from '../autoscaling/store.ts'
import { DEFAULT_BUDGETS } from '../budgets.ts'
import type { Cloud, Context, MetricPoint, SoftwareIntent } from '../cloud.ts'
import { openMetricFile } from '../cloudwatch/points/file.ts'
import { makeCloudwatchService } from '../cloudwatch/service.ts'
import { cloudwatchMigrations } from '../cloudwatch/store.ts'
import { makeEc2Service } from '../ec2/service.ts'
import { ec2Migrations } from '../ec2/store.ts'
import { makeFakeObjects } from '../../engines/objects/fake.ts'
import { makeFakeRoom } from '../../engines/room/fake.ts'
import { makeIamService } from '../iam/service.ts'
import { iamMigrations } from '../iam/store.ts'
import { makeElasticloadbalancingv2Service } from '../elasticloadbalancingv2/service.ts'
import { elasticloadbalancingv2Migrations } from '../elasticloadbalancingv2/store.ts'
import { logEventsMigrations } from '../logs/events/file.ts'
import { makeLogsService } from '../logs/service.ts'
import { logsMigrations } from '../logs/store.ts'
import { makeRoute53Service } from '../route53/service.ts'
import { route53Migrations } from '../route53/store.ts'
import { makeS3Service, s3Migrations } from '../s3/service.ts'
import { systemContext, type ServiceDeps } from '../service.ts'
import { makeFaultyCompute } from './faulty-compute.ts'

const ACCOUNT = '000000000000'
const REGION = 'us-west-2'

export type ServicesWorld = ReturnType<typeof makeServicesWorld>

/** `measures`: each second, as a home does; else seldom, since virtual hours are many seconds. */
export function makeServicesWorld(
  seed = 1,
  domain = 'elasticbeanstalk.localhost',
  { measures = false } = {},
) {
  const clock = new VirtualClock()
  const random = seededRandom(seed)
  const ids = makeIds(random)
  const store = openStore(':memory:', [
    lanesMigration,
    workflowsMigration,
    ...s3Migrations,
    ...ec2Migrations,
    ...autoscalingMigrations,
    ...cloudwatchMigrations,
    ...elasticloadbalancingv2Migrations,
    ...acmMigrations,
    ...route53Migrations,
    ...iamMigrations,
    ...logsMigrations,
  ])
  const logEvents = openStore(':memory:', logEventsMigrations)
  const compute = makeFaultyCompute(clock, () => die())
  const unanswering = new Set<string>()
  /** Nobody answers at these ports of instances. */
  const silentPorts = new Set<number>()
  const balancer = makeFakeBalancerWorld({
    clock,
    probe: (address, port) => {
      const running = [...compute.world.instances.values()].some(
        (one) => one.spec.requestedAddress === address && one.state === 'running',
      )
      return running && !unanswering.has(address) && !silentPorts.has(port) ? 200 : null
    },
  })
  const firewall = makeFakeFirewallWorld(clock)
  const dns = makeFakeDnsWorld(clock)
  const privateDns = makeFakeDnsWorld(clock)
  const probes = makeFakeProbes()
  const hosts = makeFakeHosts()
  const acme = makeFakeAcmeWorld(clock)
  const acmeSettings: AcmeSettings = { directory: null, staging: null, email: null, trust: null }
  const outside = () => ({ A: ['127.0.0.1'], AAAA: [] })
  /** Events of certificates in trouble. */
  const told: string[] = []
  const bodies = new Map<string, Buffer>()
  const metricFile = openMetricFile(':memory:')
  const allowed = { instances: null as number | null }
  /** What was measured is handed to this, where a test wants it. */
  const measured = { take: (_points: MetricPoint[]) => undefined as void }
  let life = new AbortController()
  let current = makeLife()

  function makeLife() {
    const { signal } = life
    const cloud = {} as Cloud
    let driver: Driver | undefined
    const deps: ServiceDeps = {
      ...{ store, clock, ids, random, log: silentLog, cloud, region: REGION, account: ACCOUNT },
      domain,
      measureEverySeconds: measures ? 1 : 30,
      workflows: makeWorkflows({ clock, log: silentLog, store, newId: () => ids.uuid() }, () => []),
      makeLanes: (name, atOnceMax) =>
        makeLanes({ clock, log: silentLog, store, signal }, atOnceMax, () => driver?.wake(name)),
    }
    const ec2 = makeEc2Service(deps, compute.engine(), firewall.engine(), () => allowed.instances)
    const autoscaling = makeAutoscalingService(deps)
    const cloudwatch = makeCloudwatchService(deps, metricFile, () => DEFAULT_BUDGETS.metrics)
    const elasticloadbalancingv2 = makeElasticloadbalancingv2Service(deps, balancer.engine())
    const acm = makeAcmService({
      publicPort: (port: number) => port,
      ...{ ...deps, outside, acme: acme.engine(), authority: makeFakeAuthority(clock) },
      acmeSettings: () => acmeSettings,
      tell: (_arns, message) => void told.push(message),
    })
    const route53 = makeRoute53Service({
      ...{
        ...deps,
        dns: dns.engine(),
        privateDns: privateDns.engine(),
        probes,
        hosts,
        publicPort: (port: number) => port,
        domain,
      },
      outside,
    })
    const iam = makeIamService(deps)
    const logs = makeLogsService({ ...deps, logEvents })
    const s3 = makeS3Service(deps, makeFakeObjects({ bodies, clock }), makeFakeRoom())
    const operations = {
      acm: { ...acm.operations, ...acm.internal },
      route53: { ...route53.operations, ...route53.internal },
      s3: { ...s3.operations, ...s3.internal },
      iam: { ...iam.operations, ...iam.internal },
      logs: { ...logs.operations, ...logs.internal },
      ec2: { ...ec2.operations, ...ec2.internal },
      autoscaling: { ...autoscaling.operations, ...autoscaling.internal },
      cloudwatch: {
        ...{ ...cloudwatch.operations, ...cloudwatch.internal },
        record(context: Context, points: MetricPoint[]) {
          measured.take(points)
          cloudwatch.internal.record(context, points)
        },
      },
      elasticloadbalancingv2: { ...elasticloadbalancingv2.operations, ...elasticloadbalancingv2.internal },
    }
    Object.assign(cloud, operations)
    const start = () =>
      (driver = startDriver({ clock, log: silentLog, store, signal }, [
        ...ec2.reconcilers,
        ...autoscaling.reconcilers,
        ...cloudwatch.reconcilers,
        ...elasticloadbalancingv2.reconcilers,
        ...route53.reconcilers,
        ...acm.reconcilers,
        ...logs.reconcilers,
      ]))
    return { ...operations, start }
  }
  function die() {
    life.abort(new Error('the control plane was killed'))
  }

  current.start()
  return {
    clock,
    store,
    compute,
    balancer,
    firewall,
    dns,
    privateDns,
    probes,
    hosts,
    acme,
    acmeSettings,
    told,
    /** What the home's owner allows. */
    allowed,
    measured,
    /** Addresses whose application does not answer although the instance runs. */
    unanswering,
    silentPorts,
    context: {
      ...systemContext(ACCOUNT, REGION, 'request-1'),
      caller: { accessKeyId: 'K', arn: 'arn', userId: 'u' },
    },
    get iam() {
      return current.iam
    },
    logEvents,
    get logs() {
      return current.logs
    },
    get s3() {
      return current.s3
    },
    get acm() {
      return current.acm
    },
    get route53() {
      return current.route53
    },
    get ec2() {
      return current.ec2
    },
    get autoscaling() {
      return current.autoscaling
    },
    get cloudwatch() {
      return current.cloudwatch
    },
    get elasticloadbalancingv2() {
      return current.elasticloadbalancingv2
    },
    die,
    get dead() {
      return life.signal.aborted
    },
    /** Kills the control plane if it still lives, and starts another one. */
    restart() {
      die()
      life = new AbortController()
      current = makeLife()
      current.start()
    },
    end: die,
  }
}

export const softwareIntent = (env: Record<string, string> = {}): SoftwareIntent => ({
  platform: { name: 'python-3.11', version: '1' },
  layers: [],
  env,
  files: [],
  startCheck: { argv: ['/bin/true'], timeoutMs: 30_000 },
})
