import type { UpdateEnvironmentMessage } from '@aws-sdk/client-elastic-beanstalk'
import type { Context } from '../../context.ts'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { namesThatExist } from '../configuration/names.ts'
import { resolveConfiguration, type Resolved } from '../configuration/resolve.ts'
import { beginDeployment } from '../deployments.ts'
import { domainsIn, refuseTakenDomains } from '../domains.ts'
import { ofEnvironment } from '../events.ts'
import type { Parts } from '../parts.ts'
import { stackOf } from '../software.ts'
import { environmentById, findDeployment, settingsOf, type EnvironmentRow } from '../store.ts'
import { checkDescription, invalidValue, notImplemented } from '../validation.ts'
import type { UpdateParams } from '../workflows/update-environment.ts'
import { deployableVersion, withoutEffectText } from './create-environment.ts'
import { describeEnvironment } from './describe-environment.ts'
import { checkReady, findEnvironment } from './find-environment.ts'
import { resolvePlatform } from './resolve-platform.ts'

export function makeUpdateEnvironment(parts: Parts): ElasticbeanstalkOperations['updateEnvironment'] {
  const { store, clock, events } = parts
  return (context, input) => {
    checkDescription(input.Description)
    const row = findEnvironment(store, context, input)
    checkReady(row)
    refuseWhatIsMissing(row, input)
    const platform = platformOf(parts, context, row, input)
    const label =
      input.VersionLabel === undefined
        ? row.versionLabel
        : deployableVersion(store, context, row.applicationName, input.VersionLabel)
    const template = parts.findTemplate(context, row.applicationName, input.TemplateName)
    const resolved = resolveConfiguration({
      platform: platform.family,
      stored: settingsOf(row),
      template: template?.settings,
      given: input.OptionSettings,
      remove: input.OptionsToRemove,
      names: namesThatExist(parts, context),
    })

    refuseTakenDomains(parts, row, domainsIn(row.platformArn, resolved.stored))
    const touched = input.OptionSettings?.length || input.OptionsToRemove?.length || template !== undefined
    const now = clock.now()
    store.update(
      'environment',
      { id: row.id },
      {
        requestId: context.requestId,
        updatedAt: now,
        ...(input.Description === undefined ? {} : { description: input.Description || null }),
        ...(input.TemplateName === undefined ? {} : { templateName: input.TemplateName }),
      },
    )
    const subject = ofEnvironment(row, context.requestId)
    events.write(subject, 'INFO', 'Environment update is starting.')
    const told = settingsOf(row)
    const untold = resolved.withoutEffect.filter(
      (one) =>
        !told.some(
          ({ namespace, optionName }) => namespace === one.namespace && optionName === one.optionName,
        ),
    )
    if (untold.length > 0) events.write(subject, 'WARN', withoutEffectText(untold))

    const failedBefore = row.expectedDeploymentId === null || row.expectedDeploymentId !== row.deploymentId
    const version = input.VersionLabel !== undefined
    const softwareChanged = version || platform.changed || resolved.change.restartsApplication
    if (!version && !platform.changed && !touched) {
      events.write(subject, 'INFO', 'Environment update completed successfully.')
      return describeEnvironment(parts, environmentById(store, row.id) ?? row)
    }
    const replaces = platform.replaces || resolved.change.impact === 'replace'
    const change = { version, settings: Boolean(touched) || platform.changed, replaces }
    const deploys = softwareChanged || replaces || failedBefore
    return begin(parts, context, row, { label, platform, resolved, change, deploys })
  }
}

/** AWS: restarts the application container on every instance. Here the same deployment is put on them once more. */
export function makeRestartAppServer(parts: Parts): ElasticbeanstalkOperations['restartAppServer'] {
  return (context, input) => {
    const { store, events, clock, workflows } = parts
    const row = findEnvironment(store, context, input)
    checkReady(row)
    const expected = findDeployment(store, row.id, row.expectedDeploymentId ?? row.deploymentId)
    if (!expected) throw invalidValue(`Environment named ${row.name} has no deployment to restart.`)
    const now = clock.now()
    const current = { ...row, requestId: context.requestId }
    events.write(ofEnvironment(current), 'INFO', 'restartAppServer is starting.')
    store.update(
      'environment',
      { id: row.id },
      {
        status: 'Updating',
        requestId: context.requestId,
        updatedAt: now,
        statusSince: now,
      },
    )
    const { versionLabel, settings, platformArn } = expected
    const deploymentId = beginDeployment(parts, current, { versionLabel, settings, platformArn })
    const change = { version: false, settings: false, replaces: false }
    const params: UpdateParams = { environmentId: row.id, deploymentId, change, restart: true }
    workflows.start('elasticbeanstalk.update-environment', row.id, params)
    return {}
  }
}

type Begin = {
  label: string | null
  platform: ReturnType<typeof platformOf>
  resolved: Resolved
  change: UpdateParams['change']
  deploys: boolean
}

function begin(parts: Parts, context: Context, before: EnvironmentRow, what: Begin) {
  const { store, clock, workflows } = parts
  const { label, platform, resolved, change, deploys } = what
  const now = clock.now()
  const settings = JSON.stringify(resolved.stored)
  store.update(
    'environment',
    { id: before.id },
    {
      status: 'Updating',
      statusSince: now,
      versionLabel: label,
      ...(change.settings ? { draft: settings, draftState: 'pending', draftAt: now } : {}),
    },
  )
  const row = environmentById(store, before.id) ?? before
  const deploymentId =
    deploys && label !== null
      ? beginDeployment(parts, row, { versionLabel: label, settings, platformArn: platform.platformArn })
      : null
  const params: UpdateParams = {
    environmentId: row.id,
    deploymentId,
    change,
    restart: false,
    platform: platform.changed ? { arn: platform.platformArn, stackName: platform.solutionStackName } : null,
  }
  workflows.start('elasticbeanstalk.update-environment', row.id, params)
  return describeEnvironment(parts, row)
}

function platformOf(parts: Parts, context: Context, row: EnvironmentRow, input: UpdateEnvironmentMessage) {
  const named = input.PlatformArn !== undefined || input.SolutionStackName !== undefined
  const platform = resolvePlatform(parts, context, named ? input : { PlatformArn: row.platformArn })
  const changed = platform.platformArn !== row.platformArn
  if (!changed) return { ...platform, changed, replaces: false }
  const before = stackOf(parts, row.platformArn).runtime
  if (before.family !== platform.family)
    throw notImplemented(
      `Changing the platform of an environment from ${before.family} to ${platform.family}`,
    )
  // Another interpreter is another platform of the engine, which an instance gets when it is launched.
  return { ...platform, changed, replaces: before.language !== platform.runtime.language }
}

function refuseWhatIsMissing(row: EnvironmentRow, { GroupName, Tier }: UpdateEnvironmentMessage): void {
  if (GroupName !== undefined) throw notImplemented('GroupName (environment names from env.yaml)')
  const tier = JSON.parse(row.tier) as { Name: string; Type: string }
  if (Tier && ((Tier.Name ?? tier.Name) !== tier.Name || (Tier.Type ?? tier.Type) !== tier.Type))
    throw invalidValue('Environment tier cannot be changed.')
}
