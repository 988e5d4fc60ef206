// Conditions of rules: as callers write them, as they are kept, which is as the engine takes them, and as they are described.
import type { RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2'
import { type Condition, isRange } from '../../engines/balancer/engine.ts'
import { refuseOthers } from '../parameters.ts'
import { unsupported, validation } from './errors.ts'

/** AWS's quotas of a rule: condition values, and wildcards in them. */
export const CONDITION_VALUES_MAX = 5
export const WILDCARDS_MAX = 5
const LENGTH_MAX = 128

export function requireConditions(given: RuleCondition[] | undefined): Condition[] {
  if (!given?.length) throw validation('A condition must be specified')
  const conditions = given.map(conditionOf)
  for (const field of ['host-header', 'path-pattern', 'http-request-method', 'source-ip'] as const)
    if (conditions.filter((one) => one.field === field).length > 1)
      throw validation(`A rule can only have one '${field}' condition`)
  const values = conditions.flatMap(valuesOf)
  if (values.length > CONDITION_VALUES_MAX)
    throw validation(`A rule can only have '${CONDITION_VALUES_MAX}' condition values`)
  const wildcards = values.join('').replaceAll(/\\./g, '').match(/[*?]/g)?.length ?? 0
  if (wildcards > WILDCARDS_MAX)
    throw validation(`A rule can only have '${WILDCARDS_MAX}' condition wildcards`)
  return conditions
}

/** Each value as its text; a pair of a query with its key. */
const valuesOf = (condition: Condition): string[] => {
  switch (condition.field) {
    case 'http-request-method':
      return condition.methods
    case 'source-ip':
      return condition.ranges
    case 'query-string':
      return condition.pairs.map(({ key, value }) => `${key ?? ''}${value}`)
    default:
      return condition.patterns
  }
}

const CONFIGS = {
  'host-header': 'HostHeaderConfig',
  'path-pattern': 'PathPatternConfig',
  'http-header': 'HttpHeaderConfig',
  'http-request-method': 'HttpRequestMethodConfig',
  'query-string': 'QueryStringConfig',
  'source-ip': 'SourceIpConfig',
} as const satisfies Record<Condition['field'], keyof RuleCondition>
type Field = keyof typeof CONFIGS

function conditionOf(given: RuleCondition): Condition {
  const { Field: field, Values: short } = given
  if (!field || !Object.hasOwn(CONFIGS, field))
    throw validation(`Condition field '${field}' must be one of '[${Object.keys(CONFIGS).join(', ')}]'`)
  const name = CONFIGS[field as Field]
  if (given.RegexValues?.length) throw unsupported('RegexValues')
  refuseOthers(given, ['Field', 'Values', name], (member) =>
    validation(`${member} cannot be specified for a '${field}' condition`),
  )
  if (short?.length && field !== 'host-header' && field !== 'path-pattern')
    throw validation(`Values cannot be specified for a '${field}' condition; use ${name}`)
  const config = given[name]
  if (short?.length && config) throw validation(`You cannot specify both Values and ${name}`)
  refuseOthers(config ?? {}, ['Values', 'HttpHeaderName'] as never[], (member) =>
    unsupported(`${name}.${member}`),
  )
  if (field === 'query-string') return queryOf(given)
  const values = short?.length ? short : ((config?.Values as string[] | undefined) ?? [])
  if (values.length === 0) throw validation(`A condition value must be specified for '${field}'`)
  for (const value of values) requireValue(field as Field, value)
  switch (field as Field) {
    case 'http-request-method':
      return { field: 'http-request-method', methods: values }
    case 'source-ip':
      return { field: 'source-ip', ranges: values }
    case 'http-header':
      return { field: 'http-header', name: requireHeader(given), patterns: values }
    default:
      return { field: field as 'host-header' | 'path-pattern', patterns: values }
  }
}

function queryOf({ QueryStringConfig }: RuleCondition): Condition {
  const pairs = QueryStringConfig?.Values ?? []
  if (pairs.length === 0) throw validation("A condition value must be specified for 'query-string'")
  return {
    field: 'query-string',
    pairs: pairs.map(({ Key, Value = '' }) => {
      requireValue('query-string', Value)
      if (Key !== undefined) requireValue('query-string', Key)
      return { key: Key ?? null, value: Value }
    }),
  }
}

// RFC 7230 §3.2.6, without the apostrophe: no header has one.
const HEADER = /^[A-Za-z0-9!#$%&*+.^_`|~-]{1,40}$/

function requireHeader({ HttpHeaderConfig }: RuleCondition): string {
  const name = HttpHeaderConfig?.HttpHeaderName
  if (!name || !HEADER.test(name)) throw validation(`The HTTP header name '${name ?? ''}' is not valid`)
  if (name.toLowerCase() === 'host')
    throw validation("The HTTP header name 'host' is not valid; use a 'host-header' condition")
  return name
}

const ALLOWED: Record<Field, RegExp> = {
  'host-header': /^[A-Za-z0-9.*?-]+$/,
  'path-pattern': /^[A-Za-z0-9_.$/~"'@:+&*?%!,;=()#[\]\\-]+$/,
  'http-header': /^[ -~]+$/,
  'http-request-method': /^[A-Z_-]{1,40}$/,
  'query-string': /^[!-~]+$/,
  'source-ip': /^[0-9A-Fa-f:./]+$/,
}

function requireValue(field: Field, value: string) {
  if (value === '') throw validation(`A condition value of '${field}' cannot be empty`)
  if (value.length > LENGTH_MAX)
    throw validation(`Condition value '${value}' cannot be longer than '${LENGTH_MAX}' characters`)
  if (!ALLOWED[field].test(value) || (field === 'source-ip' && !isRange(value)))
    throw validation(`Condition value '${value}' of '${field}' is not valid`)
  // API reference: a point, and only letters after the last one.
  if (field === 'host-header' && !/\.[A-Za-z*?]+$/.test(value))
    throw validation(
      `Condition value '${value}' must contain a point and only alphabetical characters after the last one`,
    )
}

export function describeCondition(condition: Condition): RuleCondition {
  const { field } = condition
  switch (field) {
    case 'http-request-method':
      return { Field: field, HttpRequestMethodConfig: { Values: condition.methods } }
    case 'source-ip':
      return { Field: field, SourceIpConfig: { Values: condition.ranges } }
    case 'http-header':
      return {
        Field: field,
        HttpHeaderConfig: { HttpHeaderName: condition.name, Values: condition.patterns },
      }
    case 'query-string': {
      const Values = condition.pairs.map(({ key, value }) => ({
        ...(key === null ? {} : { Key: key }),
        Value: value,
      }))
      return { Field: field, QueryStringConfig: { Values } }
    }
    default: {
      const Values = condition.patterns
      return { Field: field, Values, [CONFIGS[field]]: { Values } }
    }
  }
}
