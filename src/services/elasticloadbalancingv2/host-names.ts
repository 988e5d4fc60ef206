// Which names lead to load balancers and elastic addresses, and where they are inside of the VPC.
import type { HostName } from '../cloud.ts'
import type { Elbv2Deps } from './deps.ts'
import { listOf, type LoadBalancerRow, type SharerRow } from './store.ts'

/** By name, in lower case. */
export function hostNames({ store, cloud }: Pick<Elbv2Deps, 'store' | 'cloud'>): Map<string, HostName> {
  const names = new Map<string, HostName>()
  const ill = new Set(
    store
      .all<{ arn: string }>(
        // AWS: a load balancer is healthy when each of its target groups has a target that is.
        `select distinct load_balancer_arn as arn from elbv2_use u where not exists (
           select 1 from elbv2_target t where t.target_group_arn = u.target_group_arn and t.health = 'healthy')`,
      )
      .map(({ arn }) => arn),
  )
  const environments = environmentsOf(store)
  const sharers = Map.groupBy(
    store.all<SharerRow>('select * from elbv2_sharer'),
    (row) => row.loadBalancerArn,
  )
  for (const row of store.all<LoadBalancerRow>(
    'select * from elbv2_load_balancer where deleted_at is null order by created_at, id',
  )) {
    const environment = environments.get(row.arn) ?? null
    const host = {
      id: row.id,
      name: row.name,
      environment,
      inside: [row.address],
      isHealthy: !ill.has(row.arn),
    }
    const own = [
      row.dnsName.toLowerCase(),
      ...listOf(row.hosts),
      ...(sharers.get(row.arn) ?? []).map((one) => one.host),
    ]
    for (const name of own) names.set(name, host)
  }
  for (const { id, publicIp, hosts, instance, leadsTo } of cloud.ec2.elasticAddresses())
    for (const name of hosts)
      names.set(name, {
        ...{ id, name: publicIp, environment: null, isHealthy: leadsTo !== null },
        inside: instance ? [instance.address] : [],
      })
  return names
}

/** Names of hosted zones, by the id of what they lead to. */
export function customNames(deps: Pick<Elbv2Deps, 'store' | 'cloud'>): Map<string, string[]> {
  const hosts = hostNames(deps)
  const byId = new Map<string, string[]>()
  for (const [name, host] of deps.cloud.route53.customNames(hosts)) {
    const { id } = hosts.get(host)!
    byId.set(id, [...(byId.get(id) ?? []), name])
  }
  return byId
}

/** Names of environments by the ARN of what was made for them. */
export const environmentsOf = (store: Elbv2Deps['store']): Map<string, string> =>
  new Map(
    store
      .all<{ arn: string; value: string }>(
        `select resource_arn as arn, value from elbv2_tag where key = 'elasticbeanstalk:environment-name'`,
      )
      .map(({ arn, value }) => [arn, value]),
  )
