// elasticloadbalancingv2.metrics: what load balancers carry, as points, once a second. Counters only grow within one life of the engine's
// process; what it counted between the last look and its end is not in the points, nor what the control plane was not there for.
import type { BalancerEngine, Traffic } from '../../engines/balancer/engine.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import { withTimeout } from '../../kernel/clock.ts'
import type { Store } from '../../store/store.ts'
import { type Look, lookAt, secondOf, secondsBetween, untilNextSecond } from '../measure.ts'
import type { ServiceDeps } from '../service.ts'
import { idOfArn, pathOf, type LoadBalancerRow, type TargetGroupRow, type UseRow } from './store.ts'
import { hostPoints, type MeasuredBalancer, type MeasuredGroup, trafficPoints } from './traffic-points.ts'

const LOOK_TIMEOUT_MS = 5_000

export function makeMetricsReconciler(
  { store, clock, cloud, measureEverySeconds }: ServiceDeps,
  balancer: Pick<BalancerEngine, 'traffic'>,
): Reconciler {
  let last: { look: Look; traffic: Traffic } | undefined
  let hostsAt = -Infinity

  return {
    name: 'elasticloadbalancingv2.metrics',
    get everyMs() {
      return untilNextSecond(clock, measureEverySeconds)
    },
    wakes: [],
    async reconcile() {
      const { traffic, failure } = await look()
      const now = lookAt(clock)
      const seconds = last && secondsBetween(last.look, now)
      const isNew = seconds?.length !== 0 // else what has grown counts for the second that is not over
      const second = secondOf(now.wall) - 1_000
      const owners = store.remember('elasticloadbalancingv2.metrics rows', () => measuredBalancers(store))
      for (const { owner, balancers } of owners)
        cloud.cloudwatch.record(owner, [
          ...(second === hostsAt ? [] : hostPoints(balancers, second)),
          ...(traffic && last && seconds && isNew
            ? trafficPoints(balancers, last.traffic, traffic, seconds)
            : []),
        ])
      hostsAt = second
      if (!traffic) last = failure ? last : undefined
      else if (isNew) last = { look: now, traffic }
      if (failure) throw failure
      return { counters: traffic?.counters.length ?? 0 }
    },
  }

  /** Hosts are told of also while nobody sees the engine. */
  async function look(): Promise<{ traffic: Traffic | null; failure?: unknown }> {
    try {
      return {
        traffic: await withTimeout(clock, LOOK_TIMEOUT_MS, 'balancer.traffic', () => balancer.traffic()),
      }
    } catch (failure) {
      return { traffic: null, failure }
    }
  }
}

type Owner = Pick<LoadBalancerRow, 'account' | 'region'>

export function measuredBalancers(store: Store): { owner: Owner; balancers: MeasuredBalancer[] }[] {
  const groups = measuredGroups(store)
  const uses = Map.groupBy(
    store.all<UseRow>('select distinct load_balancer_arn, target_group_arn from elbv2_use'),
    ({ loadBalancerArn }) => loadBalancerArn,
  )
  const rows = store.all<
    Pick<LoadBalancerRow, 'arn' | 'id' | 'account' | 'region' | 'name' | 'type' | 'isClassic'>
  >(
    'select arn, id, account, region, name, type, is_classic from elbv2_load_balancer where deleted_at is null',
  )
  return [...Map.groupBy(rows, ({ account, region }) => `${account}/${region}`).values()].map((own) => ({
    owner: { account: own[0]!.account, region: own[0]!.region },
    balancers: own.map((row) => ({
      ...{ id: row.id, name: row.name, path: pathOf(row) },
      kind: kindOf(row),
      groups: (uses.get(row.arn) ?? []).flatMap((use) => groups.get(use.targetGroupArn) ?? []),
    })),
  }))
}

export const kindOf = ({
  type,
  isClassic,
}: Pick<LoadBalancerRow, 'type' | 'isClassic'>): MeasuredBalancer['kind'] => (isClassic ? 'classic' : type)

/** What AWS calls a target group in dimensions: the end of its ARN. */
export const groupPath = (arn: string) => arn.slice(arn.lastIndexOf(':') + 1)

function measuredGroups(store: Store): Map<string, MeasuredGroup> {
  const groups = new Map(
    store
      .all<Pick<TargetGroupRow, 'arn'>>('select arn from elbv2_target_group')
      .map(({ arn }): [string, MeasuredGroup] => [
        arn,
        { id: idOfArn(arn), path: groupPath(arn), registered: 0, healthy: 0, unhealthy: 0 },
      ]),
  )
  const counts = store.all<{ targetGroupArn: string; health: string; count: number }>(
    'select target_group_arn, health, count(*) as count from elbv2_target group by target_group_arn, health',
  )
  for (const { targetGroupArn, health, count } of counts) {
    const group = groups.get(targetGroupArn)
    if (!group || health === 'draining') continue
    group.registered += count
    if (health === 'healthy') group.healthy += count
    if (health === 'unhealthy') group.unhealthy += count
  }
  return groups
}
