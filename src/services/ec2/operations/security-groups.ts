import type { SecurityGroup } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import type { Ec2Deps } from '../deps.ts'
import { invalidValue, missing, noSecurityGroup, paging } from '../errors.ts'
import { filtered, type FilterTable } from '../filters.ts'
import { ensureDefaultGroup } from '../groups.ts'
import { permissionsOfRules } from '../permissions.ts'
import { networkInterfacesOf, rulesOf, securityGroupsOf, tagsOf, type SecurityGroupRow } from '../store.ts'
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
      if (input.VpcId && input.VpcId !== vpcId)
        throw new DeclaredError('InvalidVpcID.NotFound', `The vpc ID '${input.VpcId}' does not exist`)
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
  return found
}

function requireNamed(deps: Ec2Deps, context: Context, name: string): SecurityGroupRow {
  const found = securityGroupsOf(deps.store, context).find((group) => group.name === name)
  if (found) return found
  const { vpcId } = deps.networkOf(context)
  throw new DeclaredError(
    'InvalidGroup.NotFound',
    `The security group '${name}' does not exist in default VPC '${vpcId}'`,
  )
}

// AWS: "Up to 255 characters in length. Can't start with sg-. Valid characters: a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*"
const CHARACTERS = /^[a-zA-Z0-9 ._\-:/()#,@[\]+=&;{}!$*]*$/

function requireName(name: string | undefined): string {
  if (!name) throw missing('GroupName')
  if (name.length > 255 || !CHARACTERS.test(name))
    throw invalidValue(name, 'GroupName', 'Character sets beyond ASCII are not supported.')
  if (name.startsWith('sg-'))
    throw invalidValue(name, 'GroupName', 'Group names may not be in the format sg-*.')
  if (name === 'default')
    throw new DeclaredError('InvalidParameterValue', `Cannot use reserved security group name: default`)
  return name
}

function requireDescription(description: string | undefined): string {
  if (!description) throw missing('GroupDescription')
  if (description.length > 255 || !CHARACTERS.test(description))
    throw invalidValue(description, 'GroupDescription', 'Character sets beyond ASCII are not supported.')
  return description
}

const arnOf = ({ account, region }: Context, id: string) =>
  `arn:aws:ec2:${region}:${account}:security-group/${id}`

const filters = ({ store }: Ec2Deps): FilterTable<SecurityGroupRow> => {
  const rules = (egress: number) => (group: SecurityGroupRow) =>
    rulesOf(store, group.id).filter((rule) => rule.egress === egress)
  const ingress = rules(0)
  return {
    'group-id': (group) => [group.id],
    'group-name': (group) => [group.name],
    description: (group) => [group.description],
    'vpc-id': (group) => [group.vpcId],
    'owner-id': (group) => [group.account],
    'ip-permission.cidr': (group) => ingress(group).map((rule) => rule.cidr4),
    'ip-permission.group-id': (group) => ingress(group).map((rule) => rule.peerGroupId),
    'ip-permission.protocol': (group) => ingress(group).map((rule) => rule.protocol),
    'ip-permission.from-port': (group) => ingress(group).map((rule) => rule.fromPort),
    'ip-permission.to-port': (group) => ingress(group).map((rule) => rule.toPort),
  }
}
