// Options and settings in the members of AWS's answers.
import type {
  ConfigurationOptionDescription,
  ConfigurationOptionSetting,
  ConfigurationSettingsDescription,
  OptionSpecification,
} from '@aws-sdk/client-elastic-beanstalk'
import { namespaces } from '../options/catalogue.ts'
import type { Option } from '../options/option.ts'
import { settingsOf, type EnvironmentRow } from '../store.ts'
import { shownSettings } from './shown.ts'
import { templateSettings, type TemplateRow } from './store.ts'
import type { Setting } from './types.ts'

/** `eb upgrade`, `eb health` and others read Tier, which the public model lacks. */
export type DescribedSettings = ConfigurationSettingsDescription & {
  Tier?: { Name?: string; Type?: string; Version?: string }
}

/** What runs, and after it what an update brings or failed to bring. */
export function describeEnvironmentSettings(row: EnvironmentRow, family: string): DescribedSettings[] {
  const common = {
    SolutionStackName: row.solutionStackName ?? undefined,
    PlatformArn: row.platformArn,
    ApplicationName: row.applicationName,
    EnvironmentName: row.name,
    Description: row.description ?? undefined,
    DateCreated: new Date(row.createdAt),
    Tier: JSON.parse(row.tier) as DescribedSettings['Tier'],
  }
  const deployed: DescribedSettings = {
    ...common,
    DeploymentStatus: row.expectedDeploymentId === null ? 'pending' : 'deployed',
    DateUpdated: new Date(row.updatedAt),
    OptionSettings: optionSettings(family, settingsOf(row)),
  }
  if (row.draft === null || row.draftState === null) return [deployed]
  const draft: DescribedSettings = {
    ...common,
    DeploymentStatus: row.draftState,
    DateUpdated: new Date(row.draftAt ?? row.updatedAt),
    OptionSettings: optionSettings(family, JSON.parse(row.draft) as Setting[]),
  }
  return [deployed, draft]
}

export const describeTemplate = (row: TemplateRow, family: string): DescribedSettings => ({
  SolutionStackName: row.solutionStackName,
  PlatformArn: row.platformArn,
  ApplicationName: row.applicationName,
  TemplateName: row.templateName,
  Description: row.description ?? undefined,
  DateCreated: new Date(row.createdAt),
  DateUpdated: new Date(row.updatedAt),
  OptionSettings: optionSettings(family, templateSettings(row)),
})

const optionSettings = (family: string, settings: Setting[]): ConfigurationOptionSetting[] =>
  shownSettings(family, settings).map(({ namespace, optionName, resourceName, value }) => ({
    Namespace: namespace,
    OptionName: optionName,
    ...(resourceName === null ? {} : { ResourceName: resourceName }),
    ...(value === null ? {} : { Value: value }),
  }))

/** Every option of a platform, those that the settings name (environment properties, named listeners) included.
 *  `wanted`: only these. `sharable`: ARNs of load balancers among which `eb create` lets choose. */
export function describeOptions(
  family: string,
  settings: Setting[],
  wanted: OptionSpecification[] | undefined,
  sharable: string[],
): ConfigurationOptionDescription[] {
  const all = namespaces
    .filter((each) => each.named === undefined && (each.platform === undefined || each.platform === family))
    .flatMap(({ name, options, anyName }) => [
      ...options.map((option) =>
        describeOption(
          name,
          option.name === 'SharedLoadBalancer' ? { ...option, values: sharable } : option,
          false,
        ),
      ),
      ...settings
        .filter((setting) => anyName !== undefined && setting.namespace === name)
        .map(({ optionName }) => describeOption(name, { ...anyName!, name: optionName }, true)),
    ])
  if (wanted === undefined || wanted.length === 0) return all
  return all.filter(({ Namespace, Name }) =>
    wanted.some(
      (each) =>
        (each.Namespace === undefined || each.Namespace.toLowerCase() === Namespace?.toLowerCase()) &&
        (each.OptionName === undefined || each.OptionName === Name),
    ),
  )
}

function describeOption(
  namespace: string,
  option: Option,
  userDefined: boolean,
): ConfigurationOptionDescription {
  return {
    Namespace: namespace,
    Name: option.name,
    ...(option.default === undefined ? {} : { DefaultValue: option.default }),
    ChangeSeverity: option.severity,
    UserDefined: userDefined,
    // The model's enumeration knows two; the service answers with these (and its documentation names them).
    ValueType: option.type as ConfigurationOptionDescription['ValueType'],
    ...(option.values === undefined ? {} : { ValueOptions: option.values }),
    // The model's members are whole numbers: the AWS CLI fails on 0.001.
    ...(Number.isInteger(option.min) ? { MinValue: option.min } : {}),
    ...(Number.isInteger(option.max) ? { MaxValue: option.max } : {}),
    ...(option.maxLength === undefined ? {} : { MaxLength: option.maxLength }),
    ...(option.regex === undefined ? {} : { Regex: { Pattern: option.regex, Label: option.name } }),
  }
}
