// Saved configurations. AWS also keeps each as YAML in the storage bucket, which `eb config get` reads: not here yet.
import type { CreateConfigurationTemplateMessage } from '@aws-sdk/client-elastic-beanstalk'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { describeTemplate } from '../configuration/describe.ts'
import { namesThatExist, type NamesSource } from '../configuration/names.ts'
import { resolveConfiguration } from '../configuration/resolve.ts'
import { templateSource } from '../configuration/template-source.ts'
import {
  countTemplates,
  findTemplateRow,
  templateNamed,
  TEMPLATES_MAX,
  templateSettings,
  type TemplateRow,
} from '../configuration/store.ts'
import type { Setting } from '../configuration/types.ts'
import type { Parts } from '../parts.ts'
import { familyOf } from '../software.ts'
import { settingsOf } from '../store.ts'
import { checkDescription, checkLengths, checkTags, invalidCombination, invalidValue } from '../validation.ts'
import { applicationNamed } from './applications.ts'
import { findEnvironment } from './find-environment.ts'
import { templateArn } from '../names.ts'
import { resolvePlatform } from './resolve-platform.ts'
import { putTags, removeTags } from './tags.ts'

type Operations = Pick<
  ElasticbeanstalkOperations,
  'createConfigurationTemplate' | 'updateConfigurationTemplate' | 'deleteConfigurationTemplate'
>

type Sources = Pick<
  CreateConfigurationTemplateMessage,
  'EnvironmentId' | 'SourceConfiguration' | 'SolutionStackName' | 'PlatformArn'
> & { EnvironmentName?: string | undefined }

/** Where a new template starts from. */
type Base = { family: string; solutionStackName: string; platformArn: string; settings: Setting[] }

export function makeTemplateOperations(
  parts: Pick<Parts, 'store' | 'clock' | 'catalogue'> & NamesSource,
): Operations {
  const { store, clock } = parts
  return {
    createConfigurationTemplate(context, input) {
      const { account, region } = context
      const application = applicationNamed(store, context, input.ApplicationName ?? '').name
      const name = checkedName(input.TemplateName)
      checkDescription(input.Description)
      const tags = checkTags(input.Tags ?? [])
      if (findTemplateRow(store, context, application, name))
        throw invalidValue(`Configuration Template ${name} already exists.`)
      checkQuota(context)
      const base = baseOf(context, application, withTemplateSource(input))
      const resolved = resolveConfiguration({
        platform: base.family,
        stored: null,
        template: base.settings,
        given: input.OptionSettings,
        names: namesThatExist(parts, context),
      })
      const now = clock.now()
      const row: TemplateRow = {
        account,
        region,
        applicationName: application,
        templateName: name,
        description: input.Description || null,
        solutionStackName: base.solutionStackName,
        platformArn: base.platformArn,
        settings: JSON.stringify(resolved.stored),
        createdAt: now,
        updatedAt: now,
      }
      store.insert('configuration_template', row)
      putTags(store, templateArn(row, row.applicationName, row.templateName), tags)
      return describeTemplate(row, base.family)
    },

    updateConfigurationTemplate(context, input) {
      const application = applicationNamed(store, context, input.ApplicationName ?? '').name
      const row = templateNamed(store, context, application, input.TemplateName ?? '')
      checkDescription(input.Description)
      const resolved = resolveConfiguration({
        platform: familyOf(row.platformArn),
        stored: templateSettings(row),
        isTemplate: true,
        given: input.OptionSettings,
        remove: input.OptionsToRemove,
        names: namesThatExist(parts, context),
      })
      const set = {
        description: input.Description === undefined ? row.description : input.Description || null,
        settings: JSON.stringify(resolved.stored),
        updatedAt: clock.now(),
      }
      store.update('configuration_template', keyOfRow(row), set)
      return describeTemplate({ ...row, ...set }, familyOf(row.platformArn))
    },

    deleteConfigurationTemplate(context, { ApplicationName = '', TemplateName = '' }) {
      applicationNamed(store, context, ApplicationName)
      const row = templateNamed(store, context, ApplicationName, TemplateName)
      store.remove('configuration_template', keyOfRow(row))
      removeTags(store, templateArn(row, row.applicationName, row.templateName))
      return {}
    },
  }

  function checkQuota(context: Context): void {
    if (countTemplates(store, context) >= TEMPLATES_MAX)
      throw new DeclaredError(
        'TooManyConfigurationTemplatesException',
        `You cannot have more than ${TEMPLATES_MAX} Configuration Templates. Either remove some Configuration Templates or request a limit increase.`,
      )
  }

  function baseOf(context: Context, application: string, input: Sources): Base {
    const { SolutionStackName, PlatformArn } = input
    if (SolutionStackName !== undefined && PlatformArn !== undefined)
      throw invalidCombination('You cannot specify both solution stack and platform as modifiers')
    const source = sourceOf(context, application, input)
    if (SolutionStackName === undefined && PlatformArn === undefined) {
      if (source) return source
      throw invalidValue('You must specify either SolutionStackName or SourceConfiguration or EnvironmentId')
    }
    const platform = resolvePlatform(parts, context, { SolutionStackName, PlatformArn })
    if (source && source.family !== platform.family)
      throw invalidValue(
        `The solution stack of the source configuration, '${source.solutionStackName}', does not match '${platform.solutionStackName}'.`,
      )
    return { ...platform, settings: source?.settings ?? [] }
  }

  function sourceOf(context: Context, application: string, sources: Sources): Base | undefined {
    const { EnvironmentId, EnvironmentName, SourceConfiguration } = sources
    const fromEnvironment = EnvironmentId !== undefined || EnvironmentName !== undefined
    if (fromEnvironment && SourceConfiguration !== undefined)
      throw invalidCombination('You cannot specify both an EnvironmentId and a SourceConfiguration.')
    if (fromEnvironment) {
      const environment = findEnvironment(store, context, { EnvironmentId, EnvironmentName })
      const family = familyOf(environment.platformArn)
      const solutionStackName = environment.solutionStackName ?? ''
      return {
        family,
        solutionStackName,
        platformArn: environment.platformArn,
        settings: settingsOf(environment),
      }
    }
    if (SourceConfiguration === undefined) return undefined
    const { ApplicationName = application, TemplateName = '' } = SourceConfiguration
    const row = templateNamed(store, context, ApplicationName, TemplateName)
    return { ...row, family: familyOf(row.platformArn), settings: templateSettings(row) }
  }
}

// `eb config save` names the environment in a member that the public model lacks.
function withTemplateSource(input: CreateConfigurationTemplateMessage): Sources {
  const source = templateSource(input)
  return {
    EnvironmentId: input.EnvironmentId,
    SourceConfiguration: input.SourceConfiguration,
    SolutionStackName: input.SolutionStackName ?? source.SolutionStackName,
    PlatformArn: input.PlatformArn ?? source.PlatformArn,
    EnvironmentName: source.EnvironmentName,
  }
}

function checkedName(name: string | undefined): string {
  checkLengths([{ member: 'templateName', value: name, least: 1, most: 100, required: true }])
  if (name === undefined || name.includes('/'))
    throw invalidValue(
      `Value ${name} at 'TemplateName' failed to satisfy constraint: Member must not contain '/'`,
    )
  return name
}

const keyOfRow = ({ account, region, applicationName, templateName }: TemplateRow) => ({
  account,
  region,
  applicationName,
  templateName,
})
