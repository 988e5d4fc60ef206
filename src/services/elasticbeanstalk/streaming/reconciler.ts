// elasticbeanstalk.streaming: logs of instances, and the health of environments, to CloudWatch Logs where settings ask for it.
import type { Reconciler } from '../../../control/reconciler.ts'
import type { Context } from '../../context.ts'
import { systemContext } from '../../service.ts'
import { ENGINE_LOG } from '../engine-log.ts'
import { logsOf } from '../logs.ts'
import type { Parts } from '../parts.ts'
import { configurationOfSettings } from '../software.ts'
import { type EnvironmentInstanceRow, type EnvironmentRow, instancesOf } from '../store.ts'
import { followInstance } from './follow.ts'
import { streamHealth } from './health.ts'
import { groupOf } from './names.ts'

const NAME = 'elasticbeanstalk.streaming'
const EVERY_MS = 2_000
/** A look at an instance is a program that runs inside of it for tens of milliseconds: so many at once, over all environments. */
const LOOKS_AT_ONCE = 3
const LOOK_TIMEOUT_MS = 30_000

export function makeStreamingReconciler(parts: Parts): Reconciler {
  const { store, clock, cloud } = parts
  const lanes = parts.makeLanes(NAME, LOOKS_AT_ONCE)
  // Both are only to keep the pace: after a restart all instances are looked at once.
  let waiting = new Map<string, EnvironmentRow>()
  let filledAt = -Infinity

  return {
    name: NAME,
    everyMs: EVERY_MS,
    wakes: ['environment'],
    // eslint-disable-next-line -- the pass itself is rows: it hands what it looks at to lanes
    async reconcile() {
      const rows = streamingRows(parts)
      for (const row of rows) store.transaction(() => streamHealth(parts, row))
      // Each look that ends wakes the next pass; who is to be looked at is asked every two seconds.
      if (clock.monotonic() - filledAt >= EVERY_MS) {
        filledAt = clock.monotonic()
        waiting = new Map(
          rows.flatMap((row) =>
            store.transaction(() => prepared(row)).map(({ instanceId }) => [instanceId, row] as const),
          ),
        )
        for (const instanceId of waiting.keys())
          if (lanes.busy(laneOf(instanceId))) waiting.delete(instanceId)
      }
      lanes.submit(
        [...waiting].map(([instanceId, row]) => ({
          what: 'follow logs',
          lane: laneOf(instanceId),
          timeoutMs: LOOK_TIMEOUT_MS,
          perform() {
            waiting.delete(instanceId)
            return followInstance(parts, row, instanceId)
          },
        })),
      )
      return { environments: rows.length, waiting: waiting.size }
    },
  }

  /** Makes its groups, with the retention that is asked for; answers those of its instances that can be looked at. */
  function prepared(row: EnvironmentRow): EnvironmentInstanceRow[] {
    const { logStreaming } = configurationOfSettings(row)
    if (!logStreaming.enabled) return []
    const context = systemContext(row.account, row.region, row.requestId)
    for (const path of [ENGINE_LOG, ...logsOf(parts, row)])
      cloud.logs.ensureGroup(context, groupOf(row.name, path), logStreaming.retentionDays)
    const started = instancesOf(store, row.id).filter(({ deployedAt }) => deployedAt !== null)
    const running = runningOf(context, started)
    return started.filter(({ instanceId }) => running.has(instanceId))
  }

  function runningOf(context: Context, instances: EnvironmentInstanceRow[]): Set<string | undefined> {
    if (instances.length === 0) return new Set()
    const { Reservations = [] } = cloud.ec2.describeInstances(context, {
      Filters: [
        { Name: 'instance-id', Values: instances.map(({ instanceId }) => instanceId) },
        { Name: 'instance-state-name', Values: ['running'] },
      ],
    })
    return new Set(Reservations.flatMap(({ Instances = [] }) => Instances.map((one) => one.InstanceId)))
  }
}

const laneOf = (instanceId: string) => `instance/${instanceId}/logs`

/** Those whose settings say anything of it: the others cost nothing. */
const streamingRows = ({ store }: Parts): EnvironmentRow[] =>
  store.all<EnvironmentRow>(
    `select * from environment where terminated_at is null and settings like '%"aws:elasticbeanstalk:cloudwatch:logs%'
     order by created_at, id`,
  )
