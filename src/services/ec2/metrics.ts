// ec2.metrics: what the machine measures of instances, as points of AWS/EC2, once a second. The one reader of their counters that is asked so
// often; nothing is written, and what was seen before a restart is not gone on from.
import type { ComputeEngine, InstanceStats, StatsPart } from '../../engines/compute/engine.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import { withTimeout } from '../../kernel/clock.ts'
import type { Store } from '../../store/store.ts'
import { type Look, lookAt, secondOf, secondsBetween, untilNextSecond } from '../measure.ts'
import type { ServiceDeps } from '../service.ts'
import { instanceTypes } from './catalogue.ts'
import { instancePoints, type Measured, statusFigures, usedPerSecond } from './instance-points.ts'
import type { InstanceRow } from './store.ts'

const LOOK_TIMEOUT_MS = 5_000
const EACH_SECOND: readonly StatsPart[] = ['cpu', 'network', 'disk']
/** Reading it is dear to the kernel, which adds up what all processors have. */
const MEMORY_EVERY_MS = 10_000
/** AWS: once a minute. Here at once as well when it changes. */
const STATUS_EVERY_MS = 60_000

type Row = Pick<InstanceRow, 'id' | 'account' | 'region' | 'instanceType' | 'state' | 'engineState'> & {
  groupName: string | null
}

export function makeMetricsReconciler(
  { store, clock, cloud, measureEverySeconds }: ServiceDeps,
  compute: Pick<ComputeEngine, 'stats'>,
): Reconciler {
  let last: { look: Look; stats: ReadonlyMap<string, InstanceStats> } | undefined
  let memoryAt = -Infinity
  let statuses = new Map<string, { at: number; engineState: string | null }>()

  return {
    name: 'ec2.metrics',
    get everyMs() {
      return untilNextSecond(clock, measureEverySeconds)
    },
    wakes: [],
    async reconcile() {
      const withMemory = clock.monotonic() - memoryAt >= MEMORY_EVERY_MS
      const parts = withMemory ? [...EACH_SECOND, 'memory' as const] : EACH_SECOND
      const seen = await withTimeout(clock, LOOK_TIMEOUT_MS, 'compute.stats', () => compute.stats(parts))
      const look = lookAt(clock)
      const seconds = last && secondsBetween(last.look, look)
      if (seconds?.length === 0) return { instances: seen.length } // what has grown counts for the second that is not over
      if (withMemory) memoryAt = look.monotonic
      const stats = new Map(seen.map((one) => [one.id, one]))
      const rows = measuredRows(store)
      for (const own of Map.groupBy(rows, (row) => `${row.account}/${row.region}`).values())
        cloud.cloudwatch.record(own[0]!, [...usePoints(own, stats, seconds), ...statusPoints(own, look.wall)])
      statuses = new Map([...statuses].filter(([id]) => stats.has(id) || rows.some((row) => row.id === id)))
      last = { look, stats }
      return { instances: seen.length }
    },
  }

  function usePoints(rows: Row[], stats: ReadonlyMap<string, InstanceStats>, seconds: number[] | undefined) {
    if (!seconds) return []
    const measured = rows.flatMap((row): Measured | [] => {
      const now = stats.get(row.id)
      const type = instanceTypes.get(row.instanceType)
      if (!now || !type) return []
      const instance = {
        ...{ id: row.id, vcpus: type.vcpus, memoryBytes: type.memoryMiB * 2 ** 20, group: row.groupName },
      }
      return {
        instance,
        figures: usedPerSecond(instance, last?.stats.get(row.id), now, seconds.length),
      }
    })
    return instancePoints(measured, seconds)
  }

  function statusPoints(rows: Row[], wall: number) {
    const due = rows.filter(({ id, state, engineState }) => {
      const before = statuses.get(id)
      if (state !== 'running') return false
      const isDue = before?.engineState !== engineState || Math.abs(wall - before.at) >= STATUS_EVERY_MS
      if (isDue) statuses.set(id, { at: wall, engineState })
      return isDue
    })
    const measured = due.map(({ id, groupName, engineState }) => ({
      instance: { id, vcpus: 0, memoryBytes: 0, group: groupName },
      figures: statusFigures(engineState),
    }))
    return instancePoints(measured, [secondOf(wall)])
  }
}

const measuredRows = (store: Store) =>
  store.remember('ec2.metrics rows', () =>
    store.all<Row>(
      `select i.id, i.account, i.region, i.instance_type, i.state, i.engine_state, t.value as group_name
       from ec2_instance i left join ec2_tag t on t.resource_id = i.id and t.key = 'aws:autoscaling:groupName'
       where i.state <> 'terminated'`,
    ),
  )
