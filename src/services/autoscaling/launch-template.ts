// Launch templates of ec2, as groups use them: named by id or name, with a version that may be `$Latest` or `$Default`.
import type { LaunchTemplateSpecification } from '@aws-sdk/client-auto-scaling'
import { DeclaredError } from '../../kernel/errors.ts'
import type { Context } from '../context.ts'
import type { AutoscalingDeps } from './deps.ts'
import { validation } from './errors.ts'

/** As it is kept: of a group with the version that was asked for, of a member with the number that it was launched with. */
export type LaunchTemplate = Required<LaunchTemplateSpecification>

type Deps = Pick<AutoscalingDeps, 'cloud'>

export const templateOf = (json: string | null) =>
  json === null ? undefined : (JSON.parse(json) as LaunchTemplate)

/** What is there under that name now, with the version as it was asked for; AWS's default is `$Default`.
 *  @throws ec2's errors when there is no such template or version. */
export function findTemplate({ cloud }: Deps, context: Context, asked: LaunchTemplateSpecification) {
  const { LaunchTemplateId, LaunchTemplateName } = asked
  const Version = asked.Version || '$Default'
  const answer = cloud.ec2.describeLaunchTemplateVersions(context, {
    ...(LaunchTemplateId && { LaunchTemplateId }),
    ...(LaunchTemplateName && { LaunchTemplateName }),
    Versions: [Version],
  })
  const found = answer.LaunchTemplateVersions![0]!
  const template: LaunchTemplate = {
    LaunchTemplateId: found.LaunchTemplateId!,
    LaunchTemplateName: found.LaunchTemplateName!,
    Version,
  }
  return {
    template,
    number: String(found.VersionNumber),
    createdAt: found.CreateTime!.getTime(),
    data: found.LaunchTemplateData ?? {},
  }
}

/** When that version was made; 0 when it is gone. */
export function templateMadeAt(
  deps: Deps,
  context: Context,
  { LaunchTemplateId, Version }: LaunchTemplate,
): number {
  try {
    return findTemplate(deps, context, { LaunchTemplateId, Version }).createdAt
  } catch (error) {
    if (error instanceof DeclaredError) return 0
    throw error
  }
}

/** A group's template as its next member would have it: with the number of the version. Null without one, or when it is gone. */
export function currentTemplate(deps: Deps, context: Context, kept: string | null): string | null {
  const asked = templateOf(kept)
  if (!asked) return null
  const { LaunchTemplateId, Version } = asked
  try {
    const { template, number } = findTemplate(deps, context, { LaunchTemplateId, Version })
    return JSON.stringify({ ...template, Version: number })
  } catch (error) {
    if (error instanceof DeclaredError) return null
    throw error
  }
}

/** The template that a request names, if instances can be launched by it as it is now. AWS tries that with a dry run.
 *  @throws DeclaredError */
export function requireTemplate(
  deps: Deps,
  context: Context,
  asked: LaunchTemplateSpecification,
): LaunchTemplate {
  const { LaunchTemplateId, LaunchTemplateName } = asked
  if (!LaunchTemplateId === !LaunchTemplateName)
    throw validation('Valid requests must contain either launchTemplateId or LaunchTemplateName')
  try {
    const { template, data } = findTemplate(deps, context, asked)
    const { ImageId, InstanceType, KeyName, SecurityGroups, NetworkInterfaces } = data
    const groups = NetworkInterfaces?.[0]?.Groups ?? data.SecurityGroupIds
    const { ec2 } = deps.cloud
    if (!ImageId) throw incomplete('ImageId')
    // Of a launch of its own ec2 would take its default type.
    if (!InstanceType) throw incomplete('InstanceType')
    ec2.describeImages(context, { ImageIds: [ImageId] })
    ec2.describeInstanceTypes(context, { InstanceTypes: [InstanceType] })
    if (KeyName) ec2.describeKeyPairs(context, { KeyNames: [KeyName] })
    if (groups?.length) ec2.describeSecurityGroups(context, { GroupIds: groups })
    if (SecurityGroups?.length)
      throw new DeclaredError(
        'InvalidParameterCombination',
        'The parameter groupName cannot be used with the parameter subnet',
      )
    return template
  } catch (error) {
    if (!(error instanceof DeclaredError)) throw error
    throw validation(`You must use a valid fully-formed launch template. ${error.message}`)
  }
}

const incomplete = (member: string) =>
  new DeclaredError('MissingParameter', `The request must contain the parameter ${member}`)
