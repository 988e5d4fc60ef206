// Launches one member, or writes why not and when to try again.
import type { BlockDeviceMapping, InstanceMetadataOptionsRequest, _InstanceType } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import { beginActivity } from './activities.ts'
import * as causes from './causes.ts'
import type { AutoscalingDeps } from './deps.ts'
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
  capacity: { from: number; to: number },
): boolean {
  const { store, clock } = deps
  const now = clock.now()
  const cause = causes.isReplacement(group.cause ?? '')
    ? group.cause!
    : causes.causeOf(group.cause, causes.started(now, capacity.from, capacity.to))
  try {
    const member = runInstance(deps, context, group)
    const description = `Launching a new EC2 instance: ${member.instanceId}`
    const activityId = beginActivity(deps, group, { description, cause, zone: member.zone })
    store.insert('autoscaling_instance', { ...member, activityId })
    return true
  } catch (error) {
    if (!(error instanceof DeclaredError)) throw error
    const failure = `${error.message} Launching EC2 instance failed.`
    const description = `Launching a new EC2 instance.  Status Reason: ${failure}`
    beginActivity(deps, group, { description, cause, zone: null, failure })
    const waitMs = Math.min(RETRY_MOST_MS, RETRY_FIRST_MS * 2 ** group.launchFailures)
    updateGroup(store, group, { launchFailures: group.launchFailures + 1, launchRetryAt: now + waitMs })
    return false
  }
}

function runInstance({ store, clock, cloud }: AutoscalingDeps, context: Context, group: GroupRow): MemberRow {
  const configuration = launchConfigurationOf(store, group, group.launchConfigurationName)
  if (!configuration)
    throw new DeclaredError(
      'ValidationError',
      `Launch configuration ${group.launchConfigurationName} not found.`,
    )
  const SubnetId = nextSubnet({ store, cloud }, context, group)
  const securityGroups = listOf(configuration.securityGroups)
  const mappings = JSON.parse(configuration.blockDeviceMappings) as BlockDeviceMapping[]
  const answer = cloud.ec2.runInstances(context, {
    ImageId: configuration.imageId,
    InstanceType: configuration.instanceType as _InstanceType,
    MinCount: 1,
    MaxCount: 1,
    SubnetId,
    SecurityGroupIds: securityGroups,
    Monitoring: { Enabled: configuration.monitoring === 1 },
    ...(mappings.length > 0 && { BlockDeviceMappings: mappings }),
    MetadataOptions: JSON.parse(configuration.metadataOptions) as InstanceMetadataOptionsRequest,
    ...(configuration.iamInstanceProfile && {
      IamInstanceProfile: profileOf(configuration.iamInstanceProfile),
    }),
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
  return {
    instanceId: instance.InstanceId!,
    account: group.account,
    region: group.region,
    groupName: group.name,
    instanceType: configuration.instanceType,
    imageId: configuration.imageId,
    zone: instance.Placement!.AvailabilityZone!,
    launchConfigurationName: configuration.name,
    lifecycleState: 'Pending',
    healthStatus: 'Healthy',
    protected: group.protectNew,
    registered: '[]',
    terminateSent: 0,
    activityId: null,
    createdAt: clock.now(),
    inServiceAt: null,
  }
}

function nextSubnet(
  { store, cloud }: Pick<AutoscalingDeps, 'store' | 'cloud'>,
  context: Context,
  group: GroupRow,
) {
  const subnets = cloud.ec2.describeSubnets(context, { SubnetIds: listOf(group.subnets) }).Subnets ?? []
  const zones = membersOf(store, group)
    .filter((member) => member.lifecycleState !== 'Terminating')
    .map((member) => member.zone)
  return subnetForNext(
    subnets.map((one) => ({ id: one.SubnetId!, zone: one.AvailabilityZone! })),
    zones,
  )
}

const profileOf = (given: string) => (given.startsWith('arn:') ? { Arn: given } : { Name: given })
