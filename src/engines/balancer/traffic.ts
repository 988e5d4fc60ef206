// HAProxy's counters of each target group behind each load balancer. Pure, and cheap: it is asked for every second, so rows of
// servers are left out, and what says nothing of a load balancer is not looked into.
import { TRAFFIC_COUNTS, type Traffic, type TrafficCounters } from './engine.ts'
import type { LineNames } from './request-lines.ts'
import { count, parseStatistics, type Statistics } from './running.ts'

/** Of all processes, frontends and backends (management.txt §9.3, `show stat`). */
export const TRAFFIC_QUESTION = 'show stat -1 3 -1'

const ANSWERED = ['hrsp_1xx', 'hrsp_2xx', 'hrsp_3xx', 'hrsp_4xx', 'hrsp_5xx', 'hrsp_other']

export function describeTraffic(
  { backends, answers, loopback }: LineNames,
  statistics: string,
  { boot, at }: Pick<Traffic, 'boot' | 'at'>,
): Traffic {
  const counters = new Map<string, TrafficCounters>()
  const of = (id: string, targetGroupId: string | null): TrafficCounters => {
    const key = `${id} ${targetGroupId ?? ''}`
    const known = counters.get(key)
    if (known) return known
    const made = { id, targetGroupId, ...noTraffic() }
    counters.set(key, made)
    return made
  }
  const isKnown = (name: string) => backends.has(name) || answers.has(name) || loopback.has(name)
  for (const row of parseStatistics(statistics, isKnown)) {
    const backend = backends.get(row.proxy)
    const answer = answers.get(row.proxy)
    const own = loopback.get(row.proxy)
    if (backend && row.name === 'BACKEND')
      addTo(
        of(backend.loadBalancer.id, backend.group.id),
        ofBackend(row, backend.loadBalancer.isNetwork === true),
      )
    if (answer && row.name === 'BACKEND')
      addTo(of(answer.loadBalancer.id, null), ofAnswer(row, answer.action))
    // At sockets that many share nobody knows whom a client meant who did not ask for anything.
    if (own && row.name === 'FRONTEND')
      addTo(of(own.loadBalancer.id, null), { balancer4xx: count(row, 'ereq') })
  }
  return { boot, at, counters: [...counters.values()] }
}

export const noTraffic = () =>
  Object.fromEntries(TRAFFIC_COUNTS.map((name) => [name, 0])) as Omit<TrafficCounters, 'id' | 'targetGroupId'>

type Counts = Partial<ReturnType<typeof noTraffic>>

function addTo(all: TrafficCounters, some: Counts) {
  for (const [name, value] of Object.entries(some) as [keyof Counts, number][]) all[name] += value
}

function ofBackend(row: Statistics, isNetwork: boolean): Counts {
  const common = {
    bytes: count(row, 'bin') + count(row, 'bout'),
    current: count(row, 'scur'),
  }
  if (isNetwork) return { ...common, requests: count(row, 'stot'), connections: count(row, 'stot') }
  const answered5xx = count(row, 'hrsp_5xx')
  // Every failed connection ends in a 503 of HAProxy's own, every failed response in its 502 or 504.
  const balancer5xx = Math.min(answered5xx, count(row, 'econ') + count(row, 'eresp'))
  return {
    ...common,
    requests: ANSWERED.reduce((sum, field) => sum + count(row, field), 0),
    target2xx: count(row, 'hrsp_2xx'),
    target3xx: count(row, 'hrsp_3xx'),
    target4xx: count(row, 'hrsp_4xx'),
    target5xx: answered5xx - balancer5xx,
    balancer5xx,
    connections: count(row, 'connect'),
  }
}

function ofAnswer(
  row: Statistics,
  action: { type: 'redirect' | 'fixed-response'; statusCode: number },
): Counts {
  const answered = ANSWERED.reduce((sum, field) => sum + count(row, field), 0)
  return {
    bytes: count(row, 'bin') + count(row, 'bout'),
    ...(action.type === 'redirect' ? { redirects: answered } : { fixedResponses: answered }),
    ...ofBalancer(action.statusCode, answered),
  }
}

/** By the class of a code that the balancer answered by itself; AWS counts no others. */
export const ofBalancer = (statusCode: number, answered: number): Counts =>
  statusCode >= 500
    ? { balancer5xx: answered }
    : statusCode >= 400
      ? { balancer4xx: answered }
      : statusCode >= 300
        ? { balancer3xx: answered }
        : {}
