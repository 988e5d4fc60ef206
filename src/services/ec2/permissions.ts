// Rules of security groups: the request's nested permissions ⇄ one row a rule.
import { isIPv4, isIPv6 } from 'node:net'
import type { IpPermission } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../kernel/errors.ts'
import { invalidValue, missing, unsupported } from './errors.ts'
import type { SecurityGroupRuleRow } from './store.ts'

export type RuleSpec = Pick<
  SecurityGroupRuleRow,
  'protocol' | 'fromPort' | 'toPort' | 'cidr4' | 'cidr6' | 'peerGroupId' | 'description'
>

/** The short form of a request: `IpProtocol`, `FromPort`, `ToPort`, `CidrIp` beside the permissions. */
export type PermissionInput = {
  IpPermissions?: IpPermission[]
  IpProtocol?: string
  FromPort?: number
  ToPort?: number
  CidrIp?: string
}

/** Permissions as single rules. Throws AWS's errors for what is not one; group ids are checked by the caller. */
export function rulesOfPermissions(
  input: PermissionInput,
  groupIdOfName: (name: string) => string,
): RuleSpec[] {
  const short: IpPermission[] = input.IpProtocol
    ? [
        {
          IpProtocol: input.IpProtocol,
          FromPort: input.FromPort,
          ToPort: input.ToPort,
          IpRanges: input.CidrIp ? [{ CidrIp: input.CidrIp }] : [],
        },
      ]
    : []
  const permissions = [...(input.IpPermissions ?? []), ...short]
  if (permissions.length === 0) throw missing('ipPermissions')
  return permissions.flatMap((permission) => rulesOf(permission, groupIdOfName))
}

/** Rows as an answer carries them: grouped by protocol and ports. */
export function permissionsOfRules(rows: SecurityGroupRuleRow[], account: string): IpPermission[] {
  const permissions = new Map<string, IpPermission>()
  for (const row of rows) {
    const key = `${row.protocol} ${row.fromPort} ${row.toPort}`
    const permission = permissions.get(key) ?? {
      IpProtocol: row.protocol,
      ...(row.fromPort !== null && { FromPort: row.fromPort, ToPort: row.toPort ?? undefined }),
      IpRanges: [],
      Ipv6Ranges: [],
      PrefixListIds: [],
      UserIdGroupPairs: [],
    }
    permissions.set(key, permission)
    const described = row.description === null ? {} : { Description: row.description }
    if (row.cidr4) permission.IpRanges!.push({ CidrIp: row.cidr4, ...described })
    if (row.cidr6) permission.Ipv6Ranges!.push({ CidrIpv6: row.cidr6, ...described })
    if (row.peerGroupId)
      permission.UserIdGroupPairs!.push({ GroupId: row.peerGroupId, UserId: account, ...described })
  }
  return [...permissions.values()]
}

/** Two rules that say the same, whatever their descriptions. */
export const sameRule = (a: RuleSpec, b: RuleSpec) =>
  a.protocol === b.protocol &&
  a.fromPort === b.fromPort &&
  a.toPort === b.toPort &&
  a.cidr4 === b.cidr4 &&
  a.cidr6 === b.cidr6 &&
  a.peerGroupId === b.peerGroupId

/** A rule as `InvalidPermission.Duplicate` words it. */
export function wordsOfRule(rule: RuleSpec): string {
  const peer = rule.cidr4 ?? rule.cidr6 ?? rule.peerGroupId
  const ports = rule.fromPort === null ? '' : `, from port: ${rule.fromPort}, to port: ${rule.toPort}`
  return `peer: ${peer}, ${rule.protocol === '-1' ? 'ALL' : rule.protocol.toUpperCase()}${ports}, ALLOW`
}

function rulesOf(permission: IpPermission, groupIdOfName: (name: string) => string): RuleSpec[] {
  if (permission.PrefixListIds?.length) throw unsupported('PrefixListIds')
  const protocol = protocolOf(permission.IpProtocol)
  const { fromPort, toPort } = portsOf(protocol, permission)
  const base = { protocol, fromPort, toPort, cidr4: null, cidr6: null, peerGroupId: null }
  const rules: RuleSpec[] = [
    ...(permission.IpRanges ?? []).map(({ CidrIp, Description }) => ({
      ...base,
      cidr4: cidrOf(CidrIp, 4),
      description: Description ?? null,
    })),
    ...(permission.Ipv6Ranges ?? []).map(({ CidrIpv6, Description }) => ({
      ...base,
      cidr6: cidrOf(CidrIpv6, 6),
      description: Description ?? null,
    })),
    ...(permission.UserIdGroupPairs ?? []).map(({ GroupId, GroupName, Description }) => ({
      ...base,
      peerGroupId: GroupId ?? groupIdOfName(GroupName ?? ''),
      description: Description ?? null,
    })),
  ]
  if (rules.length === 0) throw missing('ipRanges')
  return rules
}

const NUMBERS: Record<string, string> = { '6': 'tcp', '17': 'udp', '1': 'icmp', '58': 'icmpv6', all: '-1' }

function protocolOf(given: string | undefined): string {
  if (!given) throw missing('ipProtocol')
  const protocol = NUMBERS[given.toLowerCase()] ?? given.toLowerCase()
  const number = /^\d+$/.test(protocol) && Number(protocol) <= 255
  if (!number && !['tcp', 'udp', 'icmp', 'icmpv6', '-1'].includes(protocol))
    throw invalidValue(given, 'ipProtocol', 'Unknown protocol.')
  return protocol
}

function portsOf(protocol: string, { FromPort: from, ToPort: to }: IpPermission) {
  if (protocol === '-1' || /^\d+$/.test(protocol)) return { fromPort: null, toPort: null }
  if (protocol.startsWith('icmp')) return { fromPort: from ?? -1, toPort: to ?? -1 }
  if (from === undefined || to === undefined)
    throw new DeclaredError(
      'InvalidParameterValue',
      `Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.`,
    )
  const wrong = [from, to].find((port) => !Number.isInteger(port) || port < 0 || port > 65_535)
  if (wrong !== undefined)
    throw new DeclaredError('InvalidParameterValue', `TCP/UDP port (${wrong}) out of range`)
  if (from > to)
    throw new DeclaredError('InvalidParameterValue', `Invalid TCP/UDP port range (${from}:${to})`)
  return { fromPort: from, toPort: to }
}

function cidrOf(given: string | undefined, version: 4 | 6): string {
  const [address = '', bits = ''] = (given ?? '').split('/')
  const valid = version === 4 ? isIPv4(address) : isIPv6(address)
  if (!valid || !/^\d{1,3}$/.test(bits) || Number(bits) > (version === 4 ? 32 : 128))
    throw new DeclaredError('InvalidParameterValue', `CIDR block ${given ?? ''} is malformed`)
  return `${address}/${Number(bits)}`
}
