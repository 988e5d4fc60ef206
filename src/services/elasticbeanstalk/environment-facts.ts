// What there is to know of an environment, of those who own it: rows, the group, the front, figures of requests and of the system.
import type { RequestCounters, RequestCounts } from '../cloud.ts'
import { frontCounters, frontOf, instanceCounters, isFrontMissing, type Targets } from './front.ts'
import type { EnvironmentFacts, InstanceFacts, Requests } from './health/facts.ts'
import { COMPLETED_SHOWN_MS, REQUESTS_WINDOW_MS } from './health/thresholds.ts'
import { healthReportingOf } from './health-reporting.ts'
import { groupOf, launchFailure } from './instances.ts'
import { systemUseOf } from './machines.ts'
import type { Parts } from './parts.ts'
import { lowCause, roomRow } from './room/low.ts'
import {
  findDeployment,
  instancesOf,
  resourcesOf,
  type DeploymentRow,
  type EnvironmentInstanceRow,
  type EnvironmentRow,
} from './store.ts'

export function factsOf(parts: Parts, row: EnvironmentRow, targets: Targets): EnvironmentFacts {
  const { clock, store } = parts
  const now = clock.now()
  const { thresholds, rules, commandTimeoutMs } = healthReportingOf(row)
  const last = findDeployment(store, row.id, row.deploymentId)
  const expected = findDeployment(store, row.id, row.expectedDeploymentId)
  const succeeded =
    last?.state === 'deployed' && last.endedAt !== null && now - last.endedAt < COMPLETED_SHOWN_MS
  const group = groupOf(parts, row)
  // A healthy target has a balancer that checks it.
  const serving = [...targets.values()].some(({ state }) => state === 'healthy')
  const room = roomRow(store)
  const front = frontOf(row)
  return {
    status: row.status,
    update:
      last && last.endedAt === null && last.versionLabel !== expected?.versionLabel
        ? 'Application'
        : 'Configuration',
    runningMs: now - row.statusSince,
    commandTimeoutMs,
    completed:
      succeeded && last.endedAt !== null
        ? {
            what: whatOf(last, findDeployment(store, row.id, last.id - 1)),
            agoMs: now - last.endedAt,
            tookMs: last.endedAt - last.startedAt,
          }
        : null,
    expected: expected ? { versionLabel: expected.versionLabel, deploymentId: expected.id } : null,
    group: group ? { minSize: group.minSize, desired: group.desired } : null,
    front:
      front === 'load balancer' && resourcesOf(row).loadBalancerName !== undefined
        ? 'classic load balancer'
        : front,
    hasFront: serving || !isFrontMissing(parts, row),
    requests: requestsOf(frontCounters(parts, row), {
      since: expected?.endedAt ?? 0,
      now,
      hasBalancer: front === 'load balancer',
    }),
    lowRoom: room?.low ? lowCause(room) : null,
    launchFailure: group && group.instances.length < group.desired ? launchFailure(parts, row) : '',
    instances: instancesOf(store, row.id).map((instance) =>
      instanceFactsOf(parts, row, instance, { now, target: targets.get(instance.instanceId) ?? null }),
    ),
    thresholds,
    rules,
    before: row.healthStatus,
    beforeMs: now - row.refreshedAt,
  }
}

type Seen = { now: number; target: InstanceFacts['target'] }

export function instanceFactsOf(
  parts: Parts,
  row: EnvironmentRow,
  instance: EnvironmentInstanceRow,
  { now, target }: Seen,
): InstanceFacts {
  const { deploymentId, instanceId, deployedAt } = instance
  const isWrong =
    deploymentId !== null && row.expectedDeploymentId !== null && deploymentId !== row.expectedDeploymentId
  const isNew = instance.state === 'Deployed' && deployedAt !== null && now - deployedAt < COMPLETED_SHOWN_MS
  const deployment = isWrong || isNew ? findDeployment(parts.store, row.id, deploymentId) : undefined
  return {
    id: instanceId,
    state: instance.state,
    ageMs: now - instance.launchedAt,
    target,
    updated: instance.state === 'Deployed' && deploymentId === row.deploymentId,
    withoutElbMs: instance.outOfServiceSince === null ? 0 : now - instance.outOfServiceSince,
    silentMs: parts.clock.monotonic() - parts.system.seenAt(instanceId),
    wrong:
      isWrong && deployment ? { versionLabel: deployment.versionLabel, deploymentId: deployment.id } : null,
    requests: requestsOf(instanceCounters(parts, row, instanceId), {
      ...{ since: deployedAt ?? instance.launchedAt, now, hasBalancer: false },
    }),
    system: systemUseOf(parts, row, instanceId),
    completed: isNew && deployment ? completedOf(deployment, instance, now) : null,
    before: instance.healthStatus,
  }
}

function completedOf(
  deployment: DeploymentRow,
  { launchedAt, deployedAt }: EnvironmentInstanceRow,
  now: number,
) {
  // One that was launched for it, or came later, was initialised with it.
  const isFirst = launchedAt >= deployment.startedAt
  const at = deployedAt ?? now
  return {
    what: isFirst ? ('Initialization' as const) : ('Application deployment' as const),
    agoMs: now - at,
    tookMs: at - (isFirst ? launchedAt : deployment.startedAt),
  }
}

type Span = {
  /** What was answered before says nothing of what answers now. */
  since: number
  now: number
  /** Codes that no instance answered are a load balancer's own; an elastic address only stands for its instance. */
  hasBalancer: boolean
}

function requestsOf(
  counters: RequestCounters | undefined,
  { since, now, hasBalancer }: Span,
): Requests | null {
  const counts = counters?.since(Math.max(since, counters.at - REQUESTS_WINDOW_MS))
  if (!counters || !counts) return null
  const { status4xx, status5xx, balancer4xx, balancer5xx } = counts
  const all = answered(counts)
  const agoMs = Math.max(0, now - counters.at)
  if (!hasBalancer) return { application: { requests: all, status4xx, status5xx }, balancer: null, agoMs }
  return {
    application: {
      requests: all - balancer4xx - balancer5xx,
      status4xx: status4xx - balancer4xx,
      status5xx: status5xx - balancer5xx,
    },
    balancer: { requests: all, status4xx: balancer4xx, status5xx: balancer5xx },
    agoMs,
  }
}

const answered = ({ status2xx, status3xx, status4xx, status5xx }: RequestCounts) =>
  status2xx + status3xx + status4xx + status5xx

const whatOf = (last: DeploymentRow, before: DeploymentRow | undefined) =>
  !before
    ? 'Initialization'
    : before.versionLabel === last.versionLabel
      ? 'Configuration update'
      : 'Application update'
