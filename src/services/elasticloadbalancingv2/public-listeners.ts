// Who is let in at the public sockets: what the engine says beside what the rows say.
import { clientRanges, loopbackListener, type BalancerEngine } from '../../engines/balancer/engine.ts'
import { withTimeout } from '../../kernel/clock.ts'
import type { PublicListener } from '../cloud.ts'
import type { Elbv2Deps } from './deps.ts'
import { environmentsOf } from './host-names.ts'
import { clientsOf as wantedClients, ELASTIC_PORT } from './model.ts'
import type { ListenerRow, LoadBalancerRow } from './store.ts'

const LOOK_TIMEOUT_MS = 10_000

export async function publicListeners(
  { store, clock, cloud }: Elbv2Deps,
  balancer: BalancerEngine,
): Promise<PublicListener[]> {
  const seen = await withTimeout(clock, LOOK_TIMEOUT_MS, 'balancer.clients', () => balancer.clients())
  const listeners = store.all<ListenerRow>('select * from elbv2_listener order by port')
  const environments = environmentsOf(store)
  const rules = cloud.ec2.clientRules()
  const clientsOf = (id: string, port: number) =>
    seen.find((one) => one.id === id && one.listenerPort === port)?.clients ?? []
  const elastic = cloud.ec2.elasticAddresses().flatMap((address): PublicListener[] => {
    const { id, publicIp, networkInterfaceId } = address
    if (networkInterfaceId === null) return []
    return [
      {
        ...{ name: publicIp, kind: 'elastic address', networkInterfaceId },
        ...{ environment: null, internetFacing: true, port: ELASTIC_PORT },
        loopbackPort: address.loopbackPort,
        clients: clientsOf(id, ELASTIC_PORT),
        wanted: clientRanges(rules.ranges(networkInterfaceId, ELASTIC_PORT)),
      },
    ]
  })
  const balancers = store
    .all<LoadBalancerRow>(`select * from elbv2_load_balancer where deleted_at is null order by name`)
    .flatMap((row) => {
      const own = listeners.filter((listener) => listener.loadBalancerArn === row.arn)
      return own.map((listener): PublicListener => ({
        name: row.name,
        kind: 'load balancer',
        networkInterfaceId: row.networkInterfaceId,
        environment: environments.get(row.arn) ?? null,
        internetFacing: row.scheme === 'internet-facing',
        port: listener.port,
        loopbackPort: loopbackListener({ listeners: own }) === listener ? row.loopbackPort : null,
        clients: clientsOf(row.id, listener.port),
        wanted: clientRanges(wantedClients(row, listener.port, rules)),
      }))
    })
  return [...balancers, ...elastic]
}
