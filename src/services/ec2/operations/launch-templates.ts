import { createHash } from 'node:crypto'
import type { LaunchTemplate } from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf } from '../../parameters.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { printable } from '../cidr.ts'
import type { Ec2Deps } from '../deps.ts'
import { invalidValue, missing, paging } from '../errors.ts'
import { filtered, type FilterTable } from '../filters.ts'
import { checkTemplateData } from '../launch-template-data.ts'
import {
  launchTemplatesOf,
  noTemplate,
  requireTemplate,
  requireVersion,
  type LaunchTemplateRow,
} from '../launch-template-store.ts'
import { tagsOf } from '../store.ts'
import { describeTagsOf, putTags, tagsFor } from './tags.ts'

type Implemented = Pick<
  Ec2Operations,
  'createLaunchTemplate' | 'describeLaunchTemplates' | 'modifyLaunchTemplate' | 'deleteLaunchTemplate'
>

export function makeLaunchTemplateOperations(deps: Ec2Deps): Implemented {
  const { store, clock, ids } = deps

  function describe(row: LaunchTemplateRow): LaunchTemplate {
    return {
      LaunchTemplateId: row.id,
      LaunchTemplateName: row.name,
      CreateTime: new Date(row.createdAt),
      CreatedBy: row.createdBy,
      DefaultVersionNumber: row.defaultVersion,
      LatestVersionNumber: row.latestVersion,
      Tags: describeTagsOf(deps, row.id),
    }
  }

  return {
    createLaunchTemplate(context, input) {
      const name = requireName(input.LaunchTemplateName)
      const data = checkTemplateData(input.LaunchTemplateData)
      const description = checkVersionDescription(input.VersionDescription)
      const tags = tagsFor(context, input.TagSpecifications, ['launch-template'])
      const requestDigest = createHash('sha256').update(JSON.stringify(input)).digest('hex')
      const all = launchTemplatesOf(store, context)
      const before = all.find((row) => input.ClientToken && row.clientToken === input.ClientToken)
      if (before && before.requestDigest !== requestDigest)
        throw new DeclaredError(
          'IdempotentParameterMismatch',
          'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
        )
      if (before) return { LaunchTemplate: describe(before) }
      if (all.some((row) => row.name === name))
        throw new DeclaredError(
          'InvalidLaunchTemplateName.AlreadyExistsException',
          'Launch template name already in use.',
        )
      const row: LaunchTemplateRow = {
        id: ids.hex('lt-', 17),
        account: context.account,
        region: context.region,
        name,
        createdAt: clock.now(),
        createdBy: context.caller.arn,
        defaultVersion: 1,
        latestVersion: 1,
        clientToken: input.ClientToken ?? null,
        requestDigest,
      }
      store.insert('ec2_launch_template', row)
      store.insert('ec2_launch_template_version', {
        templateId: row.id,
        number: 1,
        description,
        data: JSON.stringify(data),
        createdAt: row.createdAt,
        createdBy: row.createdBy,
        clientToken: null,
      })
      putTags(deps, context, row.id, tags)
      return { LaunchTemplate: describe(row) }
    },
    describeLaunchTemplates(context, input) {
      const all = launchTemplatesOf(store, context)
      for (const LaunchTemplateId of input.LaunchTemplateIds ?? [])
        if (!all.some((row) => row.id === LaunchTemplateId)) throw noTemplate({ LaunchTemplateId })
      for (const LaunchTemplateName of input.LaunchTemplateNames ?? [])
        if (!all.some((row) => row.name === LaunchTemplateName)) throw noTemplate({ LaunchTemplateName })
      const asked = all.filter(
        ({ id, name }) =>
          (!input.LaunchTemplateIds?.length || input.LaunchTemplateIds.includes(id)) &&
          (!input.LaunchTemplateNames?.length || input.LaunchTemplateNames.includes(name)),
      )
      const found = filtered(asked, input.Filters, FILTERS, (row) => tagsOf(store, row.id))
      const limits = { token: input.NextToken, max: input.MaxResults }
      const page = pageOf(found, (row) => row.name, limits, { ...paging(200), least: 1 })
      return { NextToken: page.next, LaunchTemplates: page.items.map(describe) }
    },
    modifyLaunchTemplate(context, input) {
      const row = requireTemplate(store, context, input)
      if (!input.DefaultVersion) throw missing('SetDefaultVersion')
      const { number: defaultVersion } = requireVersion(store, row, input.DefaultVersion)
      store.update('ec2_launch_template', { id: row.id }, { defaultVersion })
      return { LaunchTemplate: describe({ ...row, defaultVersion }) }
    },
    deleteLaunchTemplate(context, input) {
      const row = requireTemplate(store, context, input)
      const LaunchTemplate = describe(row)
      store.remove('ec2_launch_template_version', { templateId: row.id })
      store.remove('ec2_launch_template', { id: row.id })
      store.remove('ec2_tag', { resourceId: row.id })
      return { LaunchTemplate }
    },
  }
}

// AWS: 3 to 128 of these characters.
function requireName(name: string | undefined): string {
  if (!name) throw missing('LaunchTemplateName')
  if (!/^[a-zA-Z0-9().\-/_]{3,128}$/.test(name))
    throw new DeclaredError(
      'InvalidLaunchTemplateName.MalformedException',
      `Launch template name ${printable(name)} must be between 3 and 128 characters, and may contain letters, numbers, ` +
        'and the following characters: - ( ) . / _',
    )
  return name
}

export function checkVersionDescription(given: string | undefined): string | null {
  if (given && given.length > 255)
    throw invalidValue(printable(given), 'VersionDescription', 'It must be up to 255 characters.')
  return given || null
}

const FILTERS: FilterTable<LaunchTemplateRow> = {
  'create-time': (row) => [new Date(row.createdAt).toISOString()],
  'launch-template-name': (row) => [row.name],
}
