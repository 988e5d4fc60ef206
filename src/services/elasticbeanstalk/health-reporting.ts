// What the settings that hold now say of an environment's health.
import { readerOf } from './configuration/effective.ts'
import { healthReportingIn, type HealthReporting } from './configuration/health-reporting.ts'
import { familyOf } from './software.ts'
import { settingsOf, type EnvironmentRow } from './store.ts'

export function healthReportingOf(row: Pick<EnvironmentRow, 'platformArn' | 'settings'>): HealthReporting {
  const settings = settingsOf(row)
  return healthReportingIn(settings, readerOf(familyOf(row.platformArn), settings))
}
