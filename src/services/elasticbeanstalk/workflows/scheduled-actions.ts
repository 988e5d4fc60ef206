// The scheduled actions of an environment's group, under the names that its settings give them. A user's own stay.
import { nextRun } from '../configuration/scheduled-actions.ts'
import type { ScheduledAction } from '../configuration/types.ts'
import { ofEnvironment } from '../events.ts'
import { isGone } from '../gone.ts'
import { resourcesOf } from '../store.ts'
import { current, remember, type Work } from './work.ts'

/** Joins a transaction. */
export function putScheduledActions({ parts, row, context, configuration }: Work): void {
  const { autoScalingGroupName, scheduledActions = '[]' } = resourcesOf(current(parts, row.id))
  if (!autoScalingGroupName) return
  const { autoscaling } = parts.cloud
  const inGroup = { AutoScalingGroupName: autoScalingGroupName }
  const now = parts.clock.now()
  const wanted = configuration.scheduledActions
  const coming = wanted.filter((action) => nextRun(action, now) !== null)
  const before = JSON.parse(scheduledActions) as string[]
  for (const name of before)
    if (coming.every((action) => action.name !== name))
      isGone(() => autoscaling.deleteScheduledAction(context, { ...inGroup, ScheduledActionName: name }))
  for (const action of coming)
    autoscaling.putScheduledUpdateGroupAction(context, { ...inGroup, ...inputOf(action, now) })
  // AWS keeps what is over with the settings, for who gives it another time.
  const over = wanted.filter((action) => !coming.includes(action) && !before.includes(action.name))
  for (const { name } of over)
    parts.events.write(
      ofEnvironment(row),
      'WARN',
      `The time of the scheduled action '${name}' is over: it does not run.`,
    )
  remember(parts, row.id, { scheduledActions: JSON.stringify(wanted.map(({ name }) => name)) })
}

/** AWS takes no start in the past: what recurs has begun then. Pure. */
export const inputOf = (action: ScheduledAction, now: number) => ({
  ScheduledActionName: action.name,
  ...(action.startAt !== null && action.startAt > now && { StartTime: new Date(action.startAt) }),
  ...(action.endAt !== null && { EndTime: new Date(action.endAt) }),
  ...(action.recurrence !== null && { Recurrence: action.recurrence }),
  ...(action.minSize !== null && { MinSize: action.minSize }),
  ...(action.maxSize !== null && { MaxSize: action.maxSize }),
  ...(action.desiredCapacity !== null && { DesiredCapacity: action.desiredCapacity }),
})
