import type { LogStream } from '@aws-sdk/client-cloudwatch-logs'
import type { Context } from '../../context.ts'
import type { LogsOperations } from '../../generated/logs.ts'
import type { LogsDeps } from '../deps.ts'
import { checkLimit, invalid, streamExists, violated } from '../errors.ts'
import { ensureStream, removeStream, type StreamRow, streamRow } from '../events/file.ts'
import { keyText } from '../events/key.ts'
import { requireGroup, requireStream } from '../lookup.ts'
import { checkStreamName, groupNamed, streamArn } from '../names.ts'
import { partsOf, tokenOf } from '../page-token.ts'

type Implemented = Pick<LogsOperations, 'createLogStream' | 'deleteLogStream' | 'describeLogStreams'>

const PAGE_MAX = 50

export function makeStreamOperations(deps: LogsDeps): Implemented {
  const { logEvents, clock } = deps
  return {
    createLogStream(context, input) {
      const name = checkStreamName(input.logStreamName)
      const group = requireGroup(deps, context, input.logGroupName)
      if (streamRow(logEvents, group.id, name)) throw streamExists()
      ensureStream(logEvents, group.id, name, clock.now())
      return {}
    },
    deleteLogStream(context, input) {
      const group = requireGroup(deps, context, input.logGroupName)
      removeStream(logEvents, requireStream(deps, group, input.logStreamName).id)
      return {}
    },
    describeLogStreams(context, input) {
      const { logStreamNamePrefix: prefix, orderBy = 'LogStreamName', descending = false } = input
      const limit = checkLimit(input.limit, PAGE_MAX)
      if (orderBy !== 'LogStreamName' && orderBy !== 'LastEventTime')
        throw violated(
          orderBy,
          'orderBy',
          'Member must satisfy enum value set: [LogStreamName, LastEventTime]',
        )
      if (prefix !== undefined) checkStreamName(prefix, 'logStreamNamePrefix')
      if (prefix !== undefined && orderBy === 'LastEventTime')
        throw invalid('Cannot order by LastEventTime with a logStreamNamePrefix.')
      const group = requireGroup(deps, context, groupNamed(context, input))
      // Streams without an event come before all others.
      const by = orderBy === 'LastEventTime' ? 'coalesce(last_at, -1)' : `''`
      const [order, beyond] = descending ? ['desc', '<'] : ['asc', '>']
      const [time, name] = input.nextToken === undefined ? [null, null] : partsOf(input.nextToken, 2)
      const rows = logEvents.all<StreamRow & { time: number | string }>(
        `select *, ${by} as time from log_stream
         where group_id = :groupId and (:prefix is null or substr(name, 1, length(:prefix)) = :prefix)
           and (:name is null or (${by}, name) ${beyond} (:time, :name))
         order by ${by} ${order}, name ${order} limit :limit`,
        { groupId: group.id, prefix, time, name, limit: limit + 1 },
      )
      const page = rows.slice(0, limit)
      const last = page.at(-1)
      return {
        logStreams: page.map((row) => describeStream(context, group.name, row)),
        ...(last && rows.length > page.length ? { nextToken: tokenOf(last.time, last.name) } : {}),
      }
    },
  }
}

// AWS does not count the bytes of a stream any more.
function describeStream(context: Context, group: string, row: StreamRow): LogStream {
  return {
    logStreamName: row.name,
    creationTime: row.createdAt,
    ...(row.firstAt === null ? {} : { firstEventTimestamp: row.firstAt }),
    ...(row.lastAt === null ? {} : { lastEventTimestamp: row.lastAt }),
    ...(row.lastIngestedAt === null
      ? {}
      : { lastIngestionTime: row.lastIngestedAt, uploadSequenceToken: sequenceToken(row) }),
    arn: streamArn(context, group, row.name),
    storedBytes: 0,
  }
}

/** Clients of earlier days send it back; it is not asked for any more. */
export const sequenceToken = ({ id, nextSeq }: Pick<StreamRow, 'id' | 'nextSeq'>) =>
  keyText({ at: 0, stream: id, seq: nextSeq })
