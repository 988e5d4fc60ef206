// From which figures on health changes. AWS does not publish its numbers (reference §1.4): these are ours, and the options of
// `polebean:healthreporting` override those that are thresholds.

/** From each of these on, in percent. */
export type Grades = { Warning: number; Degraded: number; Severe: number }

export type Thresholds = {
  /** Share of the requests that end so, in percent: of the application, and of what the load balancer itself answers. */
  application5xx: Grades
  application4xx: Grades
  /** Codes say nothing while there are not more requests than this in the last minute. */
  requestsPerMinuteLeast: number
  /** Above this share of instances that the load balancer finds unhealthy, the environment is Degraded. */
  unhealthyPercentDegraded: number
  /** Of the instance's processors, over a minute. */
  cpuWarning: number
  memory: Pick<Grades, 'Warning' | 'Degraded'>
  rootFilesystem: Pick<Grades, 'Warning' | 'Degraded'>
}

export const DEFAULT_THRESHOLDS: Thresholds = {
  application5xx: { Warning: 1, Degraded: 10, Severe: 30 },
  application4xx: { Warning: 10, Degraded: 30, Severe: 50 },
  requestsPerMinuteLeast: 6,
  unhealthyPercentDegraded: 50,
  cpuWarning: 90,
  memory: { Warning: 95, Degraded: 98 },
  rootFilesystem: { Warning: 90, Degraded: 97 },
}

/** The share of requests must fall below so much of a grade's threshold to leave it, so that one that wavers is no news. */
export const STAYS_ABOVE = 0.8

/**
 * How often health is computed, at least: of instances (AWS: each 10 s) and of environments (AWS: once a minute, or on an event, and
 * only when an instance failed three checks within a minute). Here both change at once, at every change of what they follow from;
 * what keeps them from twitching is the window over which requests are counted.
 */
export const HEALTH_EVERY_MS = 5_000
/** Codes are judged over the last minute, and never over what was before the deployment that serves now. */
export const REQUESTS_WINDOW_MS = 60_000
/** Figures of the load balancer that are older say how old they are, and after a while nothing. */
export const REQUESTS_OLD_MS = 60_000
export const REQUESTS_FORGOTTEN_MS = 10 * 60_000
/** How long the load balancer may say nothing of an instance (a new target, a balancer that starts again) before that
 *  counts as failing. `unhealthy` counts at once: the balancer has counted its checks already. */
export const ELB_GRACE_MS = 60_000
/** How long an instance may wait for its first software (a dependency layer that is built anew takes minutes). */
export const NO_DATA_GRACE_MS = 5 * 60_000
/** After so long without figures of an instance that the load balancer does not find healthy either, there is no data of it. */
export const SILENT_MS = 60_000
/** An environment that has had no Auto Scaling group for so long is not looked after any more. */
export const SUSPENDED_AFTER_MS = 3600_000
/** What ended well is told for so long. */
export const COMPLETED_SHOWN_MS = 60_000
/** AWS adds 240 seconds to the command timeout (reference §1.3). */
export const INTERNAL_TIMEOUT_MS = 240_000
