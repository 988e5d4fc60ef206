// What a classic load balancer is, read from the load balancer and the target groups that elasticloadbalancingv2 has for it.
import type { Listener, TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import type { ServiceDeps } from '../service.ts'

export type ElbDeps = Pick<ServiceDeps, 'cloud'>

export type Named = { name: string; arn: string }

/** @throws DeclaredError `LoadBalancerNotFound` */
export function requireNamed({ cloud }: ElbDeps, context: Context, name: string | undefined): Named {
  const found = cloud.elasticloadbalancingv2.classicLoadBalancers(context).find((one) => one.name === name)
  if (!found)
    throw new DeclaredError('LoadBalancerNotFound', `There is no ACTIVE Load Balancer named '${name ?? ''}'`)
  return found
}

export function partsOf({ cloud }: ElbDeps, context: Context, { arn }: Named) {
  const { elasticloadbalancingv2: elb } = cloud
  const { Listeners = [] } = elb.describeListeners(context, { LoadBalancerArn: arn, PageSize: 400 })
  const { TargetGroups = [] } = elb.describeTargetGroups(context, { LoadBalancerArn: arn, PageSize: 400 })
  return { listeners: Listeners, targetGroups: TargetGroups }
}

/** The target group that a listener sends everything to. */
export const targetGroupOf = ({ DefaultActions = [] }: Listener, targetGroups: TargetGroup[]) =>
  targetGroups.find(({ TargetGroupArn }) => TargetGroupArn === DefaultActions[0]?.TargetGroupArn)
