// ec2.instances: makes the engine run what the rows say. It looks first and reads rows last; one lane per instance.
import type { ComputeEngine, InstanceObservation } from '../../engines/compute/engine.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import { withTimeout, type Clock } from '../../kernel/clock.ts'
import type { SoftwareIntent } from '../cloud.ts'
import type { ServiceDeps } from '../service.ts'
import { purgeReleased, releaseInterface } from './addresses.ts'
import { hasMoved } from './memory.ts'
import { checkLaneOf, GENERATION_TAG, laneOf, makePerformer } from './perform.ts'
import { planInstance, type InstanceAction } from './plan.ts'
import {
  generationOf,
  TERMINATED_VISIBLE_MS,
  type CapacityRow,
  type InstanceRow,
  type SoftwareRow,
} from './store.ts'

const NAME = 'ec2.instances'
const EVERY_MS = 2_000
const LOOK_TIMEOUT_MS = 15_000
const CAPACITY_EVERY_MS = 10_000
/** A wall clock that moved this much more than the period did not measure anything (design §2.8). */
const JUMP_MS = 10_000
const ENGINE_CALLS_AT_ONCE_MAX = 8
/** Start checks mostly wait, and may take minutes; they must not keep launches waiting. */
const CHECKS_AT_ONCE_MAX = 64

/** `enforce` resolves when the security groups of every row are in force. */
export function makeInstancesReconciler(
  deps: ServiceDeps,
  compute: ComputeEngine,
  enforce: () => Promise<void>,
): Reconciler {
  const { store, clock } = deps
  const lanes = deps.makeLanes(NAME, ENGINE_CALLS_AT_ONCE_MAX)
  const checks = deps.makeLanes(NAME, CHECKS_AT_ONCE_MAX)
  const performer = makePerformer(deps, { compute, enforce, lanes, checks })
  const jumped = makeJumpDetector(clock)
  const readCapacity = makeCapacityReader(deps, compute)

  return {
    name: NAME,
    everyMs: EVERY_MS,
    wakes: ['ec2_instance', 'ec2_instance_software'],
    async reconcile() {
      // What an action under way changes is not in this look: its instance waits for the next pass.
      const busyBefore = new Set(liveIds().filter((id) => lanes.busy(laneOf(id))))
      const seen = await withTimeout(clock, LOOK_TIMEOUT_MS, 'compute.list', () => compute.list())
      const layers = await readLayers(seen)
      await readCapacity()
      const busy = (id: string) => busyBefore.has(id) || lanes.busy(laneOf(id))
      const { actions, foreign, orphans } = store.transaction(() => decide(seen, layers, busy))
      performer.submit(actions, orphans)
      return { instances: seen.length, actions: actions.length + orphans.length, foreign }
    },
  }

  /** Asked only while something is to be started. */
  async function readLayers(seen: InstanceObservation[]): Promise<ReadonlySet<string> | undefined> {
    const running = new Set(seen.filter(({ state }) => state === 'running').map(({ id }) => id))
    if (wantedIds().every((id) => running.has(id))) return undefined
    const layers = await withTimeout(clock, LOOK_TIMEOUT_MS, 'compute.layers', () => compute.layers())
    return new Set(layers.map(({ digest }) => digest))
  }

  function decide(
    seen: InstanceObservation[],
    layers: ReadonlySet<string> | undefined,
    busy: (id: string) => boolean,
  ) {
    const now = clock.now()
    // Time that passed while nobody looked counts for nobody.
    if (jumped())
      for (const column of ['down_since', 'awaits_layers_since'])
        store.run(`update ec2_instance set ${column} = :now where ${column} is not null`, { now })
    purge(now)
    const rows = store.all<InstanceRow>("select * from ec2_instance where state <> 'terminated'")
    const byId = new Map(seen.map((one) => [one.id, one]))
    const wanted = new Map(
      store
        .all<SoftwareRow>('select * from ec2_instance_software')
        .map((software) => [software.instanceId, software]),
    )
    const actions: { row: InstanceRow; action: InstanceAction }[] = []
    for (const row of rows) {
      if (busy(row.id)) continue
      const software = wanted.get(row.id)
      const lacksLayers = layers !== undefined && lacks(software, layers)
      const plan = planInstance({ row, software, seen: byId.get(row.id), lacksLayers }, now)
      if (Object.keys(plan.set).length > 0) write(row, plan.set)
      if (plan.action) actions.push({ row, action: plan.action })
      // Nothing is asked of the engine: what failed last has come right, e.g. only the answer was lost.
      if (plan.action === null || plan.action === 'check') lanes.forget(laneOf(row.id))
    }
    const generation = generationOf(store)
    const unowned = seen.filter((one) => !rows.some((row) => row.id === one.id))
    const ours = (one: InstanceObservation) => one.tags[GENERATION_TAG] === generation
    return {
      actions,
      orphans: unowned.filter(ours).map((one) => one.id),
      foreign: unowned.filter((one) => !ours(one)).map((one) => one.id),
    }
  }

  function write(row: InstanceRow, set: Partial<InstanceRow>) {
    store.update('ec2_instance', { id: row.id }, set)
    if (set.address) followAddress(row.networkInterfaceId, set.address)
    if (set.state !== 'terminated') return
    releaseInterface(deps, row.networkInterfaceId)
    store.remove('ec2_instance_software', { instanceId: row.id })
    lanes.forget(laneOf(row.id))
    checks.forget(checkLaneOf(row.id))
  }

  // An engine that could not honour the address says which one it gave.
  function followAddress(networkInterfaceId: string, address: string) {
    const holder = store.get<{ id: string }>(
      'select id from ec2_network_interface where address = :address',
      { address },
    )
    if (!holder) store.update('ec2_network_interface', { id: networkInterfaceId }, { address })
  }

  function purge(now: number) {
    purgeReleased(deps)
    const until = now - TERMINATED_VISIBLE_MS
    const old = store.all<{ id: string }>('select id from ec2_instance where terminated_at <= :until', {
      until,
    })
    for (const { id } of old) {
      store.remove('ec2_instance', { id })
      store.remove('ec2_tag', { resourceId: id })
    }
  }

  function wantedIds() {
    return store
      .all<{ id: string }>("select id from ec2_instance where desired = 'running' and state <> 'terminated'")
      .map(({ id }) => id)
  }

  function liveIds() {
    return store
      .all<{ id: string }>("select id from ec2_instance where state <> 'terminated'")
      .map(({ id }) => id)
  }
}

const lacks = (software: SoftwareRow | undefined, layers: ReadonlySet<string>) =>
  software !== undefined &&
  (JSON.parse(software.intent) as SoftwareIntent).layers.some(({ digest }) => !layers.has(digest))

function makeJumpDetector(clock: Clock): () => boolean {
  let last: number | undefined
  return () => {
    const before = last
    last = clock.now()
    if (before === undefined) return true // whoever ran before us looked at an unknown time
    const passed = last - before
    return passed < -JUMP_MS || passed > EVERY_MS + LOOK_TIMEOUT_MS + JUMP_MS
  }
}

// The engine's capacity as a row, since operations that need it call no engine.
function makeCapacityReader({ store, clock, account, region }: ServiceDeps, compute: ComputeEngine) {
  let readAt: number | undefined
  return async () => {
    if (readAt !== undefined && clock.monotonic() - readAt < CAPACITY_EVERY_MS) return
    const seen = await withTimeout(clock, LOOK_TIMEOUT_MS, 'compute.capacity', () => compute.capacity())
    readAt = clock.monotonic()
    const before = store.get<CapacityRow>(
      'select * from ec2_capacity where account = :account and region = :region',
      { account, region },
    )
    // These two are never quite the same; no row is written for that.
    const steady = (name: 'diskBytes' | 'otherMemoryBytes') =>
      before && !hasMoved(seen[name], before[name]) ? before[name] : seen[name]
    const { cpu, memoryBytes, architecture } = seen
    const [diskBytes, otherMemoryBytes] = [steady('diskBytes'), steady('otherMemoryBytes')]
    const row = { account, region, cpu, memoryBytes, diskBytes, architecture, otherMemoryBytes }
    if (JSON.stringify({ ...before }) !== JSON.stringify(row)) store.put('ec2_capacity', row)
  }
}
