// How the control plane fares (design §2.2: one failing object never delays another, and is shown in `status`).
import type { Store } from '../store/store.ts'
import type { ReconcilerStatus } from './driver.ts'
import { laneFailures, type LaneFailure } from './lanes.ts'
import type { Run } from './workflows.ts'

export type Status = {
  /** Each reconciler's last pass; `lastError` is null when that came to its end. */
  reconcilers: ReconcilerStatus[]
  /** Objects about which something fails: what, how often in a row, when it is tried next. */
  failing: LaneFailure[]
  /** Operations under way. */
  workflows: Pick<Run, 'id' | 'kind' | 'subject' | 'state' | 'failure' | 'startedAt'>[]
}

export function readStatus(store: Store, reconcilers: ReconcilerStatus[]): Status {
  return {
    reconcilers,
    failing: laneFailures(store),
    workflows: store.all<Status['workflows'][number]>(
      `select id, kind, subject, state, failure, started_at from workflow_run
       where state in ('running', 'undoing') order by started_at, id`,
    ),
  }
}
