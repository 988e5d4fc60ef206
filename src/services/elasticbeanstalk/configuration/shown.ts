// All settings as DescribeConfigurationSettings shows them.
import { findOption, namespaces } from '../options/catalogue.ts'
import { listItems } from '../options/check-value.ts'
import { INSTANCE_TYPE, INSTANCE_TYPES, keyOf } from './merge.ts'
import type { OptionKey, Setting, ShownSetting } from './types.ts'

/** Sorted by namespace, then name, as AWS does: `eb scale` takes the first of aws:elasticbeanstalk:environment for
 *  EnvironmentType, and by that order it is. Values that were given are verbatim. */
export function shownSettings(platform: string, settings: Setting[]): ShownSetting[] {
  const given = new Map(settings.map((setting) => [keyOf(setting), setting]))
  const presets = namespaces
    .filter((each) => each.shown === 'always' && (each.platform === undefined || each.platform === platform))
    .flatMap(({ name, options }) =>
      options.map((option) => ({ namespace: name, optionName: option.name, resourceName: null })),
    )
    .filter((key) => !given.has(keyOf(key)))
    .map((key) => ({ ...key, value: presetOf(platform, key, settings) }))
  return [...settings, ...presets]
    .map((shown) => ({ ...shown, resourceName: resourceOf(platform, shown) }))
    .sort(byName)
}

// AWS shows the one as what the other says.
function presetOf(platform: string, key: OptionKey, settings: Setting[]): string | null {
  const valueOf = (wanted: OptionKey) => settings.find((each) => keyOf(each) === keyOf(wanted))?.value
  if (keyOf(key) === keyOf(INSTANCE_TYPE)) {
    const first = listItems(valueOf(INSTANCE_TYPES) ?? '')[0]
    if (first !== undefined) return first
  }
  if (keyOf(key) === keyOf(INSTANCE_TYPES)) {
    const type = valueOf(INSTANCE_TYPE)
    if (type !== undefined) return type
  }
  // Of a single instance both are 1, whatever their defaults.
  if (key.namespace === 'aws:autoscaling:asg' && /^M(in|ax)Size$/.test(key.optionName)) {
    const type = valueOf({
      namespace: 'aws:elasticbeanstalk:environment',
      optionName: 'EnvironmentType',
      resourceName: null,
    })
    if (type?.toLowerCase() === 'singleinstance') return '1'
  }
  return findOption(platform, key.namespace, key.optionName)?.option.default ?? null
}

const resourceOf = (platform: string, { namespace, optionName, resourceName }: OptionKey) =>
  resourceName ?? findOption(platform, namespace, optionName)?.option.resource ?? null

function byName(a: ShownSetting, b: ShownSetting): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1
  if (a.optionName !== b.optionName) return a.optionName < b.optionName ? -1 : 1
  return (a.resourceName ?? '') < (b.resourceName ?? '') ? -1 : 1
}
