import type { ChangeInfo } from '@aws-sdk/client-route-53'
import type { Route53Deps } from '../deps.ts'
import { invalidInput } from '../errors.ts'
import type { ChangeRow, ZoneRow } from '../store.ts'

/** Ids are taken with what AWS puts before them, too. */
export const withoutPrefix = (id: string): string => id.replace(/^\/?(hostedzone|healthcheck)\//, '')

/** A page has at most so many; who names none, or more, gets so many (as AWS). */
export function requirePageSize(asked: number | undefined, most: number): number {
  if (asked !== undefined && asked < 1) throw invalidInput(`MaxItems is at least 1, not ${asked}.`)
  return Math.min(asked ?? most, most)
}

/** Writes down that a zone was changed; GetChange tells when the name server answers so. */
export function noteChange(
  { store, clock, ids }: Pick<Route53Deps, 'store' | 'clock' | 'ids'>,
  { account, id: zoneId, name: zoneName, private: isPrivate }: ZoneRow,
  revision: number,
  comment: string | undefined,
): ChangeInfo {
  const row: ChangeRow = {
    ...{ id: ids.upper('C0', 19), account, zoneId, zoneName, private: isPrivate },
    ...{ revision, comment: comment ?? null },
    submittedAt: clock.now(),
  }
  store.insert('route53_change', row)
  return {
    Id: `/change/${row.id}`,
    Status: 'PENDING',
    SubmittedAt: new Date(row.submittedAt),
    ...(comment === undefined ? {} : { Comment: comment }),
  }
}
