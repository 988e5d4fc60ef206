// Makes and changes what an environment is composed of, by the operations of the services that own it. Each is one step.
import type { Context } from '../../context.ts'
import { systemContext } from '../../service.ts'
import type { EnvironmentConfiguration } from '../configuration/types.ts'
import { ofEnvironment } from '../events.ts'
import { cnameOf, environmentArn, storageBucket } from '../names.ts'
import { tagsOf } from '../operations/tags.ts'
import type { Parts } from '../parts.ts'
import { environmentById, resourcesOf, type EnvironmentResources, type EnvironmentRow } from '../store.ts'

export type Work = {
  parts: Parts
  row: EnvironmentRow
  context: Context
  configuration: EnvironmentConfiguration
}

export const workOn = (parts: Parts, row: EnvironmentRow, configuration: EnvironmentConfiguration): Work => ({
  parts,
  row,
  context: systemContext(row.account, row.region, row.requestId),
  configuration,
})

/** The environment as it is now. @throws Error when its row is gone, which ends a workflow. */
export function current({ store }: Parts, environmentId: string): EnvironmentRow {
  const row = environmentById(store, environmentId)
  if (!row) throw new Error(`environment ${environmentId} is gone`)
  return row
}

export function remember({ store }: Parts, environmentId: string, made: EnvironmentResources): void {
  const row = environmentById(store, environmentId)
  if (row) store.update('environment', { id: environmentId }, { resources: { ...resourcesOf(row), ...made } })
}

export function forget(
  { store }: Parts,
  environmentId: string,
  ...members: (keyof EnvironmentResources)[]
): void {
  const row = environmentById(store, environmentId)
  if (!row) return
  const resources = resourcesOf(row)
  for (const member of members) delete resources[member]
  store.update('environment', { id: environmentId }, { resources })
}

const stackName = (row: EnvironmentRow) => `awseb-${row.id}-stack`

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

export function makeLoadBalancerSecurityGroup(work: Work): void {
  const { parts, row, context } = work
  const { cloud, ids, events } = parts
  const group = cloud.ec2.createSecurityGroup(context, {
    GroupName: ids.upper(`${stackName(row)}-AWSEBLoadBalancerSecurityGroup-`, 12),
    Description: 'Load Balancer Security Group',
    VpcId: defaultVpc(parts, context),
  })
  const groupId = required(group.GroupId, 'createSecurityGroup')
  const everybody = { IpRanges: [{ CidrIp: '0.0.0.0/0' }], Ipv6Ranges: [{ CidrIpv6: '::/0' }] }
  cloud.ec2.authorizeSecurityGroupIngress(context, {
    GroupId: groupId,
    IpPermissions: [{ IpProtocol: 'tcp', FromPort: LISTENER_PORT, ToPort: LISTENER_PORT, ...everybody }],
  })
  sayWhetherToCut(work, groupId)
  remember(parts, row.id, { loadBalancerSecurityGroupId: groupId })
  events.write(ofEnvironment(row), 'INFO', `Created security group named: ${groupId}`)
}

export function makeInstanceSecurityGroup(work: Work): void {
  const { parts, row, context, configuration } = work
  const { cloud, ids, events } = parts
  const name = ids.upper(`${stackName(row)}-AWSEBSecurityGroup-`, 12)
  const group = cloud.ec2.createSecurityGroup(context, {
    GroupName: name,
    Description: 'VPC Security Group',
    VpcId: defaultVpc(parts, context),
  })
  const groupId = required(group.GroupId, 'createSecurityGroup')
  const port = configuration.instancePort
  const { loadBalancerSecurityGroupId } = resourcesOf(current(parts, row.id))
  cloud.ec2.authorizeSecurityGroupIngress(context, {
    GroupId: groupId,
    IpPermissions: [
      {
        IpProtocol: 'tcp',
        FromPort: port,
        ToPort: port,
        UserIdGroupPairs: [{ GroupId: loadBalancerSecurityGroupId }],
      },
    ],
  })
  sayWhetherToCut(work, groupId)
  remember(parts, row.id, { instanceSecurityGroupId: groupId, instanceSecurityGroupName: name })
  events.write(ofEnvironment(row), 'INFO', `Created security group named: ${name}`)
}

/** Answers the name of the new launch configuration, which is remembered as the one in use. */
export function makeLaunchConfiguration({ parts, row, context, configuration }: Work): string {
  const { cloud, ids, events } = parts
  const name = ids.upper(`${stackName(row)}-AWSEBAutoScalingLaunchConfiguration-`, 12)
  const { instanceSecurityGroupId } = resourcesOf(current(parts, row.id))
  cloud.autoscaling.createLaunchConfiguration(context, {
    LaunchConfigurationName: name,
    ImageId: required(cloud.ec2.describeImages(context, {}).Images?.[0]?.ImageId, 'describeImages'),
    InstanceType: configuration.instanceType,
    SecurityGroups: instanceSecurityGroupId ? [instanceSecurityGroupId] : [],
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

export function makeLoadBalancer({ parts, row, context, configuration }: Work): void {
  const { cloud, ids, events } = parts
  const { loadBalancerSecurityGroupId } = resourcesOf(current(parts, row.id))
  const { LoadBalancers = [] } = cloud.elasticloadbalancingv2.createLoadBalancer(context, {
    Name: ids.upper('awseb-AWSEB-', 13),
    Type: 'application',
    Scheme: 'internet-facing',
    IpAddressType: 'ipv4',
    Subnets: subnetIds(parts, context),
    SecurityGroups: loadBalancerSecurityGroupId ? [loadBalancerSecurityGroupId] : [],
    Tags: awsTags(row),
  })
  const arn = required(LoadBalancers[0]?.LoadBalancerArn, 'createLoadBalancer')
  const dnsName = LoadBalancers[0]?.DNSName
  remember(parts, row.id, { loadBalancerArn: arn, ...(dnsName ? { loadBalancerDnsName: dnsName } : {}) })
  changeLoadBalancerAttributes({ parts, row, context, configuration }, arn)
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

export function makeNames({ parts, row, context }: Work): void {
  const { loadBalancerArn } = resourcesOf(current(parts, row.id))
  parts.cloud.elasticloadbalancingv2.putLoadBalancerNames(context, required(loadBalancerArn, 'names'), {
    hosts: [cnameOf(row, parts.domain)],
    loopbackPort: row.loopbackPort,
  })
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
  if (targetGroupArn) {
    parts.cloud.elasticloadbalancingv2.modifyTargetGroup(context, {
      TargetGroupArn: targetGroupArn,
      ...healthCheckOf(configuration),
    })
    changeTargetGroupAttributes(work, targetGroupArn)
  }
  if (loadBalancerArn) changeLoadBalancerAttributes(work, loadBalancerArn)
  for (const groupId of [resources.loadBalancerSecurityGroupId, resources.instanceSecurityGroupId])
    if (groupId) sayWhetherToCut(work, groupId)
}

function sayWhetherToCut({ parts, context, configuration }: Work, groupId: string): void {
  const tagged = { Resources: [groupId], Tags: [{ Key: 'polebean:cuts-on-revoke', Value: 'true' }] }
  if (configuration.cutOnRevoke) parts.cloud.ec2.createTags(context, tagged)
  else parts.cloud.ec2.deleteTags(context, tagged)
}

function changeTargetGroupAttributes({ parts, context, configuration }: Work, targetGroupArn: string): void {
  const seconds = String(configuration.deregistrationDelaySeconds)
  parts.cloud.elasticloadbalancingv2.modifyTargetGroupAttributes(context, {
    TargetGroupArn: targetGroupArn,
    Attributes: [{ Key: 'deregistration_delay.timeout_seconds', Value: seconds }],
  })
}

function changeLoadBalancerAttributes(
  { parts, context, configuration }: Work,
  loadBalancerArn: string,
): void {
  parts.cloud.elasticloadbalancingv2.modifyLoadBalancerAttributes(context, {
    LoadBalancerArn: loadBalancerArn,
    Attributes: [{ Key: 'idle_timeout.timeout_seconds', Value: String(configuration.idleTimeoutSeconds) }],
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

const defaultVpc = ({ cloud }: Parts, context: Context) =>
  required(cloud.ec2.describeVpcs(context, {}).Vpcs?.[0]?.VpcId, 'describeVpcs')

const subnetIds = ({ cloud }: Parts, context: Context) =>
  (cloud.ec2.describeSubnets(context, {}).Subnets ?? []).flatMap(({ SubnetId }) =>
    SubnetId ? [SubnetId] : [],
  )

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new Error(`${what} answered nothing`)
  return value
}

const LISTENER_PORT = 80
/** Such an instance starts when it is given software. */
const AWAITS_SOFTWARE = { Key: 'polebean:awaits-software', Value: 'true' }
