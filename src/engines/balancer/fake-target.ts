// How one target of the fake balancer fares: checks that should have happened by now are done when somebody looks.
import type { HealthCheck, Target, TargetGroup, TargetObservation } from './engine.ts'

export class FakeTarget {
  /** null = it is not checked. */
  check: HealthCheck | null
  health: 'initial' | 'healthy' | 'unhealthy' = 'initial'
  /** Checks in a row that passed (positive) or failed (negative). */
  row = 0
  lastStatus: number | null = null
  nextCheckAt: number

  constructor(check: HealthCheck | null, now: number) {
    this.check = check
    this.nextCheckAt = now + FIRST_CHECK_MS
  }

  /** Does the checks that are due at `now` (monotonic milliseconds, as engines count), each with what the target answers now. */
  advance(now: number, status: number | null): void {
    const { check } = this
    if (check === null) return void (this.health = 'healthy')
    // The machine may have slept for hours; more than this many checks in a row cannot change anything.
    for (let done = 0; this.nextCheckAt <= now && done < CHECKS_AT_ONCE_MAX; done++) {
      this.lastStatus = status
      this.count(check, passes(check, status))
      this.nextCheckAt += this.health === 'healthy' ? check.intervalSeconds * 1000 : downIntervalMs(check)
    }
    if (this.nextCheckAt <= now) this.nextCheckAt = now + downIntervalMs(check)
  }

  describe(): Pick<TargetObservation, 'health' | 'reason' | 'description'> {
    const { health, lastStatus } = this
    if (health === 'healthy') return { health, reason: '', description: '' }
    if (health === 'initial')
      return { health, reason: 'Elb.InitialHealthChecking', description: 'Initial health checks in progress' }
    if (lastStatus === null)
      return { health, reason: 'Target.FailedHealthChecks', description: 'Health checks failed' }
    const description = `Health checks failed with these codes: [${lastStatus}]`
    return { health, reason: 'Target.ResponseCodeMismatch', description }
  }

  private count(check: HealthCheck, passed: boolean) {
    this.row = passed ? Math.max(0, this.row) + 1 : Math.min(0, this.row) - 1
    const { healthyThreshold, unhealthyThreshold, intervalSeconds } = check
    if (this.row >= (this.health === 'initial' ? 1 : healthyThreshold)) this.health = 'healthy'
    // A target that is down is looked at more often, but not sooner called unhealthy.
    const weight = this.health === 'initial' ? downIntervalMs(check) / (intervalSeconds * 1000) : 1
    if (-this.row * weight >= unhealthyThreshold) this.health = 'unhealthy'
  }
}

const downIntervalMs = ({ intervalSeconds }: HealthCheck) =>
  Math.min(DOWN_INTERVAL_MS, intervalSeconds * 1000)

const FIRST_CHECK_MS = 100
const DOWN_INTERVAL_MS = 250
const CHECKS_AT_ONCE_MAX = 20_000

function passes({ protocol, matcher }: HealthCheck, status: number | null): boolean {
  if (status === null) return false
  if (protocol === 'TCP') return true
  return matcher.split(',').some((range) => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return status >= first && status <= last
  })
}

/** Whether a client that sends these cookies stays with a target; as the fake calls them. */
export function isStaying({ routing }: TargetGroup, target: Target, cookies: string): boolean {
  if (!routing?.stickiness) return false
  const { applicationCookie: own } = routing.stickiness
  const sent = cookies.split('; ')
  if (own !== null && !sent.some((cookie) => cookie.startsWith(`${own}=`))) return false
  return sent.includes(stayingCookie(target, own))
}

/** What the balancer adds to an answer in which the application sets the cookie `set`. */
export function stayingCookies({ routing }: TargetGroup, target: Target, set: string): string[] {
  if (!routing?.stickiness) return []
  const { applicationCookie: own } = routing.stickiness
  return own === null || set.startsWith(`${own}=`) ? [stayingCookie(target, own)] : []
}

const stayingCookie = ({ id, port }: Target, own: string | null) =>
  `${own === null ? 'AWSALB' : 'AWSALBAPP-0'}=${id}.${port}`
