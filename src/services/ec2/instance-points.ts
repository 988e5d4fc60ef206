// What an instance has used as points of AWS/EC2 (EC2 user guide, "CloudWatch metrics that are available for your instances"). Pure.
import type { InstanceStats } from '../../engines/compute/engine.ts'
import type { MetricPoint } from '../cloud.ts'
import { growth, pointsOf, together } from '../measure.ts'

export const NAMESPACE = 'AWS/EC2'
/** Of the agent that AWS's users install for it. */
const AGENT_NAMESPACE = 'CWAgent'

export type MeasuredInstance = {
  id: string
  vcpus: number
  memoryBytes: number
  /** The Auto Scaling group that it is a member of; null = none. */
  group: string | null
}

type Unit = MetricPoint['unit']
/** `isNow`: what is, and not what has grown since the last look. */
type Figure = { metricName: string; unit: Unit; namespace: string; value: number; isNow?: true }

/** Counters → metric; all of them per second. AWS counts bytes and packets of all interfaces: an instance here has one. */
const COUNTED: [metricName: string, unit: Unit, counter: keyof InstanceStats][] = [
  ['NetworkIn', 'Bytes', 'networkInBytes'],
  ['NetworkOut', 'Bytes', 'networkOutBytes'],
  ['NetworkPacketsIn', 'Count', 'networkInPackets'],
  ['NetworkPacketsOut', 'Count', 'networkOutPackets'],
  ['DiskReadBytes', 'Bytes', 'diskReadBytes'],
  ['DiskWriteBytes', 'Bytes', 'diskWriteBytes'],
  ['DiskReadOps', 'Count', 'diskReads'],
  ['DiskWriteOps', 'Count', 'diskWrites'],
]

/** What it used in each of the `seconds` between two looks; nothing of another boot. */
export function usedPerSecond(
  { vcpus, memoryBytes }: MeasuredInstance,
  before: InstanceStats | undefined,
  now: InstanceStats,
  seconds: number,
): Figure[] {
  const figures: Figure[] = []
  const add = (metricName: string, unit: Unit, value: number | undefined) => {
    if (value !== undefined) figures.push({ metricName, unit, namespace: NAMESPACE, value })
  }
  if (before?.boot === now.boot && now.at > before.at) {
    const worked = growth(before.cpuSeconds, now.cpuSeconds)
    const share = worked === undefined ? undefined : worked / ((now.at - before.at) / 1_000) / vcpus
    // A quota is kept over a tenth of a second, so a second may have a little more.
    add('CPUUtilization', 'Percent', share === undefined ? undefined : Math.min(100, share * 100))
    for (const [metricName, unit, counter] of COUNTED) {
      const grown = growth(before[counter] as number | undefined, now[counter] as number | undefined)
      add(metricName, unit, grown === undefined ? undefined : grown / seconds)
    }
  }
  if (now.memoryBytes !== undefined)
    figures.push({
      ...{ metricName: 'mem_used_percent', unit: 'Percent', namespace: AGENT_NAMESPACE, isNow: true },
      value: (100 * now.memoryBytes) / memoryBytes,
    })
  return figures
}

export type Measured = { instance: MeasuredInstance; figures: Figure[] }

/** Under the instance's id, and all members of a group as one value under the group's name. */
export function instancePoints(measured: Measured[], seconds: number[]): MetricPoint[] {
  const points: MetricPoint[] = []
  const put = (dimensions: MetricPoint['dimensions'], { figure, value }: Valued) => {
    const point = pointsOf(points, figure.namespace, dimensions)
    for (const at of figure.isNow ? seconds.slice(-1) : seconds)
      point(figure.metricName, figure.unit, at, value)
  }
  const groups = new Map<string, Map<string, { figure: Figure; values: number[] }>>()
  for (const { instance, figures } of measured) {
    const dimensions = { InstanceId: instance.id }
    for (const figure of figures) {
      put(dimensions, { figure, value: figure.value })
      if (instance.group === null) continue
      const own = groups.get(instance.group) ?? new Map<string, { figure: Figure; values: number[] }>()
      groups.set(instance.group, own)
      const one = own.get(figure.metricName)
      if (one) one.values.push(figure.value)
      else own.set(figure.metricName, { figure, values: [figure.value] })
    }
  }
  for (const [AutoScalingGroupName, own] of groups) {
    const dimensions = { AutoScalingGroupName }
    for (const { figure, values } of own.values()) put(dimensions, { figure, value: together(values) })
  }
  return points
}
type Valued = { figure: Figure; value: MetricPoint['value'] }

/** What the engine says of a `running` instance, as AWS's two checks: its own, and its machine's. */
export const failedChecks = (engineState: string | null) => ({
  instance: engineState === 'stopped' || engineState === 'gone' ? 1 : 0,
  system: engineState === 'unknown' ? 1 : 0,
})

export function statusFigures(engineState: string | null): Figure[] {
  const { instance, system } = failedChecks(engineState)
  const figure = (metricName: string, value: number): Figure => ({
    ...{ metricName, value, unit: 'Count', namespace: NAMESPACE },
  })
  return [
    figure('StatusCheckFailed', Math.max(instance, system)),
    figure('StatusCheckFailed_Instance', instance),
    figure('StatusCheckFailed_System', system),
  ]
}
