// Which members go when there are too many (EC2 Auto Scaling user guide, "Termination policies"). Pure.
import type { GroupRow } from './store.ts'
import { listOf } from './store.ts'
import type { MemberView } from './plan.ts'

type Policy = (members: MemberView[]) => MemberView[]

const oldest: Policy = (members) => least(members, (member) => member.createdAt)
const newest: Policy = (members) => least(members, (member) => -member.createdAt)
const oldestLaunchConfiguration: Policy = (members) =>
  least(members, (member) => member.launchConfigurationAt)

// AWS: the zone with most instances first, whatever the policy; then the policies in order. ClosestToNextInstanceHour and
// AllocationStrategy would mean nothing here: instances are not billed by the hour, and there is one way to allocate them.
const POLICIES: Record<string, Policy> = {
  Default: (members) => oldest(oldestLaunchConfiguration(members)),
  OldestInstance: oldest,
  NewestInstance: newest,
  OldestLaunchConfiguration: oldestLaunchConfiguration,
  OldestLaunchTemplate: oldestLaunchConfiguration,
}

export const terminationPolicies = Object.keys(POLICIES)

export function victims(group: GroupRow, members: MemberView[], count: number): MemberView[] {
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
export function relieved(
  group: GroupRow,
  staying: MemberView[],
  chosen: MemberView[],
  now: number,
): MemberView[] {
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
