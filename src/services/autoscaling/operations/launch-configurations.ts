import type { LaunchConfiguration } from '@aws-sdk/client-auto-scaling'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { noLaunchConfiguration, paging, requireString, unsupported, validation } from '../errors.ts'
import {
  groupsOf,
  launchConfigurationOf,
  launchConfigurationsOf,
  listOf,
  type LaunchConfigurationRow,
} from '../store.ts'
import { requireMetadataOptions } from '../validate.ts'

type Implemented = Pick<
  AutoscalingOperations,
  'createLaunchConfiguration' | 'deleteLaunchConfiguration' | 'describeLaunchConfigurations'
>

/** AWS: 200 per region. */
export const CONFIGURATIONS_MAX = 200

export function makeLaunchConfigurationOperations({
  store,
  clock,
  ids,
  cloud,
}: AutoscalingDeps): Implemented {
  return {
    createLaunchConfiguration(context, input) {
      // IamInstanceProfile and InstanceMonitoring are handed to RunInstances, where they are listed as without effect.
      refuseOthers(
        input,
        [
          'LaunchConfigurationName',
          'ImageId',
          'InstanceType',
          'SecurityGroups',
          'IamInstanceProfile',
          'InstanceMonitoring',
          'BlockDeviceMappings',
          'MetadataOptions',
          'KeyName',
        ],
        unsupported,
      )
      const name = requireName(requireString(input.LaunchConfigurationName, 'LaunchConfigurationName'))
      if (launchConfigurationOf(store, context, name))
        throw new DeclaredError(
          'AlreadyExists',
          `Launch Configuration by this name already exists - A launch configuration already exists with the name ${name}`,
        )
      if (launchConfigurationsOf(store, context).length >= CONFIGURATIONS_MAX)
        throw new DeclaredError(
          'LimitExceeded',
          `LaunchConfigurations limit of ${CONFIGURATIONS_MAX} exceeded.`,
        )
      if (!input.ImageId)
        throw validation(
          'Valid requests must contain either the InstanceID parameter or both the ImageId and InstanceType parameters.',
        )
      if (!input.InstanceType)
        throw validation(
          'Valid requests must contain either the InstanceID parameter or both the ImageId and InstanceType parameters.',
        )
      requireKnown(
        () => cloud.ec2.describeInstanceTypes(context, { InstanceTypes: [input.InstanceType as never] }),
        `Invalid instance type: '${input.InstanceType}'`,
      )
      const groups = input.SecurityGroups ?? []
      if (groups.length > 0)
        requireKnown(
          () => cloud.ec2.describeSecurityGroups(context, { GroupIds: groups }),
          `One or more security groups in the launch configuration are not linked to the VPCs configured in the Auto Scaling group`,
        )
      const { KeyName } = input
      if (KeyName)
        requireKnown(
          () => cloud.ec2.describeKeyPairs(context, { KeyNames: [KeyName] }),
          `The key pair '${KeyName}' does not exist`,
        )
      const { account, region } = context
      const row: LaunchConfigurationRow = {
        account,
        region,
        name,
        arn: `arn:aws:autoscaling:${region}:${account}:launchConfiguration:${ids.uuid()}:launchConfigurationName/${name}`,
        imageId: input.ImageId,
        instanceType: input.InstanceType,
        keyName: KeyName ?? '',
        securityGroups: JSON.stringify(groups),
        iamInstanceProfile: input.IamInstanceProfile ?? null,
        // AWS: "If you do not specify a value, the default is true".
        monitoring: input.InstanceMonitoring?.Enabled === false ? 0 : 1,
        blockDeviceMappings: JSON.stringify(input.BlockDeviceMappings ?? []),
        metadataOptions: JSON.stringify(requireMetadataOptions(input.MetadataOptions)),
        createdAt: clock.now(),
      }
      store.insert('autoscaling_launch_configuration', row)
      return {}
    },
    deleteLaunchConfiguration(context, input) {
      const name = requireString(input.LaunchConfigurationName, 'LaunchConfigurationName')
      const row = launchConfigurationOf(store, context, name)
      if (!row) throw noLaunchConfiguration(name)
      const user = groupsOf(store, context).find((group) => group.launchConfigurationName === name)
      if (user)
        throw new DeclaredError(
          'ResourceInUse',
          `Cannot delete launch configuration ${name} because it is attached to AutoScalingGroup ${user.name}`,
        )
      const { account, region } = context
      store.remove('autoscaling_launch_configuration', { account, region, name })
      return {}
    },
    describeLaunchConfigurations(context, input) {
      const names = input.LaunchConfigurationNames ?? []
      const rows = launchConfigurationsOf(store, context).filter(
        (row) => names.length === 0 || names.includes(row.name),
      )
      const limits = { token: input.NextToken, max: input.MaxRecords }
      const page = pageOf(rows, (row) => row.name, limits, paging(50))
      return { NextToken: page.next, LaunchConfigurations: page.items.map(describe) }
    },
  }
}

/** Names of groups and configurations: 1–255 printable characters without colon. */
export function requireName(name: string): string {
  if (name.length > 255 || /[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]/.test(name))
    throw validation(
      `1 validation error detected: Value '${name.slice(0, 300)}' failed to satisfy constraint: Member must have length less than or equal to 255`,
    )
  if (name.includes(':')) throw validation('Group name can not contain the colon character')
  return name
}

export function requireKnown<T>(look: () => T, message: string): T {
  try {
    return look()
  } catch (error) {
    throw error instanceof DeclaredError ? validation(message) : error
  }
}

const describe = (row: LaunchConfigurationRow): LaunchConfiguration => ({
  LaunchConfigurationName: row.name,
  LaunchConfigurationARN: row.arn,
  ImageId: row.imageId,
  InstanceType: row.instanceType,
  KeyName: row.keyName,
  UserData: '',
  KernelId: '',
  RamdiskId: '',
  SecurityGroups: listOf(row.securityGroups),
  ClassicLinkVPCSecurityGroups: [],
  BlockDeviceMappings: JSON.parse(row.blockDeviceMappings) as LaunchConfiguration['BlockDeviceMappings'],
  InstanceMonitoring: { Enabled: row.monitoring === 1 },
  ...(row.iamInstanceProfile && { IamInstanceProfile: row.iamInstanceProfile }),
  ...(row.metadataOptions !== '{}' && { MetadataOptions: JSON.parse(row.metadataOptions) as object }),
  EbsOptimized: false,
  CreatedTime: new Date(row.createdAt),
})
