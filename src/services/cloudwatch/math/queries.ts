// A list of MetricDataQuery → what is read and in which order what is evaluated (API reference: MetricDataQuery, MetricStat).
import type { MetricDataQuery, MetricStat } from '@aws-sdk/client-cloudwatch'
import { namedIn, type Scope, typeOf } from './check.ts'
import { inExpression, validation } from './errors.ts'
import type { Type } from './functions.ts'
import { type Expression, parseExpression } from './parse.ts'
import { shortestPeriod } from './series.ts'
import { checkForm, type Rules } from './validate.ts'

export type MetricQuery = { id: string; label: string | undefined; isReturned: boolean; stat: MetricStat }
export type ExpressionQuery = {
  id: string
  label: string | undefined
  isReturned: boolean
  expression: Expression
  type: Type
  /** Of what has no period of its own. Metrics keep theirs, as in AWS: `Period` does not aggregate a result again. */
  periodSeconds: number
}
export type QueryPlan = {
  /** In the order of the request. */
  ids: string[]
  metrics: MetricQuery[]
  /** Each after those whose values it needs. */
  expressions: ExpressionQuery[]
}

/** AWS does not say which period `TIME_SERIES(1)` alone has in GetMetricData. In an alarm it must be told. */
const DEFAULT_PERIOD_SECONDS = 60

export function planQueries(queries: readonly MetricDataQuery[], rules: Rules): QueryPlan {
  checkForm(queries, rules)
  const metrics = queries.flatMap((query): MetricQuery[] =>
    query.MetricStat ? [{ ...commonOf(query), stat: query.MetricStat }] : [],
  )
  const parsed = queries.flatMap((query) => {
    if (query.Expression === undefined) return []
    const common = commonOf(query)
    return [{ ...common, asked: query.Period, expression: parseExpression(query.Expression, common.id) }]
  })
  const metricIds = metrics.map(({ id }) => id)
  const needs = new Map(parsed.map(({ id, expression }) => [id, namedIn(expression, metricIds)]))
  const ordered = inOrder(parsed, needs)

  const types = new Map<string, Type>(metricIds.map((id) => [id, 'TS']))
  const periods = new Map(metrics.map(({ id, stat }) => [id, stat.Period ?? DEFAULT_PERIOD_SECONDS]))
  const ofMetrics = shortestPeriod([...periods.values()].map((periodSeconds) => ({ periodSeconds })))
  const expressions = ordered.map(({ asked, ...query }): ExpressionQuery => {
    const scope: Scope = {
      id: query.id,
      typeOf: (id) => types.get(id),
      isMetric: (id) => metricIds.includes(id),
    }
    const type = typeOf(query.expression, scope)
    const used = [...(needs.get(query.id) ?? [])].map((id) => ({
      periodSeconds: periods.get(id) ?? Infinity,
    }))
    const periodSeconds = asked ?? shortestPeriod(used) ?? ofMetrics
    if (periodSeconds === undefined && rules.use === 'alarm') throw validation('Period must not be null')
    types.set(query.id, type)
    periods.set(query.id, periodSeconds ?? DEFAULT_PERIOD_SECONDS)
    return { ...query, type, periodSeconds: periodSeconds ?? DEFAULT_PERIOD_SECONDS }
  })
  checkResults(expressions, rules)
  return { ids: queries.map(({ Id }) => Id ?? ''), metrics, expressions }
}

/** The one of an alarm's queries that it watches, and its period. */
export function watchedOf({ metrics, expressions }: QueryPlan): { id: string; periodSeconds: number } {
  const metric = metrics.find(({ isReturned }) => isReturned)
  const expression = expressions.find(({ isReturned }) => isReturned)
  return {
    id: metric?.id ?? expression?.id ?? '',
    periodSeconds: metric?.stat.Period ?? expression?.periodSeconds ?? DEFAULT_PERIOD_SECONDS,
  }
}

const commonOf = ({ Id, Label, ReturnData }: MetricDataQuery) => ({
  id: Id ?? '',
  label: Label,
  isReturned: ReturnData ?? true,
})

function checkResults(expressions: readonly ExpressionQuery[], { use }: Rules): void {
  for (const { id, type, isReturned } of expressions) {
    // A scalar may be a step on the way: e1 = AVG(m1), e2 = m1 - e1.
    if (isReturned && type === 'S')
      throw inExpression(id, 'The result must be a time series or an array of time series')
    if (isReturned && type === 'TS[]' && use === 'alarm')
      throw validation(
        'Metrics expression that return multi time series are only allowed for MetricsInsights expression with an ORDER BY clause',
      )
  }
}

/** Each after those that it needs. Walked without recursion: 500 may hang on each other. */
function inOrder<Q extends { id: string }>(
  queries: readonly Q[],
  needs: ReadonlyMap<string, ReadonlySet<string>>,
): Q[] {
  const waiting = new Map(queries.map((query) => [query.id, query]))
  const ordered: Q[] = []
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter(
      ({ id }) =>
        !needs
          .get(id)
          ?.values()
          .some((need) => waiting.has(need)),
    )
    const [first] = waiting.keys()
    if (ready.length === 0) throw inExpression(first ?? '', 'Circular dependency')
    for (const query of ready) {
      waiting.delete(query.id)
      ordered.push(query)
    }
  }
  return ordered
}
