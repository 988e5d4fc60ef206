// When a certificate is to be renewed, and from when on it is in trouble, in milliseconds since 1970. Pure.
import type { X509Certificate } from 'node:crypto'

const DAY_MS = 24 * 3_600_000
/** Of certificates of 90 days; of shorter ones as much of them. */
const RENEW_DAYS = 30
const TROUBLE_DAYS = 20
const SOONEST_DAYS = 1
const USUAL_DAYS = 90

/** `soonest`: milliseconds from one renewal to the next, at least. */
export function limitsOf({ validFromDate, validToDate }: X509Certificate) {
  const end = validToDate.getTime()
  const day = DAY_MS * Math.min(1, (end - validFromDate.getTime()) / (USUAL_DAYS * DAY_MS))
  return { renewAt: end - RENEW_DAYS * day, troubleAt: end - TROUBLE_DAYS * day, soonest: SOONEST_DAYS * day }
}
