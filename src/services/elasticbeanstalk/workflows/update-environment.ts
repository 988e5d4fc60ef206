// Updating an environment: settings in place, a deployment on all instances at once, or new instances one at a time.
import type { Step, Workflow } from '../../../control/workflows.ts'
import { DeclaredError } from '../../../kernel/errors.ts'
import { refreshHealth } from '../assess-environment.ts'
import {
  beginDeployment,
  endDeployment,
  layersOutcome,
  prepareDeployment,
  putDeployment,
} from '../deployments.ts'
import type { EnvironmentConfiguration } from '../configuration/types.ts'
import { ofEnvironment } from '../events.ts'
import { putNames, wantedFront } from '../front.ts'
import { lookAfterInstances } from '../instances.ts'
import type { Parts } from '../parts.ts'
import { configurationOfSettings } from '../software.ts'
import {
  environmentById,
  findDeployment,
  instancesOf,
  replacedIn,
  resourcesOf,
  type EnvironmentRow,
} from '../store.ts'
import { awaitDeployed, awaitHealthy, buildLayers, deploymentOf } from './deployment-steps.ts'
import { repairResources } from './make-resources.ts'
import { failureOf, tellFailure, type Failure } from './outcome.ts'
import { removeUnusedProcesses, switchProcesses, takeBackProcesses } from './processes.ts'
import { replaceInstances } from './replace-instances.ts'
import { applySettings } from './resources.ts'
import { removeUnusedGroups } from './security-groups.ts'
import { removeUnusedFront, switchFront } from './switch-front.ts'
import { current, workOn } from './work.ts'

export type UpdateParams = {
  environmentId: string
  /** null when nothing on the instances changes. */
  deploymentId: number | null
  change: { version: boolean; settings: boolean; replaces: boolean }
  restart: boolean
  platform?: { arn: string; stackName: string } | null
}

export function makeUpdateWorkflow(parts: Parts): Workflow<UpdateParams> {
  const { store, events } = parts
  return {
    kind: 'elasticbeanstalk.update-environment',
    version: 1,
    run(step, params) {
      const { environmentId, deploymentId, change } = params
      const row = current(parts, environmentId)
      if (change.settings)
        step.do('announce settings', () =>
          events.write(
            ofEnvironment(row),
            'INFO',
            `Updating environment ${row.name}'s configuration settings.`,
          ),
        )
      const target = step.do('target', () => draftOf(row))
      const before = step.do('settings of before', () => draftOf({ ...row, draftState: null }))
      const wanted = configurationOfSettings(target)
      const failure =
        carryOut(parts, step, params, wanted) ??
        finishProcesses(parts, step, environmentId, wanted) ??
        switchFront(step, workOn(parts, row, wanted))
      const holding = configurationOfSettings(failure ? before : target)
      const remove = () => removeUnused(parts, step, params, holding)
      if (!failure) remove()
      step.do('end', () => (failure ? fail(parts, params, failure) : succeed(parts, params)))
      if (failure && change.settings) {
        if (deploymentId !== null) revert(parts, step, params)
        else
          step.do('take settings back', () => {
            applyStored(parts, environmentId)
            tellReverted(parts, environmentId)
          })
      }
      if (failure) remove()
      step.do('ready', () => becomeReady(parts, params, failure))
    },

    failed(params, failure) {
      const row = environmentById(store, params.environmentId)
      if (!row || row.status !== 'Updating') return
      events.write(ofEnvironment(row), 'ERROR', `The update could not be carried out: ${failure}`)
      fail(parts, params, null)
      takeBackHolds(parts, params.environmentId)
      const { front } = resourcesOf(row)
      if (front) putNames(parts, row.id, front)
      becomeReady(parts, params, { kind: 'build', versionLabel: '', problem: failure })
    },
  }
}

function carryOut(
  parts: Parts,
  step: Step,
  params: UpdateParams,
  configuration: EnvironmentConfiguration,
): Failure | null {
  const { environmentId, change } = params
  const { events } = parts
  const row = current(parts, environmentId)
  if (change.version)
    step.do('announce version', () =>
      events.write(ofEnvironment(row), 'INFO', 'Deploying new version to instance(s).'),
    )
  const repaired = repairResources(step, workOn(parts, row, configuration))
  if (params.deploymentId !== null) {
    const { versionLabel } = deploymentOf(parts, environmentId, params.deploymentId)
    const problem = buildLayers(parts, step, environmentId, params.deploymentId)
    if (problem !== null) return { kind: 'build', versionLabel, problem }
  }
  if (change.settings)
    step.do('apply settings', () => applySettings(workOn(parts, row, configuration), { holds: true }))
  if (params.deploymentId === null && !repaired) return null

  // New instances of a repaired environment get what runs now.
  const deploymentId = params.deploymentId ?? step.do('running deployment', () => row.targetDeploymentId)
  if (change.replaces) return replaceInstances(parts, step, { environmentId, deploymentId, configuration })
  if (params.deploymentId !== null) step.do('deploy', () => deployToAll(parts, environmentId, deploymentId))
  const failure = failureOf(awaitDeployed(parts, step, { environmentId, deploymentId, name: 'deployed' }))
  if (failure || configuration.ignoreHealthCheck) return failure
  const front = wantedFront(configuration)
  const unhealthy = awaitHealthy(parts, step, { environmentId, name: 'healthy', front })
  return unhealthy.length > 0 ? { kind: 'health', front, unhealthy } : null
}

/** Gives processes of another port or protocol their requests, once they are healthy there. */
function finishProcesses(
  parts: Parts,
  step: Step,
  environmentId: string,
  configuration: EnvironmentConfiguration,
): Failure | null {
  const isReplaced = () => Object.keys(replacedIn(current(parts, environmentId))).length > 0
  if (!step.do('look for replaced processes', isReplaced)) return null
  const front = 'load balancer'
  const unhealthy = awaitHealthy(parts, step, {
    environmentId,
    name: 'processes are healthy',
    front,
    next: true,
  })
  if (unhealthy.length > 0 && !configuration.ignoreHealthCheck) return { kind: 'health', front, unhealthy }
  step.do('switch processes', () => {
    const work = workOn(parts, current(parts, environmentId), configuration)
    switchProcesses(work)
    applySettings(work)
  })
  return null
}

// Requests are where they were before. What an update that died on its way cannot put right the next one does.
function takeBackHolds(parts: Parts, environmentId: string): void {
  const row = current(parts, environmentId)
  if (!takeBackProcesses({ parts, row })) return
  try {
    applyStored(parts, environmentId)
  } catch (error) {
    if (!(error instanceof DeclaredError)) throw error
  }
}

function applyStored(parts: Parts, environmentId: string): void {
  const row = current(parts, environmentId)
  applySettings(workOn(parts, row, configurationOfSettings(row)))
}

// Before the update ends, as CloudFormation cleans up before it reports success. Old instances give their groups back when
// they are gone.
function removeUnused(
  parts: Parts,
  step: Step,
  { environmentId, change }: UpdateParams,
  configuration: EnvironmentConfiguration,
): void {
  const work = () => workOn(parts, current(parts, environmentId), configuration)
  removeUnusedFront(step, work())
  removeUnusedProcesses(step, work())
  if (!change.settings) return
  const remove = () => removeUnusedGroups(work())
  step.until('remove unused security groups', remove, { timeoutMs: 10 * 60_000, onTimeout: () => true })
}

/** AllAtOnce: every instance that is there; those that come later get it as the environment's target. */
function deployToAll(parts: Parts, environmentId: string, deploymentId: number): void {
  const { store } = parts
  store.update('environment', { id: environmentId }, { targetDeploymentId: deploymentId })
  lookAfterInstances(parts, environmentId)
  const older = instancesOf(store, environmentId).filter((one) => (one.deploymentId ?? 0) < deploymentId)
  const ids = older.map(({ instanceId }) => instanceId)
  const deployment = deploymentOf(parts, environmentId, deploymentId)
  if (!putDeployment(parts, current(parts, environmentId), deployment, ids))
    throw new Error(`the layers of deployment ${deploymentId} are gone`)
}

// The settings and the platform that this update brings.
function draftOf(row: EnvironmentRow) {
  return {
    settings: row.draftState === 'pending' && row.draft !== null ? row.draft : row.settings,
    platformArn: row.platformArn,
  }
}

function succeed(parts: Parts, params: UpdateParams): void {
  const { store, events } = parts
  const { environmentId, deploymentId, change, platform } = params
  const row = current(parts, environmentId)
  store.update(
    'environment',
    { id: environmentId },
    {
      ...draftOf(row),
      draft: null,
      draftState: null,
      draftAt: null,
      ...(platform ? { platformArn: platform.arn, solutionStackName: platform.stackName } : {}),
      ...(deploymentId === null
        ? {}
        : { expectedDeploymentId: deploymentId, targetDeploymentId: deploymentId }),
    },
  )
  if (deploymentId !== null)
    endDeployment(parts, { environmentId, id: deploymentId }, { state: 'deployed', reason: null })
  const tell = (text: string) => events.write(ofEnvironment(row), 'INFO', text)
  if (change.version) tell('New application version was deployed to running EC2 instances.')
  if (change.settings) tell('Successfully deployed new configuration to environment.')
  tell(
    params.restart
      ? 'restartAppServer completed successfully.'
      : 'Environment update completed successfully.',
  )
}

function fail(parts: Parts, params: UpdateParams, failure: Failure | null): void {
  const { store, events } = parts
  const { environmentId, deploymentId, change, restart } = params
  const row = current(parts, environmentId)
  if (failure) tellFailure(parts, row, failure)
  const expected = findDeployment(store, environmentId, row.expectedDeploymentId)
  if (deploymentId !== null)
    endDeployment(
      parts,
      { environmentId, id: deploymentId },
      { state: 'failed', reason: failure?.kind ?? 'failed' },
    )
  store.update(
    'environment',
    { id: environmentId },
    {
      versionLabel: expected?.versionLabel ?? row.versionLabel,
      // New instances get what worked last; without that, what was tried last.
      targetDeploymentId: row.expectedDeploymentId ?? row.targetDeploymentId,
      ...(change.settings ? { draftState: 'failed' } : {}),
    },
  )
  const tell = (text: string) => events.write(ofEnvironment(row), 'ERROR', text)
  if (restart) return tell('Failed to restart the application server.')
  if (!change.version) return tell('Failed to deploy configuration.')
  tell('Failed to deploy application.')
  if (failure?.kind === 'instances')
    tell(
      'During an aborted deployment, some instances may have deployed the new application version. To ensure all ' +
        'instances are running the same version, re-deploy the appropriate application version.',
    )
}

/** AWS takes settings back when they could not be deployed; the application of before runs on with those of before. */
function revert(parts: Parts, step: Step, { environmentId, deploymentId }: UpdateParams): void {
  const { store } = parts
  const began = step.do('begin revert', () => {
    applyStored(parts, environmentId)
    const row = current(parts, environmentId)
    const expected = findDeployment(store, environmentId, row.expectedDeploymentId)
    const touched = instancesOf(store, environmentId).some((one) => one.deploymentId === deploymentId)
    if (!expected || !touched) return null
    const { versionLabel, settings, platformArn } = expected
    const id = beginDeployment(parts, row, { versionLabel, settings, platformArn })
    const deployment = deploymentOf(parts, environmentId, id)
    return prepareDeployment(parts, row, deployment).kind === 'prepared' ? id : null
  })
  if (began !== null) {
    const built = step.until(
      'layers of before',
      () => layersOutcome(parts, deploymentOf(parts, environmentId, began)),
      REVERT,
    )
    if (!built.failed) {
      step.do('deploy what was before', () => deployToAll(parts, environmentId, began))
      const failure = failureOf(
        awaitDeployed(parts, step, { environmentId, deploymentId: began, name: 'reverted' }),
      )
      step.do('end revert', () => {
        endDeployment(
          parts,
          { environmentId, id: began },
          { state: failure ? 'failed' : 'deployed', reason: null },
        )
        // It holds what the expected one holds, so it takes its place even where an instance did not come back.
        store.update('environment', { id: environmentId }, { expectedDeploymentId: began })
      })
    }
  }
  step.do('tell revert', () => tellReverted(parts, environmentId))
}

function tellReverted(parts: Parts, environmentId: string): void {
  const text = 'The environment was reverted to the previous configuration setting.'
  parts.events.write(ofEnvironment(current(parts, environmentId)), 'ERROR', text)
}

function becomeReady(parts: Parts, { environmentId }: UpdateParams, failure: Failure | null): void {
  const { store, clock } = parts
  const now = clock.now()
  store.update('environment', { id: environmentId }, { status: 'Ready', updatedAt: now, statusSince: now })
  lookAfterInstances(parts, environmentId)
  if (!failure) retireDeployments(parts, environmentId)
  refreshHealth(parts, environmentId)
}

// Only what an instance or the environment still names is worth keeping.
function retireDeployments({ store }: Parts, environmentId: string): void {
  store.run(
    `delete from deployment where environment_id = :environmentId and id < (select min(deployment_id) from (
       select coalesce(deployment_id, 1 << 30) as deployment_id from environment_instance where environment_id = :environmentId
       union select expected_deployment_id - 1 from environment where id = :environmentId))`,
    { environmentId },
  )
}

const REVERT = { timeoutMs: 30 * 60_000, onTimeout: () => ({ failed: null }) }
