// What load balancers have carried in a second as points, in the names of AWS/ApplicationELB, AWS/NetworkELB and AWS/ELB (user guides of
// Elastic Load Balancing, "CloudWatch metrics for your … Load Balancer"). Pure. No dimension AvailabilityZone: a load balancer here is in all
// of its zones at once.
import type { Traffic, TrafficCounters } from '../../engines/balancer/engine.ts'
import type { MetricPoint } from '../cloud.ts'
import { growth, pointsOf, sharesOf } from '../measure.ts'

export type MeasuredGroup = {
  id: string
  /** `targetgroup/my-targets/73e2d6bc24d8a067` */
  path: string
  /** Targets that are registered and do not drain, and of those what checks found. */
  registered: number
  healthy: number
  unhealthy: number
}

export type MeasuredBalancer = {
  id: string
  kind: 'application' | 'network' | 'classic'
  name: string
  /** `app/my-load-balancer/50dc6c495c0c9188` */
  path: string
  /** To which its listeners lead. */
  groups: MeasuredGroup[]
}

type Count = Exclude<keyof TrafficCounters, 'id' | 'targetGroupId'>
type Metric = { metricName: string; unit: MetricPoint['unit']; of: Count; always?: boolean }

/** AWS: reported when there is a nonzero value, unless it says `always`. */
const metric = (of: Count, metricName: string, unit: MetricPoint['unit'] = 'Count'): Metric => ({
  ...{ of, metricName, unit },
})
const always = (one: Metric): Metric => ({ ...one, always: true })

/** Of a load balancer, and of each of its target groups. */
const APPLICATION_BOTH = [
  always(metric('requests', 'RequestCount')),
  metric('target2xx', 'HTTPCode_Target_2XX_Count'),
  metric('target3xx', 'HTTPCode_Target_3XX_Count'),
  metric('target4xx', 'HTTPCode_Target_4XX_Count'),
  metric('target5xx', 'HTTPCode_Target_5XX_Count'),
]
const APPLICATION = [
  ...APPLICATION_BOTH,
  metric('balancer3xx', 'HTTPCode_ELB_3XX_Count'),
  metric('balancer4xx', 'HTTPCode_ELB_4XX_Count'),
  metric('balancer5xx', 'HTTPCode_ELB_5XX_Count'),
  metric('redirects', 'HTTP_Redirect_Count'),
  metric('fixedResponses', 'HTTP_Fixed_Response_Count'),
  metric('bytes', 'ProcessedBytes', 'Bytes'),
  metric('connections', 'NewConnectionCount'),
  metric('current', 'ActiveConnectionCount'),
]
/** All that it carries is TCP. */
const NETWORK = [
  always(metric('current', 'ActiveFlowCount')),
  metric('current', 'ActiveFlowCount_TCP'),
  always(metric('connections', 'NewFlowCount')),
  metric('connections', 'NewFlowCount_TCP'),
  metric('bytes', 'ProcessedBytes', 'Bytes'),
  metric('bytes', 'ProcessedBytes_TCP', 'Bytes'),
]
const CLASSIC = [
  always(metric('requests', 'RequestCount')),
  metric('target2xx', 'HTTPCode_Backend_2XX'),
  metric('target3xx', 'HTTPCode_Backend_3XX'),
  metric('target4xx', 'HTTPCode_Backend_4XX'),
  metric('target5xx', 'HTTPCode_Backend_5XX'),
  metric('balancer4xx', 'HTTPCode_ELB_4XX'),
  metric('balancer5xx', 'HTTPCode_ELB_5XX'),
]
export const NAMESPACES = {
  application: 'AWS/ApplicationELB',
  network: 'AWS/NetworkELB',
  classic: 'AWS/ELB',
}
const OF_BALANCER = { application: APPLICATION, network: NETWORK, classic: CLASSIC }
const OF_GROUP = { application: APPLICATION_BOTH, network: [], classic: [] }

/** What is counted in `now` and was not in `before`; all of it when another process counts now, which began with nothing. */
function grown(before: Traffic, now: Traffic): TrafficCounters[] {
  const keyOf = ({ id, targetGroupId }: TrafficCounters) => `${id} ${targetGroupId ?? ''}`
  const earlier = new Map(before.boot === now.boot ? before.counters.map((one) => [keyOf(one), one]) : [])
  return now.counters.map((one) => {
    const from = earlier.get(keyOf(one))
    if (!from) return one
    const more: TrafficCounters = { ...one }
    for (const name of Object.keys(one) as (keyof TrafficCounters)[])
      if (name !== 'id' && name !== 'targetGroupId' && name !== 'current')
        more[name] = growth(from[name], one[name])!
    return more
  })
}

/** `seconds`: those that have ended between the two, whose each had its share. */
export function trafficPoints(
  balancers: MeasuredBalancer[],
  before: Traffic,
  now: Traffic,
  seconds: number[],
): MetricPoint[] {
  const points: MetricPoint[] = []
  const byBalancer = Map.groupBy(grown(before, now), ({ id }) => id)
  /** Of a target group, behind whatever load balancer. */
  const groups = new Map<string, { group: MeasuredGroup; requests: number }>()

  const put = (
    kind: MeasuredBalancer['kind'],
    dimensions: MetricPoint['dimensions'],
    metrics: Metric[],
    counted: TrafficCounters[],
  ) => {
    const point = pointsOf(points, NAMESPACES[kind], dimensions)
    for (const { metricName, unit, of, always: isAlways = false } of metrics) {
      const value = counted.reduce((sum, one) => sum + one[of], 0)
      if (value === 0 && !isAlways) continue
      if (of === 'current') point(metricName, unit, seconds.at(-1)!, value)
      else
        for (const [index, share] of sharesOf(value, seconds.length).entries())
          if (share > 0 || isAlways) point(metricName, unit, seconds[index]!, share)
    }
  }

  for (const balancer of balancers) {
    const counted = byBalancer.get(balancer.id) ?? []
    put(balancer.kind, dimensionsOf(balancer), OF_BALANCER[balancer.kind], counted)
    if (balancer.kind !== 'application') continue
    for (const group of balancer.groups) {
      const own = counted.filter(({ targetGroupId }) => targetGroupId === group.id)
      const requests = own.reduce((sum, one) => sum + one.requests, 0)
      put(balancer.kind, dimensionsOf(balancer, group), OF_GROUP[balancer.kind], own)
      putPerTarget(dimensionsOf(balancer, group), group, requests)
      groups.set(group.id, { group, requests: (groups.get(group.id)?.requests ?? 0) + requests })
    }
  }
  for (const { group, requests } of groups.values())
    putPerTarget({ TargetGroup: group.path }, group, requests)
  return points

  /** AWS: of the healthy targets; where none is healthy, of all that are registered. */
  function putPerTarget(dimensions: MetricPoint['dimensions'], group: MeasuredGroup, requests: number) {
    const point = pointsOf(points, NAMESPACES.application, dimensions)
    const share = requests / Math.max(1, group.healthy || group.registered) / seconds.length
    for (const at of seconds) point('RequestCountPerTarget', 'Count', at, share)
  }
}

/** How many targets are healthy just now; of a classic load balancer its instances, which every target group of it has. */
export function hostPoints(balancers: MeasuredBalancer[], at: number): MetricPoint[] {
  const points: MetricPoint[] = []
  for (const balancer of balancers) {
    const { kind, groups } = balancer
    const largest = groups.toSorted((a, b) => b.registered - a.registered).slice(0, 1)
    for (const group of kind === 'classic' ? largest : groups) {
      const dimensions = kind === 'classic' ? dimensionsOf(balancer) : dimensionsOf(balancer, group)
      const point = pointsOf(points, NAMESPACES[kind], dimensions)
      point('HealthyHostCount', 'Count', at, group.healthy)
      point('UnHealthyHostCount', 'Count', at, group.unhealthy)
    }
  }
  return points
}

export const dimensionsOf = (
  { kind, name, path }: Pick<MeasuredBalancer, 'kind' | 'name' | 'path'>,
  group?: Pick<MeasuredGroup, 'path'>,
): MetricPoint['dimensions'] =>
  kind === 'classic'
    ? { LoadBalancerName: name }
    : { ...(group ? { TargetGroup: group.path } : {}), LoadBalancer: path }
