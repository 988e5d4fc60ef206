// Who is let in at the public sockets: what the engine says beside what the rows say.
import { clientRanges, type BalancerEngine } from '../../engines/balancer/engine.ts'
import { withTimeout } from '../../kernel/clock.ts'
import type { PublicListener } from '../cloud.ts'
import type { Elbv2Deps } from './deps.ts'
import type { ListenerRow, LoadBalancerRow } from './store.ts'

const LOOK_TIMEOUT_MS = 10_000

export async function publicListeners(
  { store, clock, cloud }: Elbv2Deps,
  balancer: BalancerEngine,
): Promise<PublicListener[]> {
  const seen = await withTimeout(clock, LOOK_TIMEOUT_MS, 'balancer.clients', () => balancer.clients())
  const listeners = store.all<ListenerRow>('select * from elbv2_listener order by port')
  const environments = new Map(
    store
      .all<{ arn: string; value: string }>(
        `select resource_arn as arn, value from elbv2_tag where key = 'elasticbeanstalk:environment-name'`,
      )
      .map(({ arn, value }) => [arn, value]),
  )
  const rules = cloud.ec2.clientRules()
  return store
    .all<LoadBalancerRow>(`select * from elbv2_load_balancer where deleted_at is null order by name`)
    .flatMap((row) =>
      listeners
        .filter((listener) => listener.loadBalancerArn === row.arn)
        .map(({ port }) => ({
          loadBalancerId: row.id,
          name: row.name,
          networkInterfaceId: row.networkInterfaceId,
          environment: environments.get(row.arn) ?? null,
          internetFacing: row.scheme === 'internet-facing',
          port,
          clients:
            seen.find((one) => one.loadBalancerId === row.id && one.listenerPort === port)?.clients ?? [],
          wanted: clientRanges(rules.ranges(row.networkInterfaceId, port)),
        })),
    )
}
