// What to do with one group: from its row, its members, what ec2 says of them and what their target groups say.
// Pure and total (design §2.3).
import type { GroupRow, MemberRow } from './store.ts'
import { listOf } from './store.ts'

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
}

export type GroupAction =
  | { do: 'launch'; count: number }
  | { do: 'in-service'; id: string }
  | { do: 'replace'; id: string; check: 'EC2' | 'ELB' | 'user' }
  | { do: 'scale-in'; id: string }
  | { do: 'register'; id: string; targetGroup: string }
  | { do: 'deregister'; id: string; targetGroup: string }
  | { do: 'terminate'; id: string }
  | { do: 'forget'; id: string }
  | { do: 'remove-group' }

/** Launches of one pass, so that a group of hundreds does not keep the others waiting. */
export const LAUNCHES_AT_ONCE_MAX = 20

export function planGroup(group: GroupRow, members: MemberView[], now: number): GroupAction[] {
  if (group.deleting && members.length === 0) return [{ do: 'remove-group' }]
  const works = (process: string) => !listOf(group.suspended).includes(process)
  const desired = group.deleting ? 0 : group.desiredCapacity

  const active = members.filter((member) => member.lifecycleState !== 'Terminating')
  const unhealthy = active.flatMap((member) => {
    const check = works('HealthCheck') ? failedCheck(group, member, now) : null
    return check === null ? [] : [{ member, check }]
  })
  const replacing = works('ReplaceUnhealthy') && works('Terminate') ? unhealthy : []
  const staying = active.filter((member) => !replacing.some((one) => one.member === member))

  const missing = Math.max(0, desired - staying.length)
  const waits =
    group.launchRetryAt !== null && group.launchRetryAt > now && group.launchRetryAt - now <= RETRY_MOST_MS
  const launches = works('Launch') && !waits ? Math.min(missing, LAUNCHES_AT_ONCE_MAX) : 0
  const chosen = works('Terminate') ? victims(group, staying, staying.length - desired) : []
  const excess = group.deleting ? chosen : relieved(group, staying, chosen, now)
  const kept = staying.filter((member) => !excess.includes(member))

  return [
    ...replacing.map(({ member, check }): GroupAction => ({ do: 'replace', id: member.instanceId, check })),
    ...excess.map((member): GroupAction => ({ do: 'scale-in', id: member.instanceId })),
    ...kept.flatMap((member) => serve(group, member, works('AddToLoadBalancer'))),
    ...members
      .filter((member) => member.lifecycleState === 'Terminating')
      .flatMap((member) => leave(group, member)),
    ...(launches > 0 ? [{ do: 'launch', count: launches } as const] : []),
  ]
}

export const RETRY_FIRST_MS = 5_000
export const RETRY_MOST_MS = 5 * 60_000

/** EC2's word counts always; the load balancer's only when asked for, and after the grace. */
function failedCheck(group: GroupRow, member: MemberView, now: number): 'EC2' | 'ELB' | 'user' | null {
  const alive =
    member.ec2State === 'running' || (member.ec2State === 'pending' && member.lifecycleState === 'Pending')
  if (!alive) return 'EC2'
  if (member.healthStatus === 'Unhealthy') return 'user'
  if (group.healthCheckType !== 'ELB' || member.inServiceAt === null) return null
  const servedMs = now - member.inServiceAt
  if (servedMs >= 0 && servedMs < group.healthCheckGraceSeconds * 1000) return null
  return member.targetStates.includes('unhealthy') ? 'ELB' : null
}

function serve(group: GroupRow, member: MemberView, adds: boolean): GroupAction[] {
  const { instanceId: id } = member
  if (member.lifecycleState === 'Pending' && member.ec2State !== 'running') return []
  const wanted = listOf(group.targetGroups)
  return [
    ...(member.lifecycleState === 'Pending' ? [{ do: 'in-service', id } as const] : []),
    ...wanted
      .filter((arn) => adds && !member.registered.includes(arn))
      .map((targetGroup) => ({ do: 'register', id, targetGroup }) as const),
    ...member.registered
      .filter((arn) => !wanted.includes(arn))
      .map((targetGroup) => ({ do: 'deregister', id, targetGroup }) as const),
  ]
}

// Out of its target groups first; when what is in flight is answered (or nothing runs any more) it is ended.
function leave(group: GroupRow, member: MemberView): GroupAction[] {
  const { instanceId: id } = member
  if (member.ec2State === null || member.ec2State === 'terminated') return [{ do: 'forget', id }]
  if (member.terminateSent) return []
  const draining = member.targetStates.includes('draining')
  return draining && member.ec2State === 'running' && !group.forceDelete ? [] : [{ do: 'terminate', id }]
}

type Policy = (members: MemberView[]) => MemberView[]

const oldest: Policy = (members) => least(members, (member) => member.createdAt)
const newest: Policy = (members) => least(members, (member) => -member.createdAt)
const oldestLaunchConfiguration: Policy = (members) =>
  least(members, (member) => member.launchConfigurationAt)

// AWS: the zone with most instances first, whatever the policy; then the policies in order.
const POLICIES: Record<string, Policy> = {
  Default: (members) => oldest(oldestLaunchConfiguration(members)),
  OldestInstance: oldest,
  NewestInstance: newest,
  OldestLaunchConfiguration: oldestLaunchConfiguration,
  OldestLaunchTemplate: oldestLaunchConfiguration,
}

export const terminationPolicies = Object.keys(POLICIES)

function victims(group: GroupRow, members: MemberView[], count: number): MemberView[] {
  // A group that goes away goes whole; otherwise the protected ones stay.
  if (group.deleting) return count > 0 ? members : []
  let left = members
  const chosen: MemberView[] = []
  while (chosen.length < count) {
    const candidates = inFullestZone(left).filter((member) => !member.protected)
    const open = candidates.length > 0 ? candidates : left.filter((member) => !member.protected)
    if (open.length === 0) break
    const narrowed = listOf(group.terminationPolicies).reduce(
      (some, policy) => POLICIES[policy]?.(some) ?? some,
      open,
    )
    const victim = oldest(narrowed).toSorted((a, b) => (a.instanceId < b.instanceId ? -1 : 1))[0]!
    chosen.push(victim)
    left = left.filter((member) => member !== victim)
  }
  return chosen
}

// Who serves goes when who stays serves. AWS ends the chosen ones at once: then a group that scales in just after it scaled out
// may have nobody left that answers. One that does not come for long is not waited for.
function relieved(group: GroupRow, staying: MemberView[], chosen: MemberView[], now: number): MemberView[] {
  const wanted = listOf(group.targetGroups)
  const adds = !listOf(group.suspended).includes('AddToLoadBalancer')
  const isComing = ({ targetStates, registered, inServiceAt, createdAt }: MemberView) =>
    now - (inServiceAt ?? createdAt) <= COMING_MS &&
    (targetStates.includes('initial') ||
      (adds && wanted.some((targetGroup) => !registered.includes(targetGroup))))
  const coming = staying.filter((member) => !chosen.includes(member) && isComing(member))
  const serving = chosen.filter((member) => !isComing(member) && !member.targetStates.includes('unhealthy'))
  const held = serving.slice(Math.max(0, serving.length - coming.length))
  return chosen.filter((member) => !held.includes(member))
}
/** An instance that boots, and the longest health checks. */
const COMING_MS = 15 * 60_000

function inFullestZone(members: MemberView[]): MemberView[] {
  const sizes = Map.groupBy(members, (member) => member.zone)
  const most = Math.max(0, ...[...sizes.values()].map((some) => some.length))
  return members.filter((member) => sizes.get(member.zone)!.length === most)
}

function least(members: MemberView[], of: (member: MemberView) => number): MemberView[] {
  const smallest = Math.min(...members.map(of))
  return members.filter((member) => of(member) === smallest)
}

/** The subnet whose zone has the fewest members; the first of equals. */
export function subnetForNext(
  subnets: { id: string; zone: string }[],
  zonesOfMembers: string[],
): string | undefined {
  const count = (zone: string) => zonesOfMembers.filter((one) => one === zone).length
  return subnets.toSorted((a, b) => count(a.zone) - count(b.zone))[0]?.id
}
