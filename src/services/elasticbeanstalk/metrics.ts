// elasticbeanstalk.metrics: once a minute, health of each environment and what its ConfigDocument asks for become points.
import type { Reconciler } from '../../control/reconciler.ts'
import type { RequestCounters } from '../cloud.ts'
import { MINUTE_MS, secondOf, untilNextMinute } from '../measure.ts'
import { utilisation } from './system-figures.ts'
import {
  environmentPoints,
  type MeasuredEnvironment,
  type MeasuredInstance,
  type MeasuredRequests,
} from './environment-points.ts'
import { frontCounters, instanceCounters } from './front.ts'
import { healthReportingOf } from './health-reporting.ts'
import { shapeOf } from './machines.ts'
import type { Parts } from './parts.ts'
import { instancesOf, liveEnvironments, type EnvironmentRow } from './store.ts'

export function makeMetricsReconciler(parts: Parts): Reconciler {
  const { store, clock, cloud, log } = parts
  return {
    name: 'elasticbeanstalk.metrics',
    get everyMs() {
      return untilNextMinute(clock)
    },
    wakes: [],
    // eslint-disable-next-line -- all of it is rows
    async reconcile() {
      const at = secondOf(clock.now())
      const failed: string[] = []
      for (const row of liveEnvironments(store))
        try {
          const found = measure(parts, row)
          if (found) cloud.cloudwatch.record(row, environmentPoints(found.measured, found.metrics, at))
        } catch (error) {
          // One environment that cannot be measured keeps nobody else waiting.
          failed.push(row.id)
          log.error('an environment cannot be measured', { environment: row.id, error })
        }
      return { failed }
    },
  }
}

/** Undefined of one with basic health, of which AWS publishes nothing. */
function measure(parts: Parts, row: EnvironmentRow) {
  const { system, metrics } = healthReportingOf(row)
  if (system === 'basic') return undefined
  const since = parts.clock.now() - MINUTE_MS
  const isAsked = metrics.instance.length > 0 || metrics.environment.length > 0
  const measured: MeasuredEnvironment = {
    name: row.name,
    healthStatus: row.healthStatus,
    requests: isAsked ? requestsOf(frontCounters(parts, row), since) : undefined,
    instances: isAsked
      ? instancesOf(parts.store, row.id).map((one) => instanceOf(parts, row, one, since))
      : [],
  }
  return { metrics, measured }
}

function instanceOf(
  parts: Parts,
  row: EnvironmentRow,
  { instanceId, healthStatus }: { instanceId: string; healthStatus: string },
  since: number,
): MeasuredInstance {
  const { system } = parts
  const use = system.cpuOfMinute(instanceId)
  const { User, Nice, System, Idle, IOWait } = utilisation(use, shapeOf(parts, row, instanceId)?.vcpus)
  const [oneMinute, fiveMinutes] = system.load(instanceId) ?? []
  const { diskUsedBytes, diskBytes } = system.latest(instanceId) ?? {}
  return {
    ...{
      id: instanceId,
      healthStatus,
      requests: requestsOf(instanceCounters(parts, row, instanceId), since),
    },
    ...(Idle === undefined ? {} : { cpu: defined({ User, Nice, System, Idle, Iowait: IOWait }) }),
    ...(oneMinute === undefined || fiveMinutes === undefined ? {} : { load: { oneMinute, fiveMinutes } }),
    ...(diskUsedBytes === undefined || !diskBytes
      ? {}
      : { rootFilesystemUtil: Math.round((diskUsedBytes / diskBytes) * 1000) / 10 }),
  }
}

const defined = (figures: Record<string, number | undefined>): Record<string, number> =>
  Object.fromEntries(
    Object.entries(figures).flatMap(([name, one]) => (one === undefined ? [] : [[name, one]])),
  )

/** Of the last minute; response times of its last ten seconds. */
function requestsOf(counters: RequestCounters | undefined, since: number): MeasuredRequests | undefined {
  const counts = counters?.since(since)
  if (!counters || !counts) return undefined
  const { requests: total, status2xx, status3xx, status4xx, status5xx } = counts
  return {
    ...{ total, status2xx, status3xx, status4xx, status5xx },
    latencySeconds(percent) {
      const ms = counters.responseTimeMs(percent)
      return ms === undefined ? undefined : ms / 1_000
    },
  }
}
