// What an alarm watches: one metric, or what metric math makes of several.
import type { PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch'
import type { Context } from '../../context.ts'
import { planQueries, watchedOf } from '../math/queries.ts'
import { evaluateQueries } from '../math/run.ts'
import { requireDimensions } from '../names.ts'
import type { Metrics } from '../points/metrics.ts'
import { figuresOf, isStatistic, pointsOf } from '../statistics.ts'
import type { AlarmSettings } from '../store.ts'
import type { Look } from './evaluate.ts'
import { requireAlarmPeriod } from './require.ts'

type Owner = Pick<Context, 'account' | 'region'>

const rulesOf = ({ account }: Pick<Owner, 'account'>) => ({
  use: 'alarm' as const,
  accountId: account,
  isStatistic,
})

/** Throws what is wrong with the metric math of an alarm. */
export function checkAlarmQueries(
  context: Owner,
  { Metrics = [], EvaluationPeriods = 1 }: PutMetricAlarmInput,
): void {
  const { periodSeconds } = watchedOf(planQueries(Metrics, rulesOf(context)))
  requireAlarmPeriod(periodSeconds, EvaluationPeriods)
}

/** Seconds. */
export const alarmPeriod = (owner: Owner, { Metrics = [], Period = 60 }: AlarmSettings): number =>
  Metrics.length === 0 ? Period : watchedOf(planQueries(Metrics, rulesOf(owner))).periodSeconds

export const lookOf = (metrics: Metrics, owner: Owner, settings: AlarmSettings): Look =>
  settings.Metrics?.length ? lookAtMath(metrics, owner, settings) : lookAtMetric(metrics, owner, settings)

const lookAtMetric =
  (metrics: Metrics, owner: Owner, settings: AlarmSettings): Look =>
  (span) =>
    figuresOf(metrics, owner, {
      ...span,
      namespace: settings.Namespace ?? '',
      metricName: settings.MetricName ?? '',
      dimensions: requireDimensions(settings.Dimensions, 'Dimensions'),
      unit: settings.Unit,
      statistic: settings.Statistic ?? settings.ExtendedStatistic ?? '',
    })

const lookAtMath =
  (metrics: Metrics, owner: Owner, { Metrics = [] }: AlarmSettings): Look =>
  ({ from, to }) => {
    const plan = planQueries(Metrics, rulesOf(owner))
    const range = { startMs: from * 1000, endMs: to * 1000, originMs: to * 1000 }
    const place = { accountId: owner.account, region: owner.region }
    const results = evaluateQueries(plan, range, place, (stat) =>
      pointsOf(metrics, owner, stat, { from, to, origin: to }),
    )
    const [series] = results.get(watchedOf(plan).id)?.series ?? []
    return { unit: null, figures: new Map(series?.points.map(({ at, value }) => [at / 1000, value])) }
  }
