// Rules that stay what they are but for their ports, their peer or their description. Their ids stay.
import type { IpPermission, SecurityGroupRuleDescription } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import type { Ec2Deps } from '../deps.ts'
import { missing } from '../errors.ts'
import { findGroup } from '../groups.ts'
import { descriptionOf, ruleOfRequest, rulesOfPermissions, sameRule, type RuleSpec } from '../permissions.ts'
import { duplicate, noPermission, noRule, peersFor } from '../rules.ts'
import { rulesOf } from '../store.ts'

type Implemented = Pick<
  Ec2Operations,
  | 'modifySecurityGroupRules'
  | 'updateSecurityGroupRuleDescriptionsIngress'
  | 'updateSecurityGroupRuleDescriptionsEgress'
>

type Descriptions = {
  GroupId?: string
  GroupName?: string
  IpPermissions?: IpPermission[]
  SecurityGroupRuleDescriptions?: SecurityGroupRuleDescription[]
}

export function makeModifyRuleOperations(deps: Ec2Deps): Implemented {
  const { store } = deps

  function describe(context: Context, input: Descriptions, egress: number) {
    const group = findGroup(deps, context, input)
    const existing = rulesOf(store, group.id).filter((rule) => rule.egress === egress)
    const { IpPermissions = [], SecurityGroupRuleDescriptions: byId = [] } = input
    if (IpPermissions.length > 0 && byId.length > 0)
      throw new DeclaredError(
        'InvalidParameterCombination',
        'The parameter securityGroupRuleDescriptions cannot be used with the parameter ipPermissions',
      )
    if (byId.length > 0)
      for (const { SecurityGroupRuleId: id = '', Description } of byId) {
        if (!existing.some((rule) => rule.id === id)) throw noRule(id)
        store.update('ec2_security_group_rule', { id }, { description: descriptionOf(Description) })
      }
    else
      for (const spec of rulesOfPermissions({ IpPermissions }, peersFor(deps, context, group))) {
        const found = existing.find((rule) => sameRule(rule, spec))
        if (!found) throw noPermission()
        store.update('ec2_security_group_rule', { id: found.id }, { description: spec.description })
      }
    return { Return: true }
  }

  return {
    modifySecurityGroupRules(context, input) {
      if (!input.GroupId) throw missing('groupId')
      if (!input.SecurityGroupRules?.length) throw missing('securityGroupRules')
      const group = findGroup(deps, context, { GroupId: input.GroupId })
      const peerOf = peersFor(deps, context, group)
      for (const { SecurityGroupRuleId: id, SecurityGroupRule: request } of input.SecurityGroupRules) {
        if (!id) throw missing('securityGroupRuleId')
        if (!request) throw missing('securityGroupRule')
        const rules = rulesOf(store, group.id)
        const before = rules.find((rule) => rule.id === id)
        if (!before) throw noRule(id)
        const after = ruleOfRequest(request, peerOf)
        if (kindOf(before) !== kindOf(after))
          throw new DeclaredError(
            'InvalidParameterValue',
            `The type of the rule '${id}' cannot be changed from ${kindOf(before)} to ${kindOf(after)}.`,
          )
        const others = rules.filter((rule) => rule.egress === before.egress && rule.id !== id)
        if (others.some((rule) => sameRule(rule, after))) throw duplicate(after)
        store.update('ec2_security_group_rule', { id }, after)
      }
      return { Return: true }
    },
    updateSecurityGroupRuleDescriptionsIngress: (context, input) => describe(context, input, 0),
    updateSecurityGroupRuleDescriptionsEgress: (context, input) => describe(context, input, 1),
  }
}

const kindOf = (rule: RuleSpec) =>
  rule.cidr4 !== null ? 'CidrIpv4' : rule.cidr6 !== null ? 'CidrIpv6' : 'ReferencedGroupId'
