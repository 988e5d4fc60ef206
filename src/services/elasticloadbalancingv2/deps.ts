// What the operations of elasticloadbalancingv2 are made from.
import type { Context } from '../context.ts'
import type { ServiceDeps } from '../service.ts'
import { missing, noListener, noLoadBalancer, noTargetGroup } from './errors.ts'
import {
  listenersOf,
  loadBalancerOf,
  targetGroupOf,
  type ListenerRow,
  type LoadBalancerRow,
  type TargetGroupRow,
} from './store.ts'

export type Elbv2Deps = Pick<ServiceDeps, 'store' | 'clock' | 'ids' | 'cloud' | 'domain'>

export function requireLoadBalancer(
  { store }: Elbv2Deps,
  context: Context,
  arn: string | undefined,
): LoadBalancerRow {
  if (!arn) throw missing('loadBalancerArn')
  const row = loadBalancerOf(store, context, arn)
  if (!row) throw noLoadBalancer(arn)
  return row
}

export function requireTargetGroup(
  { store }: Elbv2Deps,
  context: Context,
  arn: string | undefined,
): TargetGroupRow {
  if (!arn) throw missing('targetGroupArn')
  const row = targetGroupOf(store, context, arn)
  if (!row) throw noTargetGroup(arn)
  return row
}

export function requireListener(
  { store }: Elbv2Deps,
  context: Context,
  arn: string | undefined,
): ListenerRow {
  if (!arn) throw missing('listenerArn')
  const row = listenersOf(store, context).find((one) => one.arn === arn)
  if (!row) throw noListener(arn)
  return row
}
