// Load balancers of the service `elasticloadbalancing` (Classic Load Balancers): rows as all others, which this service's own
// operations answer only to who has their ARNs, and these are told to nobody.
import type { ClassicInternal } from '../cloud.ts'
import { requireLoadBalancer, requireTargetGroup, type Elbv2Deps } from './deps.ts'
import type { Context } from '../context.ts'
import { healthCheckOf, type LoadBalancerRow, usesOf } from './store.ts'

export const makeClassic = (deps: Elbv2Deps): ClassicInternal => ({
  putClassicLoadBalancer(context, arn) {
    requireLoadBalancer(deps, context, arn)
    deps.store.update('elbv2_load_balancer', { arn }, { isClassic: 1 })
  },
  putClassicTargetGroup(context, arn, check) {
    const row = requireTargetGroup(deps, context, arn)
    const healthCheck = JSON.stringify({ ...healthCheckOf(row), ...check })
    deps.store.update('elbv2_target_group', { arn }, { isClassic: 1, healthCheck })
  },
  classicLoadBalancers: (context) => classicOf(deps, context).map(({ name, arn }) => ({ name, arn })),
  classicNamesOf(context, targetGroupArns) {
    const classic = classicOf(deps, context)
    if (classic.length === 0) return []
    const used = usesOf(deps.store, context).filter((use) => targetGroupArns.includes(use.targetGroupArn))
    return classic
      .filter(({ arn }) => used.some(({ loadBalancerArn }) => loadBalancerArn === arn))
      .map(({ name }) => name)
  },
})

// Asked for each group at each look: most homes have none.
const classicOf = ({ store }: Elbv2Deps, { account, region }: Context) =>
  store.all<LoadBalancerRow>(
    `select * from elbv2_load_balancer
     where is_classic = 1 and deleted_at is null and account = :account and region = :region`,
    { account, region },
  )
