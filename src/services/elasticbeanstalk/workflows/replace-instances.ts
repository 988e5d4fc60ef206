// New instances for old ones, one at a time: what an instance is made of (type, disk, interpreter) has changed.
import type { Step } from '../../../control/workflows.ts'
import type { EnvironmentConfiguration } from '../configuration/types.ts'
import { ofEnvironment } from '../events.ts'
import { isGone } from '../gone.ts'
import { groupOf } from '../instances.ts'
import type { Parts } from '../parts.ts'
import { resourcesOf } from '../store.ts'
import { systemContext } from '../../service.ts'
import { awaitDeployed, awaitHealthy } from './deployment-steps.ts'
import { failureOf, type Failure } from './outcome.ts'
import { current, forget, makeLaunchConfiguration, remember, workOn } from './resources.ts'

type Replace = { environmentId: string; deploymentId: number; configuration: EnvironmentConfiguration }

export function replaceInstances(parts: Parts, step: Step, replace: Replace): Failure | null {
  const { environmentId, deploymentId, configuration } = replace
  const context = () => {
    const row = current(parts, environmentId)
    return { row, context: systemContext(row.account, row.region, row.requestId) }
  }
  const before = step.do('new launch configuration', () => {
    const { row, context: asSystem } = context()
    // An update that broke off left it behind.
    const stale = resourcesOf(row).formerLaunchConfigurationName
    if (stale !== undefined)
      isGone(() =>
        parts.cloud.autoscaling.deleteLaunchConfiguration(asSystem, { LaunchConfigurationName: stale }),
      )
    const old = resourcesOf(row).launchConfigurationName
    if (old !== undefined) remember(parts, environmentId, { formerLaunchConfigurationName: old })
    const name = makeLaunchConfiguration(workOn(parts, row, configuration))
    parts.cloud.autoscaling.updateAutoScalingGroup(asSystem, {
      AutoScalingGroupName: resourcesOf(row).autoScalingGroupName,
      LaunchConfigurationName: name,
    })
    // New instances start with it at once; old ones are not touched any more.
    parts.store.update('environment', { id: environmentId }, { targetDeploymentId: deploymentId })
    return { old: old ?? null, ids: (groupOf(parts, row)?.instances ?? []).map(({ id }) => id) }
  })

  let failure: Failure | null = null
  for (const [index, id] of before.ids.entries()) {
    step.do(`terminate ${id}`, () => {
      const { row, context: asSystem } = context()
      if (!groupOf(parts, row)?.instances.some((one) => one.id === id)) return
      parts.cloud.autoscaling.terminateInstanceInAutoScalingGroup(asSystem, {
        InstanceId: id,
        ShouldDecrementDesiredCapacity: false,
      })
    })
    const except = before.ids.slice(index + 1)
    failure = failureOf(
      awaitDeployed(parts, step, { environmentId, deploymentId, name: `replaced ${id}`, except }),
    )
    if (failure) break
    const unhealthy = awaitHealthy(parts, step, { environmentId, name: `healthy after ${id}`, except })
    if (unhealthy.length > 0 && !configuration.ignoreHealthCheck) failure = { kind: 'health', unhealthy }
    if (failure) break
  }
  // After a failure what comes later is made as before; what was replaced already stays as it is.
  step.do('delete launch configuration', () => {
    const { row, context: asSystem } = context()
    const { autoScalingGroupName, launchConfigurationName } = resourcesOf(row)
    if (before.old === null || launchConfigurationName === undefined) return
    const unused = failure ? launchConfigurationName : before.old
    if (failure) {
      parts.cloud.autoscaling.updateAutoScalingGroup(asSystem, {
        AutoScalingGroupName: autoScalingGroupName,
        LaunchConfigurationName: before.old,
      })
      remember(parts, environmentId, { launchConfigurationName: before.old })
    }
    parts.cloud.autoscaling.deleteLaunchConfiguration(asSystem, { LaunchConfigurationName: unused })
    forget(parts, environmentId, 'formerLaunchConfigurationName')
    parts.events.write(
      ofEnvironment(row),
      'INFO',
      `Deleted Auto Scaling launch configuration named: ${unused}`,
    )
  })
  return failure
}
