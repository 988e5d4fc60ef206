// What to do with one group: from its row, its members, what ec2 says of them and what their target groups say.
// Pure and total (design §2.3).
import { counts, isComing, isLeaving } from './lifecycle.ts'
import { arrive, leave, stepAside, timeOuts } from './plan-member.ts'
import { planReplacement, type RefreshChange, type RefreshView, type Replacing } from './replacement.ts'
import type { HookRow, LifecycleActionRow } from './rows.ts'
import type { GroupRow, MemberRow } from './store.ts'
import { listOf } from './store.ts'
import { relieved, victims } from './termination.ts'

export type MemberView = Pick<
  MemberRow,
  | 'instanceId'
  | 'lifecycleState'
  | 'healthStatus'
  | 'protected'
  | 'zone'
  | 'createdAt'
  | 'inServiceAt'
  | 'terminateSent'
> & {
  registered: string[]
  /** Instance state as ec2 says it; null when ec2 does not know the instance. */
  ec2State: string | null
  /** When the launch configuration or the template's version it came from was made; 0 when that is gone. */
  launchConfigurationAt: number
  /** Its state in each target group that has it. */
  targetStates: string[]
  /** Hooks that it waits for, or waited for, in its present transition. */
  waits: Pick<LifecycleActionRow, 'token' | 'deadline' | 'result' | 'defaultResult'>[]
  /** Whether it was launched by what the group launches by now. */
  isCurrent: boolean
}

export type GroupAction =
  | { do: 'launch'; count: number; because?: Replacing }
  | { do: 'in-service'; id: string }
  | { do: 'replace'; id: string; check: 'EC2' | 'ELB' | 'user' }
  | { do: 'scale-in'; id: string }
  | { do: 'retire'; id: string; because: Replacing }
  | { do: 'register'; id: string; targetGroup: string }
  | { do: 'deregister'; id: string; targetGroup: string }
  | { do: 'wait'; id: string; transition: HookRow['transition'] }
  | { do: 'time-out'; id: string; token: string }
  | { do: 'proceed'; id: string }
  | { do: 'abandon'; id: string }
  | { do: 'stand-by'; id: string }
  | { do: 'let-go'; id: string }
  | { do: 'terminate'; id: string }
  | { do: 'forget'; id: string }
  | { do: 'refresh'; set: RefreshChange }
  | { do: 'remove-group' }

export type GroupView = {
  /** Transitions that have hooks. */
  hooks: HookRow['transition'][]
  /** The instance refresh under way. */
  refresh: RefreshView | null
}
const PLAIN: GroupView = { hooks: [], refresh: null }

/** Launches of one pass, so that a group of hundreds does not keep the others waiting. */
export const LAUNCHES_AT_ONCE_MAX = 20

export function planGroup(
  group: GroupRow,
  members: MemberView[],
  now: number,
  { hooks, refresh }: GroupView = PLAIN,
): GroupAction[] {
  if (group.deleting && members.length === 0) return [{ do: 'remove-group' }]
  const works = (process: string) => !listOf(group.suspended).includes(process)
  const adds = works('AddToLoadBalancer')

  const active = members.filter((member) => counts(member.lifecycleState))
  const unhealthy = active.flatMap((member) => {
    const check = works('HealthCheck') ? failedCheck(group, member, now) : null
    return check === null ? [] : [{ member, check }]
  })
  const replacing = works('ReplaceUnhealthy') && works('Terminate') ? unhealthy : []
  const staying = active.filter((member) => !replacing.some((one) => one.member === member))
  const changing = works('Launch') && works('Terminate')
  const { surge, retiring, because, change } = planReplacement(
    group,
    { refresh: works('InstanceRefresh') ? refresh : null, changing },
    staying,
    members.filter((member) => member.lifecycleState === 'Standby'),
    now,
  )
  const desired = group.deleting ? 0 : group.desiredCapacity + surge
  const left = staying.filter((member) => !retiring.includes(member))

  const missing = Math.max(0, desired - left.length)
  const waits =
    group.launchRetryAt !== null && group.launchRetryAt > now && group.launchRetryAt - now <= RETRY_MOST_MS
  const launches = works('Launch') && !waits ? Math.min(missing, LAUNCHES_AT_ONCE_MAX) : 0
  const chosen = works('Terminate') ? victims(group, left, left.length - desired) : []
  const excess = group.deleting ? chosen : relieved(group, left, chosen, now)
  const kept = left.filter((member) => !excess.includes(member))

  return [
    ...members.flatMap((member) => timeOuts(member, now)),
    ...replacing.map(({ member, check }): GroupAction => ({ do: 'replace', id: member.instanceId, check })),
    ...retiring.map((member): GroupAction => ({ do: 'retire', id: member.instanceId, because: because! })),
    ...excess.map((member): GroupAction => ({ do: 'scale-in', id: member.instanceId })),
    ...kept.flatMap((member) => arrive(group, member, adds, hooks.includes('launching'))),
    ...members
      .filter(({ lifecycleState }) => !counts(lifecycleState) && !isLeaving(lifecycleState))
      .filter((member) => !retiring.includes(member))
      .flatMap((member) => stepAside(group, member)),
    ...members
      .filter((member) => isLeaving(member.lifecycleState))
      .flatMap((member) => leave(group, member, hooks.includes('terminating'))),
    ...(launches > 0
      ? [{ do: 'launch', count: launches, ...(surge > 0 && because && { because }) } as const]
      : []),
    ...(change ? [{ do: 'refresh', set: change } as const] : []),
  ]
}

export const RETRY_FIRST_MS = 5_000
export const RETRY_MOST_MS = 5 * 60_000

/** EC2's word counts always; the load balancer's only when asked for, and after the grace. */
function failedCheck(group: GroupRow, member: MemberView, now: number): 'EC2' | 'ELB' | 'user' | null {
  const alive =
    member.ec2State === 'running' || (member.ec2State === 'pending' && isComing(member.lifecycleState))
  if (!alive) return 'EC2'
  if (member.healthStatus === 'Unhealthy') return 'user'
  if (group.healthCheckType !== 'ELB' || member.inServiceAt === null) return null
  const servedMs = now - member.inServiceAt
  if (servedMs >= 0 && servedMs < group.healthCheckGraceSeconds * 1000) return null
  return member.targetStates.includes('unhealthy') ? 'ELB' : null
}

/** The subnet whose zone has the fewest members; the first of equals. */
export function subnetForNext(
  subnets: { id: string; zone: string }[],
  zonesOfMembers: string[],
): string | undefined {
  const count = (zone: string) => zonesOfMembers.filter((one) => one === zone).length
  return subnets.toSorted((a, b) => count(a.zone) - count(b.zone))[0]?.id
}
