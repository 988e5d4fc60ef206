// Does what the plan decided. Each action reads the rows anew, so that it works with the newest software.
import type { ComputeEngine, InstanceSize, InstanceSpec, Software } from '../../engines/compute/engine.ts'
import type { LaneAction, Lanes } from '../../control/lanes.ts'
import { EngineError, reasonOf } from '../../kernel/errors.ts'
import type { SoftwareIntent } from '../cloud.ts'
import type { ServiceDeps } from '../service.ts'
import { instanceTypes } from './catalogue.ts'
import { PLAIN_PLATFORM } from './image.ts'
import { keepLogs } from './kept-logs.ts'
import type { InstanceAction } from './plan.ts'
import { userDataFiles } from './user-data.ts'
import {
  generationOf,
  softwareOf,
  type InstanceRow,
  type NetworkInterfaceRow,
  type SoftwareRow,
} from './store.ts'

/** What an engine carries of ours: the database that made it. Another one's things are reported, not removed. */
export const GENERATION_TAG = 'polebean:generation'

export const laneOf = (id: string) => `instance/${id}`
export const checkLaneOf = (id: string) => `instance/${id}/start-check`

/** Between SIGTERM and SIGKILL: an application may finish its requests. */
const GRACE_MS = 20_000
const CALL_TIMEOUT_MS = 60_000
const PROCESSES_MAX = 4_096
const OUTPUT_BYTES_KEPT = 8 * 1024
const LETS_IN: ReadonlySet<InstanceAction> = new Set(['launch', 'start', 'update'])
/** So many failures in a row, and what waits for the instance is told. The attempts go on. */
const FAILURES_TOLD = 5

export type Performer = {
  submit(actions: { row: InstanceRow; action: InstanceAction }[], orphans: string[]): void
}

type Parts = { compute: ComputeEngine; enforce(): Promise<void>; lanes: Lanes; checks: Lanes }

export function makePerformer(
  { store, clock }: ServiceDeps,
  { compute, enforce, lanes, checks }: Parts,
): Performer {
  return {
    submit(actions, orphans) {
      lanes.submit([
        ...actions
          .filter(({ action }) => action !== 'check')
          .map(({ row, action }) => engineCall(row, action)),
        ...orphans.map((id) => ({
          what: 'remove',
          lane: laneOf(id),
          timeoutMs: CALL_TIMEOUT_MS,
          perform: () => compute.remove(id),
        })),
      ])
      checks.submit(actions.filter(({ action }) => action === 'check').flatMap(({ row }) => startCheck(row)))
    },
  }

  function engineCall(row: InstanceRow, what: InstanceAction): LaneAction {
    const perform = async () => {
      try {
        await call(row, what)
      } catch (error) {
        tellFailure(row.id, error)
        throw error
      }
    }
    return { what, lane: laneOf(row.id), timeoutMs: CALL_TIMEOUT_MS + GRACE_MS, perform }
  }

  async function call(row: InstanceRow, action: InstanceAction): Promise<void> {
    // Nobody is let in, and it asks for nothing, before its groups are in force.
    if (LETS_IN.has(action)) await enforce()
    switch (action) {
      case 'launch':
        return compute.launch(specOf(row))
      case 'update':
        return compute.update(row.id, engineSoftware(row, softwareOf(store, row.id)), GRACE_MS, sizeOf(row))
      case 'start':
        return compute.start(row.id, sizeOf(row))
      case 'stop':
        return compute.stop(row.id, GRACE_MS)
      case 'remove':
        await keepLogs({ store, clock }, compute, row)
        return compute.remove(row.id)
      case 'check':
        return
    }
  }

  function specOf(row: InstanceRow): InstanceSpec {
    const software = softwareOf(store, row.id)
    const { address } = store.get<NetworkInterfaceRow>('select * from ec2_network_interface where id = :id', {
      id: row.networkInterfaceId,
    })!
    return {
      id: row.id,
      platform: software ? (JSON.parse(software.intent) as SoftwareIntent).platform : PLAIN_PLATFORM,
      software: engineSoftware(row, software),
      diskBytes: row.diskBytes,
      ...sizeOf(row),
      pids: PROCESSES_MAX,
      zone: row.zone,
      requestedAddress: address,
      tags: { [GENERATION_TAG]: generationOf(store)! },
    }
  }

  function startCheck({ id }: InstanceRow): LaneAction[] {
    const software = softwareOf(store, id)
    const boot = store.get<{ boot: string }>('select boot from ec2_instance where id = :id', { id })?.boot
    if (!software || boot === undefined) return []
    const { argv, timeoutMs } = (JSON.parse(software.intent) as SoftwareIntent).startCheck
    const perform = async () => {
      const startedAt = clock.monotonic()
      try {
        const limits = { user: 'root' as const, timeoutMs, outputBytesMax: 8 * OUTPUT_BYTES_KEPT }
        const { exit, output } = await compute.exec(id, argv, limits)
        record(software, boot, { state: exit === 0 ? 'applied' : 'failed', output: lastBytes(output) })
      } catch (error) {
        // Time is over, or it cannot be run at all: an answer. Anything else is the engine's failure: tried again.
        const failures = checks.failures().find((one) => one.lane === checkLaneOf(id))?.failures ?? 0
        if (clock.monotonic() - startedAt < timeoutMs && failures + 1 < FAILURES_TOLD) throw error
        record(software, boot, { state: 'failed', output: reasonOf(error) })
      }
    }
    return [{ what: 'start check', lane: checkLaneOf(id), timeoutMs: timeoutMs + CALL_TIMEOUT_MS, perform }]
  }

  // An answer about software that was replaced meanwhile is of no use to anybody.
  function record(software: SoftwareRow, boot: string, result: Pick<SoftwareRow, 'state' | 'output'>) {
    const { instanceId, revision } = software
    const checked = { checkedRevision: revision, checkedBoot: boot }
    store.update('ec2_instance_software', { instanceId, revision }, { ...result, ...checked })
  }

  function tellFailure(instanceId: string, error: unknown) {
    const software = softwareOf(store, instanceId)
    if (!(error instanceof EngineError) || software?.state !== 'pending') return
    const failures = (lanes.failures().find((one) => one.lane === laneOf(instanceId))?.failures ?? 0) + 1
    const told = { state: failures >= FAILURES_TOLD ? 'failed' : 'pending', output: reasonOf(error) }
    if (told.state === software.state && told.output === software.output) return
    store.update('ec2_instance_software', { instanceId, revision: software.revision }, told)
  }
}

function sizeOf({ instanceType }: InstanceRow): InstanceSize {
  const { vcpus, memoryMiB } = instanceTypes.get(instanceType)!
  return { cpu: vcpus, memoryBytes: memoryMiB * 2 ** 20 }
}

function engineSoftware({ userData }: InstanceRow, row: SoftwareRow | undefined): Software {
  const own = userDataFiles(userData)
  if (!row) return { revision: 0, layers: [], env: {}, files: own }
  const { layers, env, files } = JSON.parse(row.intent) as SoftwareIntent
  return { revision: row.revision, layers, env, files: [...own, ...files] }
}

const lastBytes = (text: string) => Buffer.from(text).subarray(-OUTPUT_BYTES_KEPT).toString()
