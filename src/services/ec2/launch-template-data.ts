// What a launch template says, and how a launch takes it: what the request itself says wins.
import type { RequestLaunchTemplateData, RunInstancesCommandInput } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import { refuseOthers } from '../parameters.ts'
import type { Ec2Deps } from './deps.ts'
import { missing, unsupported } from './errors.ts'
import { withoutInterfaces } from './interface-specification.ts'
import { dataOf, requireTemplate, requireVersion } from './launch-template-store.ts'
import { METADATA_DEFAULTS, withOptions } from './metadata/options.ts'
import { checkUserData } from './user-data.ts'

/** What RunInstances heeds as well. */
const HEEDED = [
  'ImageId',
  'InstanceType',
  'KeyName',
  'UserData',
  'SecurityGroupIds',
  'SecurityGroups',
  'NetworkInterfaces',
  'Placement',
  'TagSpecifications',
  'IamInstanceProfile',
  'Monitoring',
  'MetadataOptions',
  'BlockDeviceMappings',
  'DisableApiTermination',
  'DisableApiStop',
  'InstanceInitiatedShutdownBehavior',
] as const

/** Refuses what no launch would heed. As on AWS, whether groups, image and key are there is seen at the launch. */
export function checkTemplateData(data: RequestLaunchTemplateData | undefined): RequestLaunchTemplateData {
  if (!data) throw missing('LaunchTemplateData')
  refuseOthers(data, HEEDED, (member) => unsupported(`LaunchTemplateData.${member}`))
  checkUserData(data.UserData, 'InvalidUserData.Malformed')
  withOptions(METADATA_DEFAULTS, data.MetadataOptions)
  if (data.SecurityGroupIds?.length && data.SecurityGroups?.length)
    throw new DeclaredError(
      'InvalidParameterCombination',
      'The parameters SecurityGroupIds and SecurityGroups cannot be specified together.',
    )
  withoutInterfaces(data)
  return data
}

/** The launch with what its template says of everything that it does not say itself. */
export function withTemplate(
  { store }: Ec2Deps,
  context: Context,
  input: RunInstancesCommandInput,
): RunInstancesCommandInput {
  const { LaunchTemplate, ...own } = input
  if (!LaunchTemplate) return input
  const template = requireTemplate(store, context, LaunchTemplate)
  const { SecurityGroupIds, SecurityGroups, TagSpecifications, ...data } = withoutInterfaces(
    dataOf(requireVersion(store, template, LaunchTemplate.Version)),
  )
  const saysGroups = own.SecurityGroupIds?.length || own.SecurityGroups?.length
  return {
    ...(data as Partial<RunInstancesCommandInput>),
    ...(!saysGroups && { SecurityGroupIds, SecurityGroups }),
    ...Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined)),
    MinCount: own.MinCount,
    MaxCount: own.MaxCount,
    TagSpecifications: [...specificationsOf(own.TagSpecifications, TagSpecifications)],
  }
}

// Tags of both; for a key that both have, the request's.
function specificationsOf(
  own: RunInstancesCommandInput['TagSpecifications'] = [],
  given: RequestLaunchTemplateData['TagSpecifications'] = [],
) {
  const has = (type: string | undefined, key: string | undefined) =>
    own.some(({ ResourceType, Tags }) => ResourceType === type && Tags?.some((tag) => tag.Key === key))
  const rest = given.map(({ ResourceType, Tags = [] }) => ({
    ResourceType,
    Tags: Tags.filter((tag) => !has(ResourceType, tag.Key)),
  }))
  return [...own, ...rest.filter(({ Tags }) => Tags.length > 0)]
}
