// A plan and the means to read metrics → the series of each query.
import type { MetricStat } from '@aws-sdk/client-cloudwatch'
import { evaluateExpression, Work } from './evaluate.ts'
import { labelOf, type Place } from './labels.ts'
import type { ExpressionQuery, QueryPlan } from './queries.ts'
import {
  countPeriods,
  type Point,
  POINTS_MAX,
  type Range,
  type Series,
  tooMany,
  type Value,
} from './series.ts'

export type QueryResult = { isReturned: boolean; series: Series[] }

/** `read`: the points of a metric in the range, oldest first, one a period. Results are in the order of the request, labelled. */
export function evaluateQueries(
  plan: QueryPlan,
  range: Range,
  place: Place,
  read: (stat: MetricStat) => readonly Point[],
): Map<string, QueryResult> {
  refuseTooMany(plan, range)
  const values = new Map<string, Value>()
  const results = new Map<string, QueryResult>(plan.ids.map((id) => [id, { isReturned: false, series: [] }]))
  const metrics = plan.metrics.map(({ id, label, isReturned, stat }): Series => {
    const plain = { id, label: '', periodSeconds: stat.Period ?? 0, points: read(stat) }
    const series = {
      ...plain,
      label: labelOf(label, stat.Metric?.MetricName ?? id, { series: plain, stat, place }),
    }
    values.set(id, series)
    results.set(id, { isReturned, series: [series] })
    return series
  })
  const work = new Work()
  for (const query of plan.expressions) {
    const { id, expression, periodSeconds, isReturned } = query
    const valueOf = (of: string): Value => values.get(of) ?? NaN
    const value = evaluateExpression(expression, { range, periodSeconds, valueOf, metrics }, id, work)
    const labelled = labelledAs(query, value, place)
    values.set(id, labelled)
    results.set(id, { isReturned, series: typeof labelled === 'number' ? [] : [labelled].flat() })
  }
  return results
}

/** One series is called by the expression; those of an array by the expression and by what they were made of. */
function labelledAs({ id, label }: ExpressionQuery, value: Value, place: Place): Value {
  if (typeof value === 'number') return value
  const ofArray = (series: Series) =>
    [labelOf(label, id, { series, stat: undefined, place }), series.label]
      .filter((part) => part !== '')
      .join(' ')
  if (Array.isArray(value)) return value.map((series) => ({ ...series, label: ofArray(series) }))
  return { ...value, id, label: labelOf(label, id, { series: value, stat: undefined, place }) }
}

/** Results of math are not paged (GetMetricData: no NextToken): what they are made of must fit into one answer. */
function refuseTooMany({ metrics, expressions }: QueryPlan, range: Range): void {
  if (expressions.length === 0) return
  const count = metrics.reduce((all, { stat }) => all + countPeriods(range, stat.Period ?? 0), 0)
  if (count > POINTS_MAX) throw tooMany(count)
}
