// Rules of groups, granted and revoked by EC2's operations, and noted for the oracle.
import * as ec2 from '@aws-sdk/client-ec2'
import { readCredentials } from '../../src/home.ts'
import type { TestHome } from './home.ts'
import type { Group, Rule } from './oracle.ts'

export function openEc2(home: TestHome): ec2.EC2Client {
  const { region, ports } = home.settings()
  const credentials = readCredentials(home.dir)
  return new ec2.EC2Client({ region, endpoint: `http://127.0.0.1:${ports.api}`, credentials, maxAttempts: 1 })
}

/** Grants or revokes one rule; `groups` is changed alike. */
export async function change(
  client: ec2.EC2Client,
  groups: Map<string, Group>,
  verb: 'grant' | 'revoke',
  way: keyof Group,
  GroupId: string,
  rule: Rule,
): Promise<void> {
  const input = { GroupId, IpPermissions: [permission(rule)] }
  const send = {
    'grant ingress': () => client.send(new ec2.AuthorizeSecurityGroupIngressCommand(input)),
    'grant egress': () => client.send(new ec2.AuthorizeSecurityGroupEgressCommand(input)),
    'revoke ingress': () => client.send(new ec2.RevokeSecurityGroupIngressCommand(input)),
    'revoke egress': () => client.send(new ec2.RevokeSecurityGroupEgressCommand(input)),
  }
  await send[`${verb} ${way}`]()
  const group = groups.get(GroupId)!
  if (verb === 'grant') group[way].push(rule)
  else group[way] = group[way].filter((one) => JSON.stringify(one) !== JSON.stringify(rule))
}

const permission = ({ protocol, port, peer }: Rule): ec2.IpPermission => ({
  IpProtocol: protocol,
  ...(port === undefined ? {} : { FromPort: port, ToPort: port }),
  ...('group' in peer
    ? { UserIdGroupPairs: [{ GroupId: peer.group }] }
    : { IpRanges: [{ CidrIp: peer.cidr }] }),
})

/** The two groups of an environment, by its id. */
export async function groupsOf(
  client: ec2.EC2Client,
  environmentId: string,
): Promise<{ balancer: string; instance: string }> {
  const { SecurityGroups = [] } = await client.send(new ec2.DescribeSecurityGroupsCommand({}))
  const named = (part: string) =>
    SecurityGroups.find(({ GroupName }) => GroupName!.includes(environmentId) && GroupName!.includes(part))!
      .GroupId!
  return { balancer: named('AWSEBLoadBalancerSecurityGroup'), instance: named('AWSEBSecurityGroup') }
}
