// A load balancer that environments share has the names, rules and groups of those who do, and of nobody else.
import { SHARED } from '../shop.ts'
import type { World } from '../world.ts'
import { column, environmentsOf, resourcesOf, same } from './rows.ts'

export function sharers(world: World): string[] {
  const sharing = environmentsOf(world).filter((row) => resourcesOf(row).sharesLoadBalancer)
  const rulesOf = (resources: Record<string, string>) =>
    Object.values(JSON.parse(resources.listenerRules ?? '{}') as Record<string, Record<string, string>>)
  const owned = sharing.map(resourcesOf)
  const groups = column(
    world,
    `select g.name from elbv2_load_balancer b, json_each(b.security_groups) j join ec2_security_group g on g.id = j.value
     where b.name = '${SHARED}'`,
  )
  const made = column(
    world,
    `select name from ec2_security_group where id in ('${owned.map((one) => one.loadBalancerSecurityGroupId ?? '').join(`','`)}')`,
  )
  return [
    ...same(
      'sharers',
      column(world, 'select sharer from elbv2_sharer'),
      'environments behind a shared load balancer',
      sharing.map(({ id }) => id),
    ),
    ...same(
      'rules of the shared load balancer',
      column(
        world,
        `select r.arn from elbv2_rule r join elbv2_listener l on l.arn = r.listener_arn
         join elbv2_load_balancer b on b.arn = l.load_balancer_arn where b.name = '${SHARED}'`,
      ),
      'rules of environments that share it',
      owned.flatMap((resources) => rulesOf(resources).flatMap((own) => Object.values(own))),
    ),
    // Groups of users are left when the environment that named them goes, as AWS leaves them.
    ...same(
      'groups of the shared load balancer',
      groups.filter((name) => !name.startsWith('team-')),
      'its own and that of who share it',
      ['default', ...made],
    ),
    ...sharing.flatMap(({ name, ...row }) =>
      resourcesOf({ name, ...row }).listenerRules
        ? []
        : [`${name} has no rule at the load balancer that it shares`],
    ),
  ]
}
