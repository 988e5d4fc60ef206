// That a target group is used: by listeners and rules that forward to it, of one load balancer (AWS). Its targets are checked
// from then on, and unused when the last has gone.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import { targetGroupArnsOf, type StoredAction } from './actions.ts'
import { requireLoadBalancer, requireTargetGroup, type Elbv2Deps } from './deps.ts'
import { validation } from './errors.ts'
import { registrationInProgress, unusedTarget } from './health.ts'
import { targetsOf, updateTarget, usesOf } from './store.ts'

/** AWS: 100 target groups per load balancer. */
export const TARGET_GROUPS_OF_LOAD_BALANCER_MAX = 100

/** Throws for target groups of an action that are not there or belong to another load balancer. */
export function requireUsable(
  deps: Elbv2Deps,
  context: Context,
  loadBalancerArn: string,
  action: StoredAction,
): void {
  const arns = targetGroupArnsOf(action)
  const { type } = requireLoadBalancer(deps, context, loadBalancerArn)
  const isNetwork = type === 'network'
  for (const arn of arns)
    if ((requireTargetGroup(deps, context, arn).protocol === 'TCP') !== isNetwork)
      throw new DeclaredError(
        'IncompatibleProtocols',
        `The protocol of target group '${arn}' is not compatible with load balancers of the type '${type}'`,
      )
  if (isNetwork && (action.type !== 'forward' || arns.length !== 1 || action.stickySeconds !== null))
    throw validation('A listener of a Network Load Balancer must forward to one target group')
  const uses = usesOf(deps.store, context)
  const elsewhere = arns.filter((arn) =>
    uses.some((use) => use.targetGroupArn === arn && use.loadBalancerArn !== loadBalancerArn),
  )
  if (elsewhere.length > 0)
    throw new DeclaredError(
      'TargetGroupAssociationLimit',
      `The following target groups cannot be associated with more than one load balancer: ${elsewhere.join(', ')}`,
    )
  const own = uses.filter((use) => use.loadBalancerArn === loadBalancerArn).map((use) => use.targetGroupArn)
  if (new Set([...own, ...arns]).size > TARGET_GROUPS_OF_LOAD_BALANCER_MAX)
    throw new DeclaredError(
      'TooManyUniqueTargetGroupsPerLoadBalancer',
      `A load balancer can forward to at most ${TARGET_GROUPS_OF_LOAD_BALANCER_MAX} target groups`,
    )
}

/** Changes listeners or rules by `change`, and tells the targets of groups that it began or ceased to use. */
export function changingUses(
  { store }: Pick<Elbv2Deps, 'store'>,
  context: Context,
  change: () => unknown,
): void {
  const used = () => new Set(usesOf(store, context).map((use) => use.targetGroupArn))
  const before = used()
  change()
  const now = used()
  for (const arn of now.difference(before))
    for (const target of targetsOf(store, arn))
      if (target.health === 'unused') updateTarget(store, target, registrationInProgress)
  for (const arn of before.difference(now))
    for (const target of targetsOf(store, arn)) updateTarget(store, target, unusedTarget)
}
