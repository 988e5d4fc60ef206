// Who may have a CNAME prefix: one live environment, and, for a while after it is gone, nobody of another account. On AWS it is
// anybody's at once, also of who waits for names that still lead to it ("subdomain takeover").
import type { Context } from '../context.ts'
import type { Parts } from './parts.ts'

const HELD_MS = 30 * 24 * 3_600_000

/** `prefix` in lower case. */
export function isPrefixFree(
  { store, clock }: Pick<Parts, 'store' | 'clock'>,
  { account, region }: Pick<Context, 'account' | 'region'>,
  prefix: string,
): boolean {
  const holder = store.get(
    `select 1 from environment where region = :region and cname_prefix = :prefix
       and (terminated_at is null or (account <> :account and terminated_at > :since))`,
    { account, region, prefix, since: clock.now() - HELD_MS },
  )
  return holder === undefined
}
