// CloudWatch Logs: groups, streams, events and searches. Queries, metric filters, subscriptions, exports, deliveries and whatever
// else sends logs elsewhere are refused by the gateway.
import type { LogsInternal } from '../cloud.ts'
import { inTransactions } from '../in-transactions.ts'
import type { Service } from '../service.ts'
import type { LogsDeps } from './deps.ts'
import { makeInternal } from './ingest.ts'
import { makeFilterOperations } from './operations/filter.ts'
import { makeGetOperations } from './operations/get.ts'
import { makeGroupOperations } from './operations/groups.ts'
import { makePutOperations } from './operations/put.ts'
import { makeStreamOperations } from './operations/streams.ts'
import { makeTagOperations } from './operations/tags.ts'
import { makeUpkeepReconciler } from './reconciler.ts'

export function makeLogsService(deps: LogsDeps) {
  const operations = inTransactions(deps.store, {
    ...makeGroupOperations(deps),
    ...makeStreamOperations(deps),
    ...makePutOperations(deps),
    ...makeGetOperations(deps),
    ...makeFilterOperations(deps),
    ...makeTagOperations(deps),
  })
  return {
    operations,
    internal: makeInternal(deps),
    reconcilers: [makeUpkeepReconciler(deps)],
    workflows: [],
  } satisfies Service<typeof operations, LogsInternal>
}
