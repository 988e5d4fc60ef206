// From given, stored and template settings to one checked configuration. Pure: no rows, no clock.
import type { ConfigurationOptionSetting, OptionSpecification } from '@aws-sdk/client-elastic-beanstalk'
import type {
  ConfigurationChange, EnvironmentConfiguration, Finding, OptionKey, Setting, ShownSetting, WithoutEffect,
} from './types.ts'

export type ResolveInput = {
  /** Platform family of the environment (`python`, `nodejs`): decides which `aws:elasticbeanstalk:container:*` exist. */
  platform: string
  /** What the environment (or the template that is changed) already holds; null when it is being created. */
  stored: Setting[] | null
  /** Settings of the saved configuration that the call names; below `given`, above `stored`. */
  template?: Setting[]
  /** `OptionSettings` of the call, as parsed. */
  given?: ConfigurationOptionSetting[]
  /** `OptionsToRemove` of the call, as parsed. */
  remove?: OptionSpecification[]
}

export type Resolved = {
  /** What to keep with the environment or template (levels 1 and 2 of the precedence): values verbatim. */
  stored: Setting[]
  /** All settings with defaults, in the order of DescribeConfigurationSettings. */
  shown: ShownSetting[]
  configuration: EnvironmentConfiguration
  /** Kept values that have no effect here and are not the default: a WARN event once per environment names them. */
  withoutEffect: WithoutEffect[]
  /** Compared with `stored` (on creation: with the defaults). */
  change: ConfigurationChange
}

/** Precedence: given > template > stored > defaults; then validation of the whole.
 *  @throws DeclaredError `ConfigurationValidationException` with the first finding, worded as AWS words it. */
export declare function resolveConfiguration(input: ResolveInput): Resolved

/** The same without throwing: every finding, errors and warnings, for ValidateConfigurationSettings. */
export declare function validateConfiguration(input: ResolveInput): Finding[]

/** The typed configuration of stored settings that were valid when they were stored. Never throws for those. */
export declare function configurationOf(platform: string, stored: Setting[]): EnvironmentConfiguration

/** All settings with their defaults, sorted by namespace, then name, EnvironmentType first in its namespace. */
export declare function shownSettings(platform: string, stored: Setting[]): ShownSetting[]

export type { ConfigurationChange, EnvironmentConfiguration, Finding, OptionKey, Setting, ShownSetting, WithoutEffect }
