import type { CreateLoadBalancerInput, LoadBalancer } from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import { loadBalancerDomainOf } from '../../domains.ts'
import type { Elasticloadbalancingv2Operations } from '../../generated/elasticloadbalancingv2.ts'
import { accessLogsOf, keepTestFile, type LogsTo } from '../access-logs.ts'
import {
  ACCESS_LOGS,
  DELETION_PROTECTION,
  describeAttributes,
  attributesOfLoadBalancers,
  withAttributes,
} from '../attributes.ts'
import { requireLoadBalancer, type Elbv2Deps } from '../deps.ts'
import { missing, paging, unsupported, validation } from '../errors.ts'
import { pathOf, attributesOf, listenersOf, listOf, loadBalancersOf, type LoadBalancerRow } from '../store.ts'
import { removeListener } from './listeners.ts'
import { putTags, removeTagsOf, requireTags } from './tags.ts'
import { requireName } from './target-groups.ts'

type Implemented = Pick<
  Elasticloadbalancingv2Operations,
  | 'createLoadBalancer'
  | 'deleteLoadBalancer'
  | 'describeLoadBalancers'
  | 'describeLoadBalancerAttributes'
  | 'modifyLoadBalancerAttributes'
  | 'setSecurityGroups'
>

/** AWS: 50 per region, raised on request. */
export const LOAD_BALANCERS_MAX = 500
/** Of a network interface on AWS, where the quota is raised. */
const GROUPS_MAX = 16
/** AWS's zone for ALBs of us-west-2; the engine's DNS has its own ids later. */
const HOSTED_ZONE = 'Z1H1FL5HABSF5'

export function makeLoadBalancerOperations(deps: Elbv2Deps): Implemented {
  const { store, clock, ids, cloud } = deps
  return {
    createLoadBalancer(context, input) {
      refuseOthers(
        input,
        ['Name', 'Subnets', 'SubnetMappings', 'SecurityGroups', 'Scheme', 'Type', 'IpAddressType', 'Tags'],
        unsupported,
      )
      const name = requireName(input.Name, 'Load balancer')
      if (name.startsWith('internal-'))
        throw validation(`The load balancer name '${name}' cannot begin with 'internal-'`)
      const { scheme, type } = requireSupported(input)
      const subnets = requireSubnets(context, input)
      // One of the network type may have none, as on AWS: it lets in everybody then.
      const isOpen = type === 'network' && !input.SecurityGroups?.length
      const ofInterface = requireSecurityGroups(context, input.SecurityGroups)
      const groups = isOpen ? [] : ofInterface
      requireTags(input.Tags)
      const before = loadBalancersOf(store, context)
      const named = before.find((row) => row.name === name)
      if (named) {
        const same =
          named.scheme === scheme &&
          named.type === type &&
          sameSet(listOf(named.subnets), subnets) &&
          sameSet(listOf(named.securityGroups), groups)
        if (same) return { LoadBalancers: [describe(context, named)] }
        throw new DeclaredError(
          'DuplicateLoadBalancerName',
          `A load balancer with the same name '${name}' exists, but with different settings`,
        )
      }
      if (before.length >= LOAD_BALANCERS_MAX)
        throw new DeclaredError(
          'TooManyLoadBalancers',
          `The maximum number of load balancers (${LOAD_BALANCERS_MAX}) has been reached`,
        )
      const { account, region } = context
      const id = ids.hex('', 16)
      // Differs from AWS: one interface, in the first subnet, not one in each.
      const { NetworkInterface: networkInterface } = cloud.ec2.createNetworkInterface(context, {
        SubnetId: subnets[0],
        Groups: ofInterface,
        Description: `ELB ${pathOf({ type, name, id })}`,
      })
      const digits = String(Number.parseInt(id.slice(0, 8), 16)).padStart(10, '0')
      const row: LoadBalancerRow = {
        arn: `arn:aws:elasticloadbalancing:${region}:${account}:loadbalancer/${pathOf({ type, name, id })}`,
        id,
        account,
        region,
        name,
        type,
        isClassic: 0,
        dnsName: `${scheme === 'internal' ? 'internal-' : ''}${name}-${digits}.${region}.${loadBalancerDomainOf(deps.domain)}`,
        scheme,
        vpcId: networkInterface!.VpcId!,
        subnets: JSON.stringify(subnets),
        securityGroups: JSON.stringify(groups),
        networkInterfaceId: networkInterface!.NetworkInterfaceId!,
        address: networkInterface!.PrivateIpAddress!,
        attributes: '{}',
        hosts: '[]',
        loopbackPort: null,
        state: 'provisioning',
        impairment: '',
        createdAt: clock.now(),
        deletedAt: null,
      }
      store.insert('elbv2_load_balancer', row)
      putTags(deps, context, row.arn, input.Tags)
      return { LoadBalancers: [describe(context, row)] }
    },
    // Its listeners go with it. The row and the address stay until the engine does not carry it any more.
    deleteLoadBalancer(context, input) {
      refuseOthers(input, ['LoadBalancerArn'], unsupported)
      if (!input.LoadBalancerArn) throw missing('loadBalancerArn')
      // AWS answers success for a load balancer that is not there.
      const row = loadBalancersOf(store, context).find((one) => one.arn === input.LoadBalancerArn)
      if (!row) return {}
      if (attributesOf(row.attributes)[DELETION_PROTECTION] === 'true')
        throw new DeclaredError(
          'OperationNotPermitted',
          `Load balancer '${row.arn}' cannot be deleted because deletion protection is enabled`,
        )
      for (const listener of listenersOf(store, context))
        if (listener.loadBalancerArn === row.arn) removeListener(deps, context, listener)
      removeTagsOf(deps, row.arn)
      store.run('delete from elbv2_sharer where load_balancer_arn = :arn', { arn: row.arn })
      store.update('elbv2_load_balancer', { arn: row.arn }, { deletedAt: clock.now() })
      return {}
    },
    describeLoadBalancers(context, input) {
      refuseOthers(input, ['LoadBalancerArns', 'Names', 'Marker', 'PageSize'], unsupported)
      // By ARN row by row: an environment asks for its own at each look, and there may be hundreds.
      const rows = input.LoadBalancerArns?.length
        ? [...new Set(input.LoadBalancerArns)].map((arn) => requireLoadBalancer(deps, context, arn))
        : loadBalancersOf(store, context).filter(({ isClassic }) => isClassic === 0)
      const unnamed = input.Names?.find((name) => !rows.some((row) => row.name === name))
      if (unnamed !== undefined)
        throw new DeclaredError('LoadBalancerNotFound', `Load balancers '[${unnamed}]' not found`)
      const found = rows.filter((row) => !input.Names?.length || input.Names.includes(row.name))
      const page = pageOf(found, (row) => row.name, { token: input.Marker, max: input.PageSize }, paging)
      return { NextMarker: page.next, LoadBalancers: page.items.map((row) => described(context, row)) }
    },
    describeLoadBalancerAttributes(context, input) {
      const row = requireLoadBalancer(deps, context, input.LoadBalancerArn)
      return { Attributes: describeAttributes(attributesOfLoadBalancers(row), attributesOf(row.attributes)) }
    },
    modifyLoadBalancerAttributes(context, input) {
      const row = requireLoadBalancer(deps, context, input.LoadBalancerArn)
      const table = attributesOfLoadBalancers(row)
      const after = withAttributes(table, attributesOf(row.attributes), input.Attributes ?? [])
      const attributes = JSON.stringify(after)
      const [before, logsTo] = [accessLogsOf(row), accessLogsOf({ attributes })]
      if (logsTo) requireLogBucket(context, logsTo)
      if (logsTo && JSON.stringify(before) !== JSON.stringify(logsTo))
        keepTestFile(store, row, logsTo, clock.now())
      store.update('elbv2_load_balancer', { arn: row.arn }, { attributes })
      return { Attributes: describeAttributes(table, after) }
    },
    setSecurityGroups(context, input) {
      refuseOthers(input, ['LoadBalancerArn', 'SecurityGroups'], unsupported)
      if (!input.LoadBalancerArn) throw missing('loadBalancerArn')
      if (!input.SecurityGroups?.length) throw missing('securityGroups')
      const row = requireLoadBalancer(deps, context, input.LoadBalancerArn)
      // AWS: one that was made without any has none for good.
      if (listOf(row.securityGroups).length === 0)
        throw new DeclaredError(
          'InvalidConfigurationRequest',
          `Load balancer '${row.arn}' was created without security groups, which cannot be changed`,
        )
      const groups = requireSecurityGroups(context, input.SecurityGroups)
      const { networkInterfaceId: NetworkInterfaceId } = row
      cloud.ec2.modifyNetworkInterfaceAttribute(context, { NetworkInterfaceId, Groups: groups })
      store.update('elbv2_load_balancer', { arn: row.arn }, { securityGroups: JSON.stringify(groups) })
      return { SecurityGroupIds: groups }
    },
  }

  function requireLogBucket(context: Context, { bucket }: LogsTo) {
    if (bucket === '')
      throw validation(`'${ACCESS_LOGS.bucket}' must be specified when '${ACCESS_LOGS.enabled}' is 'true'`)
    // AWS says the same of a bucket that is not there and of one that it may not write to.
    if (!cloud.s3.hasBucket(context, bucket))
      throw new DeclaredError(
        'InvalidConfigurationRequest',
        `Access Denied for bucket: ${bucket}. Please check S3bucket permission`,
      )
  }

  function requireSubnets(context: Context, input: CreateLoadBalancerInput): string[] {
    for (const mapping of input.SubnetMappings ?? [])
      refuseOthers(mapping, ['SubnetId'], (member) => unsupported(`SubnetMappings.${member}`))
    const wanted = [
      ...(input.Subnets ?? []),
      ...(input.SubnetMappings ?? []).map((mapping) => mapping.SubnetId ?? ''),
    ]
    // Differs from AWS: one subnet is enough.
    if (wanted.length === 0) throw validation('At least one subnet must be specified')
    const known = cloud.ec2.describeSubnets(context, {}).Subnets ?? []
    const zones = wanted.map((id) => {
      const subnet = known.find((one) => one.SubnetId === id)
      if (!subnet) throw new DeclaredError('SubnetNotFound', `The subnet ID '${id}' does not exist`)
      return subnet.AvailabilityZone
    })
    if (new Set(zones).size < zones.length)
      throw new DeclaredError(
        'InvalidConfigurationRequest',
        'A load balancer cannot be attached to multiple subnets in the same Availability Zone',
      )
    return wanted
  }

  function requireSecurityGroups(context: Context, given: string[] | undefined): string[] {
    const wanted = [...new Set(given ?? [])]
    const malformed = wanted.find((id) => !/^sg-[0-9a-f]+$/.test(id))
    if (malformed !== undefined) throw validation(`Security group '${malformed}' is not valid`)
    if (wanted.length > GROUPS_MAX)
      throw new DeclaredError(
        'InvalidConfigurationRequest',
        `The maximum number of security groups of a load balancer (${GROUPS_MAX}) has been exceeded`,
      )
    const filter = wanted.length > 0 ? { GroupIds: wanted } : { GroupNames: ['default'] }
    try {
      const { SecurityGroups = [] } = cloud.ec2.describeSecurityGroups(context, filter)
      return wanted.length > 0 ? wanted : SecurityGroups.map((group) => group.GroupId!)
    } catch (error) {
      if (!(error instanceof DeclaredError)) throw error
      throw new DeclaredError(
        'InvalidSecurityGroup',
        `One or more security groups are invalid: ${error.message}`,
      )
    }
  }

  // Environments ask for theirs every few seconds.
  function described(context: Context, { arn }: LoadBalancerRow): LoadBalancer {
    return store.remember(`elasticloadbalancingv2.load-balancer ${arn}`, () =>
      describe(context, requireLoadBalancer(deps, context, arn)),
    )
  }

  function describe(context: Context, row: LoadBalancerRow): LoadBalancer {
    const subnets = cloud.ec2.describeSubnets(context, { SubnetIds: listOf(row.subnets) }).Subnets ?? []
    return {
      LoadBalancerArn: row.arn,
      LoadBalancerName: row.name,
      DNSName: row.dnsName,
      CanonicalHostedZoneId: HOSTED_ZONE,
      CreatedTime: new Date(row.createdAt),
      Scheme: row.scheme,
      VpcId: row.vpcId,
      State: stateOf(row),
      Type: row.type,
      AvailabilityZones: subnets.map((subnet) => ({
        ZoneName: subnet.AvailabilityZone,
        SubnetId: subnet.SubnetId,
        LoadBalancerAddresses: [],
      })),
      SecurityGroups: listOf(row.securityGroups),
      IpAddressType: 'ipv4',
    }
  }
}

function requireSupported(input: CreateLoadBalancerInput): Pick<LoadBalancerRow, 'scheme' | 'type'> {
  const { Type = 'application', IpAddressType = 'ipv4', Scheme = 'internet-facing' } = input
  if (Type !== 'application' && Type !== 'network') throw unsupported(`Type '${Type}'`)
  if (IpAddressType !== 'ipv4') throw unsupported(`IpAddressType '${IpAddressType}'`)
  if (Scheme !== 'internet-facing' && Scheme !== 'internal')
    throw new DeclaredError('InvalidScheme', `Scheme '${String(Scheme)}' is not valid`)
  return { scheme: Scheme, type: Type }
}

const sameSet = (a: string[], b: string[]) => a.length === b.length && a.every((one) => b.includes(one))

/** AWS: "routing traffic but doesn't have the resources it needs". Here: it is not reached at some port of this machine. */
const stateOf = ({ state, impairment }: LoadBalancerRow) =>
  state === 'active' && impairment !== ''
    ? { Code: 'active_impaired' as const, Reason: impairment }
    : { Code: state }
