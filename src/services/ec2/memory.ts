// ec2.memory: what instances make of their memory, as rows: for admission (capacity.ts), and for whoever tells of kills.
import type { ComputeEngine, InstanceMemory } from '../../engines/compute/engine.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import { withTimeout } from '../../kernel/clock.ts'
import type { Store } from '../../store/store.ts'
import type { InstanceMemoryState } from '../cloud.ts'
import type { ServiceDeps } from '../service.ts'
import { instanceTypes, nextLarger } from './catalogue.ts'

export type MemoryRow = {
  instanceId: string
  /** null: not measured yet, or it does not run. */
  usedBytes: number | null
  oomKills: number
  oomProcess: string
  oomOfMachine: number
  /** When the count was seen to grow; null = never. */
  oomAt: number | null
}

export function shortOfMemory(store: Store): InstanceMemoryState[] {
  const rows = store.all<MemoryRow & { instanceType: string }>(
    `select m.*, i.instance_type from ec2_instance_memory m join ec2_instance i on i.id = m.instance_id
     where m.oom_kills > 0`,
  )
  return rows.flatMap(({ instanceId, instanceType, oomKills, oomProcess, oomOfMachine, oomAt }) => {
    const type = instanceTypes.get(instanceType)
    if (!type) return []
    const larger = nextLarger(type)
    const nextType = larger ? { name: larger.name, memoryMiB: larger.memoryMiB } : null
    const kills = { oomKills, oomProcess, oomOfMachine: oomOfMachine === 1, oomAt }
    return [{ instanceId, instanceType, limitMiB: type.memoryMiB, nextType, ...kills }]
  })
}

/** Whether a figure is worth to be written: it moved by a tenth, or 16 MiB, whichever is more. */
export const hasMoved = (now: number, before: number): boolean =>
  Math.abs(now - before) >= Math.max(STEP_BYTES, before / 10)

/** Rows that change. Pure. */
export function planMemory(seen: InstanceMemory[], rows: MemoryRow[], now: number): MemoryRow[] {
  const byId = new Map(rows.map((row) => [row.instanceId, row]))
  return seen.flatMap((one) => {
    const before = byId.get(one.id) ?? NOTHING
    const used = one.usedBytes ?? null
    const moved =
      (used === null) !== (before.usedBytes === null) || hasMoved(used ?? 0, before.usedBytes ?? 0)
    const killed = one.oomKills > before.oomKills
    if (!moved && !killed) return []
    const oom = killed
      ? {
          oomKills: one.oomKills,
          oomProcess: one.oomProcess,
          oomOfMachine: one.oomOfMachine ? 1 : 0,
          oomAt: now,
        }
      : {}
    return [{ ...before, instanceId: one.id, usedBytes: moved ? used : before.usedBytes, ...oom }]
  })
}

export function makeMemoryReconciler({ store, clock }: ServiceDeps, compute: ComputeEngine): Reconciler {
  return {
    name: 'ec2.memory',
    everyMs: 5_000,
    wakes: [],
    async reconcile() {
      const seen = await withTimeout(clock, LOOK_TIMEOUT_MS, 'compute.memory', () => compute.memory())
      store.transaction(() => {
        const live = new Set(
          store
            .all<{ id: string }>("select id from ec2_instance where state <> 'terminated'")
            .map(({ id }) => id),
        )
        const rows = store.all<MemoryRow>('select * from ec2_instance_memory')
        for (const { instanceId } of rows)
          if (!live.has(instanceId)) store.remove('ec2_instance_memory', { instanceId })
        const ours = seen.filter(({ id }) => live.has(id))
        for (const row of planMemory(ours, rows, clock.now())) store.put('ec2_instance_memory', row)
      })
      return { instances: seen.length }
    },
  }
}

const NOTHING: MemoryRow = {
  instanceId: '',
  usedBytes: null,
  oomKills: 0,
  oomProcess: '',
  oomOfMachine: 0,
  oomAt: null,
}
const STEP_BYTES = 16 * 2 ** 20
const LOOK_TIMEOUT_MS = 15_000
