// One instance: what speaks against it. Pure.
import type { Assessment, EnvironmentFacts, InstanceFacts } from './facts.ts'
import { assessRequests, assessSystem } from './figures.ts'
import { ELB_GRACE_MS, SILENT_MS } from './thresholds.ts'
import { named, span, worst } from './words.ts'

export const NOT_LED_TO = 'The elastic address of the environment does not lead to its instance.'

export function assessInstance(one: InstanceFacts, facts: EnvironmentFacts): Assessment {
  const system = assessSystem(one.system, { thresholds: facts.thresholds, before: one.before })
  if (one.state === 'Pending' || one.state === 'In Progress') return assessBusy(one, facts, system)
  const findings: Assessment[] = [...system]
  if (one.state === 'Failed') findings.push({ status: 'Severe', causes: ['Application deployment failed.'] })
  const noData = isSilent(one) ? [`No data. Last seen ${span(one.silentMs)} ago.`] : []
  if (outOfService(one))
    findings.push({
      status: 'Severe',
      causes: [isBehind(facts) ? elbText(one, facts) : NOT_LED_TO, ...noData],
    })
  else if (noData.length > 0) findings.push({ status: 'NoData', causes: noData })
  if (one.wrong && facts.expected)
    findings.push({
      status: 'Degraded',
      causes: [
        `Incorrect application version ${named(one.wrong)}. Expected version ${named(facts.expected)}.`,
      ],
    })
  findings.push(...assessRequests(one.requests, { ...facts, before: one.before }))
  if (findings.length === 0 && one.target?.state !== 'healthy')
    findings.push({
      status: 'Info',
      causes: [isBehind(facts) ? 'The load balancer has not checked this instance yet.' : NOT_LED_TO],
    })
  const { completed } = one
  if (completed && findings.every(({ status }) => status === 'Ok'))
    findings.push({
      status: 'Ok',
      causes: [
        `${completed.what} completed ${span(completed.agoMs)} ago and took ${span(completed.tookMs)}.`,
      ],
    })
  return worst(findings)
}

function assessBusy(one: InstanceFacts, facts: EnvironmentFacts, system: Assessment[]): Assessment {
  const busy = facts.status === 'Updating' ? 'Performing application deployment' : 'Performing initialization'
  const ms = Math.min(one.ageMs, facts.runningMs)
  const status = isLong(one, facts)
    ? 'Warning'
    : facts.status === 'Updating'
      ? 'Info'
      : one.state === 'Pending' && facts.status === 'Ready'
        ? 'NoData'
        : 'Pending'
  return { status, causes: [...system.flatMap(({ causes }) => causes), `${busy} (running for ${span(ms)})`] }
}

// AWS: within the command timeout what goes on is Pending; after it, it takes very long.
const isLong = (one: InstanceFacts, { runningMs, commandTimeoutMs }: EnvironmentFacts) =>
  one.state === 'In Progress' && Math.min(one.ageMs, runningMs) > commandTimeoutMs

/** What the environment tells of in no other way. */
export function impactsOf(one: InstanceFacts, facts: EnvironmentFacts): string[] {
  if (isLong(one, facts)) return assessInstance(one, facts).causes
  if (one.state === 'Pending' || one.state === 'In Progress') return []
  return assessSystem(one.system, { thresholds: facts.thresholds, before: one.before }).flatMap(
    ({ causes }) => causes,
  )
}

/** Neither the engine nor the load balancer has a word of it. */
export const isSilent = ({ state, silentMs, target }: InstanceFacts) =>
  state === 'Deployed' && target?.state !== 'healthy' && silentMs >= SILENT_MS

// A target that its balancer does not find healthy gets no request, whatever the word for it: initial, unused, draining,
// unavailable, not registered.
export function outOfService({ target, state, withoutElbMs }: InstanceFacts): boolean {
  if (target?.state === 'unhealthy') return state !== 'Pending'
  return state === 'Deployed' && target?.state !== 'healthy' && withoutElbMs >= ELB_GRACE_MS
}

export const isBehind = ({ front }: Pick<EnvironmentFacts, 'front'>) => front !== 'elastic address'

/** AWS's words of a process, then what the load balancer says besides: `Target.Timeout: Request timed out`. */
function elbText({ target, withoutElbMs }: InstanceFacts, { front }: EnvironmentFacts): string {
  if (target?.state !== 'unhealthy')
    return `Instance ELB health has not been available for ${span(withoutElbMs)}.`
  if (front === 'classic load balancer')
    return `ELB health is failing: ${target.reason || 'no reason given'}.`
  const [code = '', ...description] = target.reason.split(': ')
  const why = code === '' ? '' : ` (${code})`
  const more = description.length === 0 ? '' : ` ${description.join(': ').replace(/\.$/, '')}.`
  return `Process ${target.process ?? 'default'} has been unhealthy for ${span(withoutElbMs)}${why}.${more}`
}
