// cloudwatch.alarms: judges each alarm when a period of it is over. cloudwatch.points: writes, rolls up and drops points.
import type { Reconciler } from '../../control/reconciler.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { isStoreFailure } from '../../store/store.ts'
import { endOf, evaluate } from './alarms/evaluate.ts'
import { act, actionsOf, transition } from './alarms/transition.ts'
import type { CloudwatchDeps } from './deps.ts'
import { settingsOf, type AlarmRow, type AlarmSettings } from './store.ts'
import { alarmPeriod, lookOf } from './alarms/look.ts'

const NAME = 'cloudwatch.alarms'
/** Whoever measures says nothing for so long: nobody looks, which is not the same as nothing to see (design §2.8). */
const BLIND_MS = 10_000
/** After that what is lacking counts as lacking. */
const BLIND_MOST_MS = 60_000

export function makeAlarmsReconciler(deps: CloudwatchDeps, measuredAt: () => number | null): Reconciler {
  const { store, clock, log } = deps
  const known = new Map<string, Known>()
  return {
    name: NAME,
    everyMs: (deps.measureEverySeconds ?? 1) * 1_000,
    wakes: [],
    async reconcile() {
      const rows = store.remember(`${NAME} rows`, () => store.all<AlarmRow>('select * from cloudwatch_alarm'))
      const arns = new Set(rows.map(({ arn }) => arn))
      for (const arn of known.keys()) if (!arns.has(arn)) known.delete(arn)
      const blindMs = clock.now() - (measuredAt() ?? clock.now())
      const isBlind = blindMs > BLIND_MS && blindMs < BLIND_MOST_MS
      const failed: string[] = []
      let due = 0
      for (const row of rows) {
        const alarm = knownOf(row)
        const end = endOf(alarm.period, clock.now())
        if (alarm.end === end || (isBlind && (alarm.settings.Namespace ?? 'AWS/').startsWith('AWS/')))
          continue
        alarm.end = end
        due++
        try {
          look(row, alarm)
        } catch (error) {
          failed.push(`${row.name}: ${reasonOf(error)}`)
          log.error('an alarm cannot be evaluated', { alarm: row.name, error })
        }
      }
      return { alarms: rows.length, due, failed }
    },
  }

  function knownOf(row: AlarmRow): Known {
    const before = known.get(row.arn)
    if (before?.configuredAt === row.configuredAt) return before
    const settings = settingsOf(row)
    const alarm = { configuredAt: row.configuredAt, settings, period: alarmPeriod(row, settings), end: 0 }
    known.set(row.arn, alarm)
    return alarm
  }

  function look(row: AlarmRow, { settings, period, end }: Known): void {
    const change = evaluate(
      settings,
      { period, end, state: row.state, at: clock.now() },
      lookOf(deps.metrics, row, settings),
    )
    if (!change) return
    if (change.state !== row.state) transition(deps, row, change)
    else if (row.state === 'ALARM' && actionsOf(row, 'ALARM').length > 0)
      act(deps, row, change, { isRepeated: true })
  }
}

/** An alarm as it was set, and up to which second it was evaluated. */
type Known = { configuredAt: number; settings: AlarmSettings; period: number; end: number }

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
      return { bytes: metrics.bytes() }
    },
  }
}
