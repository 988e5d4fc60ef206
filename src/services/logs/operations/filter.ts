// Events of a group, of all of its streams together in the order of their times.
import type { FilterLogEventsRequest } from '@aws-sdk/client-cloudwatch-logs'
import type { LogsOperations } from '../../generated/logs.ts'
import type { LogsDeps } from '../deps.ts'
import { badToken, checkLimit, invalid, noStream, violated } from '../errors.ts'
import type { StreamRow } from '../events/file.ts'
import { keyOfText, keyText } from '../events/key.ts'
import { readEvents } from '../events/read.ts'
import { requireGroup } from '../lookup.ts'
import { checkStreamName, groupNamed } from '../names.ts'
import { type Matcher, parsePattern, PATTERN_MAX } from '../pattern/pattern.ts'
import { InvalidPattern } from '../pattern/tokens.ts'
import { EVENTS_MAX } from '../put-plan.ts'
import { expiredBefore, type GroupRow } from '../store.ts'
import { PAGE_BYTES_MAX, SCAN_BYTES_MAX, timesOf } from '../times.ts'

type Implemented = Pick<LogsOperations, 'filterLogEvents'>

/** AWS: logStreamNames of a request. */
const STREAMS_MAX = 100
/** AWS: only what is younger is searched from its end, 1 January 2024. */
const BACKWARDS_SINCE = Date.UTC(2024, 0, 1)

export function makeFilterOperations(deps: LogsDeps): Implemented {
  const { logEvents, clock } = deps
  return {
    filterLogEvents(context, input) {
      const limit = checkLimit(input.limit, EVENTS_MAX)
      const { from, to } = timesOf(input)
      const group = requireGroup(deps, context, groupNamed(context, input))
      const matches = patternOf(input.filterPattern)
      const names = streamsOf(group, input)
      const token = input.nextToken === undefined ? undefined : readToken(input.nextToken)
      const backwards = token ? token.backwards : input.startFromHead === false
      if (backwards && from < BACKWARDS_SINCE)
        throw invalid('startFromHead can be false only with a startTime of 2024 or later.')
      const single = names.size === 1 ? [...names.keys()][0] : undefined
      const { events, next } = readEvents(logEvents, {
        of: single === undefined ? { groupId: group.id } : { streamId: single },
        ...{ from: Math.max(from, expiredBefore(group, clock.now())), to },
        ...{ after: token?.key ?? null, backwards },
        ...{ countMax: limit, bytesMax: PAGE_BYTES_MAX, scanMax: SCAN_BYTES_MAX },
        includes: (stream) => names.has(stream),
        accept: ({ message }) => matches(message),
      })
      return {
        events: events.map((event) => ({
          ...{ logStreamName: names.get(event.stream)!, timestamp: event.at, message: event.message },
          ...{ ingestionTime: event.ingestedAt, eventId: keyText(event) },
        })),
        searchedLogStreams: [],
        ...(next ? { nextToken: `${backwards ? 'b' : 'f'}/${keyText(next)}` } : {}),
      }
    },
  }

  /** By id. */
  function streamsOf(group: GroupRow, input: FilterLogEventsRequest): Map<number, string> {
    const { logStreamNames: wanted, logStreamNamePrefix: prefix } = input
    if (wanted !== undefined && prefix !== undefined)
      throw invalid('LogStreamNames and LogStreamNamePrefix are mutually exclusive parameters.')
    if (wanted !== undefined && (wanted.length < 1 || wanted.length > STREAMS_MAX))
      throw violated(
        `[${wanted.length} names]`,
        'logStreamNames',
        `Member must have length between 1 and ${STREAMS_MAX}`,
      )
    for (const name of wanted ?? []) checkStreamName(name, 'logStreamNames')
    if (prefix !== undefined) checkStreamName(prefix, 'logStreamNamePrefix')
    const rows = logEvents.all<Pick<StreamRow, 'id' | 'name'>>(
      `select id, name from log_stream where group_id = :groupId
         and (:prefix is null or substr(name, 1, length(:prefix)) = :prefix)
         and (:wanted is null or name in (select value from json_each(:wanted)))`,
      { groupId: group.id, prefix, wanted },
    )
    if (wanted !== undefined && rows.length < new Set(wanted).size) throw noStream()
    return new Map(rows.map(({ id, name }) => [id, name]))
  }
}

function patternOf(text = ''): Matcher {
  if (text.length > PATTERN_MAX)
    throw violated(text, 'filterPattern', `Member must have length less than or equal to ${PATTERN_MAX}`)
  try {
    return parsePattern(text)
  } catch (error) {
    if (error instanceof InvalidPattern) throw invalid(error.message)
    throw error
  }
}

function readToken(token: string) {
  const [, way, text = ''] = /^([fb])\/(\d+)$/.exec(token) ?? []
  const key = keyOfText(text)
  if (way === undefined || !key) throw badToken()
  return { backwards: way === 'b', key }
}
