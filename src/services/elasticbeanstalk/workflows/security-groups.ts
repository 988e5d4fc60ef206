// The security groups of an environment: the two that it makes, those that its settings name, and the rules between them.
// AWS: the load balancer's group lets everybody in at the listener's port, the instances' group the load balancer alone; that
// of a single instance lets everybody in.
import type { IpPermission } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { EnvironmentConfiguration } from '../configuration/types.ts'
import { ofEnvironment } from '../events.ts'
import { frontOf } from '../front.ts'
import { isGone } from '../gone.ts'
import { resourcesOf } from '../store.ts'
import { allTargetGroupsOf } from './processes.ts'
import { groupOfSharers, takeSharedGroup } from './shared-load-balancer.ts'
import { current, defaultVpc, forget, remember, required, stackName, type Work } from './work.ts'

export const LISTENER_PORT = 80

/** Whether the environment has that group of its own. */
export const WANTED = {
  // AWS: a shared load balancer gets one unless groups are named for it.
  loadBalancerSecurityGroupId: ({
    loadBalanced,
    managedSecurityGroup,
    sharedLoadBalancer,
    loadBalancerSecurityGroups,
  }: EnvironmentConfiguration) =>
    loadBalanced &&
    managedSecurityGroup === '' &&
    (sharedLoadBalancer === '' || loadBalancerSecurityGroups.length === 0),
  instanceSecurityGroupId: ({ disableDefaultSecurityGroup }: EnvironmentConfiguration) =>
    !disableDefaultSecurityGroup,
}

export function makeLoadBalancerSecurityGroup(work: Work): void {
  const { parts, row, context } = work
  const { cloud, ids, events } = parts
  const { sharedLoadBalancer } = work.configuration
  const there = sharedLoadBalancer === '' ? undefined : groupOfSharers(work, sharedLoadBalancer)
  if (there !== undefined) return remember(parts, row.id, { loadBalancerSecurityGroupId: there })
  const group = cloud.ec2.createSecurityGroup(context, {
    GroupName: ids.upper(`${stackName(row)}-AWSEBLoadBalancerSecurityGroup-`, 12),
    Description: 'Load Balancer Security Group',
    VpcId: defaultVpc(parts, context),
  })
  const groupId = required(group.GroupId, 'createSecurityGroup')
  // Of one that is shared each environment opens the ports where it has rules.
  if (sharedLoadBalancer === '') openPort(work, groupId, LISTENER_PORT)
  remember(parts, row.id, { loadBalancerSecurityGroupId: groupId })
  sayWhetherToCut(work)
  events.write(ofEnvironment(row), 'INFO', `Created security group named: ${groupId}`)
}

export function makeInstanceSecurityGroup(work: Work): void {
  const { parts, row, context } = work
  const { cloud, ids, events } = parts
  const name = ids.upper(`${stackName(row)}-AWSEBSecurityGroup-`, 12)
  const group = cloud.ec2.createSecurityGroup(context, {
    GroupName: name,
    Description: 'VPC Security Group',
    VpcId: defaultVpc(parts, context),
  })
  const groupId = required(group.GroupId, 'createSecurityGroup')
  remember(parts, row.id, {
    instanceSecurityGroupId: groupId,
    instanceSecurityGroupName: name,
    instanceRules: '{}',
  })
  putInstanceRules(work)
  sayWhetherToCut(work)
  events.write(ofEnvironment(row), 'INFO', `Created security group named: ${name}`)
}

/** Ids of the groups that new instances get: their own first, then those that the settings name. */
export function groupsOfInstances(work: Work): string[] {
  const { configuration } = work
  const { instanceSecurityGroupId: own } = resourcesOf(current(work.parts, work.row.id))
  const named = configuration.securityGroups.map((group) => idOf(work, group))
  return [...new Set([...(own && WANTED.instanceSecurityGroupId(configuration) ? [own] : []), ...named])]
}

/** The same of the load balancer. */
export function groupsOfLoadBalancer(work: Work): string[] {
  const named = work.configuration.loadBalancerSecurityGroups.map((group) => idOf(work, group))
  return [...new Set([...dialling(work), ...named])]
}

/** What the instances' own group lets in. As on AWS only what changes is touched: a rule that a user added stays, one that
 *  a user removed is not made again. */
export function putInstanceRules(work: Work): void {
  const { parts, row, context } = work
  const { instanceSecurityGroupId: GroupId } = resourcesOf(current(parts, row.id))
  if (!GroupId) return
  const made = rulesMade(work, GroupId)
  const wanted = wantedRules(work)
  const rules: Record<string, string> = {}
  for (const [key, permission] of wanted) {
    const id = made[key] ?? authorize(work, GroupId, permission)
    if (id !== undefined) rules[key] = id
  }
  // As long as a load balancer is there it is let in as before; the settings of a single instance do not name it.
  const { loadBalancerArn } = resourcesOf(current(parts, row.id))
  const isLeaving = !work.configuration.loadBalanced && loadBalancerArn !== undefined
  for (const [key, id] of Object.entries(made))
    if (isLeaving && OF_GROUP.test(key)) rules[key] = id
    else if (!wanted.has(key))
      isGone(() =>
        parts.cloud.ec2.revokeSecurityGroupIngress(context, { GroupId, SecurityGroupRuleIds: [id] }),
      )
  remember(parts, row.id, { instanceRules: JSON.stringify(rules) })
}

/** Before the groups go: the load balancer's cannot while the instances' names it. */
export function revokeInstanceRules({ parts, row, context }: Pick<Work, 'parts' | 'row' | 'context'>): void {
  const resources = resourcesOf(current(parts, row.id))
  const { instanceSecurityGroupId: GroupId, loadBalancerSecurityGroupId: named } = resources
  if (!GroupId || !named) return
  const { SecurityGroupRules = [] } = parts.cloud.ec2.describeSecurityGroupRules(context, {
    Filters: [{ Name: 'group-id', Values: [GroupId] }],
  })
  const SecurityGroupRuleIds = SecurityGroupRules.flatMap((rule) =>
    !rule.IsEgress && rule.ReferencedGroupInfo?.GroupId === named ? (rule.SecurityGroupRuleId ?? []) : [],
  )
  if (SecurityGroupRuleIds.length > 0)
    parts.cloud.ec2.revokeSecurityGroupIngress(context, { GroupId, SecurityGroupRuleIds })
}

/** Whether connections end with the rule that let them in, of both groups. */
export function sayWhetherToCut({ parts, row, context, configuration }: Work): void {
  const { loadBalancerSecurityGroupId, instanceSecurityGroupId } = resourcesOf(current(parts, row.id))
  // That of a load balancer that others share is not the environment's alone.
  const isShared =
    configuration.sharedLoadBalancer !== '' || resourcesOf(current(parts, row.id)).sharesLoadBalancer
  const ofLoadBalancer = isShared ? undefined : loadBalancerSecurityGroupId
  for (const groupId of [ofLoadBalancer, instanceSecurityGroupId]) {
    if (!groupId) continue
    const tagged = { Resources: [groupId], Tags: [{ Key: 'polebean:cuts-on-revoke', Value: 'true' }] }
    if (configuration.cutOnRevoke) parts.cloud.ec2.createTags(context, tagged)
    else parts.cloud.ec2.deleteTags(context, tagged)
  }
}

/** Deletes the groups of its own that an environment has no use for any more; answers undefined while instances or the
 *  load balancer have one. One that a rule of another group names stays, and is tried again with the next update. */
export function removeUnusedGroups(work: Work): true | undefined {
  const { parts, row, context, configuration } = work
  for (const member of ['instanceSecurityGroupId', 'loadBalancerSecurityGroupId'] as const) {
    const resources = resourcesOf(current(parts, row.id))
    const GroupId = resources[member]
    if (!GroupId || WANTED[member](configuration)) continue
    const name = member === 'instanceSecurityGroupId' ? resources.instanceSecurityGroupName : GroupId
    if (member === 'loadBalancerSecurityGroupId' && resources.sharesLoadBalancer) {
      if (!takeSharedGroup(work, resources.loadBalancerArn ?? '', GroupId)) continue
    }
    try {
      isGone(() => parts.cloud.ec2.deleteSecurityGroup(context, { GroupId }))
    } catch (error) {
      if (!(error instanceof DeclaredError) || error.code !== 'DependencyViolation') throw error
      const naming = groupsNaming(work, GroupId)
      if (naming.length === 0) return undefined
      parts.events.write(ofEnvironment(row), 'WARN', stillNamed(name ?? GroupId, naming))
      continue
    }
    if (member === 'instanceSecurityGroupId')
      forget(parts, row.id, member, 'instanceSecurityGroupName', 'instanceRules')
    else forget(parts, row.id, member)
    parts.events.write(ofEnvironment(row), 'INFO', `Deleted security group named: ${name}`)
  }
  return true
}

/** Ids of the groups of others that have a rule about this one. */
export function groupsNaming({ parts, context }: Pick<Work, 'parts' | 'context'>, groupId: string): string[] {
  const found = ['ip-permission.group-id', 'egress.ip-permission.group-id'].flatMap(
    (Name) =>
      parts.cloud.ec2.describeSecurityGroups(context, { Filters: [{ Name, Values: [groupId] }] })
        .SecurityGroups ?? [],
  )
  return [...new Set(found.map(({ GroupId }) => GroupId ?? ''))].filter((id) => id !== groupId)
}

export const stillNamed = (name: string, naming: string[]) =>
  `Deleting security group named: ${name} failed Reason: resource ${name} has a dependent object. ` +
  `Rules of ${naming.join(', ')} refer to it.`

// Those that the rule of the instances' group is about.
function dialling(work: Work): string[] {
  const { managedSecurityGroup, sharedLoadBalancer, loadBalancerSecurityGroups } = work.configuration
  if (managedSecurityGroup !== '') return [idOf(work, managedSecurityGroup)]
  if (sharedLoadBalancer !== '' && loadBalancerSecurityGroups.length > 0)
    return loadBalancerSecurityGroups.map((group) => idOf(work, group))
  const { loadBalancerSecurityGroupId } = resourcesOf(current(work.parts, work.row.id))
  return loadBalancerSecurityGroupId ? [loadBalancerSecurityGroupId] : []
}

/** Ports of instances at which the load balancer dials: of processes, of target groups that had their requests before and may still
 *  have some in flight, and where a classic one checks. */
function portsOf({ parts, row, context, configuration }: Work): number[] {
  const TargetGroupArns = allTargetGroupsOf(current(parts, row.id))
  const there = TargetGroupArns.flatMap((arn) => {
    let port: number[] = []
    isGone(() => {
      const input = { TargetGroupArns: [arn] }
      const { TargetGroups = [] } = parts.cloud.elasticloadbalancingv2.describeTargetGroups(context, input)
      port = TargetGroups.flatMap(({ Port }) => Port ?? [])
    })
    return port
  })
  const { processes, classic, loadBalanced } = configuration
  const wanted = loadBalanced ? processes.map(({ port }) => port) : []
  return [...new Set([...wanted, ...there, ...(classic ? [classic.port] : [])])]
}

/** By what they say, since a rule keeps no name. */
function wantedRules(work: Work): Map<string, IpPermission> {
  const { keyName, sshSource } = work.configuration
  const rules = new Map<string, IpPermission>()
  const { loadBalanced } = work.configuration
  const now = current(work.parts, work.row.id)
  const { loadBalancerArn } = resourcesOf(now)
  // While one front takes the place of the other both lead to the instances, but everybody is let in only once names lead to
  // the address.
  const open = (port: number, source: string, sources: IpPermission) =>
    rules.set(keyOf('tcp', port, port, source), {
      ...{ IpProtocol: 'tcp', FromPort: port, ToPort: port },
      ...sources,
    })
  if (loadBalanced || loadBalancerArn)
    for (const port of portsOf(work))
      for (const GroupId of dialling(work)) open(port, GroupId, { UserIdGroupPairs: [{ GroupId }] })
  if (frontOf(now) === 'elastic address' || (!loadBalanced && !loadBalancerArn))
    // What the address leads to, whatever port a load balancer would use.
    for (const [range, ranges] of EVERYBODY) open(LISTENER_PORT, range, ranges)
  // AWS opens SSH where there is a key for it.
  if (keyName === '') return rules
  const { protocol, fromPort, toPort, source } = sshSource
  rules.set(keyOf(protocol, fromPort, toPort, source), {
    ...{ IpProtocol: protocol, FromPort: fromPort, ToPort: toPort },
    ...(source.includes('/')
      ? { IpRanges: [{ CidrIp: source }] }
      : { UserIdGroupPairs: [{ GroupId: idOf(work, source) }] }),
  })
  return rules
}

/** A single instance is open to the world as its load balancer would be. */
const EVERYBODY: [string, IpPermission][] = [
  ['0.0.0.0/0', { IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
  ['::/0', { Ipv6Ranges: [{ CidrIpv6: '::/0' }] }],
]

/** A rule about a security group. */
const OF_GROUP = / sg-\S+$/

const keyOf = (protocol: string, from: number, to: number, source: string) =>
  `${protocol} ${from} ${to} ${source}`

// Environments of earlier versions do not remember theirs: it is the one about their load balancer's group.
function rulesMade({ parts, row, context }: Work, groupId: string): Record<string, string> {
  const { instanceRules, loadBalancerSecurityGroupId } = resourcesOf(current(parts, row.id))
  if (instanceRules !== undefined) return JSON.parse(instanceRules) as Record<string, string>
  const { SecurityGroupRules = [] } = parts.cloud.ec2.describeSecurityGroupRules(context, {
    Filters: [{ Name: 'group-id', Values: [groupId] }],
  })
  return Object.fromEntries(
    SecurityGroupRules.filter(
      ({ ReferencedGroupInfo }) => ReferencedGroupInfo?.GroupId === loadBalancerSecurityGroupId,
    ).map(({ IpProtocol = '', FromPort = 0, ToPort = 0, SecurityGroupRuleId = '' }) => [
      keyOf(IpProtocol, FromPort, ToPort, loadBalancerSecurityGroupId ?? ''),
      SecurityGroupRuleId,
    ]),
  )
}

/** The new rule's id; undefined when a user has made the same one. */
function authorize({ parts, context }: Work, GroupId: string, permission: IpPermission): string | undefined {
  try {
    const answer = parts.cloud.ec2.authorizeSecurityGroupIngress(context, {
      GroupId,
      IpPermissions: [permission],
    })
    return required(answer.SecurityGroupRules?.[0]?.SecurityGroupRuleId, 'authorizeSecurityGroupIngress')
  } catch (error) {
    if (error instanceof DeclaredError && error.code === 'InvalidPermission.Duplicate') return undefined
    throw error
  }
}

/** Of the group that the environment made for its load balancer; another's rules are its owner's. */
export function openPort(work: Work, groupId: string, port: number): string[] {
  if (groupId === '') return []
  const tcp = { IpProtocol: 'tcp', FromPort: port, ToPort: port }
  return EVERYBODY.flatMap(([, ranges]) => authorize(work, groupId, { ...tcp, ...ranges }) ?? [])
}

// AWS takes ids and, in the default VPC, names; a name never looks like an id.
function idOf({ parts, context }: Work, named: string): string {
  const filter = named.startsWith('sg-') ? { GroupIds: [named] } : { GroupNames: [named] }
  const { SecurityGroups = [] } = parts.cloud.ec2.describeSecurityGroups(context, filter)
  return required(SecurityGroups[0]?.GroupId, 'describeSecurityGroups')
}
