// Signatures that were refused, in the log: seen by whoever looks, and never more than a line a minute, so that a flood of them
// neither fills the log nor pushes out what else it says.
import type { Clock } from '../kernel/clock.ts'
import type { DeclaredError } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'
import type { Head } from './request.ts'

/** What a signature is answered that is not of one of our keys (sigv4/verify.ts). */
const CODES = new Set(['SignatureDoesNotMatch', 'InvalidClientTokenId', 'InvalidAccessKeyId', 'AuthFailure'])
const EVERY_MS = 60_000
const ADDRESS_LENGTH_MAX = 45

/** Called with every refusal. Of the key nothing is logged: people paste the secret where the id belongs. */
export function makeRefusalLog(clock: Clock, log: Log): (refusal: DeclaredError, head: Head) => void {
  let toldAt = Number.NEGATIVE_INFINITY
  let untold = 0
  return ({ code }, { headers }) => {
    if (!CODES.has(code)) return
    untold++
    const now = clock.monotonic()
    if (now - toldAt < EVERY_MS) return
    // As HAProxy saw it, through the TLS of api.name; who is on this machine may say what he likes.
    const from = headers.get('x-forwarded-for')?.slice(0, ADDRESS_LENGTH_MAX) ?? 'this machine'
    log.warn('refused a signature', { code, from, count: untold })
    toldAt = now
    untold = 0
  }
}
