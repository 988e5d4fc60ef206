import type {
  ApplicationMetrics,
  EnvironmentHealth,
  InstanceHealthSummary,
  SingleInstanceHealth,
  SystemStatus,
} from '@aws-sdk/client-elastic-beanstalk'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { RequestCounters } from '../../cloud.ts'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { assessNow } from '../assess-environment.ts'
import { frontCounters, instanceCounters } from '../front.ts'
import { colourOf } from '../health/words.ts'
import { healthReportingOf } from '../health-reporting.ts'
import { machinesOf, shapeOf } from '../machines.ts'
import { invalidToken } from '../paging.ts'
import type { Parts } from '../parts.ts'
import { findDeployment, instancesOf, type EnvironmentInstanceRow, type EnvironmentRow } from '../store.ts'
import { utilisation } from '../system-figures.ts'
import { findEnvironment } from './find-environment.ts'

type Operations = Pick<ElasticbeanstalkOperations, 'describeEnvironmentHealth' | 'describeInstancesHealth'>

export function makeHealthOperations(parts: Parts): Operations {
  const { store, clock } = parts
  return {
    describeEnvironmentHealth(context, input) {
      const wanted = wantedOf(input.AttributeNames, ENVIRONMENT_ATTRIBUTES)
      const row = findEnvironment(store, context, input)
      refuseBasic(row, 'DescribeEnvironmentHealth')
      const { causes, instances } = assessNow(parts, row)
      return {
        EnvironmentName: row.name,
        ...pick(wanted, {
          HealthStatus: row.healthStatus,
          Status: row.status as EnvironmentHealth, // AWS answers the environment's status here, whatever the model says
          Color: row.health,
          Causes: causes,
          ApplicationMetrics: metricsOf(frontCounters(parts, row)),
          InstancesHealth: summaryOf(instances.map(({ status }) => status)),
          RefreshedAt: new Date(clock.now()),
        }),
      }
    },

    describeInstancesHealth(context, input) {
      const wanted = wantedOf(input.AttributeNames, INSTANCE_ATTRIBUTES)
      const row = findEnvironment(store, context, input)
      refuseBasic(row, 'DescribeInstancesHealth')
      if (input.NextToken !== undefined) throw invalidToken() // all instances are on one page
      const { instances } = assessNow(parts, row)
      const machines = machinesOf(parts, row)
      const list = instancesOf(store, row.id).map((instance): SingleInstanceHealth => {
        const health = instances.find(({ id }) => id === instance.instanceId)
        const status = health?.status ?? 'NoData'
        const machine = machines.get(instance.instanceId)
        return {
          InstanceId: instance.instanceId,
          ...pick(wanted, {
            HealthStatus: status,
            Color: colourOf(status),
            Causes: health?.causes ?? [],
            ApplicationMetrics: metricsOf(instanceCounters(parts, row, instance.instanceId)),
            LaunchedAt: machine?.launchedAt ?? new Date(instance.launchedAt),
            System: systemOf(parts, row, instance.instanceId),
            Deployment: deploymentOf(parts, row, instance),
            AvailabilityZone: machine?.zone,
            InstanceType: machine?.type,
          }),
        }
      })
      return { InstanceHealthList: list, ...pick(wanted, { RefreshedAt: new Date(clock.now()) }) }
    },
  }
}

/** @throws DeclaredError In AWS's words, which `eb` looks for. */
function refuseBasic(row: EnvironmentRow, operation: string): void {
  if (healthReportingOf(row).system === 'basic')
    throw new DeclaredError('InvalidRequestException', `${operation} is not supported.`)
}

/** What is not known is left out: `eb` takes a LoadAverage that is there to hold figures. */
function systemOf(parts: Parts, row: EnvironmentRow, instanceId: string): SystemStatus {
  const load = parts.system.load(instanceId)
  return {
    CPUUtilization: utilisation(parts.system.cpu(instanceId), shapeOf(parts, row, instanceId)?.vcpus),
    ...(load ? { LoadAverage: load.map((one) => Math.round(one * 100) / 100) } : {}),
  }
}

function deploymentOf({ store }: Parts, row: EnvironmentRow, instance: EnvironmentInstanceRow) {
  const deployment = findDeployment(store, row.id, instance.deploymentId)
  if (!deployment) return undefined
  return {
    VersionLabel: deployment.versionLabel,
    DeploymentId: deployment.id,
    Status: instance.state,
    DeploymentTime: new Date(instance.deployedAt ?? deployment.startedAt),
  }
}

/** Raw counts over `Duration` seconds, as AWS answers them (reference §1.4). Latencies are in seconds. */
function metricsOf(counters: RequestCounters | undefined): ApplicationMetrics {
  const {
    seconds = 10,
    requests = 0,
    status2xx = 0,
    status3xx = 0,
    status4xx = 0,
    status5xx = 0,
    responseTimeMs,
  } = counters ?? {}
  return {
    Duration: Math.round(seconds),
    RequestCount: requests,
    StatusCodes: { Status2xx: status2xx, Status3xx: status3xx, Status4xx: status4xx, Status5xx: status5xx },
    Latency: latencyOf(responseTimeMs),
  }
}

const PERCENTILES = { P999: 99.9, P99: 99, P95: 95, P90: 90, P85: 85, P75: 75, P50: 50, P10: 10 }

/** Nothing while nobody was answered. */
const latencyOf = (responseTimeMs: RequestCounters['responseTimeMs'] = () => undefined) =>
  Object.fromEntries(
    Object.entries(PERCENTILES).flatMap(([name, percent]) => {
      const ms = responseTimeMs(percent)
      return ms === undefined ? [] : [[name, Math.round(ms) / 1000]]
    }),
  )

function summaryOf(statuses: string[]): InstanceHealthSummary {
  const count = (status: string) => statuses.filter((one) => one === status).length
  return {
    NoData: count('NoData'),
    Unknown: count('Unknown'),
    Pending: count('Pending'),
    Ok: count('Ok'),
    Info: count('Info'),
    Warning: count('Warning'),
    Degraded: count('Degraded'),
    Severe: count('Severe'),
  }
}

/** AWS: without AttributeNames only the name (and ids) come back. */
function wantedOf(asked: string[] = [], known: string[]): string[] {
  const words = [...known, 'All']
  if (asked.some((name) => !words.includes(name)))
    throw new DeclaredError(
      'ValidationError',
      `1 validation error detected: Value '[${asked.join(', ')}]' at 'attributeNames' failed to satisfy constraint: ` +
        `Member must satisfy constraint: [Member must satisfy enum value set: [${words.join(', ')}]]`,
    )
  return asked.includes('All') ? known : asked
}

function pick<T extends object>(wanted: string[], all: T): Partial<T> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => wanted.includes(name))) as Partial<T>
}

const ENVIRONMENT_ATTRIBUTES = [
  'Status',
  'Color',
  'Causes',
  'ApplicationMetrics',
  'InstancesHealth',
  'RefreshedAt',
  'HealthStatus',
]
const INSTANCE_ATTRIBUTES = [
  'HealthStatus',
  'Color',
  'Causes',
  'ApplicationMetrics',
  'RefreshedAt',
  'LaunchedAt',
  'System',
  'Deployment',
  'AvailabilityZone',
  'InstanceType',
]
