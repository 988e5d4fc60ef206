// What stays of streamed logs when their environment goes, as its settings say it.
import { systemContext } from '../../service.ts'
import type { Parts } from '../parts.ts'
import { configurationOfSettings } from '../software.ts'
import type { EnvironmentRow } from '../store.ts'
import { groupsOfLogs, healthGroup } from './names.ts'

/** Joins a transaction. */
export function removeStreamed({ cloud }: Parts, row: EnvironmentRow): void {
  const { logStreaming, healthStreaming } = configurationOfSettings(row)
  const context = systemContext(row.account, row.region, row.requestId)
  const gone = [
    ...(logStreaming.deleteOnTerminate ? cloud.logs.groupsBelow(context, groupsOfLogs(row.name)) : []),
    ...(healthStreaming.deleteOnTerminate ? [healthGroup(row.name)] : []),
  ]
  for (const name of gone) cloud.logs.removeGroup(context, name)
}
