// Rules of security groups: the request's nested permissions ⇄ one row a rule.
import type { IpPermission, SecurityGroupRuleRequest, UserIdGroupPair } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../kernel/errors.ts'
import { canonicalCidr, printable } from './cidr.ts'
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
  SourceSecurityGroupName?: string
  SourceSecurityGroupOwnerId?: string
}

/** Answers the id of the group that a permission refers to, or throws. */
export type PeerOf = (pair: UserIdGroupPair) => string

/** Permissions as single rules. Throws AWS's errors for what is not one. */
export function rulesOfPermissions(input: PermissionInput, peerOf: PeerOf): RuleSpec[] {
  const permissions = [...(input.IpPermissions ?? []), ...shortForm(input)]
  if (permissions.length === 0) throw missing('ipPermissions')
  return permissions.flatMap((permission) => rulesOf(permission, peerOf))
}

function shortForm(input: PermissionInput): IpPermission[] {
  const { IpProtocol, FromPort, ToPort, CidrIp, SourceSecurityGroupName: GroupName } = input
  if (GroupName) {
    if (IpProtocol || CidrIp || FromPort !== undefined || ToPort !== undefined)
      throw new DeclaredError(
        'InvalidParameterCombination',
        'The parameter SourceSecurityGroupName cannot be used with IpProtocol, FromPort, ToPort or CidrIp',
      )
    // AWS: "Creates rules that grant full ICMP, UDP, and TCP access."
    const UserIdGroupPairs = [{ GroupName, UserId: input.SourceSecurityGroupOwnerId }]
    return [
      { IpProtocol: 'tcp', FromPort: 0, ToPort: 65_535, UserIdGroupPairs },
      { IpProtocol: 'udp', FromPort: 0, ToPort: 65_535, UserIdGroupPairs },
      { IpProtocol: 'icmp', FromPort: -1, ToPort: -1, UserIdGroupPairs },
    ]
  }
  if (input.SourceSecurityGroupOwnerId) throw missing('SourceSecurityGroupName')
  if (!IpProtocol) {
    if (CidrIp || FromPort !== undefined || ToPort !== undefined) throw missing('ipProtocol')
    return []
  }
  return [{ IpProtocol, FromPort, ToPort, IpRanges: CidrIp ? [{ CidrIp }] : [] }]
}

/** A rule as ModifySecurityGroupRules gives it, which replaces the whole of one. */
export function ruleOfRequest(request: SecurityGroupRuleRequest, peerOf: PeerOf): RuleSpec {
  const { IpProtocol, FromPort, ToPort, Description, CidrIpv4, CidrIpv6, ReferencedGroupId } = request
  if (request.PrefixListId) throw unsupported('PrefixListId')
  const permission: IpPermission = {
    IpProtocol,
    FromPort,
    ToPort,
    IpRanges: CidrIpv4 ? [{ CidrIp: CidrIpv4, Description }] : [],
    Ipv6Ranges: CidrIpv6 ? [{ CidrIpv6, Description }] : [],
    UserIdGroupPairs: ReferencedGroupId ? [{ GroupId: ReferencedGroupId, Description }] : [],
  }
  const [rule, ...others] = rulesOf(permission, peerOf)
  if (!rule || others.length > 0)
    throw new DeclaredError(
      'InvalidParameterCombination',
      'Only one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupId can be specified.',
    )
  return rule
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

function rulesOf(permission: IpPermission, peerOf: PeerOf): RuleSpec[] {
  if (permission.PrefixListIds?.length) throw unsupported('PrefixListIds')
  const protocol = protocolOf(permission.IpProtocol)
  const { fromPort, toPort } = portsOf(protocol, permission)
  const base = { protocol, fromPort, toPort, cidr4: null, cidr6: null, peerGroupId: null }
  const rules: RuleSpec[] = [
    ...(permission.IpRanges ?? []).map(({ CidrIp, Description }) => ({
      ...base,
      cidr4: canonicalCidr(CidrIp, 4),
      description: descriptionOf(Description),
    })),
    ...(permission.Ipv6Ranges ?? []).map(({ CidrIpv6, Description }) => ({
      ...base,
      cidr6: canonicalCidr(CidrIpv6, 6),
      description: descriptionOf(Description),
    })),
    ...(permission.UserIdGroupPairs ?? []).map((pair) => ({
      ...base,
      peerGroupId: peerOf(pair),
      description: descriptionOf(pair.Description),
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
    throw invalidValue(printable(given), 'ipProtocol', 'Unknown protocol.')
  return protocol
}

function portsOf(protocol: string, { FromPort: from, ToPort: to }: IpPermission) {
  if (protocol === '-1' || /^\d+$/.test(protocol)) return { fromPort: null, toPort: null }
  if (protocol.startsWith('icmp')) return typeAndCode(from ?? -1, to ?? -1)
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

// -1 = all; all types have all codes.
function typeAndCode(type: number, code: number) {
  const isByte = (value: number) => Number.isInteger(value) && value >= -1 && value <= 255
  if (!isByte(type)) throw new DeclaredError('InvalidParameterValue', `ICMP type (${type}) out of range`)
  if (!isByte(code) || (type === -1 && code !== -1))
    throw new DeclaredError('InvalidParameterValue', `ICMP code (${code}) out of range`)
  return { fromPort: type, toPort: code }
}

const RULE_DESCRIPTION = /^[a-zA-Z0-9. _\-:/()#,@[\]+=&;{}!$*]{0,255}$/

/** As it is kept: none is null. Throws for characters that AWS does not take, and more than 255 of them. */
export function descriptionOf(given: string | undefined): string | null {
  if (given && !RULE_DESCRIPTION.test(given))
    throw new DeclaredError(
      'InvalidParameterValue',
      'Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  ' +
        'a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*',
    )
  return given || null
}
