// The health of an environment as lines of JSON, one for each change. AWS says that there is such a record and not what is in it:
// it has what DescribeEnvironmentHealth says of the same.
import { systemContext } from '../../service.ts'
import type { Parts } from '../parts.ts'
import { configurationOfSettings } from '../software.ts'
import type { EnvironmentRow } from '../store.ts'
import { healthGroup, healthStream } from './names.ts'

/** Joins a transaction. */
export function streamHealth({ cloud }: Parts, row: EnvironmentRow): void {
  const { healthStreaming } = configurationOfSettings(row)
  if (!healthStreaming.enabled) return
  const context = systemContext(row.account, row.region, row.requestId)
  const group = healthGroup(row.name)
  const { retentionDays } = healthStreaming
  cloud.logs.ensureGroup(context, group, retentionDays)
  const stream = healthStream(row.id, row.refreshedAt)
  const position = String(row.refreshedAt)
  if (cloud.logs.position(context, { group, stream }) === position) return
  const message = JSON.stringify({
    EnvironmentName: row.name,
    EnvironmentId: row.id,
    HealthStatus: row.healthStatus,
    Color: row.health,
    Status: row.status,
    Causes: JSON.parse(row.causes) as string[],
    RefreshedAt: new Date(row.refreshedAt).toISOString(),
  })
  const events = [{ timestamp: row.refreshedAt, message }]
  cloud.logs.ingest(context, { group, stream, retentionDays }, events, position)
}
