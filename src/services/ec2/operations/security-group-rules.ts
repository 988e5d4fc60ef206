import type { TagSpecification } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import type { Ec2Deps } from '../deps.ts'
import { describeRevoked, describeRule } from '../describe-rule.ts'
import { paging } from '../errors.ts'
import { filtered, type FilterTable } from '../filters.ts'
import { ensureDefaultGroup, findGroup } from '../groups.ts'
import { rulesOfPermissions, sameRule, type PermissionInput } from '../permissions.ts'
import { noPermission, noRule, peersFor, requireRoomForRules } from '../rules.ts'
import { rulesOf, rulesOfOwner, tagsOf, type SecurityGroupRuleRow } from '../store.ts'
import { putTags, tagsFor } from './tags.ts'

type Implemented = Pick<
  Ec2Operations,
  | 'authorizeSecurityGroupIngress'
  | 'authorizeSecurityGroupEgress'
  | 'revokeSecurityGroupIngress'
  | 'revokeSecurityGroupEgress'
  | 'describeSecurityGroupRules'
>

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
    const tags = tagsFor(context, input.TagSpecifications, ['security-group-rule'])
    const wanted = rulesOfPermissions(input, peersFor(deps, context, group))
    requireRoomForRules(
      rulesOf(store, group.id).filter((rule) => rule.egress === egress),
      wanted,
    )
    const { account, region, id: groupId } = group
    const rows = wanted.map((rule): SecurityGroupRuleRow => ({
      id: ids.hex('sgr-', 17),
      account,
      region,
      groupId,
      egress,
      ...rule,
    }))
    for (const row of rows) {
      store.insert('ec2_security_group_rule', row)
      putTags(deps, context, row.id, tags)
    }
    return { Return: true, SecurityGroupRules: rows.map((row) => describeRule(deps, row)) }
  }

  function revoke(context: Context, input: Change, egress: number) {
    const group = findGroup(deps, context, input)
    const existing = rulesOf(store, group.id).filter((rule) => rule.egress === egress)
    const doomed = new Set(doomedRules(context, input, existing, group))
    for (const { id } of doomed) {
      store.remove('ec2_security_group_rule', { id })
      store.remove('ec2_tag', { resourceId: id })
    }
    return { Return: true, RevokedSecurityGroupRules: [...doomed].map(describeRevoked) }
  }

  // Differs from AWS, which answers rules of the default VPC that are not there in UnknownIpPermissions.
  function doomedRules(
    context: Context,
    input: Change,
    existing: SecurityGroupRuleRow[],
    group: ReturnType<typeof findGroup>,
  ): SecurityGroupRuleRow[] {
    if (!input.SecurityGroupRuleIds?.length)
      return rulesOfPermissions(input, peersFor(deps, context, group)).map((spec) =>
        orThrow(
          existing.find((rule) => sameRule(rule, spec)),
          noPermission,
        ),
      )
    if (input.IpPermissions?.length || input.IpProtocol || input.CidrIp || input.SourceSecurityGroupName)
      throw new DeclaredError(
        'InvalidParameterCombination',
        'The parameter securityGroupRuleIds cannot be used with the parameter ipPermissions',
      )
    return input.SecurityGroupRuleIds.map((id) =>
      orThrow(
        existing.find((rule) => rule.id === id),
        () => noRule(id),
      ),
    )
  }

  return {
    authorizeSecurityGroupIngress: (context, input) => authorize(context, input, 0),
    authorizeSecurityGroupEgress: (context, input) => authorize(context, input, 1),
    revokeSecurityGroupIngress: (context, input) => revoke(context, input, 0),
    revokeSecurityGroupEgress: (context, input) => revoke(context, input, 1),
    describeSecurityGroupRules(context, input) {
      ensureDefaultGroup(deps, context)
      const all = rulesOfOwner(store, context)
      for (const id of input.SecurityGroupRuleIds ?? [])
        if (!all.some((rule) => rule.id === id)) throw noRule(id)
      const asked = all.filter(
        (rule) => !input.SecurityGroupRuleIds?.length || input.SecurityGroupRuleIds.includes(rule.id),
      )
      const found = filtered(asked, input.Filters, FILTERS, (rule) => tagsOf(store, rule.id))
      const limits = { token: input.NextToken, max: input.MaxResults }
      const page = pageOf(found, (rule) => rule.id, limits, paging())
      return {
        NextToken: page.next,
        SecurityGroupRules: page.items.map((row) => describeRule(deps, row)),
      }
    },
  }
}

function orThrow<T>(found: T | undefined, error: () => Error): T {
  if (found === undefined) throw error()
  return found
}

const FILTERS: FilterTable<SecurityGroupRuleRow> = {
  'group-id': (rule) => [rule.groupId],
  'security-group-rule-id': (rule) => [rule.id],
}
