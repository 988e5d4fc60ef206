// The scheduled actions of an environment's group, under the names that its settings give them. A user's own stay.
import type { Context } from '../../context.ts'
import { nextRun } from '../configuration/scheduled-actions.ts'
import type { ScheduledAction } from '../configuration/types.ts'
import { ofEnvironment } from '../events.ts'
import type { Parts } from '../parts.ts'
import { resourcesOf } from '../store.ts'
import { current, remember, type Work } from './work.ts'

/** What is on the group as the settings say it is left alone: its next time may be now. Joins a transaction. */
export function putScheduledActions({ parts, row, context, configuration }: Work): void {
  const { autoScalingGroupName, scheduledActions = '[]' } = resourcesOf(current(parts, row.id))
  if (!autoScalingGroupName) return
  const { autoscaling } = parts.cloud
  const inGroup = { AutoScalingGroupName: autoScalingGroupName }
  const now = parts.clock.now()
  const before = JSON.parse(scheduledActions) as ScheduledAction[]
  const wanted = configuration.scheduledActions
  if (before.length === 0 && wanted.length === 0) return
  const there = namesThere(parts, context, autoScalingGroupName)
  const isKept = (action: ScheduledAction) =>
    there.has(action.name) && before.some((one) => JSON.stringify(one) === JSON.stringify(action))
  // All that change go first: one may get the time that another had.
  for (const { name } of before)
    if (there.has(name) && !wanted.some((action) => action.name === name && isKept(action)))
      autoscaling.deleteScheduledAction(context, { ...inGroup, ScheduledActionName: name })
  for (const action of wanted) {
    if (isKept(action)) continue
    if (nextRun(action, now) !== null)
      autoscaling.putScheduledUpdateGroupAction(context, { ...inGroup, ...inputOf(action, now) })
    // AWS keeps what is over with the settings, for who gives it another time.
    else if (before.every((one) => one.name !== action.name))
      parts.events.write(
        ofEnvironment(row),
        'WARN',
        `The time of the scheduled action '${action.name}' is over: it does not run.`,
      )
  }
  remember(parts, row.id, { scheduledActions: JSON.stringify(wanted) })
}

function namesThere({ cloud }: Parts, context: Context, AutoScalingGroupName: string): Set<string> {
  const names = new Set<string>()
  let NextToken: string | undefined
  do {
    const page = cloud.autoscaling.describeScheduledActions(context, { AutoScalingGroupName, NextToken })
    for (const { ScheduledActionName = '' } of page.ScheduledUpdateGroupActions ?? [])
      names.add(ScheduledActionName)
    NextToken = page.NextToken
  } while (NextToken)
  return names
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
