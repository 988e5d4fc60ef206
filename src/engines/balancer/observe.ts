// HAProxy's figures in ELBv2's words. Pure.
import type {
  BalancerCounters,
  BalancerModel,
  BalancerObservation,
  LoadBalancer,
  Target,
  TargetObservation,
} from './engine.ts'
import { answersOf, type Backend, backendsOf, ROLES, serverName } from './names.ts'
import { ownPortsOf } from './own-ports.ts'
import { isDetermined, isUp, serversOf } from './plan.ts'
import { count, type RunningServer, type Statistics } from './running.ts'

export type Seen = {
  running: RunningServer[]
  statistics: Statistics[]
  /** Of workers that a reload has replaced and that still answer somebody. */
  oldStatistics: Statistics[]
  boot: string
  at: number
}

export function describeSeen(model: BalancerModel, seen: Seen): Omit<BalancerObservation, 'taken'> {
  const backends = backendsOf(model)
  const rows = Map.groupBy(seen.statistics, ({ proxy }) => proxy)
  const oldRows = Map.groupBy(seen.oldStatistics, ({ proxy }) => proxy)
  const running = Map.groupBy(seen.running, (server) => server.backend)
  const each = backends.flatMap((backend) =>
    backend.group.targets.map((target) => {
      const servers = serversOf(target, running.get(backend.name) ?? [])
      const own = rowsOf(target, rows.get(backend.name) ?? [])
      const old = rowsOf(target, oldRows.get(backend.name) ?? [])
      return { backend, target, servers, own, old }
    }),
  )
  return {
    targets: each.map(({ backend, target, servers, own, old }) => ({
      targetGroupId: backend.group.id,
      targetId: target.id,
      port: target.port,
      ...healthOf(backend, target.draining, servers, own),
      current: sum([...own, ...old], 'scur'),
    })),
    counters: model.loadBalancers.map((loadBalancer) => countersOf(loadBalancer, backends, rows, seen)),
    targetCounters: each.map(({ backend, target, servers, own }) => ({
      targetGroupId: backend.group.id,
      targetId: target.id,
      port: target.port,
      // A target that settles goes on in another server, which counts from 0.
      boot: servers.settled ? `${seen.boot}/settled` : seen.boot,
      at: seen.at,
      ...codes(own),
      requests: sum(own, ...(backend.loadBalancer.isNetwork ? CONNECTIONS : REQUESTS)),
      responseTimeAverageMs: averageResponse(own),
    })),
  }
}

type Health = Pick<TargetObservation, 'health' | 'reason' | 'description'>

function healthOf(
  backend: Backend,
  draining: boolean,
  servers: ReturnType<typeof serversOf>,
  own: Statistics[],
): Health {
  const initial = (reason: string, description: string): Health => ({
    health: 'initial',
    reason,
    description,
  })
  if (draining)
    return {
      health: 'draining',
      reason: 'Target.DeregistrationInProgress',
      description: 'Target deregistration is in progress',
    }
  const registering = initial('Elb.RegistrationInProgress', 'Target registration is in progress')
  if (backend.group.healthCheck === null)
    return isUp(servers.open) ? { health: 'healthy', reason: '', description: '' } : registering
  const checked = servers.settled && !servers.settled.maintenance ? servers.settled : servers.initial
  if (!checked || checked.maintenance || (checked.weight === 0 && !checked.draining)) return registering
  if (isUp(checked)) return { health: 'healthy', reason: '', description: '' }
  if (!isDetermined(backend, servers))
    return initial('Elb.InitialHealthChecking', 'Initial health checks in progress')
  const telling = checked.checked ? checked : (servers.initial ?? checked)
  return { health: 'unhealthy', ...failureOf(own.find(({ name }) => name === telling.name)) }
}

// Texts of ELBv2's TargetHealth.Description. `* ` marks a check that is under way just now.
function failureOf(row: Statistics | undefined): { reason: string; description: string } {
  const status = (row?.fields.get('check_status') ?? '').replace(/^\* /, '')
  const code = row?.fields.get('check_code') ?? ''
  if (status === 'L7STS' && code !== '')
    return {
      reason: 'Target.ResponseCodeMismatch',
      description: `Health checks failed with these codes: [${code}]`,
    }
  if (/TOUT$/.test(status)) return { reason: 'Target.Timeout', description: 'Request timed out' }
  return { reason: 'Target.FailedHealthChecks', description: 'Health checks failed' }
}

/** `rows`: those of the target's backend. */
function rowsOf(target: Target, rows: Statistics[]): Statistics[] {
  const names = new Set(ROLES.map((role) => serverName(target, role)))
  return rows.filter(({ name }) => names.has(name))
}

function countersOf(
  loadBalancer: LoadBalancer,
  backends: Backend[],
  rows: Map<string, Statistics[]>,
  { boot, at }: Seen,
): BalancerCounters {
  const { id } = loadBalancer
  const own = backends
    .filter((one) => one.loadBalancer === loadBalancer)
    .flatMap(({ name }) => (rows.get(name) ?? []).filter((row) => row.name === 'BACKEND'))
  const loopback = ownPortsOf(loadBalancer).flatMap(({ name }) =>
    (rows.get(name) ?? []).filter((row) => row.name === 'FRONTEND'),
  )
  const all = codes(own)
  const answers = answersOf({ loadBalancers: [loadBalancer], targetGroups: [] })
  const answered = (type: 'redirect' | 'fixed-response') =>
    sum(
      answers
        .filter(({ action }) => action.type === type)
        .flatMap(({ name }) => (rows.get(name) ?? []).filter((row) => row.name === 'BACKEND')),
      ...REQUESTS,
    )
  // Every failed connection ends in a 503 of HAProxy's own, every failed response in its 502 or 504.
  const balancer5xx = Math.min(all.target5xx, sum(own, 'econ', 'eresp'))
  return {
    id,
    boot,
    at,
    ...all,
    target5xx: all.target5xx - balancer5xx,
    balancer5xx,
    balancer4xx: sum(loopback, 'ereq'),
    redirects: answered('redirect'),
    fixedResponses: answered('fixed-response'),
    requests: sum(own, ...(loadBalancer.isNetwork ? CONNECTIONS : REQUESTS)),
    current: sum(own, 'scur'),
    responseTimeAverageMs: averageResponse(own),
  }
}

/** Of a network load balancer a connection is what a request is of another one. */
const CONNECTIONS = ['stot']
const REQUESTS = ['hrsp_1xx', 'hrsp_2xx', 'hrsp_3xx', 'hrsp_4xx', 'hrsp_5xx', 'hrsp_other']

const codes = (rows: Statistics[]) => ({
  target2xx: sum(rows, 'hrsp_2xx'),
  target3xx: sum(rows, 'hrsp_3xx'),
  target4xx: sum(rows, 'hrsp_4xx'),
  target5xx: sum(rows, 'hrsp_5xx'),
  bytesIn: sum(rows, 'bin'),
  bytesOut: sum(rows, 'bout'),
  connections: sum(rows, 'connect'),
})

// From the request's leaving to the first byte of the answer, as AWS's TargetResponseTime.
function averageResponse(rows: Statistics[]): number {
  const weighed = rows.map((row) => ({
    weight: sum([row], 'hrsp_2xx', 'hrsp_3xx', 'hrsp_4xx', 'hrsp_5xx'),
    row,
  }))
  const total = weighed.reduce((all, { weight }) => all + weight, 0)
  return total === 0
    ? 0
    : weighed.reduce((all, { weight, row }) => all + weight * count(row, 'rtime'), 0) / total
}

const sum = (rows: Statistics[], ...fields: string[]) =>
  rows.reduce((total, row) => total + fields.reduce((part, field) => part + count(row, field), 0), 0)
