// HAProxy's counters of each target group behind each load balancer. Pure, and cheap: it is asked for every second, so rows of
// servers are left out, and what says nothing of a load balancer is not looked into.
import { TRAFFIC_COUNTS, type Traffic, type TrafficCounters } from './engine.ts'
import type { LineNames } from './request-lines.ts'
import { parseCounts } from './running.ts'

/** Of all processes, frontends and backends (management.txt §9.3, `show stat`). */
export const TRAFFIC_QUESTION = 'show stat -1 3 -1'

const ANSWERED = ['hrsp_1xx', 'hrsp_2xx', 'hrsp_3xx', 'hrsp_4xx', 'hrsp_5xx', 'hrsp_other'] as const
const FIELDS = [
  ...ANSWERED,
  ...(['scur', 'stot', 'bin', 'bout', 'ereq', 'econ', 'eresp', 'connect'] as const),
] as const
type Row = Record<(typeof FIELDS)[number], number>
const answeredIn = (row: Row) => ANSWERED.reduce((sum, field) => sum + row[field], 0)

export function describeTraffic(
  { backends, answers, loopback }: LineNames,
  statistics: string,
  { boot, at }: Pick<Traffic, 'boot' | 'at'>,
): Traffic {
  const counters = new Map<string, TrafficCounters>()
  const add = (id: string, targetGroupId: string | null, some: Counts) => {
    const key = `${id} ${targetGroupId ?? ''}`
    const known = counters.get(key)
    if (known) addTo(known, some)
    else counters.set(key, { id, targetGroupId, ...NOTHING, ...some })
  }
  const isKnown = (name: string) => backends.has(name) || answers.has(name) || loopback.has(name)
  for (const { proxy, name, counts } of parseCounts(statistics, FIELDS, isKnown)) {
    const backend = backends.get(proxy)
    const answer = answers.get(proxy)
    const own = loopback.get(proxy)
    if (backend && name === 'BACKEND') {
      const isNetwork = backend.loadBalancer.isNetwork === true
      add(backend.loadBalancer.id, backend.group.id, ofBackend(counts, isNetwork))
    }
    if (answer && name === 'BACKEND') add(answer.loadBalancer.id, null, ofAnswer(counts, answer.action))
    // At sockets that many share nobody knows whom a client meant who did not ask for anything.
    if (own && name === 'FRONTEND') add(own.loadBalancer.id, null, { balancer4xx: counts.ereq })
  }
  return { boot, at, counters: [...counters.values()] }
}

type All = Omit<TrafficCounters, 'id' | 'targetGroupId'>
type Counts = Partial<All>
const NOTHING = Object.fromEntries(TRAFFIC_COUNTS.map((name) => [name, 0])) as All
export const noTraffic = (): All => ({ ...NOTHING })

function addTo(all: TrafficCounters, some: Counts) {
  for (const [name, value] of Object.entries(some) as [keyof Counts, number][]) all[name] += value
}

function ofBackend(row: Row, isNetwork: boolean): Counts {
  const common = { bytes: row.bin + row.bout, current: row.scur }
  if (isNetwork) return { ...common, requests: row.stot, connections: row.stot }
  // Every failed connection ends in a 503 of HAProxy's own, every failed response in its 502 or 504.
  const balancer5xx = Math.min(row.hrsp_5xx, row.econ + row.eresp)
  return {
    ...common,
    requests: answeredIn(row),
    target2xx: row.hrsp_2xx,
    target3xx: row.hrsp_3xx,
    target4xx: row.hrsp_4xx,
    target5xx: row.hrsp_5xx - balancer5xx,
    balancer5xx,
    connections: row.connect,
  }
}

function ofAnswer(row: Row, action: { type: 'redirect' | 'fixed-response'; statusCode: number }): Counts {
  const answered = answeredIn(row)
  return {
    bytes: row.bin + row.bout,
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
