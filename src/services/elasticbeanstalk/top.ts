// What `polebean top` shows: environments and, of one, its instances, with the figures of about the last ten seconds. Statuses are those
// that are kept, a few seconds old at most; causes, whose numbers run, are computed where somebody reads them. To look costs little.
import type { RequestCounters } from '../cloud.ts'
import { assessNow } from './assess-environment.ts'
import { frontCounters, instanceCounters } from './front.ts'
import type { EnvironmentAssessment } from './health/facts.ts'
import { colourOf } from './health/words.ts'
import { groupOf } from './instances.ts'
import { machinesOf, shapeOf, share } from './machines.ts'
import type { Parts } from './parts.ts'
import { findDeployment, instancesOf, liveEnvironments, type EnvironmentRow } from './store.ts'
import { utilisation } from './system-figures.ts'

/** In each second; times in milliseconds, null while nobody was answered. */
export type TopRequests = {
  perSecond: number
  status2xx: number
  status3xx: number
  status4xx: number
  status5xx: number
  p50Ms: number | null
  p90Ms: number | null
  p99Ms: number | null
}

/** null = not known. */
export type TopSystem = {
  cpuPercent: number | null
  memoryBytes: number | null
  memoryPercent: number | null
}

export type TopInstance = TopSystem & {
  id: string
  health: string
  colour: string
  causes: string[]
  requests: TopRequests | null
  load: number | null
  diskPercent: number | null
  versionLabel: string
  type: string
  zone: string
  /** Milliseconds since 1970. */
  launchedAt: number
}

export type TopEnvironment = TopSystem & {
  name: string
  id: string
  status: string
  /** '' where health is basic. */
  health: string
  colour: string
  causes: string[]
  versionLabel: string
  /** `desired` is null while it has no group. */
  instances: { inService: number; desired: number | null }
  requests: TopRequests | null
}

export type Top = {
  at: number
  environments: TopEnvironment[]
  /** Of the one that was asked for. */
  instances: TopInstance[]
}

/** `named`: only this one (its name or id), with its instances. */
export function readTop(parts: Parts, named: string | undefined): Top {
  const rows = liveEnvironments(parts.store)
    .filter(({ name, id }) => named === undefined || name === named || id === named)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  return {
    at: parts.clock.now(),
    environments: rows.map((row) =>
      environmentTop(
        parts,
        row,
        named !== undefined || row.health !== 'Green' ? assessNow(parts, row) : null,
      ),
    ),
    instances: named === undefined ? [] : rows.flatMap((row) => instancesTop(parts, row)),
  }
}

function environmentTop(
  parts: Parts,
  row: EnvironmentRow,
  assessment: EnvironmentAssessment | null,
): TopEnvironment {
  const group = groupOf(parts, row)
  const isBasic = row.healthStatus === ''
  return {
    name: row.name,
    id: row.id,
    status: row.status,
    health: row.healthStatus,
    colour: row.health,
    causes: isBasic ? [] : (assessment?.causes ?? (JSON.parse(row.causes) as string[])),
    versionLabel: row.versionLabel ?? '',
    instances: {
      inService: group?.instances.filter(({ inService }) => inService).length ?? 0,
      desired: group?.desired ?? null,
    },
    requests: requestsOf(frontCounters(parts, row)),
    ...together(instancesOf(parts.store, row.id).map(({ instanceId }) => systemOf(parts, row, instanceId))),
  }
}

/** The processors' average, and all memory. */
function together(all: TopSystem[]): TopSystem {
  const known = (name: keyof TopSystem) => all.flatMap((one) => one[name] ?? [])
  const sum = (figures: number[]) => figures.reduce((total, one) => total + one, 0)
  const average = (figures: number[]) => (figures.length === 0 ? null : sum(figures) / figures.length)
  const memory = known('memoryBytes')
  return {
    cpuPercent: average(known('cpuPercent')),
    memoryBytes: memory.length === 0 ? null : sum(memory),
    memoryPercent: average(known('memoryPercent')),
  }
}

function instancesTop(parts: Parts, row: EnvironmentRow): TopInstance[] {
  const machines = machinesOf(parts, row)
  const assessed = assessNow(parts, row).instances
  return instancesOf(parts.store, row.id).map((instance) => {
    const id = instance.instanceId
    const machine = machines.get(id)
    const { diskUsedBytes, diskBytes } = parts.system.latest(id) ?? {}
    return {
      id,
      health: instance.healthStatus,
      colour: colourOf(instance.healthStatus),
      causes: assessed.find((one) => one.id === id)?.causes ?? [],
      requests: requestsOf(instanceCounters(parts, row, id)),
      ...systemOf(parts, row, id),
      load: parts.system.load(id)?.[0] ?? null,
      diskPercent: share(diskUsedBytes, diskBytes),
      versionLabel: findDeployment(parts.store, row.id, instance.deploymentId)?.versionLabel ?? '',
      type: machine?.type ?? '',
      zone: machine?.zone ?? '',
      launchedAt: machine?.launchedAt?.getTime() ?? instance.launchedAt,
    }
  })
}

function systemOf(parts: Parts, row: EnvironmentRow, id: string): TopSystem {
  const shape = shapeOf(parts, row, id)
  const { Idle } = utilisation(parts.system.cpu(id), shape?.vcpus)
  const { memoryBytes } = parts.system.latest(id) ?? {}
  return {
    cpuPercent: Idle === undefined ? null : 100 - Idle,
    memoryBytes: memoryBytes ?? null,
    memoryPercent: share(memoryBytes, shape?.memoryBytes),
  }
}

function requestsOf(counters: RequestCounters | undefined): TopRequests | null {
  if (!counters) return null
  const per = (count: number) => count / counters.seconds
  const took = (percent: number) => counters.responseTimeMs(percent) ?? null
  return {
    perSecond: per(counters.requests),
    status2xx: per(counters.status2xx),
    status3xx: per(counters.status3xx),
    status4xx: per(counters.status4xx),
    status5xx: per(counters.status5xx),
    ...{ p50Ms: took(50), p90Ms: took(90), p99Ms: took(99) },
  }
}
