// Security groups as rows; firewall.ts puts in force what they say.
import { createHash } from 'node:crypto'
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import type { Ec2Deps } from './deps.ts'
import { missing, noSecurityGroup } from './errors.ts'
import { securityGroupOf, securityGroupsOf, type SecurityGroupRow } from './store.ts'

export const GROUPS_PER_INTERFACE_MAX = 16

/** The groups asked for, or the default group of the VPC. Throws `InvalidGroup.NotFound`. */
export function requireGroups(deps: Ec2Deps, context: Context, ids: string[] | undefined): string[] {
  const wanted = [...new Set(ids ?? [])]
  if (wanted.length === 0) return [ensureDefaultGroup(deps, context).id]
  if (wanted.length > GROUPS_PER_INTERFACE_MAX)
    throw new DeclaredError(
      'SecurityGroupsPerInterfaceLimitExceeded',
      'The maximum number of security groups per interface has been reached.',
    )
  ensureDefaultGroup(deps, context)
  const { vpcId } = deps.networkOf(context)
  for (const id of wanted) {
    const group = securityGroupOf(deps.store, context, id)
    if (!group) throw noSecurityGroup(id)
    if (group.vpcId !== vpcId)
      throw new DeclaredError(
        'InvalidGroup.NotFound',
        'You have specified two resources that belong to different networks.',
      )
  }
  return wanted
}

/** The group `default` of the VPC: all from its own members, all out. Made when first looked for. */
export function ensureDefaultGroup({ store, networkOf }: Ec2Deps, context: Context): SecurityGroupRow {
  const { account, region } = context
  const { vpcId } = networkOf(context)
  const found = securityGroupsOf(store, context).find(
    (group) => group.name === 'default' && group.vpcId === vpcId,
  )
  if (found) return found
  const idOf = (prefix: string, name: string) =>
    prefix + createHash('sha256').update(`${account}/${vpcId}/${name}`).digest('hex').slice(0, 17)
  const row = {
    id: idOf('sg-', 'default'),
    account,
    region,
    vpcId,
    name: 'default',
    description: 'default VPC security group',
  }
  const rule = { account, region, groupId: row.id, protocol: '-1' }
  store.insert('ec2_security_group', row)
  store.insert('ec2_security_group_rule', {
    ...rule,
    id: idOf('sgr-', 'ingress'),
    egress: 0,
    peerGroupId: row.id,
  })
  store.insert('ec2_security_group_rule', {
    ...rule,
    id: idOf('sgr-', 'egress'),
    egress: 1,
    cidr4: '0.0.0.0/0',
  })
  return row
}

/** Ids of groups given by name (RunInstances.SecurityGroups). */
export function findNamedGroups(deps: Ec2Deps, context: Context, names: string[] | undefined): string[] {
  ensureDefaultGroup(deps, context)
  return (names ?? []).map((name) => requireNamed(deps, context, name).id)
}

/** The group that `GroupId` or `GroupName` of a request names. Throws `InvalidGroup.NotFound`, `MissingParameter`. */
export function findGroup(
  deps: Ec2Deps,
  context: Context,
  input: { GroupId?: string; GroupName?: string },
): SecurityGroupRow {
  ensureDefaultGroup(deps, context)
  if (!input.GroupId && !input.GroupName) throw missing('groupName or groupId')
  if (!input.GroupId) return requireNamed(deps, context, input.GroupName ?? '')
  const found = securityGroupsOf(deps.store, context).find((group) => group.id === input.GroupId)
  if (!found) throw noSecurityGroup(input.GroupId)
  if (input.GroupName && input.GroupName !== found.name)
    throw new DeclaredError(
      'InvalidParameterCombination',
      `The security group '${found.id}' is not named '${input.GroupName}'`,
    )
  return found
}

/** The group of that name in the default VPC. Throws `InvalidGroup.NotFound`. */
export function requireNamed(deps: Ec2Deps, context: Context, name: string): SecurityGroupRow {
  const found = securityGroupsOf(deps.store, context).find((group) => group.name === name)
  if (found) return found
  const { vpcId } = deps.networkOf(context)
  throw new DeclaredError(
    'InvalidGroup.NotFound',
    `The security group '${name}' does not exist in default VPC '${vpcId}'`,
  )
}
