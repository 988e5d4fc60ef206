import type { SecurityGroupRule, TagSpecification } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import type { Ec2Deps } from '../deps.ts'
import { noSecurityGroup, paging } from '../errors.ts'
import { filtered, type FilterTable } from '../filters.ts'
import { rulesOfPermissions, sameRule, wordsOfRule, type PermissionInput } from '../permissions.ts'
import { rulesOf, securityGroupsOf, type SecurityGroupRow, type SecurityGroupRuleRow } from '../store.ts'
import { findGroup } from './security-groups.ts'

type Implemented = Pick<
  Ec2Operations,
  | 'authorizeSecurityGroupIngress'
  | 'authorizeSecurityGroupEgress'
  | 'revokeSecurityGroupIngress'
  | 'revokeSecurityGroupEgress'
  | 'describeSecurityGroupRules'
>

/** AWS: 60 inbound and 60 outbound. */
const RULES_MAX = 60

type Change = PermissionInput & {
  GroupId?: string
  GroupName?: string
  SecurityGroupRuleIds?: string[]
  TagSpecifications?: TagSpecification[]
}

export function makeSecurityGroupRuleOperations(deps: Ec2Deps): Implemented {
  const { store, ids } = deps

  function authorize(context: Context, input: Change, egress: number) {
    const group = findGroup(deps, context, input)
    const wanted = specsOf(context, input)
    const existing = rulesOf(store, group.id).filter((rule) => rule.egress === egress)
    const seen = [...existing] as ReturnType<typeof specsOf>
    for (const rule of wanted) {
      if (seen.some((one) => sameRule(one, rule)))
        throw new DeclaredError(
          'InvalidPermission.Duplicate',
          `the specified rule "${wordsOfRule(rule)}" already exists`,
        )
      seen.push(rule)
    }
    if (seen.length > RULES_MAX)
      throw new DeclaredError(
        'RulesPerSecurityGroupLimitExceeded',
        'The maximum number of rules per security group has been reached.',
      )
    const rows = wanted.map((rule): SecurityGroupRuleRow => ({
      id: ids.hex('sgr-', 17),
      account: group.account,
      region: group.region,
      groupId: group.id,
      egress,
      ...rule,
    }))
    for (const row of rows) store.insert('ec2_security_group_rule', row)
    return { Return: true, SecurityGroupRules: rows.map(describeRule) }
  }

  function revoke(context: Context, input: Change, egress: number) {
    const group = findGroup(deps, context, input)
    const existing = rulesOf(store, group.id).filter((rule) => rule.egress === egress)
    const doomed = input.SecurityGroupRuleIds?.length
      ? input.SecurityGroupRuleIds.map((id) => existing.find((rule) => rule.id === id) ?? noRule(id))
      : specsOf(context, input).map((spec) => existing.find((rule) => sameRule(rule, spec)) ?? noPermission())
    for (const rule of doomed) store.remove('ec2_security_group_rule', { id: rule.id })
    return { Return: true }
  }

  function specsOf(context: Context, input: Change) {
    const groups = securityGroupsOf(store, context)
    const specs = rulesOfPermissions(input, (GroupName) => findGroup(deps, context, { GroupName }).id)
    for (const { peerGroupId } of specs)
      if (peerGroupId && !groups.some((group) => group.id === peerGroupId)) throw noSecurityGroup(peerGroupId)
    return specs
  }

  return {
    authorizeSecurityGroupIngress: (context, input) => authorize(context, input, 0),
    authorizeSecurityGroupEgress: (context, input) => authorize(context, input, 1),
    revokeSecurityGroupIngress: (context, input) => revoke(context, input, 0),
    revokeSecurityGroupEgress: (context, input) => revoke(context, input, 1),
    describeSecurityGroupRules(context, input) {
      const all = securityGroupsOf(store, context).flatMap((group: SecurityGroupRow) =>
        rulesOf(store, group.id),
      )
      const asked = all.filter(
        (rule) => !input.SecurityGroupRuleIds?.length || input.SecurityGroupRuleIds.includes(rule.id),
      )
      for (const id of input.SecurityGroupRuleIds ?? []) if (!all.some((rule) => rule.id === id)) noRule(id)
      const found = filtered(asked, input.Filters, FILTERS, () => [])
      const limits = { token: input.NextToken, max: input.MaxResults }
      const page = pageOf(found, (rule) => rule.id, limits, paging())
      return { NextToken: page.next, SecurityGroupRules: page.items.map(describeRule) }
    },
  }
}

function noRule(id: string): never {
  throw new DeclaredError(
    'InvalidSecurityGroupRuleId.NotFound',
    `The security group rule ID '${id}' does not exist`,
  )
}

function noPermission(): never {
  throw new DeclaredError(
    'InvalidPermission.NotFound',
    'The specified rule does not exist in this security group.',
  )
}

const describeRule = (row: SecurityGroupRuleRow): SecurityGroupRule => ({
  SecurityGroupRuleId: row.id,
  SecurityGroupRuleArn: `arn:aws:ec2:${row.region}:${row.account}:security-group-rule/${row.id}`,
  GroupId: row.groupId,
  GroupOwnerId: row.account,
  IsEgress: row.egress === 1,
  IpProtocol: row.protocol,
  FromPort: row.fromPort ?? -1,
  ToPort: row.toPort ?? -1,
  ...(row.cidr4 && { CidrIpv4: row.cidr4 }),
  ...(row.cidr6 && { CidrIpv6: row.cidr6 }),
  ...(row.peerGroupId && { ReferencedGroupInfo: { GroupId: row.peerGroupId, UserId: row.account } }),
  ...(row.description !== null && { Description: row.description }),
  Tags: [],
})

const FILTERS: FilterTable<SecurityGroupRuleRow> = {
  'group-id': (rule) => [rule.groupId],
  'security-group-rule-id': (rule) => [rule.id],
}
