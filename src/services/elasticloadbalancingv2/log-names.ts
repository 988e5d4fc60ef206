// What the names in a request's entry are called in AWS's access logs.
import { certificateFor, type Certificates, type RequestEntry } from '../../engines/balancer/engine.ts'
import { certificatePem } from '../server-certificate.ts'
import { systemContext, type ServiceDeps } from '../service.ts'
import type { LogNames } from './access-log-line.ts'
import { certificatesOf } from './secure.ts'
import { type ListenerRow, type LoadBalancerRow, pathOf } from './store.ts'

/** For the entries of one pass: rows are read once. */
export function makeLogNames({ store, cloud }: Pick<ServiceDeps, 'store' | 'cloud'>) {
  const arns = new Map(
    store
      .all<{ id: string; arn: string }>('select id, arn from elbv2_target_group')
      .map(({ id, arn }) => [id, arn]),
  )
  const listeners = Map.groupBy(
    store.all<ListenerRow>('select * from elbv2_listener'),
    ({ loadBalancerArn, port }) => `${loadBalancerArn} ${port}`,
  )
  const shown = new Map<string, string | null>()
  return (row: LoadBalancerRow, { targetGroupId, tls, listenerPort }: RequestEntry): LogNames => {
    const [listener] = listeners.get(`${row.arn} ${listenerPort}`) ?? []
    const key = `${row.arn} ${listenerPort} ${tls?.serverName}`
    if (tls && !shown.has(key)) shown.set(key, listener ? certificateShown(listener, tls.serverName) : null)
    return {
      loadBalancer: pathOf(row),
      dnsName: row.dnsName,
      targetGroupArn: targetGroupId === null ? null : (arns.get(targetGroupId) ?? null),
      certificateArn: tls ? (shown.get(key) ?? null) : null,
    }
  }

  function certificateShown(listener: ListenerRow, name: string): string | null {
    const context = systemContext(listener.account, listener.region, '')
    const certificateIds = certificatesOf(listener)
    const pems: Certificates = new Map(
      certificateIds.flatMap((arn) => {
        const pem = certificatePem(cloud, context, arn)
        return pem === undefined ? [] : [[arn, pem] as const]
      }),
    )
    return certificateFor({ certificateIds }, name, pems)
  }
}
