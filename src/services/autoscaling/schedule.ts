// When scheduled actions run. Pure: cron's five fields in a time zone, by croner.
import { Cron } from 'croner'
import type { ScheduledActionRow } from './rows.ts'

type Timing = Pick<ScheduledActionRow, 'startAt' | 'endAt' | 'recurrence' | 'timeZone'>

/** Undefined for what is no cron of five fields as AWS has it, or never comes. */
export function cronOf(recurrence: string, timeZone: string | null): Cron | undefined {
  // croner knows more (`?`, `L`, `@daily`) than Unix does.
  if (
    !/^[\dA-Za-z*,\-/]+( +[\dA-Za-z*,\-/]+){4}$/.test(recurrence.trim()) ||
    /L|W/i.test(withoutNames(recurrence))
  )
    return undefined
  try {
    return new Cron(recurrence.trim(), { mode: '5-part', timezone: timeZone ?? 'Etc/UTC', paused: true })
  } catch {
    return undefined
  }
}

const withoutNames = (recurrence: string) =>
  recurrence.replace(/JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT/gi, '')

export function isTimeZone(name: string): boolean {
  if (!/^(UTC|GMT|[A-Za-z]+\/[\w+\-/]+)$/.test(name)) return false
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: name }))
  } catch {
    return false
  }
}

/** The first time after `after` at which it runs; null = never again. */
export function nextRun(action: Timing, after: number): number | null {
  const { startAt, endAt, recurrence, timeZone } = action
  if (recurrence === null) return startAt !== null && startAt > after ? startAt : null
  const from = startAt === null ? after : Math.max(after, startAt - 1)
  const next = cronOf(recurrence, timeZone)?.nextRun(new Date(from))?.getTime() ?? null
  return next === null || (endAt !== null && next > endAt) ? null : next
}

/** Of the times that it was due since `since` (which is one) until `now`, the latest: what was missed before it is not made up for. */
export function latestDue({ endAt, recurrence, timeZone }: Timing, since: number, now: number): number {
  const until = endAt === null ? now : Math.min(now, endAt)
  const before =
    recurrence === null ? undefined : cronOf(recurrence, timeZone)?.previousRuns(1, new Date(until + 1))[0]
  return Math.max(since, before?.getTime() ?? since)
}
