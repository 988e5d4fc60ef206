// Labels of results (CloudWatch user guide, "Using dynamic labels"): texts with values of the series in them.
import type { MetricStat } from '@aws-sdk/client-cloudwatch'
import { unsupported } from './errors.ts'
import { type FoldName, FOLDS, foldSeries } from './folds.ts'
import type { Series } from './series.ts'

/** Where metrics are. */
export type Place = { accountId: string; region: string }

type Labelled = { series: Series; stat: MetricStat | undefined; place: Place }

const PLACEHOLDER = /\$\{([A-Z_]+)(?:\('([^']*)'\))?\}/g
const range = (a: number | undefined, b: number | undefined) => (a ?? NaN) - (b ?? NaN)

const VALUES: Record<string, (series: Series) => number> = {
  FIRST: ({ points }) => points[0]?.value ?? NaN,
  LAST: ({ points }) => points.at(-1)?.value ?? NaN,
  FIRST_LAST_RANGE: ({ points }) => range(points.at(-1)?.value, points[0]?.value),
  MIN_MAX_RANGE: (series) => range(foldSeries('MAX', series), foldSeries('MIN', series)),
  ...Object.fromEntries(
    (Object.keys(FOLDS) as FoldName[])
      .filter((name) => name !== 'STDDEV')
      .map((name) => [name, (series: Series) => foldSeries(name, series)]),
  ),
}

const PROPERTIES: Record<string, (labelled: Labelled) => string | undefined> = {
  AccountId: ({ place }) => place.accountId,
  Region: ({ place }) => place.region,
  MetricName: ({ stat }) => stat?.Metric?.MetricName,
  Namespace: ({ stat }) => stat?.Metric?.Namespace,
  Period: ({ series }) => String(series.periodSeconds),
  Stat: ({ stat }) => stat?.Stat,
}

/** Times in labels depend on the graph's time zone (`LabelOptions`). What AWS does not know either stays as it is. */
const isTime = (name: string) =>
  /^(?:FIRST|LAST|MIN|MAX|FIRST_LAST|MIN_MAX)_TIME(?:_RANGE|_RELATIVE)?$/.test(name)

export function refuseLabel(label: string): void {
  for (const [whole, name = '', property] of label.matchAll(PLACEHOLDER))
    if (isTime(name) || (name === 'PROP' && property === 'AccountLabel'))
      throw unsupported(`The dynamic label ${whole}`)
}

/** `fallback` is the label where the query has none; `${LABEL}` says it. */
export const labelOf = (asked: string | undefined, fallback: string, labelled: Labelled): string =>
  asked === undefined
    ? fallback
    : asked.replaceAll(PLACEHOLDER, (whole, name: string, property: string | undefined) => {
        if (name === 'LABEL' && property === undefined) return fallback
        if (name === 'PROP') return propertyOf(property ?? '', labelled) ?? whole
        const value = Object.hasOwn(VALUES, name) ? VALUES[name] : undefined
        return value && property === undefined ? written(value(labelled.series)) : whole
      })

function propertyOf(name: string, labelled: Labelled): string | undefined {
  if (!name.startsWith('Dim.'))
    return Object.hasOwn(PROPERTIES, name) ? PROPERTIES[name]?.(labelled) : undefined
  const dimensions = labelled.stat?.Metric?.Dimensions ?? []
  return dimensions.find(({ Name }) => Name === name.slice('Dim.'.length))?.Value
}

/** AWS does not say how many digits it writes. */
const written = (value: number) => (Number.isNaN(value) ? '--' : String(Math.round(value * 1000) / 1000))
