// When a certificate is to be renewed, and from when on it is in trouble, in milliseconds since 1970. Pure.
import type { X509Certificate } from 'node:crypto'

const DAY_MS = 24 * 3_600_000
/** Of certificates of 90 days; of shorter ones as much of them. */
const RENEW_DAYS = 30
const TROUBLE_DAYS = 20
const USUAL_DAYS = 90

export function limitsOf({ validFromDate, validToDate }: X509Certificate): {
  renewAt: number
  troubleAt: number
} {
  const end = validToDate.getTime()
  const scale = Math.min(1, (end - validFromDate.getTime()) / (USUAL_DAYS * DAY_MS))
  return { renewAt: end - RENEW_DAYS * DAY_MS * scale, troubleAt: end - TROUBLE_DAYS * DAY_MS * scale }
}
