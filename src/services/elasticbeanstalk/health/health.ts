// Health by rules (reference §1.3–1.5): total and pure, from what is seen to what is shown.
import type { Assessment, EnvironmentAssessment, EnvironmentFacts, InstanceFacts } from './facts.ts'
import { assessRequests } from './figures.ts'
import { assessInstance, isBehind, impactsOf, isSilent, NOT_LED_TO, outOfService } from './instance.ts'
import { ELB_GRACE_MS, NO_DATA_GRACE_MS, SUSPENDED_AFTER_MS } from './thresholds.ts'
import { allOr, named, outOf, rank, span, worst } from './words.ts'

export function assess(facts: EnvironmentFacts): EnvironmentAssessment {
  const instances = facts.instances.map((one) => ({ id: one.id, ...assessInstance(one, facts) }))
  return { ...assessEnvironment(facts, instances), instances }
}

function assessEnvironment(facts: EnvironmentFacts, instances: Assessment[]): Assessment {
  const running = `(running for ${span(facts.runningMs)}).`
  if (facts.status === 'Launching') {
    const none = instances.length === 0 ? ['There are no instances.'] : []
    return { status: 'Pending', causes: [`Initialization in progress ${running}`, ...none] }
  }
  if (facts.status === 'Terminating') return { status: 'Info', causes: [`Terminate in progress ${running}`] }
  if (facts.status === 'Terminated') return { status: 'Unknown', causes: [] }
  const commands = commandsText(facts)
  if (facts.status === 'Updating') {
    const update: Assessment = { status: 'Info', causes: [updateText(facts), ...commands] }
    // AWS: until the command timeout, checks that fail do not lower it.
    const failing = facts.runningMs > facts.commandTimeoutMs ? findingsOf(facts, instances) : []
    return worst([update, ...failing.filter(({ status }) => rank(status) > rank('Info'))])
  }

  const findings = findingsOf(facts, instances)
  if (commands.length > 0) findings.push({ status: 'Info', causes: commands })
  const { completed } = facts
  if (completed && findings.every(({ status }) => status === 'Ok'))
    findings.push({
      status: 'Ok',
      causes: [
        `${completed.what} completed ${span(completed.agoMs)} ago and took ${span(completed.tookMs)}.`,
      ],
    })
  const found = worst(findings)
  const hadNone = facts.before === 'Suspended' || facts.beforeMs >= SUSPENDED_AFTER_MS
  return facts.group === null && found.status === 'Severe' && rank(facts.before) >= rank('Severe') && hadNone
    ? { ...found, status: 'Suspended' }
    : found
}

function findingsOf(facts: EnvironmentFacts, instances: Assessment[]): Assessment[] {
  return [
    ...assessRequests(facts.requests, facts),
    ...assessResources(facts),
    ...assessTargets(facts),
    ...assessVersions(facts),
    ...assessImpaired(facts, instances),
    ...assessImpacted(facts, instances),
    ...assessData(facts, instances),
    ...(facts.lowRoom === null ? [] : [{ status: 'Warning' as const, causes: [facts.lowRoom] }]),
  ]
}

function assessResources({
  group,
  hasFront,
  front,
  instances,
  launchFailure,
}: EnvironmentFacts): Assessment[] {
  const failed = launchFailure === '' ? [] : [launchFailure]
  const missing = [...(group ? [] : ['Auto Scaling group']), ...(hasFront ? [] : [nounOf(front)])]
  const findings = missing.map((what): Assessment => ({
    status: 'Severe',
    causes: [`The ${what} of the environment does not exist.`],
  }))
  const count = instances.length
  const minSize = group?.minSize ?? 0
  if (count === 0) {
    const desired = group ? [`Auto Scaling group desired capacity is set to ${group.desired || 'zero'}.`] : []
    const isMeant = group !== null && minSize === 0 && group.desired === 0
    const status = isMeant ? 'Info' : 'Severe'
    return [...findings, { status, causes: ['There are no instances.', ...desired, ...failed] }]
  }
  if (count >= minSize) return findings
  const below = `${count} active instances is below Auto Scaling group minimum size ${minSize}.`
  return [...findings, { status: 'Degraded', causes: [below, ...failed] }]
}

const nounOf = (front: EnvironmentFacts['front']) =>
  front === 'elastic address' ? 'elastic address' : 'load balancer'

const isLate = ({ state, target, ageMs }: InstanceFacts) =>
  (state === 'Pending' || state === 'In Progress') && target?.state !== 'healthy' && ageMs >= ELB_GRACE_MS

function assessTargets(facts: EnvironmentFacts): Assessment[] {
  const { instances, front, thresholds } = facts
  const failing = instances.filter(outOfService)
  // New instances take their time; but where nobody else serves meanwhile, users get no answer.
  const late = instances.filter((one) => !outOfService(one) && isLate(one))
  const count = instances.length
  const all = count > 0 && failing.length + late.length === count
  if (failing.length === 0 && !all) return []
  const status = all
    ? 'Severe'
    : (failing.length / count) * 100 > thresholds.unhealthyPercentDegraded
      ? 'Degraded'
      : 'Warning'
  if (!isBehind(facts)) return [{ status, causes: [NOT_LED_TO] }]
  const isChecked = ({ target }: InstanceFacts) => front === 'load balancer' && target?.state === 'unhealthy'
  const unhealthy = failing.filter(isChecked).length
  const absent = failing.length - unhealthy + (all ? late.length : 0)
  const causes = [
    ...(unhealthy === 0 ? [] : [`ELB processes are not healthy on ${allOr(unhealthy, count)}.`]),
    ...(absent === 0 ? [] : [`ELB health is failing or not available for ${allOr(absent, count)}.`]),
  ]
  return [{ status, causes }]
}

function assessVersions({ instances, expected }: EnvironmentFacts): Assessment[] {
  const wrong = instances.filter((one) => one.wrong !== null).length
  if (wrong === 0 || !expected) return []
  const whom = allOr(wrong, instances.length)
  const cause = `Incorrect application version found on ${whom}. Expected version ${named(expected)}.`
  return [{ status: 'Degraded', causes: [cause] }]
}

// AWS: one of several instances Severe makes the environment Warning (reference §1.3). Those that the load balancer
// does not find healthy are told of already.
function assessImpaired({ instances: facts }: EnvironmentFacts, instances: Assessment[]): Assessment[] {
  const severe = instances.filter(({ status }) => status === 'Severe').length
  const untold = instances.filter(
    ({ status }, index) => status === 'Severe' && !outOfService(facts[index]!),
  ).length
  if (untold === 0) return []
  const status = severe === instances.length ? 'Severe' : 'Warning'
  return [{ status, causes: [`Impaired services on ${allOr(untold, instances.length)}.`] }]
}

// Instances that are short of something: most of them make a Warning (or what all of them are), a few a word.
function assessImpacted(facts: EnvironmentFacts, instances: Assessment[]): Assessment[] {
  const impacts = facts.instances.map((one) => impactsOf(one, facts)).filter((causes) => causes.length > 0)
  const count = instances.length
  if (impacts.length === 0) return []
  const isMost = (impacts.length / count) * 100 > facts.thresholds.unhealthyPercentDegraded
  const isDegraded = instances.every(({ status }) => rank(status) >= rank('Degraded'))
  const status = isMost ? (isDegraded ? 'Degraded' : 'Warning') : 'Info'
  // Of a single one it is said what.
  const causes = count === 1 ? impacts.flat() : [`${impacts.length} out of ${count} instances are impacted.`]
  return [{ status, causes }]
}

function assessData(facts: EnvironmentFacts, instances: Assessment[]): Assessment[] {
  const count = instances.length
  const silent = instances.filter(
    ({ status }, index) => status === 'NoData' || isSilent(facts.instances[index]!),
  ).length
  if (silent === 0) return []
  if (silent === count) return [{ status: 'Severe', causes: ['None of the instances are sending data.'] }]
  const forgotten = facts.instances.filter(
    (one) => isSilent(one) || (one.state === 'Pending' && one.ageMs > NO_DATA_GRACE_MS),
  ).length
  return forgotten > 0
    ? [{ status: 'Warning', causes: [`No data received from ${outOf(forgotten, count)}`] }]
    : [{ status: 'Info', causes: [`Initialization in progress on ${outOf(silent, count)}.`] }]
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
  return busy === 0 ? [] : [`Command is executing on ${allOr(busy, instances.length)}.`]
}
