// Figures of each minute, of load balancers and target groups, for the metrics service: kept for a day. Counters only grow
// within one boot of the engine; what it counted in the moments before a reload and after the last look is not in them, nor what the
// control plane was not there for. Nor are minutes of which there is nothing to say.
import type { BalancerObservation } from '../../engines/balancer/engine.ts'
import type { Store } from '../../store/store.ts'
import { addTo, emptyHistogram, type Histogram } from './latencies.ts'
import { ofLoadBalancer, ofTargetGroup } from './latencies.ts'

const MINUTE_MS = 60_000
const KEPT_MINUTES = 24 * 60
const PRUNE_MINUTES = 10

/** Sums over the minute; `current` and `unhealthyHosts` are the highest that was seen, `healthyHosts` the lowest. */
export type Figures = Record<(typeof COUNTED)[number], number> & {
  current: number
  healthyHosts: number
  unhealthyHosts: number
  /** Milliseconds from a request's leaving to the first byte of the target's answer. */
  responseTime: { count: number; sumMs: number; classes: [number, number][] }
}

const COUNTED = [
  ...([
    'requests',
    'target2xx',
    'target3xx',
    'target4xx',
    'target5xx',
    'balancer4xx',
    'balancer5xx',
  ] as const),
  ...(['redirects', 'fixedResponses', 'bytesIn', 'bytesOut', 'connections'] as const),
] as const
type Counters = Partial<Record<(typeof COUNTED)[number], number>> & { boot: string }

type Gathered = Omit<Figures, 'responseTime'> & { responseTime: Histogram }
const nothing = (): Gathered => ({
  ...(Object.fromEntries(COUNTED.map((name) => [name, 0])) as Record<(typeof COUNTED)[number], number>),
  ...{ current: 0, healthyHosts: Infinity, unhealthyHosts: 0, responseTime: emptyHistogram() },
})

const figuresOf = ({ responseTime, healthyHosts, ...figures }: Gathered): Figures => {
  const { count, sumMs, classes } = responseTime
  return {
    ...figures,
    healthyHosts: Number.isFinite(healthyHosts) ? healthyHosts : 0,
    responseTime: { count, sumMs, classes: [...classes] },
  }
}

const isNothing = ({ responseTime, ...figures }: Figures) =>
  responseTime.count === 0 && Object.values(figures).every((figure) => figure === 0)

const together = (a: Figures, b: Figures): Figures => ({
  ...(Object.fromEntries(COUNTED.map((name) => [name, a[name] + b[name]])) as Record<
    (typeof COUNTED)[number],
    number
  >),
  current: Math.max(a.current, b.current),
  healthyHosts: Math.min(a.healthyHosts, b.healthyHosts),
  unhealthyHosts: Math.max(a.unhealthyHosts, b.unhealthyHosts),
  responseTime: {
    count: a.responseTime.count + b.responseTime.count,
    sumMs: a.responseTime.sumMs + b.responseTime.sumMs,
    classes: [...a.responseTime.classes, ...b.responseTime.classes],
  },
})

export type Metrics = ReturnType<typeof makeMetrics>

export function makeMetrics(store: Store, now: () => number) {
  let minute = 0
  let gathered = new Map<string, Gathered>()
  let last = new Map<string, Counters>()
  const of = (subject: string) => gathered.get(subject) ?? gathered.set(subject, nothing()).get(subject)!

  const turn = () => {
    const current = Math.floor(now() / MINUTE_MS)
    if (current === minute) return
    const done = gathered
    gathered = new Map()
    if (minute > 0 && done.size > 0) write(minute, done)
    minute = current
  }
  // A minute that comes again, since the clock was set back, has the figures of both times.
  const write = (at: number, done: Map<string, Gathered>) =>
    store.transaction(() => {
      for (const [subject, gathered] of done) {
        const figures = figuresOf(gathered)
        if (isNothing(figures)) continue
        const before = store.get<{ figures: string }>(
          'select figures from elbv2_metric where subject = :subject and minute = :at',
          { subject, at },
        )
        const all = before ? together(JSON.parse(before.figures) as Figures, figures) : figures
        store.put('elbv2_metric', { subject, minute: at, figures: JSON.stringify(all) })
      }
      // All rows are looked at: not each minute.
      if (at % PRUNE_MINUTES === 0)
        store.run('delete from elbv2_metric where minute < :oldest or minute > :newest', {
          ...{ oldest: at - KEPT_MINUTES, newest: at + KEPT_MINUTES },
        })
    })

  return {
    see({ counters, targetCounters, targets }: BalancerObservation) {
      turn()
      const next = new Map<string, Counters>()
      const count = (key: string, subject: string, counted: Counters) => {
        next.set(key, counted)
        const before = last.get(key)
        // Of one that was never seen it is not known since when it has counted.
        if (!before) return
        for (const name of COUNTED) {
          const since = before.boot === counted.boot ? (before[name] ?? 0) : 0
          of(subject)[name] += Math.max(0, (counted[name] ?? 0) - since)
        }
      }
      for (const one of counters) {
        const subject = ofLoadBalancer(one.id)
        count(subject, subject, one)
        of(subject).current = Math.max(of(subject).current, one.current)
      }
      for (const one of targetCounters) {
        const subject = ofTargetGroup(one.targetGroupId)
        count(`${subject} ${one.targetId} ${one.port} ${one.boot.split('/')[1] ?? ''}`, subject, one)
      }
      for (const [id, all] of Map.groupBy(targets, ({ targetGroupId }) => targetGroupId)) {
        const own = of(ofTargetGroup(id))
        const healthy = all.filter(({ health }) => health === 'healthy').length
        own.healthyHosts = Math.min(own.healthyHosts, healthy)
        own.unhealthyHosts = Math.max(
          own.unhealthyHosts,
          all.filter(({ health }) => health === 'unhealthy').length,
        )
      }
      last = next // what is not carried any more is forgotten
    },
    /** `at`: when it ended. What is read long after is left out, as the counters of that time are. */
    seeResponse(subject: string, at: number, ms: number, weight: number) {
      turn()
      if (Math.abs(now() - at) > MINUTE_MS) return
      addTo(of(subject).responseTime, ms, weight)
    },
  }
}

/** Of the minutes from `from` to `to` (milliseconds since 1970), in their order. */
export const metricsOf = (store: Store, subject: string, from: number, to: number) =>
  store
    .all<{ minute: number; figures: string }>(
      'select minute, figures from elbv2_metric where subject = :subject and minute >= :from and minute < :to order by minute',
      { subject, from: Math.floor(from / MINUTE_MS), to: Math.ceil(to / MINUTE_MS) },
    )
    .map(({ minute, figures }) => ({ at: minute * MINUTE_MS, ...(JSON.parse(figures) as Figures) }))
