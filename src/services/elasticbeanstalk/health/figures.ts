// What shares of requests, processors, memory and disks mean. Pure.
import type { Assessment, Codes, EnvironmentFacts, Requests, SystemUse } from './facts.ts'
import { REQUESTS_FORGOTTEN_MS, REQUESTS_OLD_MS, STAYS_ABOVE, type Grades } from './thresholds.ts'
import { rank, span } from './words.ts'

type Judging = Pick<EnvironmentFacts, 'thresholds' | 'rules'> & { before: string }

export function assessRequests(requests: Requests | null, judging: Judging): Assessment[] {
  if (!requests || requests.agoMs >= REQUESTS_FORGOTTEN_MS) return []
  const { thresholds, rules } = judging
  const isOld = requests.agoMs >= REQUESTS_OLD_MS
  const findings: Assessment[] = []
  if (!isOld) {
    const grade = gradeOf(requests.application, judging)
    findings.push(
      ...grade(
        'status5xx',
        thresholds.application5xx,
        (share) => `${share} of the requests are failing with HTTP 5xx.`,
      ),
    )
    if (rules.application4xx)
      findings.push(
        ...grade(
          'status4xx',
          thresholds.application4xx,
          (share) => `${share} of the requests are erroring with HTTP 4xx.`,
        ),
      )
  }
  if (requests.balancer) {
    const ago = isOld ? ` (${span(requests.agoMs)} ago)` : ''
    const grade = gradeOf(requests.balancer, judging)
    findings.push(
      ...grade(
        'status5xx',
        thresholds.application5xx,
        (share) => `${share} of the requests to the ELB are failing with HTTP 5xx${ago}.`,
      ),
    )
    if (rules.balancer4xx)
      findings.push(
        ...grade(
          'status4xx',
          thresholds.application4xx,
          (share) => `${share} of the requests to the ELB are erroring with HTTP 4xx${ago}.`,
        ),
      )
  }
  return findings
}

const gradeOf =
  (codes: Codes, { thresholds, before }: Judging) =>
  (code: 'status4xx' | 'status5xx', from: Grades, text: (share: string) => string): Assessment[] => {
    const percent = codes.requests === 0 ? 0 : (codes[code] / codes.requests) * 100
    const status = levelOf(percent, from, before, STAYS_ABOVE)
    if (!status) return []
    const cause = text(`${percent.toFixed(1)} %`)
    if (codes.requests > thresholds.requestsPerMinuteLeast) return [{ status, causes: [cause] }]
    const rate = `${codes.requests.toFixed(1)} requests/min`
    return [
      {
        status: 'Ok',
        causes: [cause, `Insufficient request rate (${rate}) to determine application health.`],
      },
    ]
  }

export function assessSystem(
  use: SystemUse,
  { thresholds, before }: Pick<Judging, 'thresholds' | 'before'>,
): Assessment[] {
  const { cpu, ioWait, memory, rootFilesystem } = use
  const wait = Math.round(ioWait ?? 0)
  const cause = (percent: number | null, from: Partial<Grades>, text: string): Assessment[] => {
    const status = percent === null ? null : levelOf(percent, from, before, 1)
    return status ? [{ status, causes: [text] }] : []
  }
  const inUse = (percent: number | null, what: string) =>
    `${Math.floor(percent ?? 0)} % of ${what} is in use.`
  return [
    // The end of AWS's own text: "91 % of CPU is in use. 24 % in I/O wait"
    ...cause(
      cpu,
      { Warning: thresholds.cpuWarning },
      inUse(cpu, 'CPU') + (wait > 0 ? ` ${wait} % in I/O wait` : ''),
    ),
    ...cause(memory, thresholds.memory, inUse(memory, 'memory')),
    ...cause(rootFilesystem, thresholds.rootFilesystem, inUse(rootFilesystem, 'the root file system')),
  ]
}

/** A level that is left is left for good: its threshold counts less while the status is as bad. */
function levelOf(percent: number, from: Partial<Grades>, before: string, stays: number) {
  return (['Severe', 'Degraded', 'Warning'] as const).find((level) => {
    const least = from[level]
    if (least === undefined || percent === 0) return false
    return percent >= least * (rank(before) >= rank(level) ? stays : 1)
  })
}
