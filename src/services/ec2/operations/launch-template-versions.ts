import type {
  DeleteLaunchTemplateVersionsResponseErrorItem,
  DeleteLaunchTemplateVersionsResponseSuccessItem,
  LaunchTemplateVersion,
} from '@aws-sdk/client-ec2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Ec2Operations } from '../../generated/ec2.ts'
import { printable } from '../cidr.ts'
import type { Ec2Deps } from '../deps.ts'
import { invalidValue, missing, paging } from '../errors.ts'
import { filtered, type FilterTable } from '../filters.ts'
import { checkTemplateData } from '../launch-template-data.ts'
import {
  dataOf,
  launchTemplatesOf,
  requireTemplate,
  requireVersion,
  versionsOf,
  type LaunchTemplateRow,
  type LaunchTemplateVersionRow,
} from '../launch-template-store.ts'
import { checkVersionDescription } from './launch-templates.ts'

type Implemented = Pick<
  Ec2Operations,
  'createLaunchTemplateVersion' | 'describeLaunchTemplateVersions' | 'deleteLaunchTemplateVersions'
>
type Outcome = {
  done?: DeleteLaunchTemplateVersionsResponseSuccessItem
  failed?: DeleteLaunchTemplateVersionsResponseErrorItem
}
type Named = { template: LaunchTemplateRow; version: LaunchTemplateVersionRow }

/** AWS: "up to 10,000 versions". */
const VERSIONS_MAX = 10_000

export function makeLaunchTemplateVersionOperations(deps: Ec2Deps): Implemented {
  const { store, clock } = deps
  return {
    createLaunchTemplateVersion(context, input) {
      const template = requireTemplate(store, context, input)
      const given = input.LaunchTemplateData
      if (!given) throw missing('LaunchTemplateData')
      const { ClientToken: clientToken = null } = input
      const before = versionsOf(store, template.id).find(
        (version) => clientToken !== null && version.clientToken === clientToken,
      )
      if (before) return { LaunchTemplateVersion: describe({ template, version: before }) }
      const source = input.SourceVersion && requireVersion(store, template, input.SourceVersion)
      // What is not said is as in the source.
      const data = checkTemplateData({ ...(source && dataOf(source)), ...given })
      if (template.latestVersion >= VERSIONS_MAX)
        throw new DeclaredError(
          'VersionLimitExceeded',
          `The maximum number of versions of a launch template is ${VERSIONS_MAX}.`,
        )
      const version: LaunchTemplateVersionRow = {
        templateId: template.id,
        number: template.latestVersion + 1,
        description: checkVersionDescription(input.VersionDescription),
        data: JSON.stringify(data),
        createdAt: clock.now(),
        createdBy: context.caller.arn,
        clientToken,
      }
      store.insert('ec2_launch_template_version', version)
      store.update('ec2_launch_template', { id: template.id }, { latestVersion: version.number })
      return { LaunchTemplateVersion: describe({ template, version }) }
    },
    describeLaunchTemplateVersions(context, input) {
      const asked = askedVersions(context, input)
      const found = filtered(asked, input.Filters, FILTERS, () => [])
      const limits = { token: input.NextToken, max: input.MaxResults }
      const keyOf = ({ template, version }: Named) =>
        `${template.id} ${String(VERSIONS_MAX - version.number).padStart(5, '0')}`
      const page = pageOf(found, keyOf, limits, { ...paging(200), least: 1 })
      return { NextToken: page.next, LaunchTemplateVersions: page.items.map(describe) }
    },
    deleteLaunchTemplateVersions(context, input) {
      const template = requireTemplate(store, context, input)
      if (!input.Versions?.length) throw missing('LaunchTemplateVersion')
      const of = { LaunchTemplateId: template.id, LaunchTemplateName: template.name }
      const outcomes = input.Versions.map((text): Outcome => {
        const VersionNumber = Number(text)
        if (!/^[1-9]\d{0,4}$/.test(text))
          throw invalidValue(printable(text), 'LaunchTemplateVersion', 'It must be a number.')
        const wrong = (Code: 'launchTemplateVersionDoesNotExist' | 'unexpectedError', Message: string) => ({
          failed: { ...of, VersionNumber, ResponseError: { Code, Message } },
        })
        if (VersionNumber === template.defaultVersion)
          return wrong('unexpectedError', 'The default version of a launch template cannot be deleted.')
        const version = versionsOf(store, template.id).find(({ number }) => number === VersionNumber)
        if (!version)
          return wrong(
            'launchTemplateVersionDoesNotExist',
            `Could not find launch template version: ${VersionNumber}`,
          )
        store.remove('ec2_launch_template_version', { templateId: template.id, number: VersionNumber })
        return { done: { ...of, VersionNumber } }
      })
      return {
        SuccessfullyDeletedLaunchTemplateVersions: outcomes.flatMap(({ done }) => done ?? []),
        UnsuccessfullyDeletedLaunchTemplateVersions: outcomes.flatMap(({ failed }) => failed ?? []),
      }
    },
  }

  // Of one template all or those that are named; of no template only `$Latest` and `$Default` of all.
  function askedVersions(
    context: Context,
    input: Parameters<Ec2Operations['describeLaunchTemplateVersions']>[1],
  ): Named[] {
    const { Versions: names = [], LaunchTemplateId, LaunchTemplateName } = input
    if (!LaunchTemplateId && !LaunchTemplateName) {
      if (names.length === 0 || names.some((name) => name !== '$Latest' && name !== '$Default'))
        throw missing('LaunchTemplateId')
      return launchTemplatesOf(store, context).flatMap((template) => namedVersions(template, names))
    }
    const template = requireTemplate(store, context, input)
    if (names.length > 0) return namedVersions(template, names)
    const [from, to] = [Number(input.MinVersion || 1), Number(input.MaxVersion || VERSIONS_MAX)]
    if (!Number.isInteger(from) || !Number.isInteger(to) || from > to)
      throw invalidValue(
        printable(`${input.MinVersion ?? ''}, ${input.MaxVersion ?? ''}`),
        'MinVersion, MaxVersion',
        'They must be numbers in order.',
      )
    return versionsOf(store, template.id)
      .filter(({ number }) => number >= from && number <= to)
      .map((version) => ({ template, version }))
  }

  function namedVersions(template: LaunchTemplateRow, names: string[]): Named[] {
    const versions = names.map((name) => requireVersion(store, template, name))
    const once = new Map(versions.map((version) => [version.number, version]))
    return [...once.values()].map((version) => ({ template, version }))
  }
}

const describe = ({ template, version }: Named): LaunchTemplateVersion => ({
  LaunchTemplateId: template.id,
  LaunchTemplateName: template.name,
  VersionNumber: version.number,
  DefaultVersion: version.number === template.defaultVersion,
  CreateTime: new Date(version.createdAt),
  CreatedBy: version.createdBy,
  ...(version.description !== null && { VersionDescription: version.description }),
  // What is asked of a template and what is answered differ in members that are refused here.
  LaunchTemplateData: dataOf(version) as LaunchTemplateVersion['LaunchTemplateData'],
})

const FILTERS: FilterTable<Named> = {
  'create-time': ({ version }) => [new Date(version.createdAt).toISOString()],
  'image-id': ({ version }) => [dataOf(version).ImageId],
  'instance-type': ({ version }) => [dataOf(version).InstanceType],
  'is-default-version': ({ template, version }) => [version.number === template.defaultVersion],
}
