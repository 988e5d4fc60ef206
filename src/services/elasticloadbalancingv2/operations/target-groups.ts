import type { CreateTargetGroupInput, TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Elasticloadbalancingv2Operations } from '../../generated/elasticloadbalancingv2.ts'
import {
  describeAttributes,
  attributesOfTargetGroups,
  requireRouting,
  withAttributes,
} from '../attributes.ts'
import { requireLoadBalancer, requireTargetGroup, type Elbv2Deps } from '../deps.ts'
import { missing, noTargetGroup, paging, unsupported, validation } from '../errors.ts'
import { defaultHealthCheck, healthCheckAfter, healthCheckMembers } from '../health-check.ts'
import {
  type HealthCheckSettings,
  attributesOf,
  healthCheckOf,
  targetGroupsOf,
  usesOf,
  type TargetGroupRow,
} from '../store.ts'
import { putTags, removeTagsOf, requireTags } from './tags.ts'

type Implemented = Pick<
  Elasticloadbalancingv2Operations,
  | 'createTargetGroup'
  | 'modifyTargetGroup'
  | 'deleteTargetGroup'
  | 'describeTargetGroups'
  | 'describeTargetGroupAttributes'
  | 'modifyTargetGroupAttributes'
>

/** AWS: 3,000 per region. */
export const TARGET_GROUPS_MAX = 3_000

export function makeTargetGroupOperations(deps: Elbv2Deps): Implemented {
  const { store, clock, ids, cloud } = deps
  return {
    createTargetGroup(context, input) {
      refuseOthers(
        input,
        [
          'Name',
          'Protocol',
          'ProtocolVersion',
          'Port',
          'VpcId',
          'TargetType',
          'IpAddressType',
          'Tags',
          ...healthCheckMembers,
        ],
        unsupported,
      )
      const name = requireName(input.Name, 'Target group')
      const { account, region } = context
      const { protocol, targetType } = requireSupported(input)
      const port = requirePort(input.Port)
      const vpcId = requireVpc(context, input.VpcId)
      const healthCheck = healthCheckAfter(defaultHealthCheck({ protocol }), input, { protocol })
      requireTags(input.Tags)
      const groups = targetGroupsOf(store, context)
      const before = groups.find((row) => row.name === name)
      if (before) {
        const same =
          before.port === port &&
          before.protocol === protocol &&
          before.targetType === targetType &&
          before.vpcId === vpcId &&
          sameCheck(healthCheckOf(before), healthCheck)
        if (same) return { TargetGroups: [describe(context, before)] }
        throw new DeclaredError(
          'DuplicateTargetGroupName',
          `A target group with the same name '${name}' exists, but with different settings`,
        )
      }
      if (groups.length >= TARGET_GROUPS_MAX)
        throw new DeclaredError(
          'TooManyTargetGroups',
          `The maximum number of target groups (${TARGET_GROUPS_MAX}) has been reached`,
        )
      const id = ids.hex('', 16)
      const row: TargetGroupRow = {
        arn: `arn:aws:elasticloadbalancing:${region}:${account}:targetgroup/${name}/${id}`,
        id,
        account,
        region,
        name,
        port,
        protocol,
        isClassic: 0,
        targetType,
        vpcId,
        healthCheck: JSON.stringify(healthCheck),
        attributes: '{}',
        createdAt: clock.now(),
      }
      store.insert('elbv2_target_group', row)
      putTags(deps, context, row.arn, input.Tags)
      return { TargetGroups: [describe(context, row)] }
    },
    modifyTargetGroup(context, input) {
      refuseOthers(input, ['TargetGroupArn', ...healthCheckMembers], unsupported)
      const row = requireTargetGroup(deps, context, input.TargetGroupArn)
      const healthCheck = JSON.stringify(healthCheckAfter(healthCheckOf(row), input, row))
      store.update('elbv2_target_group', { arn: row.arn }, { healthCheck })
      return { TargetGroups: [describe(context, { ...row, healthCheck })] }
    },
    deleteTargetGroup(context, input) {
      refuseOthers(input, ['TargetGroupArn'], unsupported)
      if (!input.TargetGroupArn) throw missing('targetGroupArn')
      // AWS answers success for a target group that is not there.
      const row = targetGroupsOf(store, context).find((one) => one.arn === input.TargetGroupArn)
      if (!row) return {}
      if (loadBalancersOfGroup(context, row).length > 0)
        throw new DeclaredError(
          'ResourceInUse',
          `Target group '${row.arn}' is currently in use by a listener or a rule`,
        )
      store.remove('elbv2_target', { targetGroupArn: row.arn })
      removeTagsOf(deps, row.arn)
      store.remove('elbv2_target_group', { arn: row.arn })
      return {}
    },
    describeTargetGroups(context, input) {
      refuseOthers(input, ['LoadBalancerArn', 'TargetGroupArns', 'Names', 'Marker', 'PageSize'], unsupported)
      const rows = targetGroupsOf(store, context)
      const wrong = input.TargetGroupArns?.find((arn) => !rows.some((row) => row.arn === arn))
      if (wrong !== undefined) throw noTargetGroup(wrong)
      const unnamed = input.Names?.find((name) => !rows.some((row) => row.name === name))
      if (unnamed !== undefined)
        throw new DeclaredError('TargetGroupNotFound', 'One or more target groups not found')
      if (input.LoadBalancerArn) requireLoadBalancer(deps, context, input.LoadBalancerArn)
      const found = rows.filter(
        (row) =>
          (row.isClassic === 0 ||
            input.TargetGroupArns !== undefined ||
            input.LoadBalancerArn !== undefined) &&
          (!input.TargetGroupArns?.length || input.TargetGroupArns.includes(row.arn)) &&
          (!input.Names?.length || input.Names.includes(row.name)) &&
          (!input.LoadBalancerArn || loadBalancersOfGroup(context, row).includes(input.LoadBalancerArn)),
      )
      const page = pageOf(found, (row) => row.name, { token: input.Marker, max: input.PageSize }, paging)
      return { NextMarker: page.next, TargetGroups: page.items.map((row) => describe(context, row)) }
    },
    describeTargetGroupAttributes(context, input) {
      const row = requireTargetGroup(deps, context, input.TargetGroupArn)
      return { Attributes: describeAttributes(attributesOfTargetGroups(row), attributesOf(row.attributes)) }
    },
    modifyTargetGroupAttributes(context, input) {
      const row = requireTargetGroup(deps, context, input.TargetGroupArn)
      const table = attributesOfTargetGroups(row)
      const after = withAttributes(table, attributesOf(row.attributes), input.Attributes ?? [])
      if (row.protocol !== 'TCP') requireRouting(after)
      store.update('elbv2_target_group', { arn: row.arn }, { attributes: JSON.stringify(after) })
      return { Attributes: describeAttributes(table, after) }
    },
  }

  function loadBalancersOfGroup(context: Context, row: TargetGroupRow): string[] {
    const uses = usesOf(store, context).filter((use) => use.targetGroupArn === row.arn)
    return [...new Set(uses.map((use) => use.loadBalancerArn))]
  }

  function requireVpc(context: Context, given: string | undefined): string {
    const vpcId = cloud.ec2.describeVpcs(context, {}).Vpcs?.[0]?.VpcId ?? ''
    if (!given) throw validation('A VPC ID must be specified')
    if (given !== vpcId) throw validation(`The VPC ID '${given}' is not found`)
    return vpcId
  }

  function describe(context: Context, row: TargetGroupRow): TargetGroup {
    const check = healthCheckOf(row)
    return {
      TargetGroupArn: row.arn,
      TargetGroupName: row.name,
      Protocol: row.protocol,
      ...(row.protocol === 'TCP' ? {} : { ProtocolVersion: 'HTTP1' }),
      Port: row.port,
      VpcId: row.vpcId,
      TargetType: row.targetType,
      IpAddressType: 'ipv4',
      HealthCheckEnabled: true,
      HealthCheckProtocol: check.protocol,
      HealthCheckPort: check.port === null ? 'traffic-port' : String(check.port),
      ...(check.protocol === 'TCP' ? {} : { HealthCheckPath: check.path }),
      HealthCheckIntervalSeconds: check.intervalSeconds,
      HealthCheckTimeoutSeconds: check.timeoutSeconds,
      HealthyThresholdCount: check.healthyThreshold,
      UnhealthyThresholdCount: check.unhealthyThreshold,
      ...(check.protocol === 'TCP' ? {} : { Matcher: { HttpCode: check.matcher } }),
      LoadBalancerArns: loadBalancersOfGroup(context, row),
    }
  }
}

function requireSupported(input: CreateTargetGroupInput): Pick<TargetGroupRow, 'protocol' | 'targetType'> {
  const {
    Protocol = 'HTTP',
    ProtocolVersion = 'HTTP1',
    TargetType = 'instance',
    IpAddressType = 'ipv4',
  } = input
  if (Protocol !== 'HTTP' && Protocol !== 'HTTPS' && Protocol !== 'TCP')
    throw unsupported(`Protocol '${Protocol}'`)
  if (ProtocolVersion !== 'HTTP1' || (Protocol === 'TCP' && input.ProtocolVersion))
    throw unsupported(`ProtocolVersion '${ProtocolVersion}'`)
  if (TargetType !== 'instance' && TargetType !== 'ip') throw unsupported(`TargetType '${TargetType}'`)
  if (IpAddressType !== 'ipv4') throw unsupported(`IpAddressType '${IpAddressType}'`)
  return { protocol: Protocol, targetType: TargetType }
}

const sameCheck = (a: HealthCheckSettings, b: HealthCheckSettings) =>
  (Object.keys(b) as (keyof HealthCheckSettings)[]).every((name) => a[name] === b[name])

/** Names of load balancers and target groups: 1–32 alphanumerics and hyphens, no hyphen at either end. */
export function requireName(name: string | undefined, what: 'Target group' | 'Load balancer'): string {
  if (!name) throw missing('name')
  if (name.length > 32) throw validation(`${what} name '${name}' cannot be longer than '32' characters`)
  if (!/^[a-zA-Z0-9-]+$/.test(name))
    throw validation(
      `${what} name '${name}' can only contain characters that are alphanumeric characters and hyphens(-)`,
    )
  if (name.startsWith('-') || name.endsWith('-'))
    throw validation(`${what} name '${name}' cannot begin or end with hyphen(-)`)
  return name
}

export function requirePort(port: number | undefined): number {
  if (port === undefined) throw validation('A port must be specified')
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw validation(
      `1 validation error detected: Value '${port}' at 'port' failed to satisfy constraint: Member must be between 1 and 65535`,
    )
  return port
}
