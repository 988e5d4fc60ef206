// Target health as ELBv2 words it, from the row, the instance and what the engine observed. Pure.
import type { TargetObservation } from '../../engines/balancer/engine.ts'
import type { TargetRow } from './store.ts'

export type Health = Pick<TargetRow, 'health' | 'reason' | 'description'>

export const registrationInProgress: Health = {
  health: 'initial',
  reason: 'Elb.RegistrationInProgress',
  description: 'Target registration is in progress',
}
export const unusedTarget: Health = {
  health: 'unused',
  reason: 'Target.NotInUse',
  description: 'Target group is not configured to receive traffic from the load balancer',
}
export const deregistrationInProgress: Health = {
  health: 'draining',
  reason: 'Target.DeregistrationInProgress',
  description: 'Target deregistration is in progress',
}

export const unavailableTarget: Health = {
  health: 'unavailable',
  reason: 'Elb.InternalError',
  description: 'Target health is unavailable due to an internal error',
}

/** How long the engine may be out of sight before what it said last counts for nothing. */
export const BLIND_GRACE_MS = 60_000

export type InstanceFacts = { state: string; address: string | undefined }

export type TargetFacts = {
  row: TargetRow
  /** Whether a listener forwards to its target group. */
  used: boolean
  instance: InstanceFacts | undefined
  observed: TargetObservation | undefined
  /** How long the engine could not be seen; 0 when it was seen now. */
  blindMs: number
  deregistrationDelayMs: number
}

/** What becomes of a target: `gone` when its row is to be removed. */
export function targetHealth(facts: TargetFacts, now: number): Health | 'gone' {
  const { row, used, instance, observed, blindMs } = facts
  if (!instance || instance.state === 'terminated') return 'gone'
  if (row.drainingSince !== null)
    return isDrained(facts, row.drainingSince, now) ? 'gone' : deregistrationInProgress
  if (!used) return unusedTarget
  if (instance.state === 'stopped' || instance.state === 'stopping')
    return { health: 'unused', reason: 'Target.InvalidState', description: 'Target is in the stopped state' }
  if (blindMs > 0) return blindMs >= BLIND_GRACE_MS ? unavailableTarget : keep(row)
  if (!observed || observed.health === 'draining')
    return row.health === 'initial' ? keep(row) : registrationInProgress
  return { health: observed.health, reason: observed.reason, description: observed.description }
}

// Until nothing is in flight or the delay is over. The engine must have been told: only then is its zero the last word.
function isDrained(
  { used, instance, observed, deregistrationDelayMs }: TargetFacts,
  since: number,
  now: number,
): boolean {
  if (!used || !instance?.address) return true
  if (observed?.health === 'draining' && observed.current === 0) return true
  return now - since >= deregistrationDelayMs || now < since
}

const keep = ({ health, reason, description }: TargetRow): Health => ({ health, reason, description })
