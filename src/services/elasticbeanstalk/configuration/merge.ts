// Given over template over stored, in AWS's spelling of the names.
import type { ConfigurationOptionSetting, OptionSpecification } from '@aws-sdk/client-elastic-beanstalk'
import { findOption } from '../options/catalogue.ts'
import { specificationError, valueError } from './findings.ts'
import type { Finding, OptionKey, Setting } from './types.ts'

type Merge = {
  platform: string
  stored: Setting[]
  template: Setting[]
  given: ConfigurationOptionSetting[]
  remove: OptionSpecification[]
}

/** `findings`: given settings that name no option, or have no value. A repeated option's last value wins. */
export function mergeSettings(merge: Merge): { settings: Setting[]; findings: Finding[] } {
  const byKey = new Map(merge.stored.map((setting) => [keyOf(setting), setting]))
  for (const setting of merge.template) byKey.set(keyOf(setting), setting)
  for (const specification of merge.remove) byKey.delete(keyOf(namesOf(merge.platform, specification)))
  const findings: Finding[] = []
  const given = merge.given.map((each) => ({ ...namesOf(merge.platform, each), value: each.Value }))
  dropOtherInstanceType(byKey, given)
  for (const { value, ...names } of given) {
    if (!findOption(merge.platform, names.namespace, names.optionName))
      findings.push(specificationError(names, 'Unknown configuration setting.'))
    else if (value === undefined) findings.push(valueError(names, 'null', 'Specify a value.'))
    else byKey.set(keyOf(names), { ...names, value })
  }
  return { settings: [...byKey.values()], findings }
}

/** The logical names of AWS's own resources say nothing; only a scheduled action is told apart by its name. */
function namesOf(
  platform: string,
  each: { Namespace?: string; OptionName?: string; ResourceName?: string },
): OptionKey {
  const { Namespace: namespace = 'null', OptionName: optionName = 'null', ResourceName } = each
  const found = findOption(platform, namespace, optionName)
  return {
    namespace: found?.namespaceName ?? namespace,
    optionName,
    resourceName: found?.namespace.resourceNamed === true ? (ResourceName ?? null) : null,
  }
}

// InstanceTypes wins over InstanceType; a call that gives only the one means it, whatever was stored of the other.
function dropOtherInstanceType(byKey: Map<string, Setting>, given: OptionKey[]): void {
  const gives = (key: OptionKey) => given.some((each) => keyOf(each) === keyOf(key))
  if (gives(INSTANCE_TYPE) && !gives(INSTANCE_TYPES)) byKey.delete(keyOf(INSTANCE_TYPES))
  if (gives(INSTANCE_TYPES) && !gives(INSTANCE_TYPE)) byKey.delete(keyOf(INSTANCE_TYPE))
}

export const INSTANCE_TYPE: OptionKey = {
  namespace: 'aws:autoscaling:launchconfiguration',
  optionName: 'InstanceType',
  resourceName: null,
}
export const INSTANCE_TYPES: OptionKey = {
  namespace: 'aws:ec2:instances',
  optionName: 'InstanceTypes',
  resourceName: null,
}

/** Equal for settings of the same option. */
export const keyOf = ({ namespace, optionName, resourceName }: OptionKey) =>
  JSON.stringify([namespace, optionName, resourceName])
