// What of a batch of PutLogEvents is taken, and what is not.
import type { InputLogEvent, RejectedLogEventsInfo } from '@aws-sdk/client-cloudwatch-logs'
import type { NewEvent } from './events/block.ts'
import { OVERHEAD_BYTES } from './events/read.ts'
import { invalid, violated } from './errors.ts'
import { DAY_MS } from './store.ts'

/** AWS: of a batch and of an event alike; each event counts 26 bytes beside its message. */
export const BATCH_BYTES_MAX = 1_048_576
export const EVENTS_MAX = 10_000
const OLDEST_MS = 14 * DAY_MS
const NEWEST_MS = 2 * 3_600_000
const SPAN_MAX_MS = DAY_MS

export type PutPlan = { events: NewEvent[]; rejected: RejectedLogEventsInfo | undefined }

/** `expiredBefore`: what the group's retention has no room for. @throws DeclaredError for a batch that is refused whole. */
export function planPut(given: readonly InputLogEvent[], now: number, expiredBefore: number): PutPlan {
  const batch = given.map(({ timestamp = 0, message = '' }) => ({ timestamp, message }))
  checkBatch(batch)
  const after = (time: number) => {
    const index = batch.findIndex(({ timestamp }) => timestamp >= time)
    return index === -1 ? batch.length : index
  }
  const tooOld = after(now - OLDEST_MS)
  const expired = after(expiredBefore)
  const tooNew = after(now + NEWEST_MS + 1)
  const events = batch.slice(Math.max(tooOld, expired), tooNew)
  if (events.length > 0 && events.at(-1)!.timestamp - events[0]!.timestamp > SPAN_MAX_MS)
    throw invalid('The batch of log events in a single PutLogEvents request cannot span more than 24 hours.')
  const rejected: RejectedLogEventsInfo = {
    ...(tooNew < batch.length ? { tooNewLogEventStartIndex: tooNew } : {}),
    ...(tooOld > 0 ? { tooOldLogEventEndIndex: tooOld } : {}),
    ...(expired > tooOld ? { expiredLogEventEndIndex: expired } : {}),
  }
  return { events, rejected: Object.keys(rejected).length > 0 ? rejected : undefined }
}

function checkBatch(batch: readonly NewEvent[]): void {
  if (batch.length === 0)
    throw violated('[]', 'logEvents', 'Member must have length greater than or equal to 1')
  if (batch.length > EVENTS_MAX)
    throw violated(
      `[${batch.length} events]`,
      'logEvents',
      `Member must have length less than or equal to ${EVENTS_MAX}`,
    )
  let bytes = 0
  for (const [index, { timestamp, message }] of batch.entries()) {
    const member = `logEvents.${index + 1}.member`
    if (message === '')
      throw violated('', `${member}.message`, 'Member must have length greater than or equal to 1')
    if (timestamp < 0)
      throw violated(timestamp, `${member}.timestamp`, 'Member must have value greater than or equal to 0')
    const size = Buffer.byteLength(message) + OVERHEAD_BYTES
    if (size > BATCH_BYTES_MAX)
      throw invalid(`Log event too large: ${size} bytes exceeds limit of ${BATCH_BYTES_MAX}`)
    bytes += size
    if (index > 0 && timestamp < batch[index - 1]!.timestamp)
      throw invalid('Log events in a single PutLogEvents request must be in chronological order.')
  }
  if (bytes > BATCH_BYTES_MAX)
    throw invalid(`Upload too large: ${bytes} bytes exceeds limit of ${BATCH_BYTES_MAX}`)
}
