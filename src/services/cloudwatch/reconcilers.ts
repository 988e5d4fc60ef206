// cloudwatch.alarms: judges each alarm when a period of it is over. cloudwatch.points: writes, rolls up and drops points.
import type { Reconciler } from '../../control/reconciler.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { isStoreFailure } from '../../store/store.ts'
import { endOf, evaluate } from './alarms/evaluate.ts'
import { act, actionsOf, transition } from './alarms/transition.ts'
import type { CloudwatchDeps } from './deps.ts'
import { settingsOf, type AlarmRow } from './store.ts'
import { alarmPeriod, lookOf } from './alarms/look.ts'

/** Whoever measures says nothing for so long: nobody looks, which is not the same as nothing to see (design §2.8). */
const BLIND_MS = 10_000
/** After that what is lacking counts as lacking. */
const BLIND_MOST_MS = 60_000

export function makeAlarmsReconciler(deps: CloudwatchDeps, measuredAt: () => number | null): Reconciler {
  const { store, clock, log } = deps
  /** Up to which second each was evaluated, and how it was set then. */
  const evaluated = new Map<string, { end: number; configuredAt: number }>()
  return {
    name: 'cloudwatch.alarms',
    everyMs: (deps.measureEverySeconds ?? 1) * 1_000,
    wakes: [],
    async reconcile() {
      const rows = store.all<AlarmRow>('select * from cloudwatch_alarm')
      for (const arn of evaluated.keys()) if (!rows.some((row) => row.arn === arn)) evaluated.delete(arn)
      const blindMs = clock.now() - (measuredAt() ?? clock.now())
      const isBlind = blindMs > BLIND_MS && blindMs < BLIND_MOST_MS
      const failed: string[] = []
      let due = 0
      for (const row of rows) {
        const settings = settingsOf(row)
        if (isBlind && (settings.Namespace ?? 'AWS/').startsWith('AWS/')) continue
        const period = alarmPeriod(row, settings)
        const end = endOf(period, clock.now())
        const before = evaluated.get(row.arn)
        if (before?.end === end && before.configuredAt === row.configuredAt) continue
        evaluated.set(row.arn, { end, configuredAt: row.configuredAt })
        due++
        try {
          look(row, { period, end })
        } catch (error) {
          failed.push(`${row.name}: ${reasonOf(error)}`)
          log.error('an alarm cannot be evaluated', { alarm: row.name, error })
        }
      }
      return { alarms: rows.length, due, failed }
    },
  }

  function look(row: AlarmRow, span: { period: number; end: number }): void {
    const settings = settingsOf(row)
    const change = evaluate(
      settings,
      { ...span, state: row.state, at: clock.now() },
      lookOf(deps.metrics, row, settings),
    )
    if (!change) return
    if (change.state !== row.state) transition(deps, row, change)
    else if (row.state === 'ALARM' && actionsOf(row, 'ALARM').length > 0)
      act(deps, row, change, { isRepeated: true })
  }
}

export function makePointsReconciler({
  clock,
  log,
  metrics,
  measureEverySeconds = 1,
}: CloudwatchDeps): Reconciler {
  let isFull = false
  return {
    name: 'cloudwatch.points',
    everyMs: measureEverySeconds * 1_000,
    wakes: [],
    async reconcile() {
      try {
        // Who else waits has their turn in between.
        while (metrics.work()) await clock.sleep(5)
        isFull = false
      } catch (error) {
        if (!isStoreFailure(error)) throw error
        if (!isFull) log.warn('the metrics file cannot be written', { error })
        isFull = true
      }
      return { bytes: metrics.bytes(), series: metrics.countSeries() }
    },
  }
}
