import type { SecurityGroup } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { printable } from '../cidr.ts'
import type { Ec2Deps } from '../deps.ts'
import { invalidValue, missing, noSecurityGroup, noVpc, paging } from '../errors.ts'
import { filtered, type FilterTable } from '../filters.ts'
import { ensureDefaultGroup, findGroup, requireNamed } from '../groups.ts'
import { permissionsOfRules } from '../permissions.ts'
import {
  networkInterfacesOf,
  rulesOf,
  securityGroupsOf,
  tagsOf,
  type SecurityGroupRow,
  type SecurityGroupRuleRow,
} from '../store.ts'
import { describeTagsOf, putTags, tagsFor } from './tags.ts'

type Implemented = Pick<
  Ec2Operations,
  'createSecurityGroup' | 'deleteSecurityGroup' | 'describeSecurityGroups'
>

/** AWS: 2,500 per region. */
const GROUPS_MAX = 2_500

export function makeSecurityGroupOperations(deps: Ec2Deps): Implemented {
  const { store, ids, networkOf } = deps
  return {
    createSecurityGroup(context, input) {
      const { account, region } = context
      const { vpcId } = networkOf(context)
      const name = requireName(input.GroupName)
      const description = requireDescription(input.Description)
      if (input.VpcId && input.VpcId !== vpcId) throw noVpc(input.VpcId)
      const tags = tagsFor(context, input.TagSpecifications, ['security-group'])
      ensureDefaultGroup(deps, context)
      const groups = securityGroupsOf(store, context)
      if (groups.some((group) => group.name === name))
        throw new DeclaredError(
          'InvalidGroup.Duplicate',
          `The security group '${name}' already exists for VPC '${vpcId}'`,
        )
      if (groups.length >= GROUPS_MAX)
        throw new DeclaredError(
          'SecurityGroupLimitExceeded',
          'The maximum number of security groups for this account has been reached.',
        )
      const id = ids.hex('sg-', 17)
      store.insert('ec2_security_group', { id, account, region, vpcId, name, description })
      const egress = { egress: 1, protocol: '-1', cidr4: '0.0.0.0/0' }
      store.insert('ec2_security_group_rule', {
        id: ids.hex('sgr-', 17),
        account,
        region,
        groupId: id,
        ...egress,
      })
      putTags(deps, context, id, tags)
      return { GroupId: id, SecurityGroupArn: arnOf(context, id), Tags: describeTagsOf(deps, id) }
    },
    deleteSecurityGroup(context, input) {
      const { id, name } = findGroup(deps, context, input)
      if (name === 'default')
        throw new DeclaredError(
          'CannotDelete',
          `the specified group: "${id}" name: "default" cannot be deleted by a user`,
        )
      const used = networkInterfacesOf(store, context).some((row) =>
        (JSON.parse(row.groups) as string[]).includes(id),
      )
      const named = store.get(
        'select id from ec2_security_group_rule where peer_group_id = :id and group_id <> :id limit 1',
        { id },
      )
      if (used || named)
        throw new DeclaredError('DependencyViolation', `resource ${id} has a dependent object`)
      for (const rule of rulesOf(store, id)) store.remove('ec2_tag', { resourceId: rule.id })
      store.remove('ec2_security_group_rule', { groupId: id })
      store.remove('ec2_security_group', { id })
      store.remove('ec2_tag', { resourceId: id })
      return { GroupId: id, Return: true }
    },
    describeSecurityGroups(context, input) {
      ensureDefaultGroup(deps, context)
      const all = securityGroupsOf(store, context)
      const asked = all.filter(
        (group) =>
          (!input.GroupIds?.length || input.GroupIds.includes(group.id)) &&
          (!input.GroupNames?.length || input.GroupNames.includes(group.name)),
      )
      for (const id of input.GroupIds ?? [])
        if (!all.some((group) => group.id === id)) throw noSecurityGroup(id)
      for (const name of input.GroupNames ?? []) requireNamed(deps, context, name)
      const found = filtered(asked, input.Filters, filters(deps), (group) => tagsOf(store, group.id))
      const limits = { token: input.NextToken, max: input.MaxResults }
      const page = pageOf(found, (group) => group.id, limits, paging())
      return {
        NextToken: page.next,
        SecurityGroups: page.items.map((group) => describeGroup(context, group)),
      }
    },
  }

  function describeGroup(context: Context, group: SecurityGroupRow): SecurityGroup {
    const rules = rulesOf(store, group.id)
    const side = (egress: number) =>
      permissionsOfRules(
        rules.filter((rule) => rule.egress === egress),
        group.account,
      )
    return {
      GroupId: group.id,
      GroupName: group.name,
      Description: group.description,
      VpcId: group.vpcId,
      OwnerId: group.account,
      SecurityGroupArn: arnOf(context, group.id),
      IpPermissions: side(0),
      IpPermissionsEgress: side(1),
      Tags: describeTagsOf(deps, group.id),
    }
  }
}

// AWS: "Up to 255 characters in length. Can't start with sg-. Valid characters: a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*"
const CHARACTERS = /^[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]{1,255}$/
const SET = 'a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*'

// AWS: "If the name contains trailing spaces, we trim the space at the end of the name."
function requireName(given: string | undefined): string {
  const name = given?.replace(/ +$/, '')
  if (!name) throw missing('GroupName')
  if (/[^\x20-\x7e]/.test(name))
    throw invalidValue(printable(name), 'GroupName', 'Character sets beyond ASCII are not supported.')
  if (!CHARACTERS.test(name))
    throw new DeclaredError(
      'InvalidParameterValue',
      `Invalid security group name. Valid names are strings less than 256 characters from the following set:  ${SET}`,
    )
  if (name.startsWith('sg-'))
    throw invalidValue(name, 'GroupName', 'Group names may not be in the format sg-*.')
  if (name === 'default')
    throw new DeclaredError('InvalidGroup.Reserved', 'Cannot use reserved security group name: default')
  return name
}

function requireDescription(description: string | undefined): string {
  if (!description) throw missing('GroupDescription')
  if (!CHARACTERS.test(description))
    throw new DeclaredError(
      'InvalidParameterValue',
      `Invalid security group description. Valid descriptions are strings less than 256 characters from the following set:  ${SET}`,
    )
  return description
}

const arnOf = ({ account, region }: Context, id: string) =>
  `arn:aws:ec2:${region}:${account}:security-group/${id}`

const filters = ({ store }: Ec2Deps): FilterTable<SecurityGroupRow> => ({
  'group-id': (group) => [group.id],
  'group-name': (group) => [group.name],
  description: (group) => [group.description],
  'vpc-id': (group) => [group.vpcId],
  'owner-id': (group) => [group.account],
  ...ruleFilters(store, 'ip-permission', 0),
  ...ruleFilters(store, 'egress.ip-permission', 1),
})

const ruleFilters = (store: Ec2Deps['store'], prefix: string, egress: number) => {
  const each = (value: (rule: SecurityGroupRuleRow) => string | number | null) => (group: SecurityGroupRow) =>
    rulesOf(store, group.id)
      .filter((rule) => rule.egress === egress)
      .map(value)
      .filter((one) => one !== null)
  const nameOf = (id: string | null) =>
    store.get<{ name: string }>('select name from ec2_security_group where id = :id', { id })?.name ?? null
  return {
    [`${prefix}.cidr`]: each((rule) => rule.cidr4),
    [`${prefix}.ipv6-cidr`]: each((rule) => rule.cidr6),
    [`${prefix}.group-id`]: each((rule) => rule.peerGroupId),
    [`${prefix}.group-name`]: each((rule) => nameOf(rule.peerGroupId)),
    [`${prefix}.user-id`]: each((rule) => (rule.peerGroupId === null ? null : rule.account)),
    [`${prefix}.protocol`]: each((rule) => rule.protocol),
    [`${prefix}.from-port`]: each((rule) => rule.fromPort),
    [`${prefix}.to-port`]: each((rule) => rule.toPort),
  }
}
