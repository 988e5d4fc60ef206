// PutMetricData: what applications tell of themselves (CloudWatch API reference).
import type { MetricDatum, StatisticSet } from '@aws-sdk/client-cloudwatch'
import type { CloudwatchOperations } from '../../generated/cloudwatch.ts'
import { refuseOthers } from '../../parameters.ts'
import type { CloudwatchDeps } from '../deps.ts'
import { invalidCombination, invalidValue, unsupported } from '../errors.ts'
import { keyOf, requireDimensions, requireOwnNamespace, requireText, requireUnit } from '../names.ts'
import { FUTURE_SECONDS_MAX, PAST_SECONDS_MAX } from '../points/metrics.ts'
import { single, type Sample, type ValueCount } from '../points/sample.ts'

const DATA_MAX = 1_000
const VALUES_MAX = 150
/** AWS: values outside of 2^-360 … 2^360 are refused, and those that are no numbers. */
const VALUE_MAX = 2 ** 360
/** Names of metrics at once in a home; beyond it new ones are refused, so that a careless dimension fills no disk. */
export const SERIES_MAX = 200_000

export function makeMetricDataOperations({
  clock,
  metrics,
}: Pick<CloudwatchDeps, 'clock' | 'metrics'>): Pick<CloudwatchOperations, 'putMetricData'> {
  return {
    putMetricData(context, input) {
      refuseOthers(input, ['Namespace', 'MetricData', 'StrictEntityValidation'], unsupported)
      const namespace = requireOwnNamespace(input.Namespace ?? '')
      const data = input.MetricData ?? []
      if (data.length === 0) throw invalidValue('The parameter MetricData is required.')
      if (data.length > DATA_MAX)
        throw invalidValue(`The collection MetricData must not have a size greater than ${DATA_MAX}.`)
      const points = data.map((datum, index) => {
        const path = `MetricData.member.${index + 1}`
        const metricName = requireText(datum.MetricName ?? '', `${path}.MetricName`, 255)
        const dimensions = requireDimensions(datum.Dimensions, `${path}.Dimensions`)
        const unit = requireUnit(datum.Unit, `${path}.Unit`) ?? 'None'
        requireResolution(datum.StorageResolution, path)
        return {
          key: { ...keyOf(context, { namespace, metricName, dimensions }), unit },
          second: requireMoment(datum.Timestamp, path),
          sample: sampleOf(datum, path),
        }
      })
      if (metrics.countSeries() >= SERIES_MAX && points.some(({ key }) => metrics.find(key).length === 0))
        throw invalidValue(`This home has ${SERIES_MAX} metrics; it takes no new names.`)
      metrics.record(points, { durable: true })
      return {}
    },
  }

  function requireMoment(at: Date | undefined, path: string): number {
    const now = Math.floor(clock.now() / 1000)
    const second = at === undefined ? now : Math.floor(at.getTime() / 1000)
    const words = `The parameter ${path}.Timestamp must specify a time`
    if (!(second >= now - PAST_SECONDS_MAX))
      throw invalidValue(`${words} no more than two weeks in the past.`)
    if (second > now + FUTURE_SECONDS_MAX) throw invalidValue(`${words} within two hours of now.`)
    return second
  }
}

function requireResolution(resolution: number | undefined, path: string): void {
  if (resolution !== undefined && resolution !== 1 && resolution !== 60)
    throw invalidValue(`The parameter ${path}.StorageResolution must be 1 or 60.`)
}

function sampleOf({ Value, Values, Counts, StatisticValues }: MetricDatum, path: string): Sample {
  const given = Object.entries({ Value, Values: Values?.length ? Values : undefined, StatisticValues })
    .filter(([, value]) => value !== undefined)
    .map(([name]) => `${path}.${name}`)
  if (given.length > 1)
    throw invalidCombination(
      `The parameters ${given[0]} and ${given[1]} are mutually exclusive and you have specified both.`,
    )
  if (Value !== undefined) return single(requireNumber(Value, `${path}.Value`))
  if (StatisticValues) return setOf(StatisticValues, `${path}.StatisticValues`)
  if (Values?.length) return listOf(Values, Counts, path)
  throw invalidValue(
    `At least one of the parameters ${path}.Value, ${path}.Values and ${path}.StatisticValues must be specified.`,
  )
}

function setOf({ SampleCount, Sum, Minimum, Maximum }: StatisticSet, path: string): Sample {
  const [count, sum, min, max] = Object.entries({ SampleCount, Sum, Minimum, Maximum }).map(([name, value]) =>
    requireNumber(value, `${path}.${name}`),
  ) as [number, number, number, number]
  if (count <= 0) throw invalidValue(`The value ${count} for parameter ${path}.SampleCount is invalid.`)
  if (min > max)
    throw invalidValue(`The parameter ${path}.Minimum must be less than or equal to ${path}.Maximum.`)
  return { count, sum, min, max }
}

function listOf(values: number[], counts: number[] | undefined, path: string): Sample {
  if (values.length > VALUES_MAX)
    throw invalidValue(`The collection ${path}.Values must not have a size greater than ${VALUES_MAX}.`)
  if (counts && counts.length > 0 && counts.length !== values.length)
    throw invalidValue(`The parameters ${path}.Values and ${path}.Counts must be of the same size.`)
  const times = new Map<number, number>()
  for (const [index, value] of values.entries()) {
    const count = counts?.[index] ?? 1
    requireNumber(value, `${path}.Values.member.${index + 1}`)
    if (!(count > 0) || !Number.isFinite(count) || count > VALUE_MAX)
      throw invalidValue(`The value ${count} for parameter ${path}.Counts.member.${index + 1} is invalid.`)
    times.set(value, (times.get(value) ?? 0) + count)
  }
  const list: ValueCount[] = [...times].toSorted(([a], [b]) => a - b)
  const count = list.reduce((sum, [, one]) => sum + one, 0)
  const sum = list.reduce((total, [value, one]) => total + value * one, 0)
  return { count, sum, min: list[0]![0], max: list.at(-1)![0], values: list }
}

function requireNumber(value: number | undefined, path: string): number {
  if (value === undefined || !Number.isFinite(value) || Math.abs(value) > VALUE_MAX)
    throw invalidValue(`The value ${value} for parameter ${path} is invalid.`)
  return value
}
