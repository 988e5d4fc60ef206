// Gathers what health is computed from, by the operations of those who own it, and keeps the result on change.
import type { Reconciler } from '../../control/reconciler.ts'
import { systemContext } from '../service.ts'
import { ofEnvironment } from './events.ts'
import { factsOf } from './environment-facts.ts'
import { frontOf, targetsOf, type Targets } from './front.ts'
import { assessBasic, basicText, isWorseColour, type BasicHealth } from './health/basic.ts'
import type { EnvironmentAssessment } from './health/facts.ts'
import { assess } from './health/health.ts'
import { HEALTH_EVERY_MS } from './health/thresholds.ts'
import { colourOf, worse } from './health/words.ts'
import { healthReportingOf } from './health-reporting.ts'
import type { Parts } from './parts.ts'
import { refreshPortProblem } from './port-problem.ts'
import { causeOf, reasonOf, tellingError } from './reason.ts'
import {
  environmentById,
  instancesOf,
  liveEnvironments,
  pruneTerminated,
  resourcesOf,
  targetGroupsOf,
  type EnvironmentRow,
} from './store.ts'

export function makeHealthReconciler(parts: Parts): Reconciler {
  const { store, log } = parts
  return {
    name: 'elasticbeanstalk.health',
    everyMs: HEALTH_EVERY_MS,
    wakes: [
      'environment',
      'environment_instance',
      'autoscaling_group',
      'elbv2_load_balancer',
      'elbv2_target',
      'ec2_address',
      'home_room',
    ],
    // eslint-disable-next-line -- all of it is rows
    async reconcile() {
      const failed: string[] = []
      for (const row of liveEnvironments(store)) {
        try {
          store.transaction(() => {
            refreshHealth(parts, row.id)
            refreshPortProblem(parts, row.id)
          })
        } catch (error) {
          failed.push(row.id)
          log.error('health of an environment cannot be computed', { environment: row.id, error })
        }
      }
      return { failed, pruned: parts.events.prune() + pruneTerminated(store, parts.clock.now()) }
    },
  }
}

/** Computes the health now and writes what changed, with an event when the status did. Joins a transaction. */
export function refreshHealth(parts: Parts, environmentId: string): void {
  const { store } = parts
  const row = environmentById(store, environmentId)
  if (!row) return
  const targets = targetsOf(parts, row)
  followTargets(parts, row, targets)
  const facts = factsOf(parts, row, targets)
  const now = { ...assess(facts), launchFailure: facts.launchFailure }
  tellVisitors(parts, row, targets)
  for (const { id, status, causes } of now.instances) keepInstance(parts, row, id, { status, causes })
  if (healthReportingOf(row).system === 'basic') keepBasic(parts, row, assessBasic(facts))
  else keepEnhanced(parts, row, now)
}

function keepEnhanced(parts: Parts, row: EnvironmentRow, now: Assessed): void {
  const { store, events, clock } = parts
  if (row.healthStatus === now.status && sameCauses(JSON.parse(row.causes) as string[], now.causes)) return
  const set = {
    healthStatus: now.status,
    health: colourFor(row, now.status),
    causes: now.causes,
    refreshedAt: clock.now(),
  }
  store.update('environment', { id: row.id }, set)
  tellFailedLaunch(parts, row, now)
  if (row.healthStatus === now.status || row.status === 'Terminated') return
  const isFirst = row.healthStatus === 'NoData' || row.healthStatus === ''
  const from = isFirst ? '' : ` from ${row.healthStatus}`
  const text = [`Environment health has transitioned${from} to ${now.status}.`, ...now.causes].join(' ')
  events.write(ofEnvironment(row, null), worse(row.healthStatus, now.status) ? 'WARN' : 'INFO', text)
}

/** Of basic health there is a colour and no status. */
function keepBasic(parts: Parts, row: EnvironmentRow, { colour, hasNone }: BasicHealth): void {
  const { store, events, clock } = parts
  if (row.health === colour && row.healthStatus === '') return
  const set = { healthStatus: '', health: colour, causes: [], refreshedAt: clock.now() }
  store.update('environment', { id: row.id }, set)
  const isWorse = isWorseColour(row.health, colour)
  const text = basicText(row.health, colour)
  if (text !== null) events.write(ofEnvironment(row, null), isWorse ? 'WARN' : 'INFO', text)
  const { loadBalancerArn, loadBalancerName } = resourcesOf(row)
  const balancer = loadBalancerName ?? loadBalancerArn?.split(':loadbalancer/')[1]
  if (isWorse && hasNone && balancer && frontOf(row) === 'load balancer')
    events.write(
      ofEnvironment(row, null),
      'WARN',
      `Elastic Load Balancer ${balancer} has zero healthy instances.`,
    )
}

/** How many of the last errors are looked through. */
const ERRORS_READ = 5

function tellVisitors({ store, cloud }: Parts, row: EnvironmentRow, targets: Targets): void {
  const { loadBalancerArn, elasticAddressId, sharesLoadBalancer } = resourcesOf(row)
  const front = frontOf(row) === 'elastic address' ? elasticAddressId : loadBalancerArn
  if (!front) return
  // On a load balancer that others have too, it is for those who ask for this environment.
  const told = front === loadBalancerArn && sharesLoadBalancer ? Object.values(targetGroupsOf(row)) : [front]
  const seen = [...targets.values()]
  const anyHealthy = seen.some(({ state }) => state === 'healthy')
  const error = () =>
    tellingError(
      store
        .all<{ message: string }>(
          `select message from event where environment_id = :id and severity = 'ERROR' order by id desc limit :most`,
          { id: row.id, most: ERRORS_READ },
        )
        .map(({ message }) => message),
    )
  const said = anyHealthy || row.status !== 'Ready' ? undefined : error()
  const cause = (said && causeOf([said])) ?? seen[0]?.reason
  const reason =
    reasonOf({ name: row.name, status: row.status, anyHealthy, cause }) ?? `See: polebean why ${row.name}`
  const context = systemContext(row.account, row.region, row.requestId)
  for (const of of told) cloud.elasticloadbalancingv2.putReason(context, of, reason)
}

// Once, however often it is tried: the cause stays as long as it fails. With a change of the status its event says it.
function tellFailedLaunch(
  { events }: Parts,
  row: EnvironmentRow,
  { status, causes, launchFailure: why }: Assessed,
) {
  const before = JSON.parse(row.causes) as string[]
  if (causes.includes(why) && !before.includes(why) && row.healthStatus === status)
    events.write(ofEnvironment(row, null), 'WARN', why)
}

/** Keeps since when the load balancer has not found an instance healthy that should serve. */
function followTargets({ store, clock }: Parts, row: EnvironmentRow, targets: Targets): void {
  for (const { instanceId, state, outOfServiceSince } of instancesOf(store, row.id)) {
    const now = clock.now()
    const out = state === 'Deployed' && targets.get(instanceId)?.state !== 'healthy'
    // Later than now: the clock was set back since.
    if (out === (outOfServiceSince !== null) && (outOfServiceSince ?? 0) <= now) continue
    const set = { outOfServiceSince: out ? now : null }
    store.update('environment_instance', { environmentId: row.id, instanceId }, set)
  }
}

type Assessed = EnvironmentAssessment & { launchFailure: string }

export const assessNow = (parts: Parts, row: EnvironmentRow): EnvironmentAssessment =>
  assess(factsOf(parts, row, targetsOf(parts, row)))

function keepInstance(
  { store }: Parts,
  row: EnvironmentRow,
  instanceId: string,
  { status, causes }: { status: string; causes: string[] },
): void {
  const before = instancesOf(store, row.id).find((one) => one.instanceId === instanceId)
  if (
    !before ||
    (before.healthStatus === status && sameCauses(JSON.parse(before.causes) as string[], causes))
  )
    return
  store.update(
    'environment_instance',
    { environmentId: row.id, instanceId },
    { healthStatus: status, causes },
  )
}

// Seconds that run and shares that waver are no news.
const sameCauses = (a: string[], b: string[]) => a.map(withoutNumbers).join() === b.map(withoutNumbers).join()
const withoutNumbers = (cause: string) =>
  cause
    .replace(/\d+ (second|minute|hour)s?/g, 'some time')
    .replace(/\d+(\.\d+)? (%|requests\/min)/g, 'some $2')

const colourFor = (row: EnvironmentRow, status: string) =>
  // AWS: grey while it is being launched or terminated, whatever is known.
  row.status === 'Terminating' || row.status === 'Terminated' ? 'Grey' : colourOf(status)
