// Events: what a user, `eb` and Terraform learn about what happens (clients.md §0.3–0.5, §1b).
import type { Clock } from '../../kernel/clock.ts'
import type { Store } from '../../store/store.ts'
import type { ApplicationVersionRow, EnvironmentRow } from './store.ts'

export type Severity = 'TRACE' | 'DEBUG' | 'INFO' | 'WARN' | 'ERROR' | 'FATAL'

export type EventRow = {
  id: number
  account: string
  region: string
  at: number
  severity: Severity
  message: string
  applicationName: string | null
  versionLabel: string | null
  templateName: string | null
  environmentId: string | null
  environmentName: string | null
  platformArn: string | null
  requestId: string | null
}

export type EventSubject = Pick<EventRow, 'account' | 'region'> & Partial<Omit<EventRow, 'id' | 'at'>>

export const RETENTION_MS = 90 * 24 * 3600_000
export const EVENTS_MAX = 100_000

export type Events = {
  /** Writes one event. Stamps are strictly increasing within a home: `eb` asks on from the last one plus 1 ms. */
  write(subject: EventSubject, severity: Severity, message: string): void
  /** Removes what is older than the retention, and the oldest above the limit; answers how many. */
  prune(): number
  /** Removes the oldest of each environment that has more than `most`; answers how many. */
  pruneEnvironments(most: number): number
}

export function makeEvents({ store, clock }: { store: Store; clock: Clock }): Events {
  return {
    write(subject, severity, message) {
      const last = store.get<{ at: number | null }>('select max(at) as at from event')?.at ?? 0
      const at = Math.max(clock.now(), last + 1)
      store.insert('event', { ...subject, at, severity, message: message.slice(0, MESSAGE_CHARACTERS_MAX) })
    },
    prune() {
      const expired = store.run('delete from event where at < :before', {
        before: clock.now() - RETENTION_MS,
      })
      const over = store.run('delete from event where id <= (select max(id) from event) - :most', {
        most: EVENTS_MAX,
      })
      return expired + over
    },
    pruneEnvironments(most) {
      const crowded = store.all<{ environmentId: string }>(
        `select environment_id from event where environment_id is not null
         group by environment_id having count(*) > :most`,
        { most },
      )
      return crowded.reduce(
        (sum, { environmentId }) =>
          sum +
          store.run(
            `delete from event where environment_id = :environmentId and at <= (select at from event
               where environment_id = :environmentId order by at desc limit 1 offset :most)`,
            { environmentId, most },
          ),
        0,
      )
    },
  }
}

/** An environment's event, caused by the call that is carried out on it. */
export const ofEnvironment = (
  row: EnvironmentRow,
  requestId: string | null = row.requestId,
): EventSubject => ({
  account: row.account,
  region: row.region,
  applicationName: row.applicationName,
  environmentId: row.id,
  environmentName: row.name,
  requestId,
})

export const ofVersion = (row: ApplicationVersionRow): EventSubject => ({
  account: row.account,
  region: row.region,
  applicationName: row.applicationName,
  versionLabel: row.label,
  requestId: row.requestId,
})

export const ofApplication = (
  scope: { account: string; region: string; requestId: string },
  applicationName: string,
): EventSubject => ({
  account: scope.account,
  region: scope.region,
  applicationName,
  requestId: scope.requestId,
})

const MESSAGE_CHARACTERS_MAX = 16_384
