// What other services write to logs, without a request: cloud.logs.
import type { LogsInternal } from '../cloud.ts'
import type { LogsDeps } from './deps.ts'
import { appendEvents } from './events/append.ts'
import { bytesUsed, ensureStream, streamRow } from './events/file.ts'
import { checkGroupName, checkStreamName } from './names.ts'
import { insertGroup } from './operations/groups.ts'
import { BATCH_BYTES_MAX } from './put-plan.ts'
import { groupRow } from './store.ts'

export function makeInternal(deps: LogsDeps): LogsInternal {
  const { store, logEvents, clock } = deps
  return {
    ingest(context, { group: name, stream, retentionDays }, events, position) {
      store.transaction(() => {
        checkGroupName(name)
        checkStreamName(stream)
        const group =
          groupRow(store, context, name) ?? insertGroup(deps, context, { name, retentionDays, tags: {} })
        if (group.askedRetentionDays !== retentionDays)
          store.update('logs_group', { id: group.id }, { retentionDays, askedRetentionDays: retentionDays })
        const now = clock.now()
        const row = ensureStream(logEvents, group.id, stream, now)
        if (events.length > 0 || position !== undefined)
          appendEvents(logEvents, row, { events: events.map(cut), now, position })
      })
    },
    position(context, { group: name, stream }) {
      const group = groupRow(store, context, name)
      return (group && streamRow(logEvents, group.id, stream)?.position) ?? null
    },
    removeGroup(context, name) {
      const { account, region } = context
      store.remove('logs_group', { account, region, name })
    },
    bytesUsed: () => bytesUsed(logEvents),
  }
}

/** Longer than an event may be: the rest of the line is lost, as with AWS's agent. */
const cut = ({ timestamp, message }: { timestamp: number; message: string }) => ({
  timestamp,
  message:
    Buffer.byteLength(message) > BATCH_BYTES_MAX
      ? Buffer.from(message).subarray(0, BATCH_BYTES_MAX).toString()
      : message,
})
