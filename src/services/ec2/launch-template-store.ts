// Launch templates as rows: the template, and each of its versions, which never change.
import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../kernel/errors.ts'
import type { Store } from '../../store/store.ts'
import type { Context } from '../context.ts'
import { printable } from './cidr.ts'
import { missing } from './errors.ts'

export type LaunchTemplateRow = {
  id: string
  account: string
  region: string
  name: string
  createdAt: number
  createdBy: string
  defaultVersion: number
  /** The highest number that was given, also when that version is deleted. */
  latestVersion: number
  clientToken: string | null
  requestDigest: string
}

export type LaunchTemplateVersionRow = {
  templateId: string
  number: number
  description: string | null
  /** JSON of RequestLaunchTemplateData. */
  data: string
  createdAt: number
  createdBy: string
  clientToken: string | null
}

export type TemplateName = { LaunchTemplateId?: string; LaunchTemplateName?: string }

export const launchTemplatesOf = (store: Store, { account, region }: Context) =>
  store.all<LaunchTemplateRow>(
    'select * from ec2_launch_template where account = :account and region = :region order by name',
    { account, region },
  )

export const versionsOf = (store: Store, templateId: string) =>
  store.all<LaunchTemplateVersionRow>(
    'select * from ec2_launch_template_version where template_id = :templateId order by number',
    { templateId },
  )

export const dataOf = (row: LaunchTemplateVersionRow) => JSON.parse(row.data) as RequestLaunchTemplateData

/** The template that id or name tells, one of them. Throws AWS's errors. */
export function requireTemplate(store: Store, context: Context, named: TemplateName): LaunchTemplateRow {
  const { LaunchTemplateId: id, LaunchTemplateName: name } = named
  if (id && name)
    throw new DeclaredError(
      'InvalidParameterCombination',
      'Either launchTemplateId or launchTemplateName can be specified, but not both.',
    )
  if (!id && !name) throw missing('LaunchTemplateId')
  const found = launchTemplatesOf(store, context).find((row) => (id ? row.id === id : row.name === name))
  if (!found) throw noTemplate(named)
  return found
}

export function noTemplate({ LaunchTemplateId: id, LaunchTemplateName: name }: TemplateName): DeclaredError {
  if (!id)
    return new DeclaredError(
      'InvalidLaunchTemplateName.NotFoundException',
      `The specified launch template, with template name ${printable(name ?? '')}, does not exist.`,
    )
  return /^lt-[0-9a-f]+$/.test(id)
    ? new DeclaredError(
        'InvalidLaunchTemplateId.NotFound',
        `The specified launch template, with template ID ${id}, does not exist.`,
      )
    : new DeclaredError(
        'InvalidLaunchTemplateId.Malformed',
        `Invalid id: "${printable(id)}" (expecting "lt-...")`,
      )
}

/** A version by its number, `$Latest` or `$Default` (which an absent one means). Throws `InvalidLaunchTemplateId.VersionNotFound`. */
export function requireVersion(
  store: Store,
  template: LaunchTemplateRow,
  wanted: string | undefined,
): LaunchTemplateVersionRow {
  const versions = versionsOf(store, template.id)
  const found =
    wanted === '$Latest'
      ? versions.at(-1)
      : versions.find(({ number }) => String(number) === numberOf(template, wanted))
  if (!found)
    throw new DeclaredError(
      'InvalidLaunchTemplateId.VersionNotFound',
      `Could not find the specified version ${printable(wanted ?? '')} for the launch template with ID ${template.id}.`,
    )
  return found
}

const numberOf = (template: LaunchTemplateRow, wanted: string | undefined) =>
  !wanted || wanted === '$Default' ? String(template.defaultVersion) : wanted
