// The next step of one member on its way in, aside or out. Pure.
import type { GroupAction, MemberView } from './plan.ts'
import { listOf, type GroupRow } from './store.ts'

/** Hooks that nobody answered end as they say themselves. */
export const timeOuts = ({ instanceId: id, waits }: MemberView, now: number): GroupAction[] =>
  waits
    .filter(({ result, deadline }) => result === null && deadline <= now)
    .map(({ token }) => ({ do: 'time-out', id, token }))

/** One that says ABANDON decides for all; otherwise all are waited for. */
function verdictOf({ waits }: MemberView): 'CONTINUE' | 'ABANDON' | null {
  if (waits.some(({ result }) => result === 'ABANDON')) return 'ABANDON'
  return waits.every(({ result }) => result === 'CONTINUE') ? 'CONTINUE' : null
}

export function arrive(group: GroupRow, member: MemberView, adds: boolean, hooked: boolean): GroupAction[] {
  const { instanceId: id, lifecycleState: state } = member
  if (state === 'Pending' && member.ec2State !== 'running') return []
  if (state === 'Pending' && hooked) return [{ do: 'wait', id, transition: 'launching' }]
  if (state === 'Pending:Wait') {
    const verdict = verdictOf(member)
    return verdict === null ? [] : [{ do: verdict === 'CONTINUE' ? 'proceed' : 'abandon', id }]
  }
  const wanted = listOf(group.targetGroups)
  return [
    ...(state === 'InService' ? [] : [{ do: 'in-service', id } as const]),
    ...wanted
      .filter((arn) => adds && !member.registered.includes(arn))
      .map((targetGroup) => ({ do: 'register', id, targetGroup }) as const),
    ...member.registered
      .filter((arn) => !wanted.includes(arn))
      .map((targetGroup) => ({ do: 'deregister', id, targetGroup }) as const),
  ]
}

/** Into standby, or out of the group: when what is in flight is answered. */
export function stepAside(group: GroupRow, member: MemberView): GroupAction[] {
  const { instanceId: id, lifecycleState: state } = member
  if (isGone(member)) return [{ do: 'forget', id }]
  if (state === 'Detaching') return isDraining(member) ? [] : [{ do: 'let-go', id }]
  if (group.deleting) return [{ do: 'scale-in', id }]
  return state === 'EnteringStandby' && !isDraining(member) ? [{ do: 'stand-by', id }] : []
}

/** Out of its target groups first; when what is in flight is answered, and its hooks too, it is ended. */
export function leave(group: GroupRow, member: MemberView, hooked: boolean): GroupAction[] {
  const { instanceId: id, lifecycleState: state } = member
  if (isGone(member)) return [{ do: 'forget', id }]
  if (member.terminateSent) return []
  if (group.forceDelete) return [{ do: 'terminate', id }]
  if (state === 'Terminating:Wait') return verdictOf(member) === null ? [] : [{ do: 'proceed', id }]
  if (isDraining(member)) return []
  return hooked && state === 'Terminating'
    ? [{ do: 'wait', id, transition: 'terminating' }]
    : [{ do: 'terminate', id }]
}

const isGone = ({ ec2State }: MemberView) => ec2State === null || ec2State === 'terminated'

const isDraining = ({ targetStates, ec2State }: MemberView) =>
  targetStates.includes('draining') && ec2State === 'running'
