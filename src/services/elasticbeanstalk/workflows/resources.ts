// Makes and changes what an environment is composed of, by the operations of the services that own it. Each is one step.
import type { Context } from '../../context.ts'
import type { EnvironmentConfiguration } from '../configuration/types.ts'
import { hasKeyPair } from '../configuration/names.ts'
import { ofEnvironment } from '../events.ts'
import { environmentArn, storageBucket } from '../names.ts'
import { tagsOf } from '../operations/tags.ts'
import type { Parts } from '../parts.ts'
import { resourcesOf, type EnvironmentRow } from '../store.ts'
import { putListeners, removeDefaultListener } from './listeners.ts'
import {
  groupsOfInstances,
  groupsOfLoadBalancer,
  LISTENER_PORT,
  putInstanceRules,
  sayWhetherToCut,
} from './security-groups.ts'
import { current, defaultVpc, remember, required, stackName, type Work } from './work.ts'

export function makeStorage({ parts, row, context }: Work): void {
  const bucket = storageBucket(row)
  parts.cloud.s3.ensureBucket(context, bucket)
  parts.events.write(
    ofEnvironment(row),
    'INFO',
    `Using ${bucket} as Amazon S3 storage bucket for environment data.`,
  )
}

export function makeTargetGroup({ parts, row, context, configuration }: Work): void {
  const { cloud, ids, events } = parts
  const { TargetGroups = [] } = cloud.elasticloadbalancingv2.createTargetGroup(context, {
    Name: ids.upper('awseb-AWSEB-', 13),
    Protocol: 'HTTP',
    Port: configuration.instancePort,
    VpcId: defaultVpc(parts, context),
    TargetType: 'instance',
    ...healthCheckOf(configuration),
    Tags: awsTags(row),
  })
  const targetGroupArn = required(TargetGroups[0]?.TargetGroupArn, 'createTargetGroup')
  remember(parts, row.id, { targetGroupArn })
  changeTargetGroupAttributes({ parts, row, context, configuration }, targetGroupArn)
  events.write(ofEnvironment(row), 'INFO', `Created target group named: ${targetGroupArn}`)
}

/** Answers the name of the new launch configuration, which is remembered as the one in use. */
export function makeLaunchConfiguration(work: Work): string {
  const { parts, row, context, configuration } = work
  const { cloud, ids, events } = parts
  const name = ids.upper(`${stackName(row)}-AWSEBAutoScalingLaunchConfiguration-`, 12)
  cloud.autoscaling.createLaunchConfiguration(context, {
    LaunchConfigurationName: name,
    ImageId: required(cloud.ec2.describeImages(context, {}).Images?.[0]?.ImageId, 'describeImages'),
    InstanceType: configuration.instanceType,
    SecurityGroups: groupsOfInstances(work),
    // Environments of earlier versions may name a key pair that nobody had to make.
    ...(hasKeyPair(parts, context, configuration.keyName) && { KeyName: configuration.keyName }),
    BlockDeviceMappings: [
      { DeviceName: '/dev/xvda', Ebs: { VolumeSize: configuration.rootVolumeGiB, VolumeType: 'gp3' } },
    ],
    InstanceMonitoring: { Enabled: false },
    MetadataOptions: { HttpTokens: configuration.disableImdsV1 ? 'required' : 'optional' },
  })
  remember(parts, row.id, { launchConfigurationName: name })
  events.write(ofEnvironment(row), 'INFO', `Created Auto Scaling launch configuration named: ${name}`)
  return name
}

export function makeAutoScalingGroup({ parts, row, context, configuration }: Work): void {
  const { cloud, ids, events } = parts
  const name = ids.upper(`${stackName(row)}-AWSEBAutoScalingGroup-`, 12)
  const { launchConfigurationName, targetGroupArn } = resourcesOf(current(parts, row.id))
  const own = tagsOf(parts.store, environmentArn(row))
  const tags = [
    ...own.map(({ key, value }) => ({ Key: key, Value: value })),
    ...awsTags(row),
    AWAITS_SOFTWARE,
  ]
  cloud.autoscaling.createAutoScalingGroup(context, {
    AutoScalingGroupName: name,
    LaunchConfigurationName: launchConfigurationName,
    ...sizesOf(configuration),
    VPCZoneIdentifier: subnetIds(parts, context).join(','),
    TargetGroupARNs: targetGroupArn ? [targetGroupArn] : [],
    // AWS: an application that fails drops out of the balancer but is not replaced (reference §5.1).
    HealthCheckType: 'EC2',
    HealthCheckGracePeriod: 0,
    Tags: tags.map((tag) => ({ ...tag, PropagateAtLaunch: true })),
  })
  remember(parts, row.id, { autoScalingGroupName: name })
  events.write(ofEnvironment(row), 'INFO', `Created Auto Scaling group named: ${name}`)
  events.write(
    ofEnvironment(row),
    'INFO',
    'Waiting for EC2 instances to launch. This may take a few minutes.',
  )
}

export function makeLoadBalancer(work: Work): void {
  const { parts, row, context } = work
  const { cloud, ids, events } = parts
  const { LoadBalancers = [] } = cloud.elasticloadbalancingv2.createLoadBalancer(context, {
    Name: ids.upper('awseb-AWSEB-', 13),
    Type: 'application',
    Scheme: 'internet-facing',
    IpAddressType: 'ipv4',
    Subnets: subnetIds(parts, context),
    SecurityGroups: groupsOfLoadBalancer(work),
    Tags: awsTags(row),
  })
  const arn = required(LoadBalancers[0]?.LoadBalancerArn, 'createLoadBalancer')
  const dnsName = LoadBalancers[0]?.DNSName
  remember(parts, row.id, { loadBalancerArn: arn, ...(dnsName ? { loadBalancerDnsName: dnsName } : {}) })
  changeLoadBalancerAttributes(work, arn)
  events.write(ofEnvironment(row), 'INFO', `Created load balancer named: ${arn}`)
}

export function makeListener({ parts, row, context }: Work): void {
  const { targetGroupArn, loadBalancerArn } = resourcesOf(current(parts, row.id))
  const { Listeners = [] } = parts.cloud.elasticloadbalancingv2.createListener(context, {
    LoadBalancerArn: loadBalancerArn,
    Protocol: 'HTTP',
    Port: LISTENER_PORT,
    DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }],
  })
  const listenerArn = required(Listeners[0]?.ListenerArn, 'createListener')
  remember(parts, row.id, { listenerArn })
  parts.events.write(ofEnvironment(row), 'INFO', `Created Load Balancer listener named: ${listenerArn}`)
}

/** AWS: the event's words are not documented; these are the reference's guess. */
export function makeElasticAddress({ parts, row, context }: Work): void {
  const { cloud, events } = parts
  const { AllocationId, PublicIp } = cloud.ec2.allocateAddress(context, {
    Domain: 'vpc',
    TagSpecifications: [{ ResourceType: 'elastic-ip', Tags: awsTags(row) }],
  })
  const elasticAddressId = required(AllocationId, 'allocateAddress')
  const elasticAddress = required(PublicIp, 'allocateAddress')
  remember(parts, row.id, { elasticAddressId, elasticAddress })
  events.write(ofEnvironment(row), 'INFO', `Created EIP: ${elasticAddress}`)
}

/** Carries out every setting that needs no new instance: sizes, health check, attributes, firewall. */
export function applySettings(work: Work): void {
  const { parts, row, context, configuration } = work
  const resources = resourcesOf(current(parts, row.id))
  const { autoScalingGroupName, targetGroupArn, loadBalancerArn } = resources
  if (autoScalingGroupName)
    parts.cloud.autoscaling.updateAutoScalingGroup(context, {
      AutoScalingGroupName: autoScalingGroupName,
      ...sizesOf(configuration),
    })
  if (targetGroupArn && configuration.loadBalanced) {
    registerWithTargetGroup(work, targetGroupArn)
    parts.cloud.elasticloadbalancingv2.modifyTargetGroup(context, {
      TargetGroupArn: targetGroupArn,
      ...healthCheckOf(configuration),
    })
    changeTargetGroupAttributes(work, targetGroupArn)
  }
  // Before the load balancer has other groups than those that its instances know: no moment without either.
  putInstanceRules(work)
  if (loadBalancerArn && configuration.loadBalanced) {
    changeLoadBalancerAttributes(work, loadBalancerArn)
    parts.cloud.elasticloadbalancingv2.setSecurityGroups(context, {
      LoadBalancerArn: loadBalancerArn,
      SecurityGroups: groupsOfLoadBalancer(work),
    })
    if (configuration.defaultListener && !resources.listenerArn) makeListener(work)
    putListeners(work)
    removeDefaultListener(work)
  }
  sayWhetherToCut(work)
}

// A group that was made for a single instance has none.
function registerWithTargetGroup({ parts, row, context }: Work, targetGroupArn: string): void {
  const { autoScalingGroupName } = resourcesOf(current(parts, row.id))
  const { autoscaling } = parts.cloud
  const names = { AutoScalingGroupNames: autoScalingGroupName ? [autoScalingGroupName] : [] }
  const [group] = autoscaling.describeAutoScalingGroups(context, names).AutoScalingGroups ?? []
  if (group && !group.TargetGroupARNs?.includes(targetGroupArn))
    autoscaling.attachLoadBalancerTargetGroups(context, {
      AutoScalingGroupName: autoScalingGroupName,
      TargetGroupARNs: [targetGroupArn],
    })
}

function changeTargetGroupAttributes({ parts, context, configuration }: Work, targetGroupArn: string): void {
  const { deregistrationDelaySeconds, stickinessSeconds } = configuration
  const values: Record<string, string> = {
    'deregistration_delay.timeout_seconds': String(deregistrationDelaySeconds),
    'stickiness.enabled': String(stickinessSeconds !== null),
    ...(stickinessSeconds === null
      ? {}
      : {
          'stickiness.type': 'lb_cookie',
          'stickiness.lb_cookie.duration_seconds': String(stickinessSeconds),
        }),
  }
  parts.cloud.elasticloadbalancingv2.modifyTargetGroupAttributes(context, {
    TargetGroupArn: targetGroupArn,
    Attributes: Object.entries(values).map(([Key, Value]) => ({ Key, Value })),
  })
}

function changeLoadBalancerAttributes(
  { parts, context, configuration }: Work,
  loadBalancerArn: string,
): void {
  const { idleTimeoutSeconds, queueSeconds, accessLogs, errorPage } = configuration
  const values: Record<string, string> = {
    'idle_timeout.timeout_seconds': String(idleTimeoutSeconds),
    'polebean.queue_seconds': String(queueSeconds),
    'polebean.error_page': errorPage,
    'access_logs.s3.enabled': String(accessLogs !== null),
    // What was logged before still goes there.
    ...(accessLogs
      ? { 'access_logs.s3.bucket': accessLogs.bucket, 'access_logs.s3.prefix': accessLogs.prefix }
      : {}),
  }
  parts.cloud.elasticloadbalancingv2.modifyLoadBalancerAttributes(context, {
    LoadBalancerArn: loadBalancerArn,
    Attributes: Object.entries(values).map(([Key, Value]) => ({ Key, Value })),
  })
}

/** What the settings say of the group itself. */
export const sizesOf = ({ minSize, maxSize, cooldownSeconds }: EnvironmentConfiguration) => ({
  MinSize: minSize,
  MaxSize: maxSize,
  DefaultCooldown: cooldownSeconds,
})

const healthCheckOf = ({ healthCheck }: EnvironmentConfiguration) => ({
  HealthCheckProtocol: 'HTTP' as const,
  HealthCheckPath: healthCheck.path,
  HealthCheckIntervalSeconds: healthCheck.intervalSeconds,
  HealthCheckTimeoutSeconds: healthCheck.timeoutSeconds,
  HealthyThresholdCount: healthCheck.healthyThreshold,
  UnhealthyThresholdCount: healthCheck.unhealthyThreshold,
  Matcher: { HttpCode: healthCheck.matcher },
})

const awsTags = (row: EnvironmentRow) => [
  { Key: 'Name', Value: row.name },
  { Key: 'elasticbeanstalk:environment-id', Value: row.id },
  { Key: 'elasticbeanstalk:environment-name', Value: row.name },
]

const subnetIds = ({ cloud }: Parts, context: Context) =>
  (cloud.ec2.describeSubnets(context, {}).Subnets ?? []).flatMap(({ SubnetId }) =>
    SubnetId ? [SubnetId] : [],
  )

/** Such an instance starts when it is given software. */
const AWAITS_SOFTWARE = { Key: 'polebean:awaits-software', Value: 'true' }
