// Events of one stream, page by page in both directions.
import type { LogsOperations } from '../../generated/logs.ts'
import type { LogsDeps } from '../deps.ts'
import { badToken, checkLimit } from '../errors.ts'
import { beginOf, type Key, keyOfText, keyText } from '../events/key.ts'
import { readEvents } from '../events/read.ts'
import { requireGroup, requireStream } from '../lookup.ts'
import { groupNamed } from '../names.ts'
import { EVENTS_MAX } from '../put-plan.ts'
import { expiredBefore } from '../store.ts'
import { PAGE_BYTES_MAX, timesOf } from '../times.ts'

type Implemented = Pick<LogsOperations, 'getLogEvents'>

export function makeGetOperations(deps: LogsDeps): Implemented {
  const { logEvents, clock } = deps
  return {
    getLogEvents(context, input) {
      const limit = checkLimit(input.limit, EVENTS_MAX)
      const { from, to } = timesOf(input)
      const group = requireGroup(deps, context, groupNamed(context, input))
      const stream = requireStream(deps, group, input.logStreamName)
      const token = input.nextToken === undefined ? undefined : readToken(input.nextToken)
      // AWS: here the end of the time is not of it.
      const last = input.endTime === undefined ? to : to - 1
      const backwards = token ? token.backwards : !input.startFromHead
      const { events } = readEvents(logEvents, {
        ...{ of: { streamId: stream.id }, after: token?.key ?? null, backwards },
        ...{ from: Math.max(from, expiredBefore(group, clock.now())), to: last },
        // Every event that is read is one of the page.
        ...{ countMax: limit, bytesMax: PAGE_BYTES_MAX, scanMax: Infinity },
        ...{ includes: () => true, accept: () => true },
      })
      const page = backwards ? events.toReversed() : events
      const [first, end] = [page[0], page.at(-1)]
      // AWS: where nothing follows, the token is the one that was given.
      const here = token?.key ?? beginOf(from)
      return {
        events: page.map(({ at, message, ingestedAt }) => ({
          ...{ timestamp: at, message, ingestionTime: ingestedAt },
        })),
        nextForwardToken: `f/${keyText(end ?? (token?.backwards ? before(here) : here))}`,
        nextBackwardToken: `b/${keyText(first ?? (token && !token.backwards ? behind(here) : here))}`,
      }
    },
  }
}

/** What a page after it begins with is the event of that key itself. */
const before = (key: Key): Key => ({ ...key, seq: Math.max(0, key.seq - 1) })
const behind = (key: Key): Key => ({ ...key, seq: key.seq + 1 })

function readToken(token: string): { backwards: boolean; key: Key } {
  const [, way, text = ''] = /^([fb])\/(\d+)(?:\/s)?$/.exec(token) ?? []
  const key = keyOfText(text)
  if (way === undefined || !key) throw badToken()
  return { backwards: way === 'b', key }
}
