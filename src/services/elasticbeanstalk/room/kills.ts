// Tells of processes that the kernel ended for want of memory: one event for each burst, whatever restarts meanwhile.
import type { Reconciler } from '../../../control/reconciler.ts'
import type { InstanceMemoryState } from '../../cloud.ts'
import { ofEnvironment } from '../events.ts'
import type { Parts } from '../parts.ts'
import { environmentById } from '../store.ts'

/** A kill within a minute of the last one belongs to it. */
export const BURST_MS = 60_000
/** A burst that does not end is told again. */
export const TOLD_EVERY_MS = 60 * 60_000

export type ToldRow = {
  instanceId: string
  kills: number
  /** When the last kill was seen. */
  at: number
  /** How many there were when it was told last. */
  toldKills: number
  toldAt: number
}

type Seen = Pick<InstanceMemoryState, 'instanceId' | 'oomKills' | 'oomAt'>

/** Pure. `count`: how many kills the event is about; 0 = none is written. */
export function planKill(
  seen: Seen,
  told: ToldRow | undefined,
  now: number,
): { row: ToldRow; count: number } | null {
  const { instanceId, oomKills: kills } = seen
  if (kills <= (told?.kills ?? 0)) return null
  const at = seen.oomAt ?? now
  // A clock that was set back makes no burst of what lies far apart.
  const isBurst = told && Math.abs(at - told.at) < BURST_MS && Math.abs(now - told.toldAt) < TOLD_EVERY_MS
  if (isBurst) return { row: { ...told, kills, at }, count: 0 }
  return {
    row: { instanceId, kills, at, toldKills: kills, toldAt: now },
    count: kills - (told?.toldKills ?? 0),
  }
}

export function makeKillsReconciler({ store, events, cloud, clock }: Parts): Reconciler {
  return {
    name: 'elasticbeanstalk.memory',
    everyMs: 30_000,
    wakes: ['ec2_instance_memory', 'environment_instance'],
    // eslint-disable-next-line -- all of it is rows
    async reconcile() {
      const seen = cloud.ec2.instancesShortOfMemory()
      store.transaction(() => {
        store.run(
          'delete from oom_told where instance_id not in (select instance_id from environment_instance)',
        )
        for (const one of seen) tell(one)
      })
      return { instances: seen.length }
    },
  }

  function tell(one: InstanceMemoryState) {
    const { instanceId } = one
    const member = store.get<{ environmentId: string }>(
      'select environment_id from environment_instance where instance_id = :instanceId',
      { instanceId },
    )
    const environment = member && environmentById(store, member.environmentId)
    if (!environment) return
    const told = store.get<ToldRow>('select * from oom_told where instance_id = :instanceId', { instanceId })
    const plan = planKill(one, told, clock.now())
    if (!plan) return
    store.put('oom_told', plan.row)
    if (plan.count > 0) events.write(ofEnvironment(environment, null), 'WARN', killText(one, plan.count))
  }
}

export function killText(one: InstanceMemoryState, count: number): string {
  const { instanceId, instanceType, limitMiB, nextType, oomProcess, oomOfMachine } = one
  const name = oomProcess === '' ? '' : ` ${oomProcess}`
  const whom = count === 1 ? `the process${name}` : `${count} processes${name && `, the last one${name},`}`
  const ended = `[Instance: ${instanceId}] The kernel ended ${whom} for want of memory:`
  if (oomOfMachine)
    return `${ended} that of the whole machine was used up. Terminate or scale down an environment, or move to a larger machine.`
  const next = nextType
    ? `the next larger one is ${nextType.name} with ${nextType.memoryMiB} MiB`
    : 'there is no larger one of its family'
  return `${ended} an instance of type ${instanceType} may hold ${limitMiB} MiB. Let the application use less, or choose a larger instance type; ${next}.`
}
