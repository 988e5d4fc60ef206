// Health of environments as points of AWS/ElasticBeanstalk (developer guide, "Publishing Amazon CloudWatch custom metrics for an
// environment"). `EnvironmentHealth` is published always, all others where the environment's ConfigDocument says so. Pure.
import type { MetricPoint } from '../cloud.ts'
import { pointsOf } from '../measure.ts'

/** Of a minute. */
export type MeasuredRequests = {
  total: number
  status2xx: number
  status3xx: number
  status4xx: number
  status5xx: number
  /** Seconds that so many percent of the answers did not take longer than; undefined when there were none. */
  latencySeconds(percent: number): number | undefined
}

export type MeasuredInstance = {
  id: string
  healthStatus: string
  /** Undefined = nothing was seen of them; so of all that follow. */
  requests: MeasuredRequests | undefined
  load?: { oneMinute: number; fiveMinutes: number }
  /** Percent of the instance's processors. */
  cpu?: Partial<Record<(typeof CPU_KINDS)[number], number>>
  /** Percent of the root file system that is in use. */
  rootFilesystemUtil?: number
}

export type MeasuredEnvironment = {
  name: string
  healthStatus: string
  requests: MeasuredRequests | undefined
  instances: MeasuredInstance[]
}

/** Names of metrics. */
export type EnabledMetrics = { environment: readonly string[]; instance: readonly string[] }

const CPU_KINDS = ['User', 'Nice', 'System', 'Idle', 'Iowait', 'Irq', 'Softirq'] as const
const STATUSES = ['Ok', 'Info', 'Warning', 'Degraded', 'Severe', 'Pending', 'Unknown', 'NoData'] as const
const PERCENTILES = [10, 50, 75, 85, 90, 95, 99, 99.9]
/** AWS has no value for `Pending`, nor for `Suspended`: there is no point then. */
const HEALTH: Record<string, number> = {
  ...{ Ok: 0, Info: 1, Unknown: 5, NoData: 10, Warning: 15, Degraded: 20, Severe: 25 },
}

type Value = [metricName: string, unit: MetricPoint['unit'], value: number | undefined]

export function environmentPoints(
  environment: MeasuredEnvironment,
  enabled: EnabledMetrics,
  at: number,
): MetricPoint[] {
  const points: MetricPoint[] = []
  const { name: EnvironmentName, instances } = environment
  const put = (
    dimensions: MetricPoint['dimensions'],
    values: Value[],
    isEnabled: (name: string) => boolean,
  ) => {
    const point = pointsOf(points, 'AWS/ElasticBeanstalk', dimensions)
    for (const [metricName, unit, value] of values)
      if (value !== undefined && isEnabled(metricName)) point(metricName, unit, at, value)
  }
  put(
    { EnvironmentName },
    [
      ['EnvironmentHealth', 'None', HEALTH[environment.healthStatus]],
      ...STATUSES.map((status): Value => [
        `Instances${status}`,
        'Count',
        instances.filter(({ healthStatus }) => healthStatus === status).length,
      ]),
      ...requestValues(environment.requests),
    ],
    (metricName) => metricName === 'EnvironmentHealth' || enabled.environment.includes(metricName),
  )
  for (const one of instances)
    put({ InstanceId: one.id, EnvironmentName }, instanceValues(one), (metricName) =>
      enabled.instance.includes(metricName),
    )
  return points
}

const instanceValues = (one: MeasuredInstance): Value[] => [
  ['InstanceHealth', 'None', HEALTH[one.healthStatus]],
  ...requestValues(one.requests),
  ['LoadAverage1min', 'None', one.load?.oneMinute],
  ['LoadAverage5min', 'None', one.load?.fiveMinutes],
  ...CPU_KINDS.map((kind): Value => [`CPU${kind}`, 'Percent', one.cpu?.[kind]]),
  ['RootFilesystemUtil', 'Percent', one.rootFilesystemUtil],
]

const requestValues = (requests: MeasuredRequests | undefined): Value[] => [
  ['ApplicationRequestsTotal', 'Count', requests?.total],
  ['ApplicationRequests2xx', 'Count', requests?.status2xx],
  ['ApplicationRequests3xx', 'Count', requests?.status3xx],
  ['ApplicationRequests4xx', 'Count', requests?.status4xx],
  ['ApplicationRequests5xx', 'Count', requests?.status5xx],
  ...PERCENTILES.map((percent): Value => [
    `ApplicationLatencyP${percent}`,
    'Seconds',
    requests?.latencySeconds(percent),
  ]),
]
