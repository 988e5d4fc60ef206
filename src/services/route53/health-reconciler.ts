// route53.health: asks what health checks ask, each at its interval, and writes down what their thresholds make of it.
import type { Reconciler } from '../../control/reconciler.ts'
import type { Probe, ProbeResult } from '../../engines/probe/engine.ts'
import { withTimeout } from '../../kernel/clock.ts'
import { reasonOf } from '../../kernel/errors.ts'
import type { Route53Deps } from './deps.ts'
import type { CheckConfig } from './health-check-config.ts'
import {
  configOf,
  healthCheckOf,
  healthChecksOf,
  type HealthCheckRow,
  type HealthSeenRow,
} from './health-checks.ts'

const EVERY_MS = 1_000
const PROBE_TIMEOUT_MS = 15_000
const PROBES_AT_ONCE = 50
/** Where clients of this machine reach its names. */
const LOOPBACK = '127.0.0.1'

/** `leads`: whether a name leads to something here. */
export function makeHealthReconciler(deps: Route53Deps, leads: () => (name: string) => boolean): Reconciler {
  const { store, clock, probes, log } = deps
  /** In monotonic milliseconds. */
  const askedAt = new Map<string, number>()
  /** Results of one kind in a row, the last ones, of a version of the check. */
  const streaks = new Map<string, { version: number; ok: boolean; count: number }>()
  const underWay = new Set<string>()
  let isAsking = false

  return {
    name: 'route53.health',
    get everyMs() {
      return isAsking ? EVERY_MS : EVERY_MS * 10
    },
    wakes: ['route53_health_check'],
    async reconcile() {
      const rows = healthChecksOf(store).filter(
        (row) => !configOf(row).disabled && configOf(row).type !== 'CALCULATED',
      )
      isAsking = rows.length > 0
      for (const id of askedAt.keys())
        if (!rows.some((row) => row.id === id)) {
          askedAt.delete(id)
          streaks.delete(id)
        }
      const now = clock.monotonic()
      const since = (row: HealthCheckRow) => now - (askedAt.get(row.id) ?? -Infinity)
      // Who has waited longest comes first: those whose targets hang must not keep others from being asked.
      const due = rows
        .filter((row) => !underWay.has(row.id) && since(row) >= configOf(row).intervalSeconds * 1000)
        .sort((a, b) => since(b) - since(a))
        .slice(0, Math.max(0, PROBES_AT_ONCE - underWay.size))
      const isOurs = due.length > 0 ? leads() : () => false
      for (const row of due) {
        askedAt.set(row.id, now)
        underWay.add(row.id)
        // It may take seconds, and others are due meanwhile.
        void ask(row, isOurs).then(
          () => underWay.delete(row.id),
          (error: unknown) => {
            underWay.delete(row.id)
            log.error('a health check could not be written down', { id: row.id, error })
          },
        )
      }
      return { checks: rows.length, underWay: underWay.size }
    },
  }

  async function ask(row: HealthCheckRow, isOurs: (name: string) => boolean) {
    const probe = probeOf(configOf(row), isOurs)
    const result: ProbeResult =
      typeof probe === 'string'
        ? { ok: false, told: `Failure: ${probe}` }
        : await withTimeout(clock, PROBE_TIMEOUT_MS, 'probe', () => probes.probe(probe)).catch(
            (error: unknown) => ({
              ...{ ok: false, told: `Failure: ${reasonOf(error)}` },
            }),
          )
    store.transaction(() => note(row, result))
  }

  function note({ id, account, version }: HealthCheckRow, { ok, told }: ProbeResult) {
    const row = healthCheckOf(store, { account }, id)
    // It asks something else by now.
    if (row?.version !== version) return
    const before = streaks.get(id)
    const streak = {
      version,
      ok,
      count: before?.ok === ok && before.version === version ? before.count + 1 : 1,
    }
    streaks.set(id, streak)
    const now = clock.now()
    const last = store.get<HealthSeenRow>('select * from route53_health_seen where id = :id', { id })
    store.put('route53_health_seen', {
      ...{ id, told, checkedAt: now },
      lastFailure: ok ? (last?.lastFailure ?? '') : told,
      lastFailureAt: ok ? (last?.lastFailureAt ?? null) : now,
    })
    const isDecided = streak.count >= configOf(row).failureThreshold || (row.health === 'unknown' && ok)
    const health = ok ? 'healthy' : 'unhealthy'
    if (isDecided && row.health !== health) store.update('route53_health_check', { id }, { health })
  }

  /** Names of this home are asked for here, as its clients do, and at ports of listeners alone. A text: why nobody is asked. */
  function probeOf(
    { type, address, name, port, path, search, sni }: CheckConfig,
    isOurs: (name: string) => boolean,
  ): Probe | string {
    const protocol = type === 'TCP' ? 'TCP' : type.startsWith('HTTPS') ? 'HTTPS' : 'HTTP'
    const isOwn = address === null && name !== null && isOurs(name.toLowerCase().replace(/\.$/, ''))
    if (isOwn && port !== HTTP && !store.get('select 1 from elbv2_listener where port = :port', { port }))
      return `no listener of this home has the port ${port}`
    return {
      ...{ protocol, path, sni, hostHeader: name, searchFor: search },
      host: address ?? (isOwn ? LOOPBACK : name!),
      port: isOwn ? deps.publicPort(port) : port,
      isOwn,
    }
  }
}

/** Elastic addresses have it without a listener. */
const HTTP = 80
