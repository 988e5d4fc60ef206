// Shares of the processor over about the last ten seconds, from the engine's counters. Kept in memory, as the balancer's
// rates are: after a restart they begin anew, and no decision hangs on them.
import type { ComputeEngine, InstanceStats } from '../../engines/compute/engine.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import { withTimeout, type Clock } from '../../kernel/clock.ts'

/** Seconds of one processor in each second. */
export type CpuUse = { user: number; system: number }

export type CpuFigures = {
  see(stats: InstanceStats[]): void
  /** undefined until it was seen twice in one boot. */
  of(instanceId: string): CpuUse | undefined
}

export function makeCpuFigures(): CpuFigures {
  let series = new Map<string, InstanceStats[]>()
  return {
    see(stats) {
      // What does not run any more is forgotten.
      series = new Map(stats.map((one) => [one.id, [...(series.get(one.id) ?? []).slice(-1), one]]))
    },
    of(instanceId) {
      const [first, last] = series.get(instanceId) ?? []
      if (!first || !last || first.boot !== last.boot || last.at <= first.at) return undefined
      const per = (from: number | undefined, to: number | undefined) =>
        from === undefined || to === undefined ? undefined : ((to - from) * 1000) / (last.at - first.at)
      const user = per(first.cpuUserSeconds, last.cpuUserSeconds)
      const system = per(first.cpuSystemSeconds, last.cpuSystemSeconds)
      return user === undefined || system === undefined ? undefined : { user, system }
    },
  }
}

export function makeCpuReconciler(
  { compute, clock }: { compute: Pick<ComputeEngine, 'stats'>; clock: Clock },
  figures: CpuFigures,
): Reconciler {
  return {
    name: 'elasticbeanstalk.cpu',
    everyMs: 10_000,
    wakes: [],
    async reconcile() {
      const stats = await withTimeout(clock, 5_000, 'compute.stats', () => compute.stats())
      figures.see(stats)
      return { instances: stats.length }
    },
  }
}

/** As DescribeInstancesHealth shows it, in percent of the instance's processors; {} while nothing is known. */
export function utilisation(use: CpuUse | undefined, vcpus: number | undefined) {
  if (!use || !vcpus) return {}
  const percent = (seconds: number) => Math.min(100, Math.max(0, Math.round((seconds / vcpus) * 1000) / 10))
  const [User, System] = [percent(use.user), percent(use.system)]
  return { User, System, Idle: Math.max(0, Math.round((100 - User - System) * 10) / 10) }
}
