// Names of metrics: namespace, name and dimensions (CloudWatch API reference, "PutMetricData", "Dimension", "MetricDatum").
import type { Dimension, StandardUnit } from '@aws-sdk/client-cloudwatch'
import { dictionary } from '../../kernel/dictionary.ts'
import type { Context } from '../context.ts'
import { invalidValue } from './errors.ts'
import type { SeriesKey } from './points/file.ts'

export const DIMENSIONS_MAX = 30

export const UNITS: readonly StandardUnit[] = [
  ...(['Seconds', 'Microseconds', 'Milliseconds'] as const),
  ...(['Bytes', 'Kilobytes', 'Megabytes', 'Gigabytes', 'Terabytes'] as const),
  ...(['Bits', 'Kilobits', 'Megabits', 'Gigabits', 'Terabits', 'Percent', 'Count'] as const),
  ...([
    'Bytes/Second',
    'Kilobytes/Second',
    'Megabytes/Second',
    'Gigabytes/Second',
    'Terabytes/Second',
  ] as const),
  ...(['Bits/Second', 'Kilobits/Second', 'Megabits/Second', 'Gigabits/Second', 'Terabits/Second'] as const),
  ...(['Count/Second', 'None'] as const),
]

type Named = { namespace: string; metricName: string; dimensions: Record<string, string> }
type Owner = Pick<Context, 'account' | 'region'>

/** As the metrics file has it. */
export const keyOf = (
  { account, region }: Owner,
  { namespace, metricName, dimensions }: Named,
): Omit<SeriesKey, 'unit'> => ({
  ...{ account, region, namespace, name: metricName },
  dimensions: JSON.stringify(Object.entries(dimensions).toSorted(([a], [b]) => (a < b ? -1 : 1))),
})

export const dimensionsOf = (text: string): Dimension[] =>
  (JSON.parse(text) as [string, string][]).map(([Name, Value]) => ({ Name, Value }))

/** `path`: of the list in the request, for refusals. */
export function requireDimensions(given: Dimension[] | undefined, path: string): Record<string, string> {
  const dimensions = dictionary<string>()
  if ((given?.length ?? 0) > DIMENSIONS_MAX)
    throw invalidValue(`The collection ${path} must not have a size greater than ${DIMENSIONS_MAX}.`)
  for (const [index, { Name = '', Value = '' }] of (given ?? []).entries()) {
    const own = `${path}.member.${index + 1}`
    requireText(Name, `${own}.Name`, 255)
    requireText(Value, `${own}.Value`, 1024)
    if (Name.startsWith(':')) throw invalidValue(`The value ${Name} for parameter ${own}.Name is invalid.`)
    if (Object.hasOwn(dimensions, Name))
      throw invalidValue(`The dimension ${Name} is in the collection ${path} more than once.`)
    dimensions[Name] = Value
  }
  return dimensions
}

export function requireNamespace(namespace: string): string {
  requireText(namespace, 'Namespace', 255)
  if (!/^[^:].*$/.test(namespace) || !/^[\w.\-/#: ]+$/.test(namespace))
    throw invalidValue(`The value ${namespace} for parameter Namespace is invalid.`)
  return namespace
}

/** Not what is AWS's own to tell. */
export function requireOwnNamespace(namespace: string): string {
  if (/^aws\//i.test(namespace))
    throw invalidValue(`The value ${namespace} for parameter Namespace is invalid.`)
  return requireNamespace(namespace)
}

export function requireText(text: string, path: string, most: number): string {
  if (text.trim() === '') throw invalidValue(`The parameter ${path} is required.`)
  if (text.length > most)
    throw invalidValue(`The parameter ${path} must be shorter than ${most + 1} characters.`)
  // oxlint-disable-next-line no-control-regex
  if (/[\u0000-\u001f\u007f]/.test(text))
    throw invalidValue(`The value for parameter ${path} must contain printable characters only.`)
  return text
}

export function requireUnit(unit: string | undefined, path: string): StandardUnit | undefined {
  if (unit === undefined) return undefined
  const known = UNITS.find((one) => one === unit)
  if (!known) throw invalidValue(`The parameter ${path} must be a value in the set [${UNITS.join(', ')}].`)
  return known
}
