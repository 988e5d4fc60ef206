// The order of statuses, their colours, and words that several causes share.
import type { Assessment, HealthStatus, Version } from './facts.ts'

export const colourOf = (status: string) =>
  status === 'Ok' || status === 'Info'
    ? 'Green'
    : status === 'Warning'
      ? 'Yellow'
      : status === 'Degraded' || status === 'Severe'
        ? 'Red'
        : 'Grey'

const ORDER: HealthStatus[] = [
  'Ok',
  'Unknown',
  'NoData',
  'Pending',
  'Info',
  'Warning',
  'Degraded',
  'Severe',
  'Suspended',
]
export const rank = (status: string) => ORDER.indexOf(status as HealthStatus)

const BAD = ['Ok', 'Warning', 'Degraded', 'Severe', 'Suspended']
/** `worse(a, b)`: whether the way from a to b is one down. */
export const worse = (from: string, to: string) => BAD.indexOf(to) > Math.max(0, BAD.indexOf(from))

/** The worst status, and all causes, those of the worst first. */
export function worst(findings: Assessment[]): Assessment {
  const status = findings.reduce<HealthStatus>(
    (most, one) => (rank(one.status) > rank(most) ? one.status : most),
    'Ok',
  )
  const sorted = findings.toSorted((a, b) => rank(b.status) - rank(a.status))
  return { status, causes: sorted.flatMap(({ causes }) => causes) }
}

export const named = ({ versionLabel, deploymentId }: Version) =>
  `"${versionLabel}" (deployment ${deploymentId})`
export const outOf = (count: number, all: number) =>
  `${count} out of ${all} ${all === 1 ? 'instance' : 'instances'}`
export const allOr = (count: number, all: number) => (count === all ? 'all instances' : outOf(count, all))

/** `1 second`, `31 seconds`, `5 minutes`: as AWS counts in causes. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [count, unit] =
    seconds < 120
      ? [seconds, 'second']
      : seconds < 7200
        ? [Math.floor(seconds / 60), 'minute']
        : [Math.floor(seconds / 3600), 'hour']
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
