// What ec2 says of the instances of an environment, and what they make of what they have.
import type { _InstanceType } from '@aws-sdk/client-ec2'
import { systemContext } from '../service.ts'
import type { SystemUse } from './health/facts.ts'
import type { Parts } from './parts.ts'
import { instancesOf, type EnvironmentRow } from './store.ts'
import { utilisation, type Shape } from './system-figures.ts'

export type Machine = {
  launchedAt: Date | undefined
  zone: string | undefined
  type: _InstanceType | undefined
}

export function machinesOf({ store, cloud }: Parts, row: EnvironmentRow): ReadonlyMap<string, Machine> {
  const ids = instancesOf(store, row.id).map(({ instanceId }) => instanceId)
  if (ids.length === 0) return new Map()
  const { Reservations = [] } = cloud.ec2.describeInstances(contextOf(row), {
    Filters: [{ Name: 'instance-id', Values: ids }],
  })
  return new Map(
    Reservations.flatMap(({ Instances = [] }) => Instances).map((one) => [
      one.InstanceId ?? '',
      {
        launchedAt: one.LaunchTime,
        zone: one.Placement?.AvailabilityZone,
        type: one.InstanceType,
      },
    ]),
  )
}

/** Undefined until something was seen of it. */
export const shapeOf = (parts: Parts, row: EnvironmentRow, instanceId: string): Shape | undefined =>
  parts.system.shape(instanceId, () => {
    const type = machinesOf(parts, row).get(instanceId)?.type
    if (type === undefined) return undefined
    const { InstanceTypes = [] } = parts.cloud.ec2.describeInstanceTypes(contextOf(row), {
      InstanceTypes: [type],
    })
    const { VCpuInfo, MemoryInfo } = InstanceTypes[0] ?? {}
    if (!VCpuInfo?.DefaultVCpus) return undefined
    return { vcpus: VCpuInfo.DefaultVCpus, memoryBytes: (MemoryInfo?.SizeInMiB ?? 0) * 2 ** 20 }
  })

/** What health is judged by. */
export function systemUseOf(parts: Parts, row: EnvironmentRow, instanceId: string): SystemUse {
  const { system } = parts
  const shape = shapeOf(parts, row, instanceId)
  const { Idle, IOWait = null } = utilisation(system.cpuOfMinute(instanceId), shape?.vcpus)
  const { memoryBytes, diskUsedBytes, diskBytes } = system.latest(instanceId) ?? {}
  return {
    cpu: Idle === undefined ? null : 100 - Idle,
    ioWait: IOWait,
    memory: share(memoryBytes, shape?.memoryBytes),
    rootFilesystem: share(diskUsedBytes, diskBytes),
  }
}

/** In percent; null = not known. */
export const share = (part: number | undefined, whole: number | undefined) =>
  part === undefined || !whole ? null : (part / whole) * 100

const contextOf = (row: EnvironmentRow) => systemContext(row.account, row.region, row.requestId)
