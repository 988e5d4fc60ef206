import type {
  ApplicationMetrics,
  EnvironmentHealth,
  InstanceHealthSummary,
  SingleInstanceHealth,
} from '@aws-sdk/client-elastic-beanstalk'
import type { _InstanceType } from '@aws-sdk/client-ec2'
import type { RequestCounters } from '../../cloud.ts'
import { systemContext } from '../../service.ts'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { assessNow } from '../assess-environment.ts'
import { utilisation } from '../cpu.ts'
import { frontCounters, instanceCounters } from '../front.ts'
import { colourOf } from '../health.ts'
import { invalidToken } from '../paging.ts'
import type { Parts } from '../parts.ts'
import { findDeployment, instancesOf, type EnvironmentInstanceRow, type EnvironmentRow } from '../store.ts'
import { invalidValue } from '../validation.ts'
import { findEnvironment } from './find-environment.ts'

type Operations = Pick<ElasticbeanstalkOperations, 'describeEnvironmentHealth' | 'describeInstancesHealth'>

export function makeHealthOperations(parts: Parts): Operations {
  const { store, clock } = parts
  return {
    describeEnvironmentHealth(context, input) {
      const row = findEnvironment(store, context, input)
      const wanted = wantedOf(input.AttributeNames, ENVIRONMENT_ATTRIBUTES)
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
      const row = findEnvironment(store, context, input)
      if (input.NextToken !== undefined) throw invalidToken() // all instances are on one page
      const wanted = wantedOf(input.AttributeNames, INSTANCE_ATTRIBUTES)
      const { instances } = assessNow(parts, row)
      const machines = machinesOf(parts, row)
      const vcpusOf = makeVcpusOf(parts, row)
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
            RefreshedAt: undefined,
            LaunchedAt: machine?.launchedAt ?? new Date(instance.launchedAt),
            // What is not measured is left out. No LoadAverage: `eb` takes one that is there to hold two figures.
            System: {
              CPUUtilization: utilisation(parts.cpu.of(instance.instanceId), vcpusOf(machine?.type)),
            },
            Deployment: deploymentOf(parts, row, instance),
            AvailabilityZone: machine?.zone,
            InstanceType: machine?.type,
          }),
        }
      })
      return { InstanceHealthList: list, RefreshedAt: new Date(clock.now()) }
    },
  }
}

function machinesOf({ store, cloud }: Parts, row: EnvironmentRow) {
  const ids = instancesOf(store, row.id).map(({ instanceId }) => instanceId)
  const machines = new Map<
    string,
    { launchedAt: Date | undefined; zone: string | undefined; type: _InstanceType | undefined }
  >()
  if (ids.length === 0) return machines
  const context = systemContext(row.account, row.region, row.requestId)
  const { Reservations = [] } = cloud.ec2.describeInstances(context, {
    Filters: [{ Name: 'instance-id', Values: ids }],
  })
  for (const one of Reservations.flatMap(({ Instances = [] }) => Instances))
    machines.set(one.InstanceId ?? '', {
      launchedAt: one.LaunchTime,
      zone: one.Placement?.AvailabilityZone,
      type: one.InstanceType,
    })
  return machines
}

function makeVcpusOf({ cloud }: Parts, row: EnvironmentRow) {
  const context = systemContext(row.account, row.region, row.requestId)
  const known = new Map<string, number | undefined>()
  return (type: _InstanceType | undefined): number | undefined => {
    if (type === undefined) return undefined
    if (!known.has(type)) {
      const [found] = cloud.ec2.describeInstanceTypes(context, { InstanceTypes: [type] }).InstanceTypes ?? []
      known.set(type, found?.VCpuInfo?.DefaultVCpus)
    }
    return known.get(type)
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

function wantedOf(asked: string[] | undefined, known: string[]): string[] {
  if (!asked || asked.length === 0) return [] // AWS: without AttributeNames only the name (and ids) come back
  const wrong = asked.find((name) => name !== 'All' && !known.includes(name))
  if (wrong !== undefined)
    throw invalidValue(`Attribute '${wrong}' is not known. Use one of: All, ${known.join(', ')}.`)
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
