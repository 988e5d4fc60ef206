// What may be among the rules of a group: no rule twice, no more than AWS's quota, only groups of the same VPC.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import type { Ec2Deps } from './deps.ts'
import { missing, noSecurityGroup } from './errors.ts'
import { sameRule, wordsOfRule, type PeerOf, type RuleSpec } from './permissions.ts'
import { securityGroupOf, type SecurityGroupRow, type SecurityGroupRuleRow } from './store.ts'
import { requireNamed } from './groups.ts'

/** AWS: "60 inbound and 60 outbound rules per security group […] enforced separately for IPv4 rules and IPv6 rules"; a
 *  reference to a group counts for both. */
const RULES_MAX = 60

/** Finds the group that a rule of `group` refers to. */
export const peersFor =
  (deps: Ec2Deps, context: Context, group: SecurityGroupRow): PeerOf =>
  ({ GroupId, GroupName, UserId, VpcId, VpcPeeringConnectionId }) => {
    if (!GroupId && !GroupName) throw missing('groupId')
    const peer = GroupId
      ? securityGroupOf(deps.store, context, GroupId)
      : requireNamed(deps, context, GroupName ?? '')
    // Of another account, or by a peering: there are none.
    if (!peer || (UserId && UserId !== group.account) || VpcPeeringConnectionId)
      throw noSecurityGroup(GroupId ?? GroupName ?? '')
    if (peer.vpcId !== group.vpcId || (VpcId && VpcId !== group.vpcId))
      throw new DeclaredError(
        'InvalidGroup.NotFound',
        'You have specified two resources that belong to different networks.',
      )
    return peer.id
  }

/** Throws when one of `added` is among `existing`, is twice among `added`, or would be one too many. */
export function requireRoomForRules(existing: SecurityGroupRuleRow[], added: RuleSpec[]): void {
  for (const [index, rule] of added.entries()) {
    if (existing.some((one) => sameRule(one, rule))) throw duplicate(rule)
    if (added.slice(0, index).some((one) => sameRule(one, rule)))
      throw new DeclaredError('InvalidParameterValue', 'The same permission must not appear multiple times')
  }
  const all = [...existing, ...added]
  const count = (counts: (rule: RuleSpec) => boolean) => all.filter(counts).length
  const most = Math.max(
    count((rule) => rule.cidr6 === null),
    count((rule) => rule.cidr4 === null),
  )
  if (most > RULES_MAX)
    throw new DeclaredError(
      'RulesPerSecurityGroupLimitExceeded',
      'The maximum number of rules per security group has been reached.',
    )
}

export const duplicate = (rule: RuleSpec) =>
  new DeclaredError('InvalidPermission.Duplicate', `the specified rule "${wordsOfRule(rule)}" already exists`)

/** `InvalidSecurityGroupRuleId.Malformed` or `.NotFound`. */
export const noRule = (id: string) =>
  /^sgr-[0-9a-f]+$/.test(id)
    ? new DeclaredError(
        'InvalidSecurityGroupRuleId.NotFound',
        `The security group rule ID '${id}' does not exist`,
      )
    : new DeclaredError('InvalidSecurityGroupRuleId.Malformed', `Invalid id: "${id}" (expecting "sgr-...")`)

export const noPermission = () =>
  new DeclaredError('InvalidPermission.NotFound', 'The specified rule does not exist in this security group.')
