// GetMetricData: metrics and what metric math makes of them (CloudWatch API reference).
import type { MetricDataResult } from '@aws-sdk/client-cloudwatch'
import type { CloudwatchOperations } from '../../generated/cloudwatch.ts'
import { refuseOthers } from '../../parameters.ts'
import type { CloudwatchDeps } from '../deps.ts'
import { unsupported, validation } from '../errors.ts'
import { planQueries } from '../math/queries.ts'
import { evaluateQueries } from '../math/run.ts'
import { POINTS_MAX } from '../math/series.ts'
import { isStatistic, pointsOf } from '../statistics.ts'

export const makeMetricQueryOperations = ({
  metrics,
}: Pick<CloudwatchDeps, 'metrics'>): Pick<CloudwatchOperations, 'getMetricData'> => ({
  getMetricData(context, input) {
    // A label's zone matters to labels that tell the time, which are refused.
    const { LabelOptions: _labels, ...rest } = input
    refuseOthers(
      rest,
      [...(['MetricDataQueries', 'StartTime', 'EndTime', 'NextToken', 'ScanBy', 'MaxDatapoints'] as const)],
      unsupported,
    )
    const [startMs, endMs] = [
      input.StartTime?.getTime() ?? Number.NaN,
      input.EndTime?.getTime() ?? Number.NaN,
    ]
    if (!(startMs < endMs))
      throw validation('The parameter StartTime must be less than the parameter EndTime.')
    const most = input.MaxDatapoints ?? POINTS_MAX
    if (most < 1 || most > POINTS_MAX)
      throw validation(`The parameter MaxDatapoints must be from 1 to ${POINTS_MAX}.`)
    const plan = planQueries(input.MetricDataQueries ?? [], {
      ...{ use: 'data', accountId: context.account, isStatistic },
    })
    const span = { from: Math.floor(startMs / 1000), to: Math.ceil(endMs / 1000), origin: 0 }
    const place = { accountId: context.account, region: context.region }
    const results = evaluateQueries(plan, { startMs, endMs, originMs: 0 }, place, (stat) =>
      pointsOf(metrics, context, stat, span),
    )
    const isAscending = input.ScanBy === 'TimestampAscending'
    const told: MetricDataResult[] = []
    for (const [id, { isReturned, series }] of results)
      for (const { label, points } of isReturned ? series : []) {
        const ordered = isAscending ? points : points.toReversed()
        told.push({
          ...{ Id: id, Label: label, StatusCode: 'Complete' },
          Timestamps: ordered.map(({ at }) => new Date(at)),
          Values: ordered.map(({ value }) => value),
        })
      }
    return pageOfData(told, offsetOf(input.NextToken), most)
  },
})

// Points in the order of the results; a page ends anywhere.
function pageOfData(all: MetricDataResult[], offset: number, most: number) {
  let [skip, room] = [offset, most]
  const page: MetricDataResult[] = []
  for (const result of all) {
    const { Values = [], Timestamps = [] } = result
    const from = Math.min(skip, Values.length)
    const to = Math.min(Values.length, from + room)
    skip -= from
    room -= to - from
    if (offset === 0 || to > from)
      page.push({
        ...{ ...result, Values: Values.slice(from, to), Timestamps: Timestamps.slice(from, to) },
        StatusCode: to < Values.length ? 'PartialData' : 'Complete',
      })
  }
  const total = all.reduce((sum, { Values = [] }) => sum + Values.length, 0)
  const end = offset + most
  return { MetricDataResults: page, NextToken: end < total ? tokenOf(end) : undefined, Messages: [] }
}

const tokenOf = (offset: number) => Buffer.from(`1:${offset}`).toString('base64url')

function offsetOf(token: string | undefined): number {
  if (!token) return 0
  const offset = Number(/^1:(\d+)$/.exec(Buffer.from(token, 'base64url').toString())?.[1] ?? Number.NaN)
  if (!Number.isSafeInteger(offset)) throw validation('The NextToken value is not valid.')
  return offset
}
