// CloudWatch: metrics of what runs here and of what applications tell, alarms that scaling policies follow, logs aside. Composite alarms,
// dashboards, anomaly detection, insight rules and metric streams are not implemented: the gateway refuses them by name.
import type { CloudwatchInternal, MetricPoint } from '../cloud.ts'
import type { Context } from '../context.ts'
import { inTransactions } from '../in-transactions.ts'
import type { Service, ServiceDeps } from '../service.ts'
import { isStoreFailure } from '../../store/store.ts'
import { keyOf } from './names.ts'
import { makeAlarmOperations } from './operations/alarms.ts'
import { makeHistoryOperations } from './operations/history.ts'
import { makeMetricDataOperations } from './operations/metric-data.ts'
import { makeMetricQueryOperations } from './operations/metric-queries.ts'
import { makeStatisticsOperations } from './operations/statistics.ts'
import { makeTagOperations } from './operations/tags.ts'
import type { MetricFile, SeriesKey } from './points/file.ts'
import { makeMetrics } from './points/metrics.ts'
import { single } from './points/sample.ts'
import { prometheusText } from './prometheus.ts'
import { makeAlarmsReconciler, makePointsReconciler } from './reconcilers.ts'
import { figuresOf } from './statistics.ts'
import { alarmRow } from './store.ts'

/** `bytesMax`: what the metrics file may take, asked at each use. */
export function makeCloudwatchService(common: ServiceDeps, file: MetricFile, bytesMax: () => number) {
  const metrics = makeMetrics(file, common.clock, bytesMax)
  const deps = { ...common, metrics }
  const { clock, log } = common
  if (file.broken)
    log.warn('the metrics file was damaged: it is put aside and begun anew', { at: file.broken })
  const keyFor = makeKeys()
  let measuredAt: number | null = null
  let isLost = false
  const operations = inTransactions(deps.store, {
    ...makeMetricDataOperations(deps),
    ...makeMetricQueryOperations(deps),
    ...makeStatisticsOperations(deps),
    ...makeAlarmOperations(deps),
    ...makeHistoryOperations(deps),
    ...makeTagOperations(deps),
  })
  return {
    operations,
    internal: {
      record(owner, points) {
        measuredAt = clock.now()
        try {
          metrics.record(
            points.map((point) => ({
              key: keyFor(owner, point),
              second: Math.floor(point.at / 1000),
              sample: typeof point.value === 'number' ? single(point.value) : point.value,
            })),
          )
          isLost = false
        } catch (error) {
          // What was measured may be lost; who measures goes on.
          if (!isStoreFailure(error)) throw error
          if (!isLost) log.warn('points of metrics are lost: the metrics file cannot be written', { error })
          isLost = true
        }
      },
      figure(owner, { from, to, ...asked }) {
        const [start, end] = [Math.floor(from / 1000), Math.ceil(to / 1000)]
        if (end <= start) return undefined
        const span = { from: start, to: end, period: end - start }
        return figuresOf(metrics, owner, { ...asked, ...span }).figures.get(start)
      },
      removeAlarms(context, names) {
        const there = names.filter((name) => alarmRow(deps.store, context, name))
        if (there.length > 0) operations.deleteAlarms(context, { AlarmNames: there })
      },
      /** All that was seen in the last whole minute, in the format of Prometheus. */
      prometheus: (owner: Pick<Context, 'account' | 'region'>) =>
        prometheusText(metrics, owner, Math.floor(clock.now() / 1000)),
      /** Writes what is only in memory; for the end of the server. */
      flush: () => metrics.flush(),
    },
    reconcilers: [makeAlarmsReconciler(deps, () => measuredAt), makePointsReconciler(deps)],
    workflows: [],
  } satisfies Service<typeof operations, CloudwatchInternal & Own>
}

type Own = { prometheus(owner: Pick<Context, 'account' | 'region'>): string; flush(): void }

/** Keys by what points say, which say the same each second: to put dimensions in order costs more than all else. */
function makeKeys() {
  const keys = new Map<string, SeriesKey>()
  return (owner: Pick<Context, 'account' | 'region'>, point: MetricPoint): SeriesKey => {
    let text = `${owner.account}\0${owner.region}\0${point.namespace}\0${point.metricName}\0${point.unit}`
    for (const name in point.dimensions) text += `\0${name}\0${point.dimensions[name]}`
    const known = keys.get(text)
    if (known) return known
    if (keys.size >= KEYS_MAX) keys.clear()
    const key = { ...keyOf(owner, point), unit: point.unit }
    keys.set(text, key)
    return key
  }
}
const KEYS_MAX = 50_000
