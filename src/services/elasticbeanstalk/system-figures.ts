// What instances make of their processors, memory and disk, from the engine's counters: over about the last ten seconds, and over the
// last minute. Kept in memory, as the balancer's rates are: after a restart they begin anew.
import type { CPUUtilization } from '@aws-sdk/client-elastic-beanstalk'
import type { ComputeEngine, InstanceStats } from '../../engines/compute/engine.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import { withTimeout, type Clock } from '../../kernel/clock.ts'

/** As often as AWS's agent reports (reference §1.3). */
const EVERY_MS = 10_000
const MINUTE_MS = 60_000

/** Seconds of one processor in each second; `ioWait`: the share of the time in which all waited for disks. What the machine does not
 *  tell apart is undefined. */
export type CpuUse = { user: number; system: number; nice: number | undefined; ioWait: number | undefined }

/** What an instance's type gives it. */
export type Shape = { vcpus: number; memoryBytes: number }

export type SystemFigures = {
  see(stats: InstanceStats[]): void
  /** undefined until it was seen twice in one boot. */
  cpu(instanceId: string): CpuUse | undefined
  /** The same over a whole minute; undefined until that is over. */
  cpuOfMinute(instanceId: string): CpuUse | undefined
  /** Averages over 1, 5 and 15 minutes; undefined when it cannot be said. */
  load(instanceId: string): [number, number, number] | undefined
  latest(instanceId: string): InstanceStats | undefined
  /** Since when, in the clock's monotonic milliseconds, nothing was seen of it; of one that never was, since we began. */
  seenAt(instanceId: string): number
  /** `ask` is called once for an instance that is seen. */
  shape(instanceId: string, ask: () => Shape | undefined): Shape | undefined
}

type Series = {
  /** Of one boot, the oldest a minute old. */
  stats: InstanceStats[]
  load: [number, number, number] | undefined
  seenAt: number
  shape: Shape | undefined
}

const LOAD_MINUTES = [1, 5, 15] as const
/** What is not seen any more is remembered for so long, to say since when. */
const FORGOTTEN_MS = 24 * 3600_000

export function makeSystemFigures(clock: Pick<Clock, 'monotonic'>): SystemFigures {
  const series = new Map<string, Series>()
  const beganAt = clock.monotonic()
  const over = (id: string, ms: number, whole: boolean): CpuUse | undefined => {
    const stats = series.get(id)?.stats ?? []
    const last = stats.at(-1)
    const first = last && (stats.findLast((one) => last.at - one.at >= ms) ?? (whole ? undefined : stats[0]))
    return first && useBetween(first, last)
  }
  return {
    see(all) {
      const now = clock.monotonic()
      for (const one of all) {
        const before = series.get(one.id)
        const stats = before?.stats.filter(({ boot, at }) => boot === one.boot && at < one.at) ?? []
        const oldest = stats.findLastIndex(({ at }) => one.at - at >= MINUTE_MS)
        series.set(one.id, {
          stats: [...stats.slice(Math.max(0, oldest)), one],
          load: loadAfter(before?.load, one.runnable, stats.length === 0 ? 0 : one.at - stats.at(-1)!.at),
          seenAt: now,
          shape: stats.length === 0 ? undefined : before?.shape,
        })
      }
      for (const [id, { seenAt }] of series) if (now - seenAt > FORGOTTEN_MS) series.delete(id)
    },
    cpu: (id) => over(id, EVERY_MS, false),
    cpuOfMinute: (id) => over(id, MINUTE_MS, true),
    load: (id) => series.get(id)?.load,
    latest: (id) => series.get(id)?.stats.at(-1),
    seenAt: (id) => series.get(id)?.seenAt ?? beganAt,
    shape(id, ask) {
      const own = series.get(id)
      return own && (own.shape ??= ask())
    },
  }
}

function useBetween(first: InstanceStats, last: InstanceStats): CpuUse | undefined {
  if (last.at <= first.at) return undefined
  const per = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined
      ? undefined
      : Math.max(0, ((to - from) * 1000) / (last.at - first.at))
  const user = per(first.cpuUserSeconds, last.cpuUserSeconds)
  const system = per(first.cpuSystemSeconds, last.cpuSystemSeconds)
  if (user === undefined || system === undefined) return undefined
  const nice = per(first.cpuNiceSeconds, last.cpuNiceSeconds)
  return { user, system, nice, ioWait: per(first.ioWaitSeconds, last.ioWaitSeconds) }
}

/** As the kernel damps its own, which begins at nothing too (kernel/sched/loadavg.c), from looks that are further apart. */
function loadAfter(
  before: Series['load'],
  runnable: number | undefined,
  ms: number,
): [number, number, number] | undefined {
  if (runnable === undefined) return undefined
  const [one, five, fifteen] = LOAD_MINUTES.map((minutes, index) => {
    const stays = Math.exp(-ms / (minutes * MINUTE_MS))
    return (before?.[index] ?? 0) * stays + runnable * (1 - stays)
  })
  return [one!, five!, fifteen!]
}

export function makeSystemReconciler(
  { compute, clock }: { compute: Pick<ComputeEngine, 'stats'>; clock: Clock },
  figures: SystemFigures,
): Reconciler {
  return {
    name: 'elasticbeanstalk.system',
    everyMs: EVERY_MS,
    wakes: [],
    async reconcile() {
      const stats = await withTimeout(clock, 5_000, 'compute.stats', () => compute.stats())
      figures.see(stats)
      return { instances: stats.length }
    },
  }
}

/** As DescribeInstancesHealth shows it, in percent of the instance's processors; {} while nothing is known. `Nice` and `IOWait` are left
 *  out where the machine does not tell; the kernel counts no interrupts of a cgroup. */
export function utilisation(use: CpuUse | undefined, vcpus: number | undefined): CPUUtilization {
  if (!use || !vcpus) return {}
  const nice = use.nice ?? 0
  const User = percent((use.user - nice) / vcpus)
  const System = percent(use.system / vcpus)
  const IOWait = use.ioWait === undefined ? undefined : percent(use.ioWait)
  const rest = 100 - User - System - percent(nice / vcpus) - (IOWait ?? 0)
  return {
    User,
    ...(use.nice === undefined ? {} : { Nice: percent(nice / vcpus) }),
    System,
    Idle: Math.max(0, Math.round(rest * 10) / 10),
    ...(IOWait === undefined ? {} : { IOWait }),
  }
}

const percent = (share: number) => Math.min(100, Math.max(0, Math.round(share * 1000) / 10))
