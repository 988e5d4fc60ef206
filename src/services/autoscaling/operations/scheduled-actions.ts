// Scheduled actions: sizes that a group gets at a time, once or by cron.
import type {
  ScheduledUpdateGroupAction,
  ScheduledUpdateGroupActionRequest,
} from '@aws-sdk/client-auto-scaling'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { AutoscalingOperations } from '../../generated/autoscaling.ts'
import type { AutoscalingDeps } from '../deps.ts'
import { paging, requireString, unsupported, validation } from '../errors.ts'
import { requireGroup } from '../lookup.ts'
import { ofGroup, scheduledActionsOf, type ScheduledActionRow } from '../rows.ts'
import { cronOf, isTimeZone, nextRun } from '../schedule.ts'
import { groupsOf, type GroupRow } from '../store.ts'
import { requireName } from './launch-configurations.ts'

type Implemented = Pick<
  AutoscalingOperations,
  | 'putScheduledUpdateGroupAction'
  | 'batchPutScheduledUpdateGroupAction'
  | 'describeScheduledActions'
  | 'deleteScheduledAction'
  | 'batchDeleteScheduledAction'
>

/** AWS: per group; and in one call. */
const ACTIONS_MAX = 125
const BATCH_MAX = 50

const KNOWN = [
  'ScheduledActionName',
  'StartTime',
  'EndTime',
  'Recurrence',
  'MinSize',
  'MaxSize',
  'DesiredCapacity',
  'TimeZone',
] as const

export function makeScheduledActionOperations({ store, clock, ids }: AutoscalingDeps): Implemented {
  return {
    putScheduledUpdateGroupAction(context, { Time, AutoScalingGroupName, ...input }) {
      const group = requireGroup(store, context, AutoScalingGroupName)
      const start = input.StartTime ?? Time
      put(group, { ...input, ...(start && { StartTime: start }) })
      return {}
    },
    batchPutScheduledUpdateGroupAction(context, input) {
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const actions = input.ScheduledUpdateGroupActions ?? []
      if (actions.length > BATCH_MAX)
        throw validation(`At most ${BATCH_MAX} scheduled actions can be given in one call`)
      // As AWS: each on its own; those that cannot be are answered.
      const failed = actions.flatMap((action) =>
        failureOf(action.ScheduledActionName, () => put(group, action)),
      )
      return { FailedScheduledUpdateGroupActions: failed }
    },
    describeScheduledActions(context, input) {
      refuseOthers(
        input,
        ['AutoScalingGroupName', 'ScheduledActionNames', 'StartTime', 'EndTime', 'MaxRecords', 'NextToken'],
        unsupported,
      )
      const { AutoScalingGroupName: groupName, ScheduledActionNames: names = [], StartTime, EndTime } = input
      const groups = groupName ? [requireGroup(store, context, groupName)] : groupsOf(store, context)
      const rows = groups
        .flatMap((group) => scheduledActionsOf(store, group))
        .filter((row) => names.length === 0 || names.includes(row.name) || names.includes(row.arn))
        // AWS: names leave the times aside.
        .filter((row) => names.length > 0 || !StartTime || (row.nextAt ?? 0) >= StartTime.getTime())
        .filter((row) => names.length > 0 || !EndTime || (row.nextAt ?? 0) <= EndTime.getTime())
      const limits = { token: input.NextToken, max: input.MaxRecords }
      const page = pageOf(rows, (row) => `${row.groupName}\0${row.name}`, limits, paging(50))
      return { NextToken: page.next, ScheduledUpdateGroupActions: page.items.map(describe) }
    },
    deleteScheduledAction(context, input) {
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      remove(group, requireString(input.ScheduledActionName, 'ScheduledActionName'))
      return {}
    },
    batchDeleteScheduledAction(context, input) {
      const group = requireGroup(store, context, input.AutoScalingGroupName)
      const names = input.ScheduledActionNames ?? []
      if (names.length > BATCH_MAX)
        throw validation(`At most ${BATCH_MAX} scheduled actions can be given in one call`)
      return { FailedScheduledActions: names.flatMap((name) => failureOf(name, () => remove(group, name))) }
    },
  }

  function remove(group: GroupRow, asked: string) {
    const row = scheduledActionsOf(store, group).find(({ name, arn }) => [name, arn].includes(asked))
    if (!row) throw validation(`Scheduled action name not found - Scheduled action ${asked} not found`)
    store.remove('autoscaling_scheduled_action', { ...ofGroup(group), name: row.name })
  }

  function put(group: GroupRow, input: ScheduledUpdateGroupActionRequest) {
    refuseOthers(input, KNOWN, unsupported)
    const name = requireName(requireString(input.ScheduledActionName, 'ScheduledActionName'))
    const all = scheduledActionsOf(store, group)
    const former = all.find((one) => one.name === name)
    if (!former && all.length >= ACTIONS_MAX)
      throw new DeclaredError('LimitExceeded', `ScheduledActions limit of ${ACTIONS_MAX} exceeded.`)
    const { account, region } = group
    const timing = requireTiming(input, clock.now())
    if (
      timing.recurrence === null &&
      all.some((one) => one !== former && one.recurrence === null && one.startAt === timing.startAt)
    )
      throw new DeclaredError(
        'AlreadyExists',
        'Scheduled action with this scheduled start time already exists',
      )
    const row: ScheduledActionRow = {
      ...ofGroup(group),
      ...requireScheduledSizes(input),
      ...timing,
      name,
      arn:
        former?.arn ??
        `arn:aws:autoscaling:${region}:${account}:scheduledUpdateGroupAction:${ids.uuid()}:autoScalingGroupName/${group.name}:scheduledActionName/${name}`,
      nextAt: nextRun(timing, clock.now()),
    }
    if (row.nextAt === null) throw invalidRecurrence(input.Recurrence ?? '')
    store.put('autoscaling_scheduled_action', row)
  }
}

function requireTiming(
  { StartTime, EndTime, Recurrence, TimeZone }: ScheduledUpdateGroupActionRequest,
  now: number,
): Pick<ScheduledActionRow, 'startAt' | 'endAt' | 'recurrence' | 'timeZone'> {
  const startAt = StartTime?.getTime() ?? null
  const endAt = EndTime?.getTime() ?? null
  if (!Recurrence && startAt === null)
    throw validation('Scheduled start time must be specified for non-recurrent future group action')
  if (startAt !== null && startAt < now) throw validation('Given start time is in the past')
  if (endAt !== null && endAt < now) throw validation('Given end time is in the past')
  if (startAt !== null && endAt !== null && endAt <= startAt)
    throw validation('Given end time must be after start time')
  if (TimeZone && !isTimeZone(TimeZone))
    throw validation(
      'Time zone specified does not conform to standardized time zones found in IANA Time Zone Database',
    )
  if (TimeZone && !Recurrence)
    throw validation('TimeZone is the time zone of a Recurrence: without one it has no effect')
  if (!Recurrence && endAt !== null)
    throw validation('EndTime is the end of a Recurrence: without one it has no effect')
  if (Recurrence && !cronOf(Recurrence, TimeZone ?? null)) throw invalidRecurrence(Recurrence)
  return { startAt, endAt, recurrence: Recurrence ?? null, timeZone: TimeZone ?? null }
}

const invalidRecurrence = (recurrence: string) =>
  validation(`Given recurrence string: ${recurrence} is invalid`)

function requireScheduledSizes({ MinSize, MaxSize, DesiredCapacity }: ScheduledUpdateGroupActionRequest) {
  // -1 says nothing, as AWS's console has it.
  const given = (size: number | undefined) => (size === undefined || size === -1 ? null : size)
  const [min, max, desired] = [given(MinSize), given(MaxSize), given(DesiredCapacity)]
  if (min === null && max === null && desired === null)
    throw validation('At least one of max size, min size, or desired capacity must be specified')
  if ((min ?? 0) < 0) throw validation('Min size must be non-negative')
  if ((max ?? 0) < 0) throw validation('Max size must be non-negative')
  if ((desired ?? 0) < 0) throw validation('Desired capacity must be non-negative')
  if (min !== null && max !== null && min > max)
    throw validation('Min size must be less than or equal to max size')
  if (desired !== null && max !== null && desired > max)
    throw validation('Desired capacity must be less than or equal to max size')
  if (desired !== null && min !== null && desired < min)
    throw validation('Desired capacity must be greater than or equal to min size')
  return { minSize: min, maxSize: max, desiredCapacity: desired }
}

function failureOf(name: string | undefined, body: () => void) {
  try {
    body()
    return []
  } catch (error) {
    if (!(error instanceof DeclaredError)) throw error
    return [{ ScheduledActionName: name, ErrorCode: error.code, ErrorMessage: error.message }]
  }
}

function describe(row: ScheduledActionRow): ScheduledUpdateGroupAction {
  // AWS: the start of a recurring action is when it runs next.
  const start = row.nextAt ?? row.startAt
  return {
    AutoScalingGroupName: row.groupName,
    ScheduledActionName: row.name,
    ScheduledActionARN: row.arn,
    ...(start !== null && { StartTime: new Date(start), Time: new Date(start) }),
    ...(row.endAt !== null && { EndTime: new Date(row.endAt) }),
    ...(row.recurrence !== null && { Recurrence: row.recurrence }),
    ...(row.timeZone !== null && { TimeZone: row.timeZone }),
    ...(row.minSize !== null && { MinSize: row.minSize }),
    ...(row.maxSize !== null && { MaxSize: row.maxSize }),
    ...(row.desiredCapacity !== null && { DesiredCapacity: row.desiredCapacity }),
  }
}
