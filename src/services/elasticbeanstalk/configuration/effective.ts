// The settings with their defaults as the typed fields that workflows carry out.
import { ENVIRONMENT_PROPERTIES, findOption, STATIC_FILES } from '../options/catalogue.ts'
import { listItems, normalised } from '../options/check-value.ts'
import { accessLogsIn } from './access-logs.ts'
import { classicOf, isClassicIn } from './classic.ts'
import { domainsIn } from './domains.ts'
import { healthReportingIn } from './health-reporting.ts'
import { defaultListenerOf, listenersOf } from './listeners.ts'
import { streamingIn } from './log-streaming.ts'
import { INSTANCE_TYPES, keyOf } from './merge.ts'
import { processesOf } from './processes.ts'
import { healthCheckIn, scalingOf } from './scaling.ts'
import { scheduledActionsOf } from './scheduled-actions.ts'
import { sharedIn, sharedListenersOf } from './shared.ts'
import type { EnvironmentConfiguration, OptionKey, Setting } from './types.ts'

const GROUP = 'aws:autoscaling:asg'
const LAUNCH = 'aws:autoscaling:launchconfiguration'
const BALANCER = 'aws:elbv2:loadbalancer'
const COMMAND = 'aws:elasticbeanstalk:command'
const PYTHON = 'aws:elasticbeanstalk:container:python'

/** A root volume's size when none is given: AWS's platforms have 8 GiB. */
const ROOT_VOLUME_GIB = 8
/** An Application Load Balancer's own default. */
const IDLE_TIMEOUT_SECONDS = 60

/** Total for settings that were found good; a number that is none becomes NaN, so check first. */
export function configurationOf(platform: string, settings: Setting[]): EnvironmentConfiguration {
  const read = readerOf(platform, settings)
  const number = (namespace: string, name: string) => Number(read(namespace, name))
  const loadBalanced = read('aws:elasticbeanstalk:environment', 'EnvironmentType') === 'LoadBalanced'
  const configuration: EnvironmentConfiguration = {
    loadBalanced,
    // AWS: of a single instance they are 1, whatever else is said.
    minSize: loadBalanced ? number(GROUP, 'MinSize') : 1,
    maxSize: loadBalanced ? number(GROUP, 'MaxSize') : 1,
    cooldownSeconds: number(GROUP, 'Cooldown'),
    healthCheck: healthCheckIn(loadBalanced, read),
    scaling: loadBalanced ? scalingOf(settings, read) : null,
    scheduledActions: loadBalanced ? scheduledActionsOf(settings) : [],
    instanceType:
      listItems(read(INSTANCE_TYPES.namespace, 'InstanceTypes'))[0] ?? read(LAUNCH, 'InstanceType'),
    rootVolumeGiB: Number(read(LAUNCH, 'RootVolumeSize') || ROOT_VOLUME_GIB),
    disableImdsV1: read(LAUNCH, 'DisableIMDSv1') === 'true',
    securityGroups: listItems(read(LAUNCH, 'SecurityGroups')),
    disableDefaultSecurityGroup: read(LAUNCH, 'DisableDefaultEC2SecurityGroup') === 'true',
    keyName: read(LAUNCH, 'EC2KeyName'),
    sshSource: sshSourceOf(read(LAUNCH, 'SSHSourceRestriction')),
    loadBalancerSecurityGroups: listItems(read(BALANCER, 'SecurityGroups')),
    managedSecurityGroup: read(BALANCER, 'ManagedSecurityGroup').trim(),
    env: recordOf(settings, ENVIRONMENT_PROPERTIES),
    processes: processesOf(settings, read),
    idleTimeoutSeconds: Number(read(BALANCER, 'IdleTimeout') || IDLE_TIMEOUT_SECONDS),
    queueSeconds: number('polebean:loadbalancer', 'QueueSeconds'),
    errorPage: read('polebean:loadbalancer', 'ErrorPage'),
    domains: domainsIn(read),
    accessLogs: accessLogsIn(read),
    classic: null,
    sharedLoadBalancer: loadBalanced ? sharedIn(read) : '',
    defaultListener: sharedIn(read) === '' ? defaultListenerOf(read) : null,
    listeners: sharedIn(read) === '' ? listenersOf(settings, read) : sharedListenersOf(settings, read),
    cutOnRevoke: read('polebean:firewall', 'CutOnRevoke') === 'true',
    commandTimeoutSeconds: number(COMMAND, 'Timeout'),
    ignoreHealthCheck: read(COMMAND, 'IgnoreHealthCheck') === 'true',
    health: healthReportingIn(settings, read),
    proxyServer: read('aws:elasticbeanstalk:environment:proxy', 'ProxyServer') === 'none' ? 'none' : 'nginx',
    staticFiles: staticFilesOf(platform, settings),
    python: {
      wsgiPath: read(PYTHON, 'WSGIPath'),
      numProcesses: number(PYTHON, 'NumProcesses'),
      numThreads: number(PYTHON, 'NumThreads'),
    },
    ...streamingIn(read),
  }
  return loadBalanced && isClassicIn(read)
    ? { ...configuration, ...classicOf(settings, read) }
    : configuration
}

export type Read = (namespace: string, optionName: string) => string

/** Values as they hold: the setting, else the default, else ''; words and numbers in AWS's spelling.
 *  Options of another platform family have that family's defaults, so that the type stays total. */
export function readerOf(platform: string, settings: Setting[]): Read {
  const values = new Map(settings.map((setting) => [keyOf(setting), setting.value]))
  return (namespace, optionName) => {
    const option = (
      findOption(platform, namespace, optionName) ?? findOption('python', namespace, optionName)
    )?.option
    const value = values.get(keyOf({ namespace, optionName, resourceName: null })) ?? option?.default ?? ''
    return option ? normalised(option, value) : value
  }
}

export const givenIn = (settings: Setting[], key: Pick<OptionKey, 'namespace' | 'optionName'>) =>
  settings.some(({ namespace, optionName }) => namespace === key.namespace && optionName === key.optionName)

/** `tcp, 22, 22, 192.0.2.0/24`: protocol, first and last port, range or security group. */
function sshSourceOf(text: string) {
  const [protocol = '', from, to, ...source] = text.split(',').map((part) => part.trim())
  return {
    protocol: protocol.toLowerCase(),
    fromPort: Number(from),
    toPort: Number(to),
    source: source.join(','),
  }
}

// AL2023's Python platform: "By default, the proxy serves the folder static at the path /static".
function staticFilesOf(platform: string, settings: Setting[]): Record<string, string> {
  const preset: Record<string, string> = platform === 'python' ? { '/static': 'static' } : {}
  const given = Object.entries(recordOf(settings, STATIC_FILES))
  return { ...preset, ...Object.fromEntries(given.map(([path, folder]) => [trimmed(path), trimmed(folder)])) }
}

// fromEntries, not assignment: a property may be called __proto__.
const recordOf = (settings: Setting[], wanted: string): Record<string, string> =>
  Object.fromEntries(
    settings
      .filter(({ namespace }) => namespace === wanted)
      .map(({ optionName, value }) => [optionName, value]),
  )

const trimmed = (path: string) => (path.length > 1 ? path.replace(/\/+$/, '') : path)
