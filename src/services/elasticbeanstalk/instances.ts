// Keeps the instances of an environment's group supplied with software, and tells what came, went, succeeded and failed.
import { DeclaredError } from '../../kernel/errors.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import { eventText, explainStart } from '../../platforms/platform.ts'
import { systemContext } from '../service.ts'
import { putDeployment } from './deployments.ts'
import { ofEnvironment } from './events.ts'
import type { Parts } from './parts.ts'
import { planAddress, planMembership, planSoftware } from './plan.ts'
import { PlatformMissing } from './software.ts'
import {
  environmentById,
  findDeployment,
  instancesOf,
  liveEnvironments,
  resourcesOf,
  type EnvironmentInstanceRow,
  type EnvironmentRow,
} from './store.ts'

export function makeInstancesReconciler(parts: Parts): Reconciler {
  const { store, log } = parts
  return {
    name: 'elasticbeanstalk.instances',
    everyMs: 5_000,
    wakes: ['environment', 'environment_instance', 'layer', ...INSTANCE_TABLES],
    // eslint-disable-next-line -- all of it is rows
    async reconcile() {
      const failed: string[] = []
      const environments = liveEnvironments(store)
      for (const row of environments) {
        try {
          store.transaction(() => lookAfterInstances(parts, row.id))
        } catch (error) {
          // One environment that cannot be looked after never delays another.
          failed.push(row.id)
          log.error('instances of an environment cannot be looked after', { environment: row.id, error })
        }
      }
      return { environments: environments.length, failed }
    },
  }
}

/** One look at one environment: rows follow its group, software is given to those whose turn it is. Joins a transaction. */
export function lookAfterInstances(parts: Parts, environmentId: string): void {
  const row = environmentById(parts.store, environmentId)
  if (!row || row.terminatedAt !== null || !resourcesOf(row).autoScalingGroupName) return
  followMembership(parts, row)
  followSoftware(parts, row)
  followAddress(parts, row)
  giveSoftware(parts, row)
}

/** Why the group could not launch an instance the last time it tried; '' when it could. */
export function launchFailure({ cloud }: Parts, row: EnvironmentRow): string {
  const context = systemContext(row.account, row.region, row.requestId)
  const { Activities = [] } = cloud.autoscaling.describeScalingActivities(context, {
    AutoScalingGroupName: resourcesOf(row).autoScalingGroupName,
  })
  const last = Activities[0] // newest first
  return last?.StatusCode === 'Failed' ? (last.StatusMessage ?? '') : ''
}

/** Instances of the group that are not on their way out. */
export function groupOf({ cloud }: Parts, row: EnvironmentRow) {
  const name = resourcesOf(row).autoScalingGroupName
  if (!name) return undefined
  const context = systemContext(row.account, row.region, row.requestId)
  const { AutoScalingGroups = [] } = cloud.autoscaling.describeAutoScalingGroups(context, {
    AutoScalingGroupNames: [name],
  })
  const group = AutoScalingGroups[0]
  if (!group) return undefined
  const instances = (group.Instances ?? []).flatMap(({ InstanceId, LifecycleState = '' }) =>
    InstanceId && !LEAVING.test(LifecycleState)
      ? [{ id: InstanceId, inService: LifecycleState === 'InService' }]
      : [],
  )
  return {
    instances,
    desired: group.DesiredCapacity ?? 0,
    minSize: group.MinSize ?? 0,
    maxSize: group.MaxSize ?? 0,
  }
}

function followMembership(parts: Parts, row: EnvironmentRow): void {
  const { store, events, clock } = parts
  const listed = groupOf(parts, row)?.instances.map(({ id }) => id) ?? []
  const { added, removed } = planMembership(listed, instancesOf(store, row.id))
  for (const instanceId of added)
    store.insert('environment_instance', {
      environmentId: row.id,
      instanceId,
      deploymentId: null,
      revision: null,
      state: 'Pending',
      output: '',
      deployedAt: null,
      outOfServiceSince: null,
      healthStatus: 'Pending',
      causes: '[]',
      launchedAt: clock.now(),
    })
  for (const instanceId of removed)
    store.remove('environment_instance', { environmentId: row.id, instanceId })
  // AWS: these carry no request id, whatever caused them (clients.md §1c).
  const subject = ofEnvironment(row, null)
  if (added.length > 0) events.write(subject, 'INFO', `Added ${these(added)} to your environment.`)
  if (removed.length > 0) events.write(subject, 'INFO', `Removed ${these(removed)} from your environment.`)
}

function followSoftware(parts: Parts, row: EnvironmentRow): void {
  const { store, cloud, clock } = parts
  const context = systemContext(row.account, row.region, row.requestId)
  for (const instance of instancesOf(store, row.id)) {
    // One that failed may come right: the engine goes on trying, and asks again after each start.
    if (instance.state !== 'In Progress' && instance.state !== 'Failed') continue
    const software = cloud.ec2.instanceSoftware(context, instance.instanceId)
    if (!software || software.state === 'pending' || software.revision !== instance.revision) continue
    const state = software.state === 'applied' ? 'Deployed' : 'Failed'
    if (state === instance.state) continue
    store.update(
      'environment_instance',
      { environmentId: row.id, instanceId: instance.instanceId },
      { state, output: software.output, deployedAt: clock.now() },
    )
    tellOutcome(parts, row, instance, software)
  }
}

// The elastic address of a single instance goes where requests should: also while a new instance takes the place of the old.
function followAddress({ store, cloud }: Parts, row: EnvironmentRow): void {
  const { elasticAddressId } = resourcesOf(row)
  const address = elasticAddressId ? cloud.ec2.elasticAddress(elasticAddressId) : undefined
  const wanted = address && planAddress(instancesOf(store, row.id))
  if (wanted === undefined || wanted === address?.associatedWith) return
  const context = systemContext(row.account, row.region, row.requestId)
  const association = { AllocationId: elasticAddressId, InstanceId: wanted, AllowReassociation: true }
  try {
    cloud.ec2.associateAddress(context, association)
  } catch (error) {
    // It is on its way out, and the group does not know yet.
    if (!(error instanceof DeclaredError) || error.code !== 'InvalidInstanceID') throw error
  }
}

function tellOutcome(
  { store, events }: Parts,
  row: EnvironmentRow,
  { instanceId, deploymentId }: EnvironmentInstanceRow,
  { state, output }: { state: string; output: string },
): void {
  const subject = ofEnvironment(row, findDeployment(store, row.id, deploymentId)?.requestId ?? row.requestId)
  if (state === 'applied') return events.write(subject, 'INFO', 'Instance deployment completed successfully.')
  events.write(subject, 'ERROR', "Instance deployment failed. For details, see 'eb-engine.log'.")
  // AWS stops after "encountered an error.."; the reason itself follows here (pain 4 of the reference).
  events.write(
    subject,
    'ERROR',
    `[Instance: ${instanceId}] Command failed on instance. Return code: 1 Output: Engine execution has encountered an error..\n` +
      eventText(explainStart(output)),
  )
}

function giveSoftware(parts: Parts, before: EnvironmentRow): void {
  const { store } = parts
  const row = environmentById(store, before.id) ?? before
  const ids = planSoftware(row, instancesOf(store, row.id))
  const deployment = findDeployment(store, row.id, row.targetDeploymentId)
  if (ids.length === 0 || !deployment) return
  try {
    putDeployment(parts, row, deployment, ids)
  } catch (error) {
    if (!(error instanceof PlatformMissing)) throw error
    tellAtTimes(parts, row, `The application cannot be put on ${these(ids)}: ${error.message}`)
  }
}

/** It is tried again every few seconds. */
function tellAtTimes({ store, events, clock }: Parts, row: EnvironmentRow, message: string): void {
  const told = store.get(
    'select 1 from event where environment_id = :id and message = :message and at > :since',
    { id: row.id, message, since: clock.now() - TOLD_EVERY_MS },
  )
  if (!told) events.write(ofEnvironment(row, null), 'ERROR', message)
}

const these = (ids: string[]) => `${ids.length === 1 ? 'instance' : 'instances'} [${ids.join(', ')}]`

const TOLD_EVERY_MS = 60 * 60_000
const LEAVING = /^(Terminating|Terminated|Detaching|Detached)/
const INSTANCE_TABLES = [
  'ec2_instance',
  'ec2_address',
  'ec2_instance_software',
  'autoscaling_group',
  'autoscaling_instance',
]
