// What other services write to logs, without a request: cloud.logs.
import type { LogsInternal } from '../cloud.ts'
import type { Context } from '../context.ts'
import type { LogsDeps } from './deps.ts'
import { appendEvents } from './events/append.ts'
import { bytesUsed, ensureStream, streamRow } from './events/file.ts'
import { checkGroupName, checkStreamName } from './names.ts'
import { insertGroup } from './operations/groups.ts'
import { BATCH_BYTES_MAX } from './put-plan.ts'
import { type GroupRow, groupRow, groupRows } from './store.ts'

export function makeInternal(deps: LogsDeps): LogsInternal {
  const { store, logEvents, clock } = deps
  return {
    ensureGroup: (context, name, retentionDays) =>
      store.transaction(() => void ensureGroup(context, name, retentionDays)),
    ingest(context, { group: name, stream, retentionDays }, events, position) {
      store.transaction(() => {
        checkStreamName(stream)
        const group = ensureGroup(context, name, retentionDays)
        const now = clock.now()
        const row = ensureStream(logEvents, group.id, stream, now)
        if (events.length > 0 || (position !== undefined && position !== row.position))
          appendEvents(logEvents, row, { events: events.map(cut), now, position })
      })
    },
    position(context, { group: name, stream }) {
      const group = groupRow(store, context, name)
      return (group && streamRow(logEvents, group.id, stream)?.position) ?? null
    },
    groupsBelow: (context, prefix) =>
      groupRows(store, context).flatMap(({ name }) => (name.startsWith(prefix) ? name : [])),
    removeGroup(context, name) {
      const { account, region } = context
      store.remove('logs_group', { account, region, name })
    },
    bytesUsed: () => bytesUsed(logEvents),
  }

  function ensureGroup(context: Context, name: string, retentionDays: number | null): GroupRow {
    checkGroupName(name)
    const group = groupRow(store, context, name)
    if (!group) return insertGroup(deps, context, { name, retentionDays, tags: {} })
    if (group.askedRetentionDays !== retentionDays)
      store.update('logs_group', { id: group.id }, { retentionDays, askedRetentionDays: retentionDays })
    return group
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
