import type {
  HealthCheck,
  InstanceState,
  LoadBalancerDescription,
} from '@aws-sdk/client-elastic-load-balancing'
import type { TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { ElasticloadbalancingOperations } from '../../generated/elasticloadbalancing.ts'
import { pageOf, type Paging } from '../../parameters.ts'
import { type ElbDeps, type Named, partsOf, requireNamed, targetGroupOf } from '../load-balancers.ts'
import { idsOf, statesOf } from './instances.ts'

type Implemented = Pick<
  ElasticloadbalancingOperations,
  'describeLoadBalancers' | 'describeInstanceHealth' | 'describeLoadBalancerAttributes'
>

const validation = (message: string) => new DeclaredError('ValidationError', message)

/** AWS: 1 to 400. */
const paging: Paging = {
  ...{ fallback: 400, least: 1, most: 400 },
  badSize: (size) =>
    validation(
      `1 validation error detected: Value '${size}' at 'pageSize' failed to satisfy constraint: Member must be between 1 and 400`,
    ),
  badToken: () => validation('The specified marker is not valid.'),
}

export function makeDescribeOperations(deps: ElbDeps): Implemented {
  const { elasticloadbalancingv2: elb } = deps.cloud
  return {
    describeLoadBalancers(context, { LoadBalancerNames = [], Marker, PageSize }) {
      const found =
        LoadBalancerNames.length > 0
          ? [...new Set(LoadBalancerNames)].map((name) => requireNamed(deps, context, name))
          : elb.classicLoadBalancers(context)
      const page = pageOf(found, ({ name }) => name, { token: Marker, max: PageSize }, paging)
      return {
        LoadBalancerDescriptions: page.items.map((one) => describe(deps, context, one)),
        NextMarker: page.next,
      }
    },

    describeInstanceHealth(context, { LoadBalancerName, Instances = [] }) {
      const states = statesOf(deps, context, requireNamed(deps, context, LoadBalancerName))
      const asked = idsOf(Instances)
      const unknown = asked.find((id) => !states.has(id))
      if (unknown !== undefined)
        throw new DeclaredError('InvalidInstance', `Could not find EC2 instance ${unknown}.`)
      const ids = asked.length > 0 ? asked : [...states.keys()].sort()
      return { InstanceStates: ids.map((id): InstanceState => ({ InstanceId: id, ...states.get(id) })) }
    },

    describeLoadBalancerAttributes(context, { LoadBalancerName }) {
      const named = requireNamed(deps, context, LoadBalancerName)
      const attributes = elb.describeLoadBalancerAttributes(context, { LoadBalancerArn: named.arn })
      const idle = attributes.Attributes?.find(({ Key }) => Key === 'idle_timeout.timeout_seconds')?.Value
      const delay = Number(ofTargetGroup(deps, context, named)['deregistration_delay.timeout_seconds'] ?? 0)
      return {
        LoadBalancerAttributes: {
          // One machine has one zone to speak of.
          CrossZoneLoadBalancing: { Enabled: true },
          AccessLog: { Enabled: false },
          ConnectionDraining: { Enabled: delay > 0, Timeout: delay > 0 ? delay : undefined },
          ConnectionSettings: { IdleTimeout: Number(idle ?? 60) },
        },
      }
    },
  }
}

/** Attributes of all its target groups, which are the same. */
function ofTargetGroup(deps: ElbDeps, context: Context, named: Named): Record<string, string> {
  const [first] = partsOf(deps, context, named).targetGroups
  if (!first) return {}
  const { Attributes = [] } = deps.cloud.elasticloadbalancingv2.describeTargetGroupAttributes(context, {
    TargetGroupArn: first.TargetGroupArn,
  })
  return Object.fromEntries(Attributes.map(({ Key = '', Value = '' }) => [Key, Value]))
}

/** Beanstalk's own name of the policy. */
const STICKINESS = 'AWSEB-ELB-StickinessPolicy'

function describe(deps: ElbDeps, context: Context, named: Named): LoadBalancerDescription {
  const { ec2, elasticloadbalancingv2 } = deps.cloud
  const input = { LoadBalancerArns: [named.arn] }
  const [found] = elasticloadbalancingv2.describeLoadBalancers(context, input).LoadBalancers ?? []
  const { listeners, targetGroups } = partsOf(deps, context, named)
  const stickiness = ofTargetGroup(deps, context, named)
  const isSticky = stickiness['stickiness.enabled'] === 'true'
  const policies = isSticky ? [STICKINESS] : []
  const groups = found?.SecurityGroups ?? []
  const { SecurityGroups = [] } =
    groups.length > 0 ? ec2.describeSecurityGroups(context, { GroupIds: groups.slice(0, 1) }) : {}
  return {
    LoadBalancerName: named.name,
    DNSName: found?.DNSName,
    CanonicalHostedZoneName: found?.DNSName,
    CanonicalHostedZoneNameID: found?.CanonicalHostedZoneId,
    ListenerDescriptions: listeners
      .toSorted((a, b) => (a.Port ?? 0) - (b.Port ?? 0))
      .map((listener) => {
        const group = targetGroupOf(listener, targetGroups)
        return {
          Listener: {
            Protocol: listener.Protocol,
            LoadBalancerPort: listener.Port,
            InstanceProtocol: group?.Protocol,
            InstancePort: group?.Port,
            SSLCertificateId: listener.Certificates?.[0]?.CertificateArn,
          },
          PolicyNames: policies,
        }
      }),
    Policies: {
      AppCookieStickinessPolicies: [],
      LBCookieStickinessPolicies: policies.map((PolicyName) => ({
        PolicyName,
        CookieExpirationPeriod: Number(stickiness['stickiness.lb_cookie.duration_seconds']),
      })),
      OtherPolicies: [],
    },
    BackendServerDescriptions: [],
    AvailabilityZones: found?.AvailabilityZones?.map(({ ZoneName = '' }) => ZoneName),
    Subnets: found?.AvailabilityZones?.map(({ SubnetId = '' }) => SubnetId),
    VPCId: found?.VpcId,
    Instances: [...statesOf(deps, context, named).keys()].sort().map((InstanceId) => ({ InstanceId })),
    HealthCheck: healthCheckOf(targetGroups[0]),
    SourceSecurityGroup: { OwnerAlias: context.account, GroupName: SecurityGroups[0]?.GroupName },
    SecurityGroups: groups,
    CreatedTime: found?.CreatedTime,
    Scheme: found?.Scheme,
  }
}

function healthCheckOf(group: TargetGroup | undefined): HealthCheck | undefined {
  if (!group) return undefined
  const { HealthCheckProtocol: protocol, HealthCheckPort: port, HealthCheckPath: path = '' } = group
  return {
    Target: `${protocol}:${port}${protocol === 'TCP' ? '' : path}`,
    Interval: group.HealthCheckIntervalSeconds,
    Timeout: group.HealthCheckTimeoutSeconds,
    UnhealthyThreshold: group.UnhealthyThresholdCount,
    HealthyThreshold: group.HealthyThresholdCount,
  }
}
