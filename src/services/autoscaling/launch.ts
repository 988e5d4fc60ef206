// Launches one member, or writes why not and when to try again.
import type {
  BlockDeviceMapping,
  Instance,
  InstanceMetadataOptionsRequest,
  _InstanceType,
} from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import { beginActivity } from './activities.ts'
import * as causes from './causes.ts'
import type { AutoscalingDeps } from './deps.ts'
import { counts } from './lifecycle.ts'
import { findTemplate, templateOf } from './launch-template.ts'
import { RETRY_FIRST_MS, RETRY_MOST_MS, subnetForNext } from './plan.ts'
import {
  groupTagsOf,
  launchConfigurationOf,
  listOf,
  membersOf,
  updateGroup,
  type GroupRow,
  type MemberRow,
} from './store.ts'

/** Runs inside the caller's transaction: the instance's row and the member's row are written together. */
export function launchMember(
  deps: AutoscalingDeps,
  context: Context,
  group: GroupRow,
  { from, to, because }: { from: number; to: number; because?: causes.Replacing },
): boolean {
  const { store, clock } = deps
  const now = clock.now()
  const first = group.cause ?? (because ? causes.launchedFor(now, because) : null)
  const cause = causes.isReplacement(first ?? '')
    ? first!
    : causes.causeOf(first, causes.started(now, from, to))
  try {
    const member = runInstance(deps, context, group)
    const description = `Launching a new EC2 instance: ${member.instanceId}`
    const activityId = beginActivity(deps, group, { description, cause, zone: member.zone })
    store.insert('autoscaling_instance', { ...member, activityId })
    return true
  } catch (error) {
    if (!(error instanceof DeclaredError)) throw error
    const failure = `${error.message.replace(/[.\s]*$/, '')}. Launching EC2 instance failed.`
    const description = `Launching a new EC2 instance.  Status Reason: ${failure}`
    beginActivity(deps, group, { description, cause, zone: null, failure })
    const waitMs = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** group.launchFailures)
    updateGroup(store, group, { launchFailures: group.launchFailures + 1, launchRetryAt: now + waitMs })
    return false
  }
}

function runInstance({ store, clock, cloud }: AutoscalingDeps, context: Context, group: GroupRow): MemberRow {
  const launchTemplate = templateNow({ cloud }, context, group)
  const answer = cloud.ec2.runInstances(context, {
    ...(launchTemplate
      ? {
          LaunchTemplate: {
            LaunchTemplateId: launchTemplate.LaunchTemplateId,
            Version: launchTemplate.Version,
          },
        }
      : requestOf(store, group)),
    MinCount: 1,
    MaxCount: 1,
    SubnetId: nextSubnet({ store, cloud }, context, group),
    TagSpecifications: [
      {
        ResourceType: 'instance',
        Tags: [
          { Key: 'aws:autoscaling:groupName', Value: group.name },
          ...groupTagsOf(store, group)
            .filter((tag) => tag.propagate)
            .map(({ key, value }) => ({ Key: key, Value: value })),
        ],
      },
    ],
  })
  const instance = answer.Instances![0]!
  return newMember(group, instance, clock.now(), {
    launchConfigurationName: group.launchConfigurationName,
    launchTemplate: launchTemplate ? JSON.stringify(launchTemplate) : null,
  })
}

/** Of an instance that comes into its group: launched for it, or attached. */
export const newMember = (
  group: GroupRow,
  instance: Instance,
  now: number,
  source: Pick<MemberRow, 'launchConfigurationName' | 'launchTemplate'>,
): MemberRow => ({
  instanceId: instance.InstanceId!,
  account: group.account,
  region: group.region,
  groupName: group.name,
  instanceType: instance.InstanceType!,
  imageId: instance.ImageId!,
  zone: instance.Placement!.AvailabilityZone!,
  ...source,
  lifecycleState: 'Pending',
  healthStatus: 'Healthy',
  protected: group.protectNew,
  registered: '[]',
  terminateSent: 0,
  activityId: null,
  createdAt: now,
  inServiceAt: null,
})

// With the number of the version that `$Latest` or `$Default` is at this launch.
function templateNow(deps: Pick<AutoscalingDeps, 'cloud'>, context: Context, group: GroupRow) {
  const asked = templateOf(group.launchTemplate)
  if (!asked) return undefined
  const { LaunchTemplateId, Version } = asked
  const { template, number } = findTemplate(deps, context, { LaunchTemplateId, Version })
  return { ...template, Version: number }
}

function requestOf(store: AutoscalingDeps['store'], group: GroupRow) {
  const configuration = launchConfigurationOf(store, group, group.launchConfigurationName)
  if (!configuration)
    throw new DeclaredError(
      'ValidationError',
      `Launch configuration ${group.launchConfigurationName} not found.`,
    )
  const { keyName, iamInstanceProfile } = configuration
  const mappings = JSON.parse(configuration.blockDeviceMappings) as BlockDeviceMapping[]
  return {
    ImageId: configuration.imageId,
    InstanceType: configuration.instanceType as _InstanceType,
    SecurityGroupIds: listOf(configuration.securityGroups),
    Monitoring: { Enabled: configuration.monitoring === 1 },
    ...(keyName && { KeyName: keyName }),
    ...(mappings.length > 0 && { BlockDeviceMappings: mappings }),
    ...(iamInstanceProfile && { IamInstanceProfile: profileOf(iamInstanceProfile) }),
    MetadataOptions: JSON.parse(configuration.metadataOptions) as InstanceMetadataOptionsRequest,
  }
}

function nextSubnet(
  { store, cloud }: Pick<AutoscalingDeps, 'store' | 'cloud'>,
  context: Context,
  group: GroupRow,
) {
  const subnets = cloud.ec2.describeSubnets(context, { SubnetIds: listOf(group.subnets) }).Subnets ?? []
  const zones = membersOf(store, group)
    .filter((member) => counts(member.lifecycleState))
    .map((member) => member.zone)
  return subnetForNext(
    subnets.map((one) => ({ id: one.SubnetId!, zone: one.AvailabilityZone! })),
    zones,
  )
}

const profileOf = (given: string) => (given.startsWith('arn:') ? { Arn: given } : { Name: given })
