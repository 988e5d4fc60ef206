// What to do with one instance: from its row, its software and what the engine shows. Pure and total (design §2.3).
// AWS's states: pending → running → shutting-down → terminated, and stopping → stopped → pending. An instance whose
// first process died, or whose machine was rebooted, stays `running`: it is brought back in place.
import { DIED, type InstanceObservation } from '../../engines/compute/engine.ts'
import type { InstanceRow, SoftwareRow } from './store.ts'

/** Nobody acts on `unknown` before this is over. */
export const UNKNOWN_GRACE_MS = 60_000
/** An instance that the engine cannot launch or start for so long is given up. */
export const START_PATIENCE_MS = 5 * 60_000
/** Builds of large dependencies take long, and a package index may be away for a while. */
export const LAYERS_PATIENCE_MS = 60 * 60_000
export const RECOVERIES_MAX = 3
export const RECOVERIES_WITHIN_MS = 5 * 60_000

export type InstanceView = {
  row: InstanceRow
  software: Pick<SoftwareRow, 'revision' | 'checkedRevision' | 'checkedBoot'> | undefined
  seen: InstanceObservation | undefined
  /** Layers of its software are not there: the cache was lost, or the home restored from a backup. */
  lacksLayers: boolean
}

export type InstanceAction = 'launch' | 'update' | 'check' | 'start' | 'stop' | 'remove'

export type InstancePlan = {
  /** Columns that change. Empty when nothing is new. */
  set: Partial<InstanceRow>
  action: InstanceAction | null
}

export function planInstance(view: InstanceView, now: number): InstancePlan {
  const set = { ...observedColumns(view, now) }
  const row = { ...view.row, ...set }
  const decided = decide({ ...view, row }, now)
  Object.assign(set, decided.set)
  return { set: changed(view.row, set), action: decided.action }
}

type Decision = { set?: Partial<InstanceRow>; action: InstanceAction | null }

function decide(view: InstanceView, now: number): Decision {
  switch (view.row.desired) {
    case 'running':
      return view.row.rebootBoot === null ? run(view, now) : reboot(view)
    case 'stopped':
      return stop(view)
    case 'terminated':
      return terminate(view, now)
  }
}

function run({ row, software, seen }: InstanceView, now: number): Decision {
  const downMs = row.downSince === null ? 0 : now - row.downSince
  const back = seen ? (newer(software, seen) ? 'update' : 'start') : 'launch'
  // What it cannot start without is being built: that counts neither as an attempt nor as its own time.
  if (row.awaitsLayersSince !== null)
    return now - row.awaitsLayersSince > LAYERS_PATIENCE_MS
      ? giveUp('Server.InternalError: Its software could not be built again', row)
      : { action: null }
  switch (row.engineState) {
    case null:
      if (row.awaitsSoftware && !software) return { action: null }
      if (downMs > START_PATIENCE_MS) return giveUp(LAUNCH_FAILED, row)
      return { action: 'launch' }
    case 'gone':
    case 'stopped': {
      const recent = recoveriesOf(row).filter((at) => at <= now && now - at < RECOVERIES_WITHIN_MS)
      if (recent.length > RECOVERIES_MAX)
        return giveUp(`Server.InternalError: It ended ${recent.length} times in five minutes`, row)
      if (downMs > START_PATIENCE_MS)
        return giveUp(
          row.boot === '' ? LAUNCH_FAILED : 'Server.InternalError: It could not be started again',
          row,
        )
      return { action: back }
    }
    case 'unknown':
      if (downMs > UNKNOWN_GRACE_MS) return giveUp('Server.InternalError: Its state cannot be seen', row)
      return { action: null }
    case 'running':
      if (seen && newer(software, seen)) return { set: { state: 'running' }, action: 'update' }
      return { set: { state: 'running' }, action: seen && unchecked(software, seen) ? 'check' : null }
    case 'pending':
    case 'stopping':
      return { action: null }
  }
}

const LAUNCH_FAILED = 'Server.InternalError: Internal error on launch'

// A reboot is done when a boot other than the one to end runs.
function reboot(view: InstanceView): Decision {
  const { row, seen } = view
  if (seen?.state === 'running' && seen.boot !== row.rebootBoot)
    return { set: { rebootBoot: null }, action: null }
  if (seen?.state === 'running') return { action: 'stop' }
  if (seen?.state === 'stopped') return { action: 'start' }
  return { set: seen ? {} : { rebootBoot: null }, action: null }
}

function stop({ row, seen }: InstanceView): Decision {
  if (!seen || seen.state === 'stopped')
    return { set: row.state === 'stopped' ? {} : { state: 'stopped' }, action: null }
  return { action: seen.state === 'unknown' ? null : 'stop' }
}

function terminate({ row, seen }: InstanceView, now: number): Decision {
  if (!seen)
    return {
      set: row.state === 'terminated' ? {} : { state: 'terminated', terminatedAt: now, downSince: null },
      action: null,
    }
  switch (seen.state) {
    case 'running':
    case 'stopping': // nobody of ours is stopping it any more, or its lane were busy
      return { action: 'stop' }
    case 'unknown':
      return { action: row.downSince !== null && now - row.downSince > UNKNOWN_GRACE_MS ? 'remove' : null }
    case 'pending':
    case 'stopped':
      return { action: 'remove' }
  }
}

// Its group replaces it: for autoscaling it is an instance that EC2 terminated.
const giveUp = (message: string, row: InstanceRow): Decision => ({
  set: {
    desired: 'terminated',
    state: 'shutting-down',
    stateReasonCode: 'Server.InternalError',
    stateReasonMessage: message,
    stateTransitionReason: 'Server.InternalError',
    downSince: row.engineState === 'unknown' ? row.downSince : null,
  },
  action: null,
})

function observedColumns(
  { row, software, seen, lacksLayers }: InstanceView,
  now: number,
): Partial<InstanceRow> {
  if (row.state === 'terminated') return {}
  const engineState = seen?.state ?? (row.engineState === null ? null : 'gone')
  const wanted =
    row.desired === 'running' && (engineState !== null || !row.awaitsSoftware || software !== undefined)
  const waits =
    lacksLayers && wanted && (engineState === null || engineState === 'gone' || engineState === 'stopped')
  const down = !waits && (engineState === 'unknown' || (wanted && engineState !== 'running'))
  const boot = seen?.boot || row.boot
  // Not what was stopped with the machine or with all of Polebean, however often that is.
  const died =
    row.engineState === 'running' &&
    row.desired === 'running' &&
    row.rebootBoot === null &&
    (!seen || (seen.state === 'stopped' && seen.reason === DIED))
  return {
    engineState,
    boot,
    address: seen?.address ?? row.address,
    revision: seen?.revision ?? row.revision,
    downSince: down ? (row.downSince ?? now) : null,
    awaitsLayersSince: waits ? (row.awaitsLayersSince ?? now) : null,
    recoveries: died
      ? JSON.stringify([...recoveriesOf(row), now].slice(-RECOVERIES_MAX - 1))
      : row.recoveries,
  }
}

const newer = (software: InstanceView['software'], seen: InstanceObservation) =>
  software !== undefined && software.revision > seen.revision

// Once for each revision and boot: a restarted application is asked again whether it started.
const unchecked = (software: InstanceView['software'], seen: InstanceObservation) =>
  software !== undefined &&
  software.revision === seen.revision &&
  (software.checkedRevision !== software.revision || software.checkedBoot !== seen.boot)

const recoveriesOf = (row: InstanceRow) => JSON.parse(row.recoveries) as number[]

function changed(before: InstanceRow, set: Partial<InstanceRow>): Partial<InstanceRow> {
  const entries = Object.entries(set).filter(([key, value]) => before[key as keyof InstanceRow] !== value)
  return Object.fromEntries(entries)
}
