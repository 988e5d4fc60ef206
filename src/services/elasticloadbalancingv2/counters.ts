// Requests over about the last ten seconds, from counters that only grow. Kept in memory: after a restart rates begin
// anew, and no decision hangs on the past ones.
import type { BalancerObservation } from '../../engines/balancer/engine.ts'
import type { RequestCounters } from '../cloud.ts'

type Counted = Omit<RequestCounters, 'responseTimeMs'>

const WINDOW_MS = 10_000

type Sample = {
  boot: string
  at: number
  requests: number
  status2xx: number
  status3xx: number
  status4xx: number
  status5xx: number
  responseTimeAverageMs: number
}

export type Rates = {
  see(observation: BalancerObservation): void
  loadBalancer(id: string): Counted | undefined
  target(targetGroupId: string, targetId: string): Counted | undefined
  targetGroup(id: string): Counted | undefined
}

export function makeRates(): Rates {
  let series = new Map<string, Sample[]>()
  const targetKey = (groupId: string, targetId: string) => `${groupId} ${targetId}`

  return {
    see({ counters, targetCounters }) {
      const next = new Map<string, Sample[]>()
      const add = (key: string, sample: Sample) => next.set(key, appended(series.get(key) ?? [], sample))
      for (const one of counters)
        add(one.id, {
          ...sampleOf(one),
          status4xx: one.target4xx + one.balancer4xx,
          status5xx: one.target5xx + one.balancer5xx,
        })
      // One instance at several ports is one to who asks.
      const byTarget = Map.groupBy(targetCounters, (one) => targetKey(one.targetGroupId, one.targetId))
      const byGroup = Map.groupBy(targetCounters, (one) => one.targetGroupId)
      for (const [key, own] of [...byTarget, ...byGroup]) add(key, own.map(sampleOf).reduce(together))
      series = next // what is not carried any more is forgotten
    },
    loadBalancer: (id) => rateOf(series.get(id)),
    target: (groupId, targetId) => rateOf(series.get(targetKey(groupId, targetId))),
    targetGroup: (id) => rateOf(series.get(id)),
  }
}

/** Of several, as if they were one; undefined until one was seen. */
export const sumOf = (all: (Counted | undefined)[]): Counted | undefined =>
  all
    .filter((one) => one !== undefined)
    .reduce<Counted | undefined>(
      (sum, one) =>
        sum === undefined ? one : { ...added(sum, one), seconds: Math.max(sum.seconds, one.seconds) },
      undefined,
    )

const sampleOf = (
  one: BalancerObservation['targetCounters'][number] | BalancerObservation['counters'][number],
): Sample => ({
  boot: one.boot,
  at: one.at,
  requests: one.requests,
  status2xx: one.target2xx,
  status3xx: one.target3xx,
  status4xx: one.target4xx,
  status5xx: one.target5xx,
  responseTimeAverageMs: one.responseTimeAverageMs,
})

const together = (a: Sample, b: Sample): Sample => ({
  ...{ ...a, ...added(a, b) },
  boot: `${a.boot} ${b.boot}`,
})

type Added = Omit<Counted, 'seconds'>
const added = (a: Added, b: Added): Added => ({
  requests: a.requests + b.requests,
  status2xx: a.status2xx + b.status2xx,
  status3xx: a.status3xx + b.status3xx,
  status4xx: a.status4xx + b.status4xx,
  status5xx: a.status5xx + b.status5xx,
  responseTimeAverageMs: Math.max(a.responseTimeAverageMs, b.responseTimeAverageMs),
})

// Keeps the newest sample that is a whole window old, so that the difference spans the window.
function appended(before: Sample[], sample: Sample): Sample[] {
  const usable = before.filter(
    (one) => one.boot === sample.boot && one.at < sample.at && one.requests <= sample.requests,
  )
  const whole = usable.findLastIndex((one) => sample.at - one.at >= WINDOW_MS)
  return [...usable.slice(Math.max(0, whole)), sample]
}

function rateOf(samples: Sample[] | undefined): Counted | undefined {
  const first = samples?.[0]
  const last = samples?.at(-1)
  if (!first || !last || first === last) return undefined
  return {
    seconds: (last.at - first.at) / 1000,
    requests: last.requests - first.requests,
    status2xx: last.status2xx - first.status2xx,
    status3xx: last.status3xx - first.status3xx,
    status4xx: last.status4xx - first.status4xx,
    status5xx: last.status5xx - first.status5xx,
    responseTimeAverageMs: last.responseTimeAverageMs,
  }
}
