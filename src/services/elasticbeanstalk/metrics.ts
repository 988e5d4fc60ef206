// elasticbeanstalk.metrics: once a minute, health of each environment and what its ConfigDocument asks for become points.
import type { Reconciler } from '../../control/reconciler.ts'
import type { RequestCounters } from '../cloud.ts'
import { MINUTE_MS, secondOf, untilNextMinute } from '../measure.ts'
import { systemContext } from '../service.ts'
import { readerOf } from './configuration/effective.ts'
import { utilisation } from './system-figures.ts'
import {
  enabledMetrics,
  environmentPoints,
  type MeasuredEnvironment,
  type MeasuredInstance,
  type MeasuredRequests,
} from './environment-points.ts'
import { frontCounters, instanceCounters } from './front.ts'
import type { Parts } from './parts.ts'
import { familyOf } from './software.ts'
import { instancesOf, liveEnvironments, settingsOf, type EnvironmentRow } from './store.ts'

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
          const { metrics, measured } = measure(parts, row)
          cloud.cloudwatch.record(row, environmentPoints(measured, metrics, at))
        } catch (error) {
          // One environment that cannot be measured keeps nobody else waiting.
          failed.push(row.id)
          log.error('an environment cannot be measured', { environment: row.id, error })
        }
      return { failed }
    },
  }
}

function measure(parts: Parts, row: EnvironmentRow) {
  const settings = readerOf(familyOf(row.platformArn), settingsOf(row))
  const metrics = enabledMetrics(settings('aws:elasticbeanstalk:healthreporting:system', 'ConfigDocument'))
  const isAsked = metrics.instance.length > 0 || metrics.environment.length > 0
  const measured: MeasuredEnvironment = {
    name: row.name,
    healthStatus: row.healthStatus,
    requests: isAsked ? requestsOf(frontCounters(parts, row)) : undefined,
    instances: isAsked ? instancesOf(parts.store, row.id).map((one) => instanceOf(parts, row, one)) : [],
  }
  return { metrics, measured }
}

function instanceOf(
  parts: Parts,
  row: EnvironmentRow,
  { instanceId, healthStatus }: { instanceId: string; healthStatus: string },
): MeasuredInstance {
  const { User, System, Idle } = utilisation(parts.system.cpu(instanceId), vcpusOf(parts, row, instanceId))
  return {
    ...{ id: instanceId, healthStatus, requests: requestsOf(instanceCounters(parts, row, instanceId)) },
    ...(Idle === undefined ? {} : { cpu: { User, System, Idle } }),
  }
}

function vcpusOf({ cloud }: Parts, { account, region }: EnvironmentRow, instanceId: string) {
  const context = systemContext(account, region, '')
  const { Reservations = [] } = cloud.ec2.describeInstances(context, {
    Filters: [{ Name: 'instance-id', Values: [instanceId] }],
  })
  const type = Reservations[0]?.Instances?.[0]?.InstanceType
  if (type === undefined) return undefined
  const { InstanceTypes = [] } = cloud.ec2.describeInstanceTypes(context, { InstanceTypes: [type] })
  return InstanceTypes[0]?.VCpuInfo?.DefaultVCpus
}

/** Of about the last ten seconds, as if the whole minute had been so. */
function requestsOf(counters: RequestCounters | undefined): MeasuredRequests | undefined {
  if (!counters || counters.seconds <= 0) return undefined
  const ofMinute = (count: number) => Math.round((count * MINUTE_MS) / 1_000 / counters.seconds)
  return {
    total: ofMinute(counters.requests),
    status2xx: ofMinute(counters.status2xx),
    status3xx: ofMinute(counters.status3xx),
    status4xx: ofMinute(counters.status4xx),
    status5xx: ofMinute(counters.status5xx),
    latencySeconds(percent) {
      const ms = counters.responseTimeMs(percent)
      return ms === undefined ? undefined : ms / 1_000
    },
  }
}
