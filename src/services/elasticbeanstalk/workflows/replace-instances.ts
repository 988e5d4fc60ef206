// New instances for old ones, one at a time: what an instance is made of (type, disk, interpreter) has changed. The group
// gets one more first, so that nothing is terminated before a new instance was launched, and serves.
import type { Step } from '../../../control/workflows.ts'
import type { EnvironmentConfiguration } from '../configuration/types.ts'
import { ofEnvironment } from '../events.ts'
import { wantedFront } from '../front.ts'
import { isGone } from '../gone.ts'
import { groupOf, lookAfterInstances } from '../instances.ts'
import type { Parts } from '../parts.ts'
import { resourcesOf } from '../store.ts'
import { systemContext } from '../../service.ts'
import { awaitDeployed, awaitHealthy } from './deployment-steps.ts'
import { failureOf, type Failure } from './outcome.ts'
import { makeLaunchConfiguration, groupSettingsOf } from './resources.ts'
import { current, forget, remember, workOn } from './work.ts'

type Replace = { environmentId: string; deploymentId: number; configuration: EnvironmentConfiguration }
type Before = { old: string | null; ids: string[]; desired: number }

export function replaceInstances(parts: Parts, step: Step, replace: Replace): Failure | null {
  const { environmentId, deploymentId, configuration } = replace
  const before = step.do('new launch configuration', (): Before => {
    const { row, context, groupName } = here(parts, replace)
    // An update that broke off left it behind.
    const stale = resourcesOf(row).formerLaunchConfigurationName
    if (stale !== undefined)
      isGone(() =>
        parts.cloud.autoscaling.deleteLaunchConfiguration(context, { LaunchConfigurationName: stale }),
      )
    const old = resourcesOf(row).launchConfigurationName
    if (old !== undefined) remember(parts, environmentId, { formerLaunchConfigurationName: old })
    const name = makeLaunchConfiguration(workOn(parts, row, configuration))
    const group = groupOf(parts, row)
    const desired = group?.desired ?? 0
    const first = group && group.instances.length > 0 ? desired + 1 : desired
    parts.cloud.autoscaling.updateAutoScalingGroup(context, {
      AutoScalingGroupName: groupName,
      LaunchConfigurationName: name,
      MaxSize: Math.max(configuration.maxSize, first),
      DesiredCapacity: first,
    })
    // New instances start with it at once; old ones are not touched any more.
    parts.store.update('environment', { id: environmentId }, { targetDeploymentId: deploymentId })
    return { old: old ?? null, ids: (group?.instances ?? []).map(({ id }) => id), desired }
  })

  const settled = (name: string, except: string[]): Failure | null => {
    const failure = failureOf(
      awaitDeployed(parts, step, { environmentId, deploymentId, name: `deployed ${name}`, except }),
    )
    if (failure) return failure
    const front = wantedFront(configuration)
    const unhealthy = awaitHealthy(parts, step, { environmentId, name: `healthy ${name}`, except, front })
    return unhealthy.length > 0 && !configuration.ignoreHealthCheck
      ? { kind: 'health', front, unhealthy }
      : null
  }
  let failure = settled('one more', before.ids)
  for (const [index, id] of before.ids.entries()) {
    if (failure) break
    const last = index === before.ids.length - 1
    step.do(`terminate ${id}`, () => {
      // Unless somebody has asked for fewer meanwhile.
      const isOneMore = (groupOf(parts, here(parts, replace).row)?.desired ?? 0) > before.desired
      terminate(parts, replace, id, last && isOneMore)
    })
    failure = settled(`after ${id}`, before.ids.slice(index + 1))
  }
  step.do('as many as before', () => shrink(parts, replace, before, failure))
  step.do('delete launch configuration', () => deleteUnused(parts, replace, before, failure))
  return failure
}

function here(parts: Parts, { environmentId }: Replace) {
  const row = current(parts, environmentId)
  const context = systemContext(row.account, row.region, row.requestId)
  return { row, context, groupName: resourcesOf(row).autoScalingGroupName }
}

function terminate(parts: Parts, replace: Replace, id: string, decrement: boolean): void {
  const { row, context } = here(parts, replace)
  if (!groupOf(parts, row)?.instances.some((one) => one.id === id)) return
  parts.cloud.autoscaling.terminateInstanceInAutoScalingGroup(context, {
    InstanceId: id,
    ShouldDecrementDesiredCapacity: decrement,
  })
}

// After a failure the one more is the instance that failed: left to the group, an old one that serves would go.
function shrink(parts: Parts, replace: Replace, { desired }: Before, failure: Failure | null): void {
  for (const id of failedIds(failure)) {
    const group = groupOf(parts, here(parts, replace).row)
    if (group && group.desired > desired) terminate(parts, replace, id, true)
  }
  const { row, context, groupName } = here(parts, replace)
  if (groupOf(parts, row))
    parts.cloud.autoscaling.updateAutoScalingGroup(context, {
      AutoScalingGroupName: groupName,
      ...groupSettingsOf(replace.configuration),
      DesiredCapacity: desired,
    })
  lookAfterInstances(parts, row.id)
}

const failedIds = (failure: Failure | null): string[] =>
  failure?.kind === 'instances'
    ? [...failure.outcome.failed, ...failure.outcome.late]
    : failure?.kind === 'health'
      ? failure.unhealthy.map(({ id }) => id)
      : []

// After a failure what comes later is made as before; what was replaced already stays as it is.
function deleteUnused(parts: Parts, replace: Replace, { old }: Before, failure: Failure | null): void {
  const { row, context, groupName } = here(parts, replace)
  const { launchConfigurationName } = resourcesOf(row)
  if (old === null || launchConfigurationName === undefined) return
  const unused = failure ? launchConfigurationName : old
  if (failure) {
    if (groupOf(parts, row))
      parts.cloud.autoscaling.updateAutoScalingGroup(context, {
        AutoScalingGroupName: groupName,
        LaunchConfigurationName: old,
      })
    remember(parts, row.id, { launchConfigurationName: old })
  }
  parts.cloud.autoscaling.deleteLaunchConfiguration(context, { LaunchConfigurationName: unused })
  forget(parts, row.id, 'formerLaunchConfigurationName')
  parts.events.write(ofEnvironment(row), 'INFO', `Deleted Auto Scaling launch configuration named: ${unused}`)
}
