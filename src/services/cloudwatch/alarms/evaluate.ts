// Looks at the metric of an alarm and judges it.
import { startOf } from '../points/tiers.ts'
import type { AlarmSettings } from '../store.ts'
import { judge, RANGE_MORE, reasonData, reasonOf, type Datapoint, type State } from './judge.ts'
import { ruleOf } from './require.ts'
import type { Change } from './transition.ts'

/** How long after the end of its last period an alarm is evaluated: what was seen then must have been told. Seconds. */
const SETTLE_S = { short: 1, long: 5 }

/** How many seconds lie between two evaluations: a minute, or the period where that is shorter. */
export const stepOf = (period: number) => Math.min(60, period)

/** Up to which second an alarm of that period can be evaluated now. */
export const endOf = (period: number, nowMs: number) =>
  startOf(Math.floor(nowMs / 1000) - (period < 60 ? SETTLE_S.short : SETTLE_S.long), stepOf(period))

/** Datapoints of the periods before `end`, by the second at which they begin. */
export type Look = (span: { from: number; to: number; period: number }) => {
  unit: string | null
  figures: ReadonlyMap<number, number>
}

/** Null: the state stays. */
export function evaluate(
  settings: AlarmSettings,
  { state, period, end, at }: { state: State; period: number; end: number; at: number },
  look: Look,
): Change | null {
  const rule = ruleOf(settings)
  const count = rule.evaluationPeriods + RANGE_MORE
  const from = end - count * period
  const { unit, figures } = look({ from, to: end, period })
  const range = Array.from({ length: count }, (_none, index): Datapoint => {
    const second = from + index * period
    return { at: second * 1000, value: figures.get(second) ?? null }
  })
  const to = judge(rule, range)
  if (to === null) return null
  return {
    state: to,
    reason: reasonOf(rule, range, state, to),
    reasonData: reasonData(rule, range, {
      ...{ unit, period, at },
      statistic: settings.Statistic ?? settings.ExtendedStatistic ?? 'Expression',
    }),
    value: range.findLast(({ value }) => value !== null)?.value ?? null,
  }
}
