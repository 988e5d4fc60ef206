// At rest everything belongs to a living environment, and is what that environment names: nothing owned by nobody.
import type { World } from '../world.ts'
import { SHARED } from '../shop.ts'
import { sharers } from './sharers.ts'
import {
  column,
  environmentsOf,
  liveInstances,
  membersOf,
  resourcesOf,
  same,
  targetGroupsOf,
} from './rows.ts'

/** Member of an environment's resources → how to list what there is of it. */
const RESOURCES: Record<string, string> = {
  autoScalingGroupName: 'select name from autoscaling_group',
  launchConfigurationName: 'select name from autoscaling_launch_configuration',
  elasticAddressId: 'select id from ec2_address where released_at is null',
}
/** But for the one of a user that environments share. */
const LOAD_BALANCERS = `select arn from elbv2_load_balancer where name <> '${SHARED}'`
/** Those of users have names of their own. */
const SECURITY_GROUPS = `select id from ec2_security_group where name <> 'default' and name not like 'team-%'`

export function ownership(world: World): string[] {
  const environments = environmentsOf(world)
  const owned = environments.map(resourcesOf)
  const named = (...members: string[]) =>
    owned.flatMap((resources) => members.flatMap((member) => resources[member] ?? []))
  return [
    ...Object.entries(RESOURCES).flatMap(([member, sql]) =>
      same(`${member}s that there are`, column(world, sql), 'environments that name them', named(member)),
    ),
    ...same(
      'load balancers',
      column(world, LOAD_BALANCERS),
      'environments that name them',
      owned.flatMap(({ loadBalancerArn, sharesLoadBalancer }) =>
        loadBalancerArn === undefined || sharesLoadBalancer ? [] : loadBalancerArn,
      ),
    ),
    ...same(
      'target groups',
      column(world, 'select arn from elbv2_target_group'),
      'environments that name them',
      environments.flatMap(targetGroupsOf),
    ),
    ...sharers(world),
    ...same(
      'security groups',
      column(world, SECURITY_GROUPS),
      'environments that name them',
      named('loadBalancerSecurityGroupId', 'instanceSecurityGroupId'),
    ),
    ...same(
      'listeners',
      column(world, `select arn from elbv2_listener where load_balancer_arn in (${LOAD_BALANCERS})`),
      'environments that name them',
      owned.flatMap(({ listenerArn = [], furtherListeners = '{}' }) => [
        ...[listenerArn].flat(),
        ...Object.values(JSON.parse(furtherListeners) as Record<string, { listenerArn: string }>).map(
          (further) => further.listenerArn,
        ),
      ]),
    ),
    ...groupsOfSettings(world),
    ...fronts(world),
    ...rulesWithoutGroup(world),
    ...interfaces(world),
    ...members(world),
    ...remainsOfTerminated(world),
  ]
}

/** What is launched next, and the load balancer, have the groups that the settings name, and the environment's own unless
 *  the settings say otherwise. */
function groupsOfSettings(world: World): string[] {
  const nameOf = (id: string) =>
    world.store.get<{ name: string }>('select name from ec2_security_group where id = :id', { id })?.name ??
    id
  return environmentsOf(world).flatMap((row) => {
    const resources = resourcesOf(row)
    const settings = JSON.parse(row.settings) as { namespace: string; optionName: string; value: string }[]
    const set = (namespace: string, name: string) =>
      settings.find((one) => one.namespace === namespace && one.optionName === name)?.value ?? ''
    const check = (what: string, sql: string, namespace: string, own: string | undefined) => {
      const held = column(world, sql)[0]
      if (held === undefined) return []
      const named = set(namespace, 'SecurityGroups').split(',')
      const wanted = [...named, set(namespace, 'ManagedSecurityGroup'), own ? nameOf(own) : '']
      const there = (JSON.parse(held) as string[]).map(nameOf)
      return same(
        `groups of ${what} of ${row.name}`,
        there,
        'settings',
        wanted.filter((name) => name !== ''),
      )
    }
    const alone = set(LAUNCH, 'DisableDefaultEC2SecurityGroup') === 'true'
    const managed = set(BALANCER, 'ManagedSecurityGroup') !== ''
    return [
      ...check(
        'instances',
        `select security_groups from autoscaling_launch_configuration where name = '${resources.launchConfigurationName}'`,
        LAUNCH,
        alone ? undefined : resources.instanceSecurityGroupId,
      ),
      ...check(
        'the load balancer',
        // One that is shared has those of all (sharers.ts).
        `select security_groups from elbv2_load_balancer where arn = '${resources.loadBalancerArn}' and name <> '${SHARED}'`,
        BALANCER,
        managed ? undefined : resources.loadBalancerSecurityGroupId,
      ),
    ]
  })
}

/** A load balancer or an elastic address, as the settings say, and never both. */
const fronts = (world: World): string[] =>
  environmentsOf(world).flatMap((row) => {
    const { loadBalancerArn, elasticAddressId, front } = resourcesOf(row)
    const settings = JSON.parse(row.settings) as { optionName: string; value: string }[]
    const alone = settings.some(
      ({ optionName, value }) => optionName === 'EnvironmentType' && value === 'SingleInstance',
    )
    const wanted = alone ? 'elastic address' : 'load balancer'
    const there = [loadBalancerArn ? 'load balancer' : [], elasticAddressId ? 'elastic address' : []].flat()
    return there.some((one) => one !== wanted) || (front !== undefined && front !== wanted)
      ? [
          `${row.name} should be reached by its ${wanted}, has ${there.join(', ')}, and its names lead to the ${front}`,
        ]
      : []
  })

const LAUNCH = 'aws:autoscaling:launchconfiguration'
const BALANCER = 'aws:elbv2:loadbalancer'

const rulesWithoutGroup = (world: World) =>
  column(
    world,
    `select id from ec2_security_group_rule where group_id not in (select id from ec2_security_group)
       or (peer_group_id is not null and peer_group_id not in (select id from ec2_security_group))`,
  ).map((id) => `rule ${id} names a security group that is gone`)

function interfaces(world: World): string[] {
  const held = column(world, 'select id from ec2_network_interface where released_at is null')
  const used = column(world, 'select network_interface_id from elbv2_load_balancer')
  const owners = [...used, ...liveInstances(world).map(({ networkInterfaceId }) => networkInterfaceId)]
  return same('network interfaces', held, 'instances or load balancers', owners)
}

function members(world: World): string[] {
  const inGroups = membersOf(world)
  return environmentsOf(world).flatMap((row) => {
    const group = resourcesOf(row).autoScalingGroupName
    const known = world.store
      .all<{ instanceId: string }>(
        'select instance_id from environment_instance where environment_id = :id',
        row,
      )
      .map(({ instanceId }) => instanceId)
    const listed = inGroups.filter(({ groupName }) => groupName === group)
    return same(
      `instances of ${row.name}`,
      known,
      'members of its group',
      listed.map(({ instanceId }) => instanceId),
    )
  })
}

const GONE = 'select id from environment where terminated_at is not null'

function remainsOfTerminated(world: World): string[] {
  const left: Record<string, string> = {
    instances: `select instance_id from environment_instance where environment_id in (${GONE})`,
    resources: `select name from environment where terminated_at is not null and resources <> '{}'`,
    tags: `select resource_arn from beanstalk_tag where resource_arn like '%:environment/%' and not exists (
      select 1 from environment e where e.terminated_at is null
        and resource_arn like '%:environment/' || e.application_name || '/' || e.name)`,
    machines: `select i.id from ec2_instance i join ec2_tag t on t.resource_id = i.id
      where t.key = 'elasticbeanstalk:environment-id' and i.state <> 'terminated' and t.value in (${GONE})`,
  }
  return Object.entries(left).flatMap(([what, sql]) => {
    const found = column(world, sql)
    return found.length > 0 ? [`${what} of terminated environments: ${found.join(', ')}`] : []
  })
}
