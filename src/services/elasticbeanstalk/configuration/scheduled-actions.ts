// Scheduled actions of an environment's group: settings of `aws:autoscaling:scheduledaction`, told apart by ResourceName.
import { Cron } from 'croner'
import { valueError } from './findings.ts'
import type { EnvironmentConfiguration, Finding, ScheduledAction, Setting } from './types.ts'

export const SCHEDULED_ACTION = 'aws:autoscaling:scheduledaction'
/** AWS, "Scheduled Auto Scaling actions": active ones of an environment. */
const ACTIONS_MAX = 120

/** Those that are not suspended, by name. */
export function scheduledActionsOf(settings: Setting[]): ScheduledAction[] {
  const own = settings.filter(({ namespace }) => namespace === SCHEDULED_ACTION)
  const byName = Map.groupBy(own, ({ resourceName }) => resourceName ?? '')
  return [...byName]
    .map(([name, some]) => ({
      name,
      read: (option: string) => some.find(({ optionName }) => optionName === option)?.value.trim() || null,
    }))
    .filter(({ read }) => read('Suspend')?.toLowerCase() !== 'true')
    .map(({ name, read }) => actionOf(name, read))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function actionOf(name: string, read: (option: string) => string | null): ScheduledAction {
  const number = (option: string) => (read(option) === null ? null : Number(read(option)))
  const time = (option: string) => (read(option) === null ? null : timeOf(read(option)!))
  return {
    name,
    startAt: time('StartTime'),
    endAt: time('EndTime'),
    recurrence: read('Recurrence'),
    minSize: number('MinSize'),
    maxSize: number('MaxSize'),
    desiredCapacity: number('DesiredCapacity'),
  }
}

/** AWS: what names no zone is in UTC, and its own example has a second of one digit. NaN = there is no such time. */
function timeOf(text: string): number {
  const [, date = '', minutes = '', second = '0', fraction = '', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(?::(\d{1,2})(\.\d+)?)?(Z|[+-]\d\d:\d\d)?$/.exec(text) ?? []
  // The parser would take the 31st of February for the 3rd of March.
  const day = Date.parse(`${date}T00:00Z`)
  if (Number.isNaN(day) || !new Date(day).toISOString().startsWith(date)) return Number.NaN
  return Date.parse(`${date}T${minutes}:${second.padStart(2, '0')}${fraction}${zone}`)
}

/** What is wrong with the actions, each alone and all together. */
export function scheduledActionFindings({ scheduledActions }: EnvironmentConfiguration): Finding[] {
  const findings: Finding[] = []
  const starts = new Set<number>()
  for (const action of scheduledActions) {
    const { name, startAt, endAt, recurrence, minSize, maxSize, desiredCapacity } = action
    const complain = (optionName: string, value: unknown, complaint: string) =>
      findings.push(
        valueError(
          { namespace: SCHEDULED_ACTION, optionName, resourceName: name },
          String(value),
          `${complaint} (scheduled action '${name}')`,
        ),
      )
    if (Number.isNaN(startAt) || Number.isNaN(endAt)) {
      complain(Number.isNaN(startAt) ? 'StartTime' : 'EndTime', '', 'There is no such time.')
      continue
    }
    if (!/^[\w.-]{1,255}$/.test(name))
      complain(
        'Recurrence',
        recurrence ?? '',
        'The name of a scheduled action is 1 to 255 letters and digits.',
      )
    if (startAt === null && recurrence === null)
      complain('StartTime', '', 'A scheduled action has a StartTime, a Recurrence or both.')
    if (recurrence !== null && !comes(recurrence))
      complain('Recurrence', recurrence, 'It is no cron expression of five fields, or its time never comes.')
    if (endAt !== null && recurrence === null)
      complain('EndTime', new Date(endAt).toISOString(), 'An EndTime is the end of a Recurrence.')
    if (startAt !== null && endAt !== null && endAt <= startAt)
      complain('EndTime', new Date(endAt).toISOString(), 'EndTime must be later than StartTime.')
    if (startAt !== null && starts.has(startAt))
      complain('StartTime', new Date(startAt).toISOString(), 'Two scheduled actions have the same StartTime.')
    if (startAt !== null) starts.add(startAt)
    if (minSize === null && maxSize === null && desiredCapacity === null)
      complain('DesiredCapacity', '', 'A scheduled action sets MinSize, MaxSize or DesiredCapacity.')
    if (minSize !== null && maxSize !== null && minSize > maxSize)
      complain('MinSize', minSize, 'MinSize is greater than MaxSize')
    if (desiredCapacity !== null && desiredCapacity < (minSize ?? 0))
      complain('DesiredCapacity', desiredCapacity, 'DesiredCapacity is less than MinSize')
    if (desiredCapacity !== null && desiredCapacity > (maxSize ?? Infinity))
      complain('DesiredCapacity', desiredCapacity, 'DesiredCapacity is greater than MaxSize')
  }
  const beyond = scheduledActions[ACTIONS_MAX]
  if (beyond)
    findings.push(
      valueError(
        { namespace: SCHEDULED_ACTION, optionName: 'StartTime', resourceName: beyond.name },
        beyond.name,
        `An environment has at most ${ACTIONS_MAX} scheduled actions.`,
      ),
    )
  return findings
}

/** When it runs next after `now`, in milliseconds since 1970; null = never (again). Pure. */
export function nextRun({ startAt, endAt, recurrence }: ScheduledAction, now: number): number | null {
  if (recurrence === null) return startAt !== null && startAt > now ? startAt : null
  const next = cronOf(recurrence)
    ?.nextRun(new Date(Math.max(now, (startAt ?? 0) - 1)))
    ?.getTime()
  return next === undefined || (endAt !== null && next > endAt) ? null : next
}

/** Numbers, lists, ranges and steps, and names of months and days. What the library knows beyond them (`@daily`, `L`, `?`) is not
 *  AWS's. */
const FIELD = '(?:[\\d*,/-]|JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT)+'
const FIELDS = new RegExp(`^${FIELD}(?: +${FIELD}){4}$`, 'i')

/** Minute, hour, day of the month, month, day of the week, in UTC. */
function cronOf(text: string): Cron | undefined {
  if (!FIELDS.test(text)) return undefined
  try {
    return new Cron(text, { mode: '5-part', paused: true, timezone: 'Etc/UTC' })
  } catch {
    return undefined
  }
}

// A day that no year has: from any time on it is the same.
const comes = (recurrence: string) => cronOf(recurrence)?.nextRun(new Date(0)) != null
