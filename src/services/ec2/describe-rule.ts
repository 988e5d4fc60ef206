// Rows of security group rules as EC2 shows them.
import type { RevokedSecurityGroupRule, SecurityGroupRule } from '@aws-sdk/client-ec2'
import type { Ec2Deps } from './deps.ts'
import { describeTagsOf } from './operations/tags.ts'
import type { SecurityGroupRuleRow } from './store.ts'

export const describeRule = (deps: Pick<Ec2Deps, 'store'>, row: SecurityGroupRuleRow): SecurityGroupRule => ({
  ...common(row),
  SecurityGroupRuleArn: `arn:aws:ec2:${row.region}:${row.account}:security-group-rule/${row.id}`,
  GroupOwnerId: row.account,
  ...(row.peerGroupId && { ReferencedGroupInfo: { GroupId: row.peerGroupId, UserId: row.account } }),
  Tags: describeTagsOf(deps, row.id),
})

export const describeRevoked = (row: SecurityGroupRuleRow): RevokedSecurityGroupRule => ({
  ...common(row),
  ...(row.peerGroupId && { ReferencedGroupId: row.peerGroupId }),
})

const common = (row: SecurityGroupRuleRow) => ({
  SecurityGroupRuleId: row.id,
  GroupId: row.groupId,
  IsEgress: row.egress === 1,
  IpProtocol: row.protocol,
  FromPort: row.fromPort ?? -1,
  ToPort: row.toPort ?? -1,
  ...(row.cidr4 && { CidrIpv4: row.cidr4 }),
  ...(row.cidr6 && { CidrIpv6: row.cidr6 }),
  ...(row.description !== null && { Description: row.description }),
})
