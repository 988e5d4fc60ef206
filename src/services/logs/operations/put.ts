import type { LogsOperations } from '../../generated/logs.ts'
import type { LogsDeps } from '../deps.ts'
import { appendEvents } from '../events/append.ts'
import { requireGroup, requireStream } from '../lookup.ts'
import { planPut } from '../put-plan.ts'
import { expiredBefore } from '../store.ts'
import { sequenceToken } from './streams.ts'

type Implemented = Pick<LogsOperations, 'putLogEvents'>

export function makePutOperations(deps: LogsDeps): Implemented {
  const { logEvents, clock } = deps
  return {
    putLogEvents(context, input) {
      const now = clock.now()
      const group = requireGroup(deps, context, input.logGroupName)
      const stream = requireStream(deps, group, input.logStreamName)
      const { events, rejected } = planPut(input.logEvents ?? [], now, expiredBefore(group, now))
      if (events.length > 0) appendEvents(logEvents, stream, { events, now })
      return {
        nextSequenceToken: sequenceToken({ id: stream.id, nextSeq: stream.nextSeq + events.length }),
        ...(rejected ? { rejectedLogEventsInfo: rejected } : {}),
        // As AWS says of what cannot keep one: the events are taken all the same.
        ...(input.entity ? { rejectedEntityInfo: { errorType: 'UnsupportedLogGroupType' as const } } : {}),
      }
    },
  }
}
