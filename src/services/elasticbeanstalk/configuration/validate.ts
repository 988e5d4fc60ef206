// Whether settings are good: each alone, then together with the defaults (AWS validates the merged whole).
import { findOption, type FoundOption } from '../options/catalogue.ts'
import { checkValue, isDefault, listItems, normalised } from '../options/check-value.ts'
import { accessLogsFindings } from './access-logs.ts'
import { classicFindings, isClassicIn } from './classic.ts'
import { domainFindings } from './domains.ts'
import { pageFindings } from './error-page.ts'
import { configurationOf, readerOf } from './effective.ts'
import { specificationError, valueError } from './findings.ts'
import { healthFindings } from './health-reporting.ts'
import { listenerFindings } from './listeners.ts'
import { INSTANCE_TYPE, INSTANCE_TYPES } from './merge.ts'
import type { Names } from './names.ts'
import { healthcheckUrl, processFindings } from './processes.ts'
import { isOwnUnit, replacedByTracking, scalingFindings } from './scaling.ts'
import { scheduledActionFindings } from './scheduled-actions.ts'
import { securityFindings, unknownName } from './security.ts'
import { sharedFindings } from './shared.ts'
import type { Finding, OptionKey, Setting, WithoutEffect } from './types.ts'

/** Names and values of all properties, as `key=value` joined by commas: a limit of CloudFormation's parameters. */
const PROPERTIES_BYTES_MAX = 4096

export type Validated = {
  platform: string
  settings: Setting[]
  /** The environment's settings before the change; null when it is being created. */
  before: Setting[] | null
  /** They are a saved configuration's: nothing is for good there. */
  isTemplate?: boolean
  /** undefined: it is not asked whether what is named exists. */
  names: Names | undefined
}

/** Every error. Rules about several options are asked only when each option is good by itself. */
export function validateSettings(validated: Validated): Finding[] {
  const alone = [
    ...changedLoadBalancerType(validated),
    ...validated.settings.flatMap((setting) => checkSetting(validated, setting) ?? []),
  ]
  return alone.length > 0 ? alone : checkTogether(validated)
}

/** The settings that are kept without effect: not the default, and of an option that does nothing here. */
export function settingsWithoutEffect(platform: string, settings: Setting[]): WithoutEffect[] {
  const read = readerOf(platform, settings)
  const isClassic = isClassicIn(read)
  return settings.flatMap((setting) => {
    const found = findOption(platform, setting.namespace, setting.optionName)
    if (!found || isDefault(found.option, setting.value) || isOwnUnit(setting, read)) return []
    const { effect } = found.option
    const reason =
      effect.kind === 'accepted'
        ? effect.reason
        : (ofOtherLoadBalancers(isClassic, setting) ?? replacedByTracking(setting, read))
    return reason === undefined ? [] : [{ ...setting, reason }]
  })
}

const OF_CLASSIC =
  'It belongs to Classic Load Balancers; AWS, too, ignores it when the load balancer is an Application Load Balancer. `eb create` always sends some.'
const OF_APPLICATION =
  'It belongs to Application Load Balancers; AWS, too, ignores it when the load balancer is a classic one.'

// As on AWS they are kept, and say nothing.
function ofOtherLoadBalancers(isClassic: boolean, { namespace }: Setting): string | undefined {
  if (!isClassic && namespace.startsWith('aws:elb:')) return OF_CLASSIC
  return isClassic && /^aws:(elbv2|elasticbeanstalk:environment:process):/.test(namespace)
    ? OF_APPLICATION
    : undefined
}

function checkSetting(validated: Validated, setting: Setting): Finding | undefined {
  const found = findOption(validated.platform, setting.namespace, setting.optionName)
  if (!found) return specificationError(setting, 'Unknown configuration setting.')
  const { namespace, option, anyName } = found
  if (anyName && namespace.anyName?.namePattern.test(setting.optionName) !== true)
    return specificationError(setting, `${namespace.anyName?.nameRule}.`)
  if (namespace.resourceNamed && !setting.resourceName)
    return specificationError(setting, 'The scheduled action name cannot be blank')
  if (setting.value.includes('\0')) return valueError(setting, '…', 'A value cannot have a NUL character.')
  const complaint = checkValue(option, setting.value)
  if (complaint !== undefined) return valueError(setting, setting.value, complaint)
  return checkEffect(found, setting) ?? unknownType(validated, setting) ?? unknownName(validated, setting)
}

function checkEffect({ namespace, option, anyName }: FoundOption, setting: Setting): Finding | undefined {
  const { effect } = option
  const exists = namespace.named !== undefined || namespace.resourceNamed === true || anyName
  if (effect.kind === 'refused')
    return !exists && isDefault(option, setting.value)
      ? undefined
      : valueError(setting, setting.value, NOT_YET)
  if (effect.only === undefined || isDefault(option, setting.value)) return undefined
  if (effect.only.some((value) => normalised(option, value) === normalised(option, setting.value)))
    return undefined
  return valueError(setting, setting.value, `${NOT_YET} It takes: ${effect.only.join(', ')}.`)
}

const NOT_YET = 'Polebean does not implement this value yet.'

/** Nor by taking the option away. */
function changedLoadBalancerType({ platform, settings, before, isTemplate }: Validated): Finding[] {
  if (before === null || isTemplate) return []
  const [namespace, optionName] = ['aws:elasticbeanstalk:environment', 'LoadBalancerType'] as const
  const [was, is] = [before, settings].map((given) => readerOf(platform, given)(namespace, optionName))
  const message = 'LoadBalancer type option cannot be changed.'
  return was === is ? [] : [{ severity: 'error', namespace, optionName, message }]
}

function unknownType({ names: known }: Validated, setting: Setting): Finding | undefined {
  const instanceTypes = known?.instanceTypes
  const names = [INSTANCE_TYPE, INSTANCE_TYPES].some(
    ({ namespace, optionName }) => namespace === setting.namespace && optionName === setting.optionName,
  )
  const unknown = names && instanceTypes && listItems(setting.value).find((type) => !instanceTypes.has(type))
  if (!unknown || !instanceTypes) return undefined
  return valueError(
    setting,
    unknown,
    `Value is not one of the allowed values: [${[...instanceTypes].join(', ')}]`,
  )
}

function checkTogether(validated: Validated): Finding[] {
  const { platform, settings, names } = validated
  const configuration = configurationOf(platform, settings)
  const { minSize, maxSize, env } = configuration
  const read = readerOf(platform, settings)
  const findings: Finding[] = []
  const complain = (key: Omit<OptionKey, 'resourceName'>, value: string, complaint: string) =>
    findings.push(valueError({ ...key, resourceName: null }, value, complaint))

  if (minSize > maxSize) complain(MIN_SIZE, String(minSize), 'MinSize is greater than MaxSize')
  if (read(COMMAND, 'BatchSizeType') === 'Percentage' && Number(read(COMMAND, 'BatchSize')) > 100)
    complain(BATCH_SIZE, read(COMMAND, 'BatchSize'), 'Value exceeds maximum allowed value: 100')
  findings.push(
    ...securityFindings(configuration),
    ...scalingFindings(configuration, settings, read),
    ...scheduledActionFindings(configuration),
    ...pageFindings(configuration),
    ...domainFindings(configuration),
    ...sharedFindings(validated, configuration, names),
    ...(configuration.classic
      ? classicFindings(configuration, read, names)
      : [...processFindings(configuration), ...listenerFindings(configuration, names)]),
    ...accessLogsFindings(configuration, names),
    ...healthFindings(settings, read),
  )
  const url = read(HEALTHCHECK_URL.namespace, HEALTHCHECK_URL.optionName)
  const urlComplaint = configuration.classic ? undefined : healthcheckUrlComplaint(url)
  if (urlComplaint !== undefined) complain(HEALTHCHECK_URL, url, urlComplaint)
  const bytes = propertiesBytes(env)
  if (bytes > PROPERTIES_BYTES_MAX)
    complain(
      { namespace: 'aws:cloudformation:template:parameter', optionName: 'EnvironmentVariables' },
      `${bytes} bytes`,
      `The combined size of the environment properties, as key=value, must not exceed ${PROPERTIES_BYTES_MAX} bytes.`,
    )
  return findings
}

const COMMAND = 'aws:elasticbeanstalk:command'
const MIN_SIZE = { namespace: 'aws:autoscaling:asg', optionName: 'MinSize' }
const BATCH_SIZE = { namespace: COMMAND, optionName: 'BatchSize' }
const HEALTHCHECK_URL = {
  namespace: 'aws:elasticbeanstalk:application',
  optionName: 'Application Healthcheck URL',
}

function healthcheckUrlComplaint(url: string): string | undefined {
  const parts = healthcheckUrl(url)
  if (url === '' || !parts) return undefined
  if (!['', 'HTTP'].includes(parts.protocol) || !['', '80'].includes(parts.port))
    return `${NOT_YET} It takes a path, as in /health, or HTTP:80/health.`
  return /^(\/[!-~]*)?$/.test(parts.path)
    ? undefined
    : 'A path has no blanks and no characters outside of ASCII.'
}

/** What AWS counts against its limit of 4,096 bytes. */
export const propertiesBytes = (env: Record<string, string>) =>
  Buffer.byteLength(
    Object.entries(env)
      .map(([key, value]) => `${key}=${value}`)
      .join(','),
  )
