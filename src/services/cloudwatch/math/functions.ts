// The functions of metric math: what they take and give (S, TS, TS[], as AWS writes it), and what they do.
// CloudWatch user guide, "Functions supported for metric math". Arguments have been checked (check.ts) before `apply` sees them.
import { choose } from './conditions.ts'
import { fill, type Filler } from './fill.ts'
import { fold, type FoldName, FOLDS, foldSeries } from './folds.ts'
import {
  mapPoints,
  periodsOf,
  type Point,
  type Range,
  type Series,
  type Value,
  withValues,
} from './series.ts'

export type Type = 'S' | 'TS' | 'TS[]'
/** Words are taken as they are, `string` is a text in quotes, `metric` the Id of a metric itself. */
export type Taken = Type | 'string' | 'metric' | { words: readonly string[] }
export type Signature = { takes: Taken[]; gives: Type }

export type Environment = {
  range: Range
  /** Of series that have none of their own: TIME_SERIES. */
  periodSeconds: number
  valueOf(id: string): Value
  /** Those of the request, in its order. */
  metrics: readonly Series[]
}
/** A word or a text in quotes is a string. */
export type Argument = Value | string
type Definition = { signatures: Signature[]; apply(given: Argument[], environment: Environment): Value }

const eachOf = (change: (series: Series, environment: Environment) => Series): Definition => ({
  signatures: [
    { takes: ['TS'], gives: 'TS' },
    { takes: ['TS[]'], gives: 'TS[]' },
  ],
  apply: ([value], environment) =>
    Array.isArray(value)
      ? value.map((one) => change(one, environment))
      : change(value as Series, environment),
})

const eachValue = (change: (value: number) => number) => eachOf((series) => mapPoints(series, change))

/** The first point has none before it. */
const eachPair = (change: (point: Point, before: Point) => number) =>
  eachOf((series) => ({
    ...series,
    points: withValues(
      series.points
        .slice(1)
        .map((point, index) => ({ at: point.at, value: change(point, series.points[index] as Point) })),
    ),
  }))

const folded = (name: FoldName): Definition => ({
  signatures: [
    { takes: ['TS'], gives: 'S' },
    { takes: ['TS[]'], gives: 'TS' },
  ],
  apply: ([value], { periodSeconds }) => fold(name)(value as Value, periodSeconds),
})

const ofTime = (read: (date: Date) => number): Definition => ({
  signatures: [{ takes: ['TS'], gives: 'TS' }],
  apply: ([value], { range }) => {
    const series = value as Series
    const points = periodsOf(range, series.periodSeconds).map((at) => ({ at, value: read(new Date(at)) }))
    return { ...series, points }
  },
})

const oneOf = (pick: (many: Series[]) => Series | undefined): Definition => ({
  signatures: [{ takes: ['TS[]'], gives: 'TS' }],
  apply: ([many], { periodSeconds }) =>
    pick(many as Series[]) ?? { id: '', label: '', periodSeconds, points: [] },
})

const secondsBetween = (point: Point, before: Point) => (point.at - before.at) / 1000
const FILLERS = { words: ['REPEAT', 'LINEAR'] }
const SORTED_BY = { words: ['AVG', 'MIN', 'MAX', 'SUM'] }
const ORDERS = { words: ['ASC', 'DESC'] }
const BRANCHES = ['S', 'TS'] as const

export const FUNCTIONS: Record<string, Definition> = {
  ABS: eachValue(Math.abs),
  CEIL: eachValue(Math.ceil),
  FLOOR: eachValue(Math.floor),
  LOG: eachValue(Math.log),
  LOG10: eachValue(Math.log10),
  ...Object.fromEntries((Object.keys(FOLDS) as FoldName[]).map((name) => [name, folded(name)])),
  DIFF: eachPair((point, before) => point.value - before.value),
  DIFF_TIME: eachPair(secondsBetween),
  RATE: eachPair((point, before) => (point.value - before.value) / secondsBetween(point, before)),
  RUNNING_SUM: eachOf((series) => {
    let sum = 0
    return mapPoints(series, (value) => (sum += value))
  }),
  FILL: {
    signatures: (['TS', 'TS[]'] as const).flatMap((type) =>
      ([FILLERS, 'S', 'TS'] as const).map((filler) => ({ takes: [type, filler], gives: type })),
    ),
    apply: ([value, filler], { range }) =>
      Array.isArray(value)
        ? value.map((one) => fill(one, filler as Filler, range))
        : fill(value as Series, filler as Filler, range),
  },
  FIRST: oneOf((many) => many[0]),
  LAST: oneOf((many) => many.at(-1)),
  IF: {
    signatures: [
      ...BRANCHES.map((then): Signature => ({ takes: ['TS', then], gives: 'TS' })),
      ...BRANCHES.flatMap((then) =>
        BRANCHES.map((otherwise): Signature => ({ takes: ['TS', then, otherwise], gives: 'TS' })),
      ),
      { takes: ['S', 'TS'], gives: 'TS' },
      { takes: ['S', 'TS', 'TS'], gives: 'TS' },
    ],
    apply: (given) => {
      const [condition, then, otherwise] = given as [Series, Series, Series | undefined]
      return choose(condition, then, otherwise)
    },
  },
  METRIC_COUNT: {
    signatures: [{ takes: ['TS[]'], gives: 'S' }],
    apply: ([many]) => (many as Series[]).length,
  },
  METRICS: {
    signatures: [
      { takes: [], gives: 'TS[]' },
      { takes: ['string'], gives: 'TS[]' },
    ],
    apply: ([part = ''], { metrics }) => metrics.filter(({ id }) => id.includes(part as string)),
  },
  PERIOD: {
    signatures: [{ takes: ['metric'], gives: 'S' }],
    apply: ([series]) => (series as Series).periodSeconds,
  },
  REMOVE_EMPTY: {
    signatures: [{ takes: ['TS[]'], gives: 'TS[]' }],
    apply: ([many]) => (many as Series[]).filter(({ points }) => points.length > 0),
  },
  SLICE: {
    signatures: [
      { takes: ['TS[]', 'S'], gives: 'TS[]' },
      { takes: ['TS[]', 'S', 'S'], gives: 'TS[]' },
    ],
    apply: ([many, from, to]) =>
      (many as Series[]).slice(indexOf(from as number), to === undefined ? undefined : indexOf(to as number)),
  },
  SORT: {
    signatures: [
      { takes: ['TS[]', SORTED_BY, ORDERS], gives: 'TS[]' },
      { takes: ['TS[]', SORTED_BY, ORDERS, 'S'], gives: 'TS[]' },
    ],
    apply: ([many, by, order, most]) =>
      sorted(many as Series[], by as FoldName, order === 'DESC').slice(
        0,
        most === undefined ? undefined : indexOf(most as number),
      ),
  },
  TIME_SERIES: {
    signatures: [{ takes: ['S'], gives: 'TS' }],
    apply: ([scalar], { range, periodSeconds }) => {
      const points = periodsOf(range, periodSeconds).map((at) => ({ at, value: scalar as number }))
      return { id: '', label: '', periodSeconds, points: withValues(points) }
    },
  },
  MINUTE: ofTime((date) => date.getUTCMinutes()),
  HOUR: ofTime((date) => date.getUTCHours()),
  // 1 is Monday, 7 is Sunday.
  DAY: ofTime((date) => date.getUTCDay() || 7),
  DATE: ofTime((date) => date.getUTCDate()),
  MONTH: ofTime((date) => date.getUTCMonth() + 1),
  YEAR: ofTime((date) => date.getUTCFullYear()),
  EPOCH: ofTime((date) => Math.floor(date.getTime() / 1000)),
}

/** Functions of AWS that Polebean does not have. */
export const UNSUPPORTED: readonly string[] = [
  'ANOMALY_DETECTION_BAND',
  'DB_PERF_INSIGHTS',
  'INSIGHT_RULE_METRIC',
  'LAMBDA',
  'SEARCH',
  'SERVICE_QUOTA',
]

const indexOf = (scalar: number) => Math.max(0, Math.trunc(scalar) || 0)

/** Series without points have no value to be sorted by: they come last. */
function sorted(many: Series[], by: FoldName, isDescending: boolean): Series[] {
  const keyed = many.map((series) => ({ series, key: foldSeries(by, series) }))
  const rank = (key: number) => (Number.isNaN(key) ? Infinity : isDescending ? -key : key)
  const order = (a: number, b: number) => (a < b ? -1 : a > b ? 1 : 0)
  return keyed.sort((a, b) => order(rank(a.key), rank(b.key))).map(({ series }) => series)
}
