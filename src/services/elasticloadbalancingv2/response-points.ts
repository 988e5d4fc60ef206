// What requests that ended tell by themselves, as points: how long targets took, and what the load balancer answered in their place. They
// count for the second in which they ended. Pure.
import type { RequestEntry } from '../../engines/balancer/engine.ts'
import type { MetricPoint } from '../cloud.ts'
import { GAP_MS, pointsOf, secondOf } from '../measure.ts'
import { addTo, emptyHistogram, type Histogram, middlesOf } from './latencies.ts'
import { dimensionsOf, type MeasuredBalancer, type MeasuredGroup, NAMESPACES } from './traffic-points.ts'

export type Names = {
  balancer(id: string): Pick<MeasuredBalancer, 'kind' | 'name' | 'path'> | undefined
  group(id: string): Pick<MeasuredGroup, 'path'> | undefined
}

/** Codes of the load balancer's own that AWS has a metric of. */
const OWN_CODES = [500, 502, 503, 504]

/** What ended long before `now` is left out: counters of that time are, too. */
export function responsePoints(entries: RequestEntry[], names: Names, now: number): MetricPoint[] {
  const points: MetricPoint[] = []
  const recent = entries.filter(({ at }) => Math.abs(now - at) <= GAP_MS)
  const key = ({ id, targetGroupId, at }: RequestEntry) => `${id} ${targetGroupId ?? ''} ${secondOf(at)}`
  // A load balancer's own figures are those of its target groups together: points of one second add up.
  for (const own of Map.groupBy(recent, key).values()) {
    const { id, targetGroupId, at } = own[0]!
    const balancer = names.balancer(id)
    if (!balancer) continue
    const group = targetGroupId === null ? undefined : names.group(targetGroupId)
    const second = secondOf(at)
    const isClassic = balancer.kind === 'classic'
    const ofBalancer = pointsOf(points, NAMESPACES[balancer.kind], dimensionsOf(balancer))
    const both =
      group && !isClassic
        ? [ofBalancer, pointsOf(points, NAMESPACES[balancer.kind], dimensionsOf(balancer, group))]
        : [ofBalancer]

    const times = emptyHistogram()
    for (const one of own) if (one.isOfTarget && group) addTo(times, one.targetMs, one.weight)
    if (times.count > 0)
      for (const point of both)
        point(isClassic ? 'Latency' : 'TargetResponseTime', 'Seconds', second, valueOf(times))

    const failed = own.filter((one) => !one.isOfTarget && one.target !== null && /^[Ss]C/.test(one.ended))
    if (failed.length > 0)
      for (const point of both)
        point(
          isClassic ? 'BackendConnectionErrors' : 'TargetConnectionErrorCount',
          ...(['Count', second, failed.length] as const),
        )
    if (balancer.kind !== 'application') continue
    for (const code of OWN_CODES) {
      const answered = own.filter(({ isOfTarget, status }) => !isOfTarget && status === code).length
      if (answered > 0) ofBalancer(`HTTPCode_ELB_${code}_Count`, 'Count', second, answered)
    }
  }
  return points
}

/** In seconds. A line that stands for others stands for a whole number of them. */
function valueOf(times: Histogram): MetricPoint['value'] {
  const values = middlesOf(times).map(
    ([ms, weight]) => [ms / 1_000, Math.max(1, Math.round(weight))] as [number, number],
  )
  const count = values.reduce((sum, [, some]) => sum + some, 0)
  const seconds = values.map(([value]) => value)
  return {
    ...{ count, sum: (times.sumMs / times.count / 1_000) * count, values },
    ...{ min: Math.min(...seconds), max: Math.max(...seconds) },
  }
}
