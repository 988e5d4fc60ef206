// What a change of settings asks of a running environment.
import { findOption } from '../options/catalogue.ts'
import { normalised } from '../options/check-value.ts'
import { configurationOf } from './effective.ts'
import { keyOf } from './merge.ts'
import type { ConfigurationChange, EnvironmentConfiguration, Impact, OptionKey, Setting } from './types.ts'

/** `restart`: in place, and the instances' software is put again. */
const IMPACTS: Record<keyof EnvironmentConfiguration, 'in-place' | 'restart' | 'replace'> = {
  loadBalanced: 'in-place',
  minSize: 'in-place',
  maxSize: 'in-place',
  cooldownSeconds: 'in-place',
  healthCheck: 'in-place',
  scaling: 'in-place',
  scheduledActions: 'in-place',
  instanceType: 'replace',
  rootVolumeGiB: 'replace',
  disableImdsV1: 'replace',
  securityGroups: 'replace',
  disableDefaultSecurityGroup: 'replace',
  keyName: 'replace',
  sshSource: 'in-place',
  loadBalancerSecurityGroups: 'in-place',
  managedSecurityGroup: 'in-place',
  env: 'restart',
  processes: 'in-place',
  idleTimeoutSeconds: 'in-place',
  queueSeconds: 'in-place',
  errorPage: 'in-place',
  domains: 'in-place',
  accessLogs: 'in-place',
  classic: 'in-place',
  sharedLoadBalancer: 'in-place',
  defaultListener: 'in-place',
  listeners: 'in-place',
  cutOnRevoke: 'in-place',
  commandTimeoutSeconds: 'in-place',
  ignoreHealthCheck: 'in-place',
  health: 'in-place',
  proxyServer: 'restart',
  staticFiles: 'restart',
  python: 'restart',
  logStreaming: 'in-place',
  healthStreaming: 'in-place',
}

/** From the carried-out fields, not from the texts: an option without effect changes nothing, nor does `TRUE` for `true`. */
export function changeOf(platform: string, before: Setting[], after: Setting[]): ConfigurationChange {
  const old = configurationOf(platform, before)
  const young = configurationOf(platform, after)
  const fields = Object.keys(IMPACTS) as (keyof EnvironmentConfiguration)[]
  const impacts = fields
    .filter((field) => comparable(old[field]) !== comparable(young[field]))
    .map((field) => IMPACTS[field])
  return {
    impact: worst(impacts),
    restartsApplication: impacts.includes('restart'),
    options: changedOptions(platform, before, after),
  }
}

function worst(impacts: string[]): Impact {
  if (impacts.includes('replace')) return 'replace'
  return impacts.length > 0 ? 'in-place' : 'none'
}

function changedOptions(platform: string, before: Setting[], after: Setting[]): string[] {
  const valueIn = (settings: Setting[], key: OptionKey) => {
    const option = findOption(platform, key.namespace, key.optionName)?.option
    const value = settings.find((each) => keyOf(each) === keyOf(key))?.value ?? option?.default
    return option && value !== undefined ? normalised(option, value) : value
  }
  const changed = [...before, ...after].filter((key) => valueIn(before, key) !== valueIn(after, key))
  return [...new Set(changed.map(({ namespace, optionName }) => `${namespace}:${optionName}`))].sort()
}

// Records are compared without regard to the order of their members.
function comparable(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1))
      : each,
  )
}
