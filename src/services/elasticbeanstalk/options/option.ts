// What an option is, and how the tables of this folder write one. Sources: elastic-beanstalk developer guide
// "Configuration options", real answers of DescribeConfigurationOptions and DescribeConfigurationSettings.

export type ValueType = 'Scalar' | 'List' | 'Boolean' | 'CommaSeparatedList' | 'KeyValueList' | 'Json'

/** What AWS does when the value changes. */
export type Severity = 'NoInterruption' | 'RestartEnvironment' | 'RestartApplicationServer' | 'Unknown'

/** What Polebean does with a value.
 *  `effective`: it is carried out. `accepted`: stored and shown without effect, for the reason given.
 *  `refused`: nothing but the default is taken. With `only`, every value outside of it and the default is refused. */
export type Effect =
  | { kind: 'effective'; only?: string[] }
  | { kind: 'accepted'; only?: string[]; reason: string }
  | { kind: 'refused' }

export type Option = {
  name: string
  type: ValueType
  /** What holds without a setting; undefined: nothing, the member Value is left out of answers. */
  default?: string
  /** The values that AWS lists; compared without case unless `caseSensitive`. */
  values?: string[]
  caseSensitive?: true
  /** AWS lists the values but takes others (measured: MonitoringInterval, EnableSpot). */
  valuesNotEnforced?: true
  number?: 'integer' | 'decimal'
  min?: number
  max?: number
  maxLength?: number
  regex?: string
  /** Replaces AWS's common wording; `VALUE` stands for the value. */
  complaint?: string
  severity: Severity
  effect: Effect
  /** CloudFormation's logical name, shown as ResourceName. */
  resource?: string | undefined
}

export type Namespace = {
  /** `aws:autoscaling:asg`, or the part before the name of a thing when `named`. */
  name: string
  /** One namespace a thing: `aws:elbv2:listener:PORT`. They exist only when they are set. */
  named?: 'PORT' | 'NAME'
  /** Each setting belongs to a resource that the caller names (ResourceName of a scheduled action). */
  resourceNamed?: true
  /** Options of any name: how name and value look, and how each is treated. */
  anyName?: Omit<Option, 'name'> & { namePattern: RegExp; nameRule: string }
  /** Only for platforms of this family; elsewhere AWS does not know the namespace. */
  platform?: string
  /** `given`: DescribeConfigurationSettings leaves it out while nothing in it is set. */
  shown: 'always' | 'given'
  options: Option[]
}

export const EFFECTIVE: Effect = { kind: 'effective' }
export const REFUSED: Effect = { kind: 'refused' }
export const only = (...values: string[]): Effect => ({ kind: 'effective', only: values })
export const accepted = (reason: string): Effect => ({ kind: 'accepted', reason })
export const acceptedOnly = (values: string[], reason: string): Effect => ({
  kind: 'accepted',
  only: values,
  reason,
})

/** An option as the tables write it: what it does not say comes from its namespace. */
type Entry = Omit<Option, 'severity' | 'effect'> & Partial<Pick<Option, 'severity' | 'effect'>>
type Common = Pick<Option, 'severity' | 'effect' | 'resource'> & Partial<Omit<Namespace, 'name' | 'options'>>
type More = Partial<Omit<Entry, 'name' | 'type'>>

export function namespace(name: string, common: Common, entries: Entry[]): Namespace {
  const { severity, effect, resource, shown = 'always', ...rest } = common
  const inherited = { severity, effect, ...(resource === undefined ? {} : { resource }) }
  return { name, shown, ...rest, options: entries.map((entry) => ({ ...inherited, ...entry })) }
}

export const text = (name: string, more: More = {}): Entry => ({ name, type: 'Scalar', ...more })
export const list = (name: string, more: More = {}): Entry => ({ name, type: 'CommaSeparatedList', ...more })
export const flag = (name: string, preset = 'false', more: More = {}): Entry => ({
  name,
  type: 'Boolean',
  default: preset,
  ...more,
})
export const choice = (name: string, values: string[], more: More = {}): Entry => ({
  name,
  type: 'Scalar',
  values,
  ...more,
})
export const integer = (
  name: string,
  min: number | undefined,
  max: number | undefined,
  more: More = {},
): Entry => ({
  name,
  type: 'Scalar',
  number: 'integer',
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
  ...more,
})
