// Health by rules (reference §1.3–1.5). AWS does not publish its numbers: those here are ours, and named.
export type HealthStatus =
  | 'NoData'
  | 'Unknown'
  | 'Pending'
  | 'Ok'
  | 'Info'
  | 'Warning'
  | 'Degraded'
  | 'Severe'

/** Share of requests, in percent, from which on codes count. Evaluated above `REQUESTS_PER_MINUTE_LEAST` only. */
export const STATUS_5XX_PERCENT = { Warning: 1, Degraded: 10, Severe: 30 }
export const STATUS_4XX_PERCENT = { Warning: 10, Degraded: 30, Severe: 50 }
export const REQUESTS_PER_MINUTE_LEAST = 6
/** Above this share of instances that the load balancer finds unhealthy, the environment is Degraded. */
export const UNHEALTHY_PERCENT_DEGRADED = 50
/** How long the load balancer may say nothing of an instance (a new target, a balancer that starts again) before that
 *  counts as failing. `unhealthy` counts at once: the balancer has counted its checks already. */
export const ELB_GRACE_MS = 60_000
/** How long an instance may wait for its first software (a dependency layer that is built anew takes minutes). */
export const NO_DATA_GRACE_MS = 5 * 60_000

export type Requests = { seconds: number; requests: number; status4xx: number; status5xx: number }

export type InstanceFacts = {
  id: string
  state: 'Pending' | 'In Progress' | 'Deployed' | 'Failed'
  /** Milliseconds since it was added. */
  ageMs: number
  /** As elbv2 says it; null when it is not registered. */
  target: { state: string; reason: string } | null
  /** How long the load balancer has not found it healthy; 0 while it does. */
  withoutElbMs: number
  /** Whether it has what an update under way brings. */
  updated: boolean
  /** The version on it, when it is not the expected one. */
  wrong: { versionLabel: string; deploymentId: number } | null
  requests: Requests | null
}

export type EnvironmentFacts = {
  status: 'Launching' | 'Updating' | 'Ready' | 'Terminating' | 'Terminated'
  /** What an update brings. */
  update: 'Application' | 'Configuration'
  /** Since the operation under way began. */
  runningMs: number
  /** The operation that ended last, if it succeeded. */
  completed: {
    what: 'Initialization' | 'Application update' | 'Configuration update'
    agoMs: number
    tookMs: number
  } | null
  expected: { versionLabel: string; deploymentId: number } | null
  minSize: number
  /** By what clients reach it. */
  front: 'load balancer' | 'elastic address'
  /** What the environment should have and has not: `Auto Scaling group`, or its front. */
  missing: string[]
  requests: Requests | null
  /** Why the whole home is in want of room; null while it is not. */
  lowRoom: string | null
  /** Why the group could not launch an instance that it lacks, the last time it tried; '' when it could. */
  launchFailure: string
  instances: InstanceFacts[]
}

export type Assessment = { status: HealthStatus; causes: string[] }
export type EnvironmentAssessment = Assessment & { instances: (Assessment & { id: string })[] }

export const colourOf = (status: string) =>
  status === 'Ok' || status === 'Info'
    ? 'Green'
    : status === 'Warning'
      ? 'Yellow'
      : status === 'Degraded' || status === 'Severe'
        ? 'Red'
        : 'Grey'

/** Total and pure: from what is seen to what is shown. */
export function assess(facts: EnvironmentFacts): EnvironmentAssessment {
  const instances = facts.instances.map((one) => ({ id: one.id, ...assessInstance(one, facts) }))
  return { ...assessEnvironment(facts, instances), instances }
}

function assessInstance(one: InstanceFacts, facts: EnvironmentFacts): Assessment {
  if (one.state === 'Pending' || one.state === 'In Progress') {
    const busy =
      facts.status === 'Updating' ? 'Performing application deployment' : 'Performing initialization'
    const status =
      facts.status === 'Updating'
        ? 'Info'
        : one.state === 'Pending' && facts.status === 'Ready'
          ? 'NoData'
          : 'Pending'
    return { status, causes: [`${busy} (running for ${span(Math.min(one.ageMs, facts.runningMs))}).`] }
  }
  const findings: Assessment[] = []
  if (one.state === 'Failed') findings.push({ status: 'Severe', causes: ['Application deployment failed.'] })
  if (outOfService(one))
    findings.push({ status: 'Severe', causes: [isBehind(facts) ? elbText(one) : NOT_LED_TO] })
  if (one.wrong && facts.expected)
    findings.push({
      status: 'Degraded',
      causes: [
        `Incorrect application version ${named(one.wrong)}. Expected version ${named(facts.expected)}.`,
      ],
    })
  findings.push(...assessRequests(one.requests))
  if (findings.length === 0 && one.target?.state !== 'healthy')
    findings.push({
      status: 'Info',
      causes: [isBehind(facts) ? 'The load balancer has not checked this instance yet.' : NOT_LED_TO],
    })
  return worst(findings)
}

function assessEnvironment(facts: EnvironmentFacts, instances: Assessment[]): Assessment {
  const failed = facts.launchFailure === '' ? [] : [facts.launchFailure]
  const none = instances.length === 0 ? ['There are no instances.'] : []
  const running = `(running for ${span(facts.runningMs)}).`
  if (facts.status === 'Launching')
    return { status: 'Pending', causes: [`Initialization in progress ${running}`, ...none] }
  if (facts.status === 'Terminating') return { status: 'Info', causes: [`Terminate in progress ${running}`] }
  if (facts.status === 'Terminated') return { status: 'Unknown', causes: [] }
  const commands = commandsText(facts)
  if (facts.status === 'Updating') return { status: 'Info', causes: [updateText(facts), ...commands] }

  const count = instances.length
  const findings: Assessment[] = assessRequests(facts.requests)
  for (const what of facts.missing)
    findings.push({ status: 'Severe', causes: [`The ${what} of the environment does not exist.`] })
  if (count === 0)
    findings.push({ status: facts.minSize === 0 ? 'Info' : 'Severe', causes: [...none, ...failed] })
  else if (count < facts.minSize)
    findings.push({
      status: 'Degraded',
      causes: [
        `${count} active instances is below Auto Scaling group minimum size ${facts.minSize}.`,
        ...failed,
      ],
    })
  findings.push(...assessTargets(facts), ...assessVersions(facts), ...assessImpaired(facts, instances))
  const silent = instances.filter(({ status }) => status === 'NoData').length
  if (count > 0 && silent === count)
    findings.push({ status: 'Severe', causes: ['None of the instances are sending data.'] })
  else if (silent > 0) {
    const forgotten = facts.instances.filter((one) => one.state === 'Pending' && one.ageMs > NO_DATA_GRACE_MS)
    findings.push(
      forgotten.length > 0
        ? { status: 'Warning', causes: [`No data received from ${outOf(forgotten.length, count)}`] }
        : { status: 'Info', causes: [`Initialization in progress on ${outOf(silent, count)}.`] },
    )
  }
  if (facts.lowRoom !== null) findings.push({ status: 'Warning', causes: [facts.lowRoom] })
  if (commands.length > 0) findings.push({ status: 'Info', causes: commands })
  const { completed } = facts
  if (findings.length === 0 && completed)
    return {
      status: 'Ok',
      causes: [
        `${completed.what} completed ${span(completed.agoMs)} ago and took ${span(completed.tookMs)}.`,
      ],
    }
  return worst(findings)
}

// A target that its balancer does not find healthy gets no request, whatever the word for it: initial, unused, draining,
// unavailable, not registered.
function outOfService({ target, state, withoutElbMs }: InstanceFacts): boolean {
  if (target?.state === 'unhealthy') return state !== 'Pending'
  return state === 'Deployed' && target?.state !== 'healthy' && withoutElbMs >= ELB_GRACE_MS
}

const isBehind = ({ front }: EnvironmentFacts) => front === 'load balancer'
const NOT_LED_TO = 'The elastic address of the environment does not lead to its instance.'

const isLate = ({ state, target, ageMs }: InstanceFacts) =>
  (state === 'Pending' || state === 'In Progress') && target?.state !== 'healthy' && ageMs >= ELB_GRACE_MS

const elbText = ({ target, withoutElbMs }: InstanceFacts) =>
  target?.state === 'unhealthy'
    ? `ELB health is failing: ${target.reason || 'no reason given'}.`
    : `Instance ELB health has not been available for ${span(withoutElbMs)}.`

function assessTargets({ instances, front }: EnvironmentFacts): Assessment[] {
  const failing = instances.filter(outOfService).length
  // New instances take their time; but where nobody else serves meanwhile, users get no answer.
  const all = instances.length > 0 && instances.every((one) => outOfService(one) || isLate(one))
  if (failing === 0 && !all) return []
  const status = all
    ? 'Severe'
    : (failing / instances.length) * 100 > UNHEALTHY_PERCENT_DEGRADED
      ? 'Degraded'
      : 'Warning'
  const whom = all ? 'all instances' : outOf(failing, instances.length)
  if (front === 'elastic address') return [{ status, causes: [NOT_LED_TO] }]
  return [{ status, causes: [`ELB health is failing or not available for ${whom}.`] }]
}

function assessVersions({ instances, expected }: EnvironmentFacts): Assessment[] {
  const wrong = instances.filter((one) => one.wrong !== null).length
  if (wrong === 0 || !expected) return []
  const whom = wrong === instances.length ? 'all instances' : outOf(wrong, instances.length)
  return [
    {
      status: 'Degraded',
      causes: [`Incorrect application version found on ${whom}. Expected version ${named(expected)}.`],
    },
  ]
}

// AWS: one of several instances Severe makes the environment Warning (reference §1.3). Those that the load balancer
// does not find healthy are told of already.
function assessImpaired({ instances: facts }: EnvironmentFacts, instances: Assessment[]): Assessment[] {
  const severe = instances.filter(({ status }) => status === 'Severe').length
  const untold = instances.filter(
    ({ status }, index) => status === 'Severe' && !outOfService(facts[index]!),
  ).length
  if (untold === 0) return []
  const whom = untold === instances.length ? 'all instances' : outOf(untold, instances.length)
  return [
    {
      status: severe === instances.length ? 'Severe' : 'Warning',
      causes: [`Impaired services on ${whom}.`],
    },
  ]
}

function assessRequests(requests: Requests | null): Assessment[] {
  if (!requests || requests.seconds <= 0) return []
  const perMinute = (requests.requests / requests.seconds) * 60
  if (perMinute <= REQUESTS_PER_MINUTE_LEAST) return []
  const of = (count: number) => (count / requests.requests) * 100
  return [
    grade(
      of(requests.status5xx),
      STATUS_5XX_PERCENT,
      (percent) => `${percent} % of the requests are failing with HTTP 5xx.`,
    ),
    grade(
      of(requests.status4xx),
      STATUS_4XX_PERCENT,
      (percent) => `${percent} % of the requests are erroring with HTTP 4xx.`,
    ),
  ].flat()
}

function grade(
  percent: number,
  from: typeof STATUS_5XX_PERCENT,
  text: (percent: string) => string,
): Assessment[] {
  const status =
    percent >= from.Severe
      ? 'Severe'
      : percent >= from.Degraded
        ? 'Degraded'
        : percent >= from.Warning
          ? 'Warning'
          : null
  return status ? [{ status, causes: [text(percent.toFixed(1))] }] : []
}

function updateText({ update, instances, runningMs }: EnvironmentFacts): string {
  const running = `(running for ${span(runningMs)}).`
  const count = instances.length
  if (update === 'Configuration' || count === 0) return `${update} update in progress ${running}`
  const done = instances.filter(({ updated }) => updated).length
  const on = `${count} ${count === 1 ? 'instance' : 'instances'}`
  return `Application update in progress on ${on}. ${outOf(done, count)} completed ${running}`
}

function commandsText({ instances }: EnvironmentFacts): string[] {
  const busy = instances.filter(({ state }) => state === 'In Progress').length
  if (busy === 0) return []
  return [
    `Command is executing on ${busy === instances.length ? 'all instances' : outOf(busy, instances.length)}.`,
  ]
}

function worst(findings: Assessment[]): Assessment {
  const status = findings.reduce<HealthStatus>(
    (most, one) => (rank(one.status) > rank(most) ? one.status : most),
    'Ok',
  )
  return {
    status,
    causes: findings.toSorted((a, b) => rank(b.status) - rank(a.status)).flatMap(({ causes }) => causes),
  }
}

/** `worse(a, b)`: whether the way from a to b is one down. */
export const worse = (from: string, to: string) => BAD.indexOf(to) > Math.max(0, BAD.indexOf(from))

const BAD = ['Ok', 'Warning', 'Degraded', 'Severe']
const ORDER: HealthStatus[] = ['Ok', 'Unknown', 'NoData', 'Pending', 'Info', 'Warning', 'Degraded', 'Severe']
const rank = (status: HealthStatus) => ORDER.indexOf(status)

const named = ({ versionLabel, deploymentId }: { versionLabel: string; deploymentId: number }) =>
  `"${versionLabel}" (deployment ${deploymentId})`
const outOf = (count: number, all: number) => `${count} out of ${all} ${all === 1 ? 'instance' : 'instances'}`

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
