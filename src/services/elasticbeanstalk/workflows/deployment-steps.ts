// Steps that creating and updating share: get the layers, and wait until instances have the software and are healthy.
import type { Step } from '../../../control/workflows.ts'
import { eventText, explainBuild } from '../../../platforms/platform.ts'
import { layersOutcome, prepareDeployment } from '../deployments.ts'
import { ofEnvironment } from '../events.ts'
import { instanceFactsOf } from '../environment-facts.ts'
import { frontOf, targetsOf, type Front, type Targets } from '../front.ts'
import { assessRequests } from '../health/figures.ts'
import { INTERNAL_TIMEOUT_MS } from '../health/thresholds.ts'
import { rank, worst } from '../health/words.ts'
import { healthReportingOf } from '../health-reporting.ts'
import { groupOf, launchFailure } from '../instances.ts'
import type { LayerRow } from '../layers.ts'
import type { Parts } from '../parts.ts'
import { configurationOfSettings } from '../software.ts'
import {
  findDeployment,
  findVersion,
  instancesOf,
  type DeploymentRow,
  type EnvironmentRow,
} from '../store.ts'
import { current } from './work.ts'

export function deploymentOf({ store }: Parts, environmentId: string, id: number): DeploymentRow {
  const deployment = findDeployment(store, environmentId, id)
  if (!deployment) throw new Error(`deployment ${id} of ${environmentId} is gone`)
  return deployment
}

/** Brings the layers of the deployment about; answers why not, or null. */
export function buildLayers(
  parts: Parts,
  step: Step,
  environmentId: string,
  deploymentId: number,
): string | null {
  const { store, events } = parts
  const deployment = deploymentOf(parts, environmentId, deploymentId)
  const processed = step.until(
    'version processed',
    () => {
      const row = current(parts, environmentId)
      const version = findVersion(store, row, row.applicationName, deployment.versionLabel)
      if (!version) return { problem: `Application Version ${deployment.versionLabel} was deleted.` }
      if (version.status === 'PROCESSED') return { problem: null }
      return version.status === 'FAILED'
        ? { problem: version.reason ?? 'The version could not be processed.' }
        : undefined
    },
    { timeoutMs: PROCESSING_MS, onTimeout: () => ({ problem: 'The version was not processed in time.' }) },
  )
  if (processed.problem !== null) return processed.problem

  const prepared = step.do('want layers', () => {
    const row = current(parts, environmentId)
    const result = prepareDeployment(parts, row, deployment)
    if (result.kind === 'problem') return { problem: result.problem }
    for (const note of result.notes) events.write(ofEnvironment(row), 'INFO', note)
    for (const warning of result.warnings) events.write(ofEnvironment(row), 'WARN', warning)
    return { problem: null }
  })
  if (prepared.problem !== null) return prepared.problem

  const built = step.until(
    'layers built',
    () => {
      const outcome = layersOutcome(parts, deploymentOf(parts, environmentId, deploymentId))
      return outcome && { problem: outcome.failed ? buildProblem(outcome.failed) : null }
    },
    { timeoutMs: BUILDING_MS, onTimeout: () => ({ problem: 'The build did not end in time.' }) },
  )
  return built.problem
}

const buildProblem = ({ key, output }: LayerRow) => eventText(explainBuild(key, output))

export type Outcome = {
  succeeded: string[]
  failed: string[]
  /** Instances that did not answer within the command timeout. */
  late: string[]
  /** Instances that the group could not launch, and its last word on that. */
  missing: number
  activity: string
}

/** There is nothing to wait for: nobody would launch an instance. */
const NO_GROUP: Outcome = {
  succeeded: [],
  failed: [],
  late: [],
  missing: 1,
  activity: 'The environment has no Auto Scaling group.',
}

/** Waits until the group has its instances and each of them has the deployment, or failed on it.
 *  Instances listed in `except` are on their way out. */
export function awaitDeployed(parts: Parts, step: Step, wait: Wait): Outcome {
  const { environmentId, deploymentId, name, except = [] } = wait
  const look = (): Outcome => {
    const group = groupOf(parts, current(parts, environmentId))
    if (!group) return NO_GROUP
    const here = group.instances.filter(({ id }) => !except.includes(id))
    const leaving = group.instances.length - here.length
    const known = instancesOf(parts.store, environmentId)
    const done = here.map(({ id, inService }) => {
      const instance = known.find((one) => one.instanceId === id)
      const has = instance && instance.deploymentId !== null && instance.deploymentId >= deploymentId
      if (!has || instance.state === 'In Progress' || instance.state === 'Pending')
        return { id, state: 'late' as const }
      if (instance.state === 'Failed') return { id, state: 'failed' as const }
      return { id, state: inService ? ('succeeded' as const) : ('late' as const) }
    })
    const of = (state: string) => done.filter((one) => one.state === state).map(({ id }) => id)
    const missing = Math.max(0, group.desired - leaving - here.length)
    return { succeeded: of('succeeded'), failed: of('failed'), late: of('late'), missing, activity: '' }
  }
  return step.until<Outcome>(
    name,
    () => {
      const outcome = look()
      if (outcome.late.length > 0) return undefined
      if (outcome.missing === 0 || outcome.activity !== '') return outcome
      // A machine without room for them will hardly get more of it: said early, while the group goes on trying.
      const activity = launchFailure(parts, current(parts, environmentId))
      const waitedMs = parts.clock.now() - step.startedAt(name)
      return activity !== '' && waitedMs >= LAUNCHING_MS ? { ...outcome, activity } : undefined
    },
    {
      timeoutMs: commandTimeoutMs(parts, environmentId, deploymentId),
      onTimeout: () => ({ ...look(), activity: launchFailure(parts, current(parts, environmentId)) }),
    },
  )
}

type Wait = { environmentId: string; deploymentId: number; name: string; except?: string[] }

/** Waits until every instance is well; answers those that are not, with the reason. `front`: unless told, that which has the names. */
export function awaitHealthy(
  parts: Parts,
  step: Step,
  wait: Omit<Wait, 'deploymentId'> & { front?: Front; next?: boolean },
): { id: string; reason: string }[] {
  const { environmentId, name, except = [] } = wait
  const unhealthy = () => {
    const row = current(parts, environmentId)
    const ids = (groupOf(parts, row)?.instances ?? [])
      .map(({ id }) => id)
      .filter((id) => !except.includes(id))
    return unwellAmong(parts, row, ids, targetsOf(parts, row, wait.front ?? frontOf(row), wait))
  }
  return step.until(name, () => (unhealthy().length === 0 ? [] : undefined), {
    timeoutMs: HEALTHY_MS,
    onTimeout: unhealthy,
  })
}

// The load balancer, or the elastic address, finds it healthy, and it does not fail the requests that it has got since: as the option
// HealthCheckSuccessThreshold allows. What clients do wrong (4xx) fails no deployment.
function unwellAmong(parts: Parts, row: EnvironmentRow, ids: string[], seen: Targets) {
  const settings = row.draftState === 'pending' && row.draft !== null ? row.draft : row.settings
  const { successThreshold, thresholds } = healthReportingOf({ ...row, settings })
  const isFarEnough = (status: string) => rank(status) <= rank(successThreshold)
  const known = instancesOf(parts.store, row.id)
  return ids.flatMap((id) => {
    const target = seen.get(id)
    // One that was not checked yet is no better than one that fails.
    if (target?.state !== 'healthy')
      return target?.state === 'unhealthy' && isFarEnough('Severe')
        ? []
        : [{ id, reason: target?.reason ?? 'Target.NotRegistered' }]
    const instance = known.find(({ instanceId }) => instanceId === id)
    if (!instance) return []
    const { requests } = instanceFactsOf(parts, row, instance, { now: parts.clock.now(), target })
    const rules = { application4xx: false, balancer4xx: false }
    const failing = assessRequests(requests, { thresholds, rules, before: 'Ok' })
    const { status, causes } = worst(failing)
    return isFarEnough(status) ? [] : [{ id, reason: causes.join(' ') }]
  })
}

function commandTimeoutMs(parts: Parts, environmentId: string, deploymentId: number): number {
  const { commandTimeoutSeconds } = configurationOfSettings(deploymentOf(parts, environmentId, deploymentId))
  return commandTimeoutSeconds * 1000 + INTERNAL_TIMEOUT_MS
}

const PROCESSING_MS = 10 * 60_000
const BUILDING_MS = 60 * 60_000
/** How long a group may fail to launch instances before that is the outcome. */
const LAUNCHING_MS = 60_000
/** AWS waits for 12 checks in a row over 2 minutes; here one pass of the balancer's checks is enough, within that time. */
const HEALTHY_MS = 120_000
