// autoscaling.scheduled: runs scheduled actions that are due, each once: what an action does and when it runs next are one
// transaction. What was missed while the server was down: once, late; of recurring actions only the latest time, in the
// order of these times, so that the group has what it would have had.
import type { Reconciler } from '../../control/reconciler.ts'
import { reasonOf } from '../../kernel/errors.ts'
import { systemContext, type ServiceDeps } from '../service.ts'
import { beginActivity } from './activities.ts'
import * as causes from './causes.ts'
import { ofGroup, type ScheduledActionRow } from './rows.ts'
import { within } from './scaling/adjust.ts'
import { latestDue, nextRun } from './schedule.ts'
import { groupOf, listOf, updateGroup, type GroupRow } from './store.ts'

export function makeScheduledReconciler({ store, clock, ids, log }: ServiceDeps): Reconciler {
  return {
    name: 'autoscaling.scheduled',
    everyMs: 1_000,
    wakes: ['autoscaling_scheduled_action'],
    async reconcile() {
      const now = clock.now()
      const due = store.all<ScheduledActionRow>(
        'select * from autoscaling_scheduled_action where next_at <= :now',
        {
          now,
        },
      )
      const ordered = due
        .map((action) => ({ action, at: latestDue(action, action.nextAt!, now) }))
        .toSorted((a, b) => a.at - b.at || (a.action.name < b.action.name ? -1 : 1))
      const broken: string[] = []
      for (const { action } of ordered)
        try {
          store.transaction(() => run(action, now))
        } catch (error) {
          log.error('scheduled action', { group: action.groupName, action: action.name, error })
          broken.push(`${action.groupName}: ${action.name}: ${reasonOf(error)}`)
        }
      return { due: due.length, broken }
    },
  }

  function run(action: ScheduledActionRow, now: number) {
    const context = systemContext(action.account, action.region, '')
    const group = groupOf(store, context, action.groupName)
    const nextAt = nextRun(action, now)
    const key = { ...ofGroup({ ...context, name: action.groupName }), name: action.name }
    if (nextAt === null) store.remove('autoscaling_scheduled_action', key)
    else store.update('autoscaling_scheduled_action', key, { nextAt })
    // AWS: what is due while the process is suspended does not run.
    if (!group || group.deleting || listOf(group.suspended).includes('ScheduledActions')) return
    resize(group, action, now)
  }

  function resize(group: GroupRow, action: ScheduledActionRow, now: number) {
    const min = action.minSize ?? group.minSize
    const max = action.maxSize ?? group.maxSize
    const desired = within({ min, max }, action.desiredCapacity ?? group.desiredCapacity)
    const before = group.desiredCapacity
    const cause = causes.scheduled(now, { min, max, desired, before })
    if (min > max) {
      const failure = `Max bound, ${max}, must be greater than or equal to min bound, ${min}`
      const description = `Executing scheduled action ${action.name}.  Status Reason: ${failure}`
      return void beginActivity({ store, clock, ids }, group, { description, cause, zone: null, failure })
    }
    updateGroup(store, group, {
      ...{ minSize: min, maxSize: max, desiredCapacity: desired },
      ...(desired !== before && { cause, launchRetryAt: null, cooldownSeconds: null, cooldownFrom: now }),
    })
  }
}
