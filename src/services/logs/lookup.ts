// What requests name, or AWS's error that it is not there.
import type { Context } from '../context.ts'
import type { LogsDeps } from './deps.ts'
import { noGroup, noStream } from './errors.ts'
import { type StreamRow, streamRow } from './events/file.ts'
import { checkGroupName, checkStreamName } from './names.ts'
import { type GroupRow, groupRow } from './store.ts'

export function requireGroup({ store }: Pick<LogsDeps, 'store'>, context: Context, name?: string): GroupRow {
  const row = groupRow(store, context, checkGroupName(name))
  if (!row) throw noGroup()
  return row
}

export function requireStream({ logEvents }: LogsDeps, group: GroupRow, name?: string): StreamRow {
  const row = streamRow(logEvents, group.id, checkStreamName(name))
  if (!row) throw noStream()
  return row
}
