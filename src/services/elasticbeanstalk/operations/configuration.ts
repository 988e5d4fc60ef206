// Settings of environments and templates: described, explained, checked.
import type { ValidateConfigurationSettingsMessage } from '@aws-sdk/client-elastic-beanstalk'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import type { Context } from '../../context.ts'
import { describeEnvironmentSettings, describeOptions, describeTemplate } from '../configuration/describe.ts'
import { namesThatExist, sharableLoadBalancers, type NamesSource } from '../configuration/names.ts'
import { validateConfiguration } from '../configuration/resolve.ts'
import { templateNamed, templateSettings } from '../configuration/store.ts'
import { templateSource } from '../configuration/template-source.ts'
import type { Setting } from '../configuration/types.ts'
import type { Parts } from '../parts.ts'
import { familyOf } from '../software.ts'
import { settingsOf } from '../store.ts'
import { missingParameter } from '../configuration/findings.ts'
import { invalidCombination, invalidValue } from '../validation.ts'
import { applicationNamed } from './applications.ts'
import { findEnvironment } from './find-environment.ts'
import { resolvePlatform } from './resolve-platform.ts'

type Operations = Pick<
  ElasticbeanstalkOperations,
  | 'describeConfigurationSettings'
  | 'describeConfigurationOptions'
  | 'validateConfigurationSettings'
  | 'deleteEnvironmentConfiguration'
>

type Named = {
  ApplicationName?: string | undefined
  EnvironmentName?: string | undefined
  TemplateName?: string | undefined
}

/** A configuration that exists: of an environment or of a template. */
type Existing = { family: string; solutionStackName: string | null; platformArn: string; settings: Setting[] }

export function makeConfigurationOperations(
  parts: Pick<Parts, 'store' | 'clock' | 'catalogue'> & NamesSource,
): Operations {
  const { store, clock } = parts
  return {
    describeConfigurationSettings(context, input) {
      const { ApplicationName = '', EnvironmentName, TemplateName } = checkOne(input)
      applicationNamed(store, context, ApplicationName)
      if (TemplateName !== undefined) {
        const template = templateNamed(store, context, ApplicationName, TemplateName)
        return { ConfigurationSettings: [describeTemplate(template, familyOf(template.platformArn))] }
      }
      const environment = findEnvironment(store, context, { ApplicationName, EnvironmentName })
      return {
        ConfigurationSettings: describeEnvironmentSettings(environment, familyOf(environment.platformArn)),
      }
    },

    describeConfigurationOptions(context, input) {
      const { SolutionStackName, PlatformArn, Options } = input
      const existing =
        SolutionStackName === undefined && PlatformArn === undefined
          ? existingConfiguration(context, checkOne(input))
          : platformOnly(context, { SolutionStackName, PlatformArn })
      return {
        SolutionStackName: existing.solutionStackName ?? undefined,
        PlatformArn: existing.platformArn,
        Options: describeOptions(existing.family, existing.settings, Options, [
          ...sharableLoadBalancers(parts, context).keys(),
        ]),
      }
    },

    validateConfigurationSettings(context, input) {
      applicationNamed(store, context, input.ApplicationName ?? '')
      const { family, settings } = comparedWith(context, input)
      const findings = validateConfiguration({
        platform: family,
        stored: settings,
        given: input.OptionSettings ?? [],
        names: namesThatExist(parts, context),
      })
      return {
        Messages: findings.map(({ severity, namespace, optionName, message }) => ({
          Severity: severity,
          Namespace: namespace,
          OptionName: optionName,
          Message: message,
        })),
      }
    },

    deleteEnvironmentConfiguration(context, { ApplicationName, EnvironmentName }) {
      const { id, name, draftState } = findEnvironment(store, context, { ApplicationName, EnvironmentName })
      if (draftState === 'pending')
        throw invalidValue(
          `Environment named ${name} is in an invalid state for this operation. Must be Ready.`,
        )
      if (draftState === null) return {}
      const forgotten = { draft: null, draftState: null, draftAt: null, updatedAt: clock.now() }
      store.update('environment', { id }, forgotten)
      return {}
    },
  }

  // `eb config put` may name a platform only, in members that the public model lacks.
  function comparedWith(context: Context, input: ValidateConfigurationSettingsMessage): Existing {
    const { SolutionStackName, PlatformArn, EnvironmentName } = templateSource(input)
    if (input.EnvironmentName !== undefined || input.TemplateName !== undefined)
      return existingConfiguration(context, checkOne(input))
    if (SolutionStackName !== undefined || PlatformArn !== undefined)
      return platformOnly(context, { SolutionStackName, PlatformArn })
    return existingConfiguration(
      context,
      checkOne({ ApplicationName: input.ApplicationName, EnvironmentName }),
    )
  }

  function existingConfiguration(
    context: Context,
    { ApplicationName, EnvironmentName, TemplateName }: Named,
  ): Existing {
    if (TemplateName !== undefined) {
      const template = templateNamed(store, context, ApplicationName ?? '', TemplateName)
      return { ...template, family: familyOf(template.platformArn), settings: templateSettings(template) }
    }
    const environment = findEnvironment(store, context, { ApplicationName, EnvironmentName })
    return { ...environment, family: familyOf(environment.platformArn), settings: settingsOf(environment) }
  }

  function platformOnly(context: Context, asked: Parameters<typeof resolvePlatform>[2]): Existing {
    return { ...resolvePlatform(parts, context, asked), settings: [] }
  }
}

/** Exactly one of environment and template. */
function checkOne<T extends Named>(named: T): T {
  const { EnvironmentName, TemplateName } = named
  if (EnvironmentName !== undefined && TemplateName !== undefined)
    throw invalidCombination('You cannot specify both an EnvironmentName and a TemplateName.')
  if (EnvironmentName === undefined && TemplateName === undefined)
    throw missingParameter('You must specify either an EnvironmentName or a TemplateName.')
  return named
}
