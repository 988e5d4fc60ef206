// Requests over about the last ten seconds, and over the last minute, from counters that only grow. Kept in memory: after a restart
// rates begin anew, and no decision hangs on the past ones.
import type { BalancerObservation } from '../../engines/balancer/engine.ts'
import type { RequestCounters, RequestCounts } from '../cloud.ts'

type Counted = Omit<RequestCounters, 'responseTimeMs'>

const WINDOW_MS = 10_000
const KEPT_MS = 60_000
/** Looks that follow each other faster are kept as one. */
const SAMPLE_MS = 2_000

const COUNTS = [
  'requests',
  'status2xx',
  'status3xx',
  'status4xx',
  'status5xx',
  'balancer4xx',
  'balancer5xx',
] as const

type Counts = Record<(typeof COUNTS)[number], number>
type Sample = Counts & { boot: string; at: number; responseTimeAverageMs: number }

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
          balancer4xx: one.balancer4xx,
          balancer5xx: one.balancer5xx,
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
export function sumOf(all: (Counted | undefined)[]): Counted | undefined {
  const seen = all.filter((one) => one !== undefined)
  const [first] = seen
  if (!first) return undefined
  return {
    ...summed(seen),
    at: Math.max(...seen.map(({ at }) => at)),
    responseTimeAverageMs: Math.max(...seen.map((one) => one.responseTimeAverageMs)),
    since(at) {
      const since = seen.flatMap((one) => one.since(at) ?? [])
      return since.length === 0 ? undefined : summed(since)
    },
  }
}

const summed = (all: RequestCounts[]): RequestCounts => ({
  seconds: Math.max(...all.map(({ seconds }) => seconds)),
  ...countsOf((name) => all.reduce((sum, one) => sum + one[name], 0)),
})

const countsOf = (count: (name: (typeof COUNTS)[number]) => number) =>
  Object.fromEntries(COUNTS.map((name) => [name, count(name)])) as Counts

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
  balancer4xx: 0,
  balancer5xx: 0,
  responseTimeAverageMs: one.responseTimeAverageMs,
})

const together = (a: Sample, b: Sample): Sample => ({
  at: a.at,
  ...countsOf((name) => a[name] + b[name]),
  responseTimeAverageMs: Math.max(a.responseTimeAverageMs, b.responseTimeAverageMs),
  boot: `${a.boot} ${b.boot}`,
})

// Keeps the newest sample that is a whole minute old, so that the difference spans it.
function appended(before: Sample[], sample: Sample): Sample[] {
  const usable = before.filter(
    (one) => one.boot === sample.boot && one.at < sample.at && one.requests <= sample.requests,
  )
  const [last, beforeLast] = [usable.at(-1), usable.at(-2)]
  if (last && beforeLast && last.at - beforeLast.at < SAMPLE_MS) usable.pop()
  const whole = usable.findLastIndex((one) => sample.at - one.at >= KEPT_MS)
  return [...usable.slice(Math.max(0, whole)), sample]
}

function rateOf(samples: Sample[] = []): Counted | undefined {
  const last = samples.at(-1)
  if (!last || samples.length < 2) return undefined
  const first = samples.findLast((one) => last.at - one.at >= WINDOW_MS) ?? samples[0]!
  return {
    ...between(first, last),
    at: last.at,
    responseTimeAverageMs: last.responseTimeAverageMs,
    since(at) {
      const from = samples.find((one) => one.at >= at)
      return !from || from === last ? undefined : between(from, last)
    },
  }
}

const between = (first: Sample, last: Sample): RequestCounts => ({
  seconds: (last.at - first.at) / 1000,
  ...countsOf((name) => last[name] - first[name]),
})
