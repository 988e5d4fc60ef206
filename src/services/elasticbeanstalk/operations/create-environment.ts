import type { CreateEnvironmentMessage } from '@aws-sdk/client-elastic-beanstalk'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Store } from '../../../store/store.ts'
import type { Context } from '../../context.ts'
import type { ElasticbeanstalkOperations } from '../../generated/elasticbeanstalk.ts'
import { namesThatExist } from '../configuration/names.ts'
import { resolveConfiguration } from '../configuration/resolve.ts'
import { templateSource } from '../configuration/template-source.ts'
import { beginDeployment } from '../deployments.ts'
import { domainsIn, refuseTakenDomains } from '../domains.ts'
import { ofEnvironment } from '../events.ts'
import { cnameOf, environmentArn } from '../names.ts'
import type { Parts } from '../parts.ts'
import { isPrefixFree } from '../prefix.ts'
import { findVersion, liveEnvironment, settingsOf, type EnvironmentRow } from '../store.ts'
import {
  checkCnamePrefix,
  checkDescription,
  checkEnvironmentName,
  checkTags,
  ENVIRONMENT_TAGS_MAX,
  invalidCombination,
  invalidValue,
  notImplemented,
} from '../validation.ts'
import { applicationNamed, refuseWhileDeleted } from './applications.ts'
import { describeEnvironment } from './describe-environment.ts'
import { findEnvironment } from './find-environment.ts'
import { resolvePlatform } from './resolve-platform.ts'
import { putTags } from './tags.ts'

export function makeCreateEnvironment(parts: Parts): ElasticbeanstalkOperations['createEnvironment'] {
  const { store, clock, ids, events, workflows, domain } = parts
  return (context, input) => {
    const name = checkedName(input)
    checkDescription(input.Description)
    const application = applicationNamed(store, context, input.ApplicationName ?? '').name
    refuseWhileDeleted(parts, context, application)
    refuseWhatIsMissing(input)
    const tags = checkTags(input.Tags ?? [], ENVIRONMENT_TAGS_MAX)
    const template = templateOf(parts, context, application, input)
    const asked =
      input.SolutionStackName === undefined && input.PlatformArn === undefined ? template : undefined
    const platform = resolvePlatform(parts, context, {
      SolutionStackName: input.SolutionStackName ?? asked?.solutionStackName ?? undefined,
      PlatformArn: input.PlatformArn ?? (asked?.solutionStackName ? undefined : asked?.platformArn),
    })
    const label = deployableVersion(store, context, application, input.VersionLabel)
    const { stored, withoutEffect } = resolveConfiguration({
      platform: platform.family,
      stored: null,
      template: template?.settings,
      given: input.OptionSettings,
      remove: input.OptionsToRemove,
      names: namesThatExist(parts, context),
    })
    if (liveEnvironment(store, context, name)) throw invalidValue(`Environment ${name} already exists.`)
    checkQuota(parts, context)
    refuseStrangeNames(parts)
    const cnamePrefix = chooseCname(context, name, input.CNAMEPrefix)
    refuseTakenDomains(parts, null, domainsIn(platform.platformArn, stored))

    const now = clock.now()
    const row: EnvironmentRow = {
      id: ids.lower('e-', 10),
      account: context.account,
      region: context.region,
      name,
      applicationName: application,
      description: input.Description || null,
      cnamePrefix,
      tier: JSON.stringify(WEB_SERVER),
      solutionStackName: platform.solutionStackName,
      platformArn: platform.platformArn,
      templateName: input.TemplateName ?? null,
      settings: JSON.stringify(stored),
      draft: null,
      draftState: null,
      draftAt: null,
      versionLabel: label,
      status: 'Launching',
      health: 'Grey',
      healthStatus: 'NoData',
      causes: '[]',
      refreshedAt: now,
      statusSince: now,
      abortable: 0,
      deploymentId: 0,
      targetDeploymentId: 0,
      expectedDeploymentId: null,
      loopbackPort: freePort(store, parts.ports.environments),
      portProblem: '',
      resources: '{}',
      requestId: context.requestId,
      createdAt: now,
      updatedAt: now,
      terminatedAt: null,
    }
    store.insert('environment', row)
    putTags(store, environmentArn(row), tags)
    const settings = row.settings
    const deploymentId = beginDeployment(parts, row, {
      versionLabel: label,
      settings,
      platformArn: row.platformArn,
    })
    events.write(ofEnvironment(row), 'INFO', 'createEnvironment is starting.')
    if (withoutEffect.length > 0) events.write(ofEnvironment(row), 'WARN', withoutEffectText(withoutEffect))
    workflows.start('elasticbeanstalk.create-environment', row.id, { environmentId: row.id, deploymentId })
    return describeEnvironment(parts, row)
  }

  function chooseCname(context: Context, name: string, given: string | undefined) {
    if (given === undefined) return `${name}.${ids.lower('eba-', 8)}`.toLowerCase()
    checkCnamePrefix(given)
    const cnamePrefix = given.toLowerCase()
    const { region } = context
    if (!isPrefixFree(parts, context, cnamePrefix))
      throw invalidValue(`DNS name (${cnameOf({ cnamePrefix, region }, domain)}) is not available.`)
    return cnamePrefix
  }
}

/** @throws DeclaredError when there is no such version, or when it can never be deployed. */
export function deployableVersion(
  store: Store,
  context: Context,
  application: string,
  label: string | undefined,
) {
  if (label === undefined)
    throw notImplemented('An environment without VersionLabel (AWS takes its own sample application)')
  const version = findVersion(store, context, application, label)
  if (!version) throw invalidValue(`No Application Version named '${label}' found.`)
  if (version.status === 'FAILED')
    throw invalidValue(
      `Application Version ${label} cannot be deployed: ${version.reason ?? 'its processing failed.'}`,
    )
  return label
}

/** One sentence a reason, since many options share theirs. */
export function withoutEffectText(
  options: { namespace: string; optionName: string; reason: string }[],
): string {
  const named = [...Map.groupBy(options, ({ reason }) => reason)].map(
    ([reason, all]) =>
      `${all.map(({ namespace, optionName }) => `${namespace} ${optionName}`).join(', ')} (${reason})`,
  )
  return `These settings are kept but have no effect here: ${named.join('; ')}`
}

// A saved configuration, or, as `eb clone` asks for it, the configuration of another environment.
function templateOf(parts: Parts, context: Context, application: string, input: CreateEnvironmentMessage) {
  const { EnvironmentName: source } = templateSource(input.TemplateName === undefined ? input : {})
  if (source === undefined) return parts.findTemplate(context, application, input.TemplateName)
  const row = findEnvironment(parts.store, context, { EnvironmentName: source })
  return { settings: settingsOf(row), solutionStackName: row.solutionStackName, platformArn: row.platformArn }
}

function checkedName({ EnvironmentName, GroupName }: CreateEnvironmentMessage): string {
  if (GroupName !== undefined) throw notImplemented('GroupName (environment names from env.yaml)')
  if (EnvironmentName === undefined)
    throw invalidCombination('You must specify the EnvironmentName, or a GroupName with an env.yaml.')
  checkEnvironmentName(EnvironmentName)
  return EnvironmentName
}

function refuseWhatIsMissing({ Tier, OperationsRole }: CreateEnvironmentMessage): void {
  if (OperationsRole !== undefined) throw notImplemented('OperationsRole')
  if (Tier?.Name !== undefined && Tier.Name !== WEB_SERVER.Name) throw notImplemented(`The tier ${Tier.Name}`)
  if (Tier?.Type !== undefined && Tier.Type !== WEB_SERVER.Type)
    throw invalidValue(`Environment tier type '${Tier.Type}' does not fit tier '${WEB_SERVER.Name}'.`)
}

function checkQuota({ store, environmentsMax }: Parts, { account, region }: Context): void {
  const most = environmentsMax?.() ?? ENVIRONMENTS_MAX
  const row = store.get<{ count: number }>(
    'select count(*) as count from environment where account = :account and region = :region and terminated_at is null',
    { account, region },
  )
  if (row && row.count >= most)
    throw new DeclaredError(
      'TooManyEnvironmentsException',
      `You cannot have more than ${most} Environments. Either remove some Environments or request a limit increase.`,
    )
}

function freePort(store: Store, first: number): number | null {
  const taken = store
    .all<{ loopbackPort: number }>('select loopback_port from environment where terminated_at is null')
    .map((row) => row.loopbackPort)
  for (let port = first; port < first + ENVIRONMENTS_MAX; port++) if (!taken.includes(port)) return port
  return null
}

const WEB_SERVER = { Name: 'WebServer', Type: 'Standard', Version: '1.0' }
const ENVIRONMENTS_MAX = 200

/** Of a domain of AWS: a name that does not lead here leads to somebody's production. */
function refuseStrangeNames({ cloud, domain }: Parts): void {
  const problem = cloud.route53.nameProblem()
  if (problem !== '')
    throw invalidValue(
      `No environment is made below ${domain} while its name would not lead here: ${problem}.`,
    )
}
