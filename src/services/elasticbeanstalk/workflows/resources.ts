// Makes and changes what an environment is composed of, by the operations of the services that own it. Each is one step.
import { putNames } from '../front.ts'
import type { Context } from '../../context.ts'
import type { EnvironmentConfiguration } from '../configuration/types.ts'
import { hasKeyPair } from '../configuration/names.ts'
import { ofEnvironment } from '../events.ts'
import { environmentArn, storageBucket } from '../names.ts'
import { tagsOf } from '../operations/tags.ts'
import type { Parts } from '../parts.ts'
import { resourcesOf, targetGroupsOf } from '../store.ts'
import { putDefaultListener, putListeners, removeDefaultListener } from './listeners.ts'
import { putProcesses } from './processes.ts'
import {
  groupsOfInstances,
  groupsOfLoadBalancer,
  putInstanceRules,
  sayWhetherToCut,
} from './security-groups.ts'
import { putScaling } from './scaling.ts'
import { putScheduledActions } from './scheduled-actions.ts'
import { addGroups } from './shared-load-balancer.ts'
import { awsTags, current, remember, required, stackName, type Work } from './work.ts'

export function makeStorage({ parts, row, context }: Work): void {
  const bucket = storageBucket(row)
  parts.cloud.s3.ensureBucket(context, bucket)
  parts.events.write(
    ofEnvironment(row),
    'INFO',
    `Using ${bucket} as Amazon S3 storage bucket for environment data.`,
  )
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
  const { launchConfigurationName } = resourcesOf(current(parts, row.id))
  const own = tagsOf(parts.store, environmentArn(row))
  const tags = [
    ...own.map(({ key, value }) => ({ Key: key, Value: value })),
    ...awsTags(row),
    AWAITS_SOFTWARE,
  ]
  cloud.autoscaling.createAutoScalingGroup(context, {
    AutoScalingGroupName: name,
    LaunchConfigurationName: launchConfigurationName,
    ...groupSettingsOf(configuration),
    VPCZoneIdentifier: subnetIds(parts, context).join(','),
    TargetGroupARNs: Object.values(targetGroupsOf(current(parts, row.id))),
    Tags: tags.map((tag) => ({ ...tag, PropagateAtLaunch: true })),
  })
  const groupSettings = JSON.stringify(groupSettingsOf(configuration))
  remember(parts, row.id, { autoScalingGroupName: name, groupSettings })
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
  const { classic } = work.configuration
  const Name = classic ? ids.upper(`awseb-e-${row.id[2]}-AWSEBLoa-`, 13) : ids.upper('awseb-AWSEB-', 13)
  const { LoadBalancers = [] } = cloud.elasticloadbalancingv2.createLoadBalancer(context, {
    Name,
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
  if (classic) {
    cloud.elasticloadbalancingv2.putClassicLoadBalancer(context, arn)
    remember(parts, row.id, { loadBalancerName: Name })
  }
  changeLoadBalancerAttributes(work, arn)
  events.write(ofEnvironment(row), 'INFO', `Created load balancer named: ${classic ? Name : arn}`)
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

/** Carries out every setting that needs no new instance: sizes, health check, attributes, firewall. `holds`: of putProcesses. */
export function applySettings(work: Work, { holds = false } = {}): void {
  const { parts, row, context, configuration } = work
  const resources = resourcesOf(current(parts, row.id))
  const { targetGroupArn, loadBalancerArn } = resources
  putGroupSettings(work)
  if (targetGroupArn && configuration.loadBalanced) putProcesses(work, { holds })
  // Before the load balancer has other groups than those that its instances know: no moment without either.
  putInstanceRules(work)
  if (loadBalancerArn && configuration.loadBalanced) {
    if (resources.sharesLoadBalancer) addGroups(work, loadBalancerArn, groupsOfLoadBalancer(work))
    else {
      changeLoadBalancerAttributes(work, loadBalancerArn)
      parts.cloud.elasticloadbalancingv2.setSecurityGroups(context, {
        LoadBalancerArn: loadBalancerArn,
        SecurityGroups: groupsOfLoadBalancer(work),
      })
      if (configuration.defaultListener) putDefaultListener(work)
    }
    putListeners(work)
    removeDefaultListener(work)
  }
  putScaling(work)
  putScheduledActions(work)
  sayWhetherToCut(work)
  if (resources.front) putNames(parts, row.id, resources.front, configuration.domains)
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

/** Only when settings say something else than they did: AWS, too, leaves a group alone that a scheduled action has changed, until its
 *  own settings change. */
function putGroupSettings({ parts, row, context, configuration }: Work): void {
  const { autoScalingGroupName, groupSettings } = resourcesOf(current(parts, row.id))
  const said = JSON.stringify(groupSettingsOf(configuration))
  if (!autoScalingGroupName || said === groupSettings) return
  parts.cloud.autoscaling.updateAutoScalingGroup(context, {
    AutoScalingGroupName: autoScalingGroupName,
    ...groupSettingsOf(configuration),
  })
  remember(parts, row.id, { groupSettings: said })
}

/** What the settings say of the group itself. */
export const groupSettingsOf = (configuration: EnvironmentConfiguration) => ({
  MinSize: configuration.minSize,
  MaxSize: configuration.maxSize,
  DefaultCooldown: configuration.cooldownSeconds,
  // AWS: unless told, an application that fails drops out of the balancer but is not replaced (reference §5.1).
  HealthCheckType: configuration.healthCheck.type,
  HealthCheckGracePeriod: configuration.healthCheck.graceSeconds,
})

const subnetIds = ({ cloud }: Parts, context: Context) =>
  (cloud.ec2.describeSubnets(context, {}).Subnets ?? []).flatMap(({ SubnetId }) =>
    SubnetId ? [SubnetId] : [],
  )

/** Such an instance starts when it is given software. */
const AWAITS_SOFTWARE = { Key: 'polebean:awaits-software', Value: 'true' }
