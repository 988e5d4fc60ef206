// The range of time that a request asks for, and how much one answer goes through.
import { violated } from './errors.ts'

/** What keys have room for (events/key.ts): the year 5138. */
const LATEST = 99_999_999_999_999

type Asked = { startTime?: number | undefined; endTime?: number | undefined }

/** Both are of it. */
export function timesOf({ startTime = 0, endTime = LATEST }: Asked): { from: number; to: number } {
  for (const [member, time] of Object.entries({ startTime, endTime }))
    if (time < 0) throw violated(time, member, 'Member must have value greater than or equal to 0')
  return { from: Math.min(startTime, LATEST), to: Math.min(endTime, LATEST) }
}

/** AWS: an answer has 1 MB at most. */
export const PAGE_BYTES_MAX = 1 << 20
/** Of events that are gone through for one answer, tens of milliseconds; then it is sent as it is, with a token to go on. */
export const SCAN_BYTES_MAX = 4 << 20
