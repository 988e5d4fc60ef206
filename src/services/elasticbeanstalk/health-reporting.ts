// What the settings that hold now say of an environment's health. Asked every few seconds of every environment, while settings stay: the
// answer is remembered by their text.
import { readerOf } from './configuration/effective.ts'
import { healthReportingIn, type HealthReporting } from './configuration/health-reporting.ts'
import { INTERNAL_TIMEOUT_MS } from './health/thresholds.ts'
import { familyOf } from './software.ts'
import { settingsOf, type EnvironmentRow } from './store.ts'

type Reporting = HealthReporting & {
  /** How long a command may take before what fails counts. */
  commandTimeoutMs: number
}

const REMEMBERED_MAX = 1_000
const remembered = new Map<string, Reporting>()

export function healthReportingOf(row: Pick<EnvironmentRow, 'platformArn' | 'settings'>): Reporting {
  const family = familyOf(row.platformArn)
  const key = `${family} ${row.settings}`
  const known = remembered.get(key)
  if (known) return known
  const settings = settingsOf(row)
  const read = readerOf(family, settings)
  const timeoutMs = Number(read('aws:elasticbeanstalk:command', 'Timeout')) * 1000
  const reporting = {
    ...healthReportingIn(settings, read),
    commandTimeoutMs: timeoutMs + INTERNAL_TIMEOUT_MS,
  }
  if (remembered.size >= REMEMBERED_MAX) remembered.clear()
  remembered.set(key, reporting)
  return reporting
}
