// Taking an environment down: every thing is deleted by its own service, in the order in which they depend on each
// other, and each is waited for. A run that is repeated finds nothing left to do in what was done.
import type { Step, Workflow } from '../../../control/workflows.ts'
import { DeclaredError } from '../../../kernel/errors.ts'
import { systemContext } from '../../service.ts'
import { refreshHealth } from '../assess-environment.ts'
import { ofEnvironment } from '../events.ts'
import { isGone } from '../gone.ts'
import { lookAfterInstances } from '../instances.ts'
import { environmentArn } from '../names.ts'
import { removeTags } from '../operations/tags.ts'
import type { Parts } from '../parts.ts'
import { environmentById, resourcesOf, type EnvironmentResources } from '../store.ts'
import { removeStreamed } from '../streaming/remove.ts'
import { removeFurtherProcesses } from './processes.ts'
import { ALARMS, POLICIES, removeAlarm, removePolicy } from './scaling.ts'
import { leaveLoadBalancer } from './shared-load-balancer.ts'
import { groupsNaming, revokeInstanceRules, stillNamed } from './security-groups.ts'
import { current, forget, type Work } from './work.ts'

type Params = { environmentId: string }

export function makeTerminateWorkflow(parts: Parts): Workflow<Params> {
  const { store, clock, events, cloud } = parts
  return {
    kind: 'elasticbeanstalk.terminate-environment',
    version: 1,
    run(step, { environmentId }) {
      const row = current(parts, environmentId)
      const context = systemContext(row.account, row.region, row.requestId)
      const tell = (text: string) => events.write(ofEnvironment(row), 'INFO', text)
      const remove = (member: keyof EnvironmentResources, wording: string, deed: (name: string) => void) =>
        removeResource(parts, step, { environmentId, member, wording, deed })

      step.do('remove what scales the group', () => {
        for (const member of ALARMS) removeAlarm({ parts, row, context }, member)
        for (const member of POLICIES) removePolicy({ parts, row, context }, member)
      })
      const group = step.do('ask group to go', () => {
        const name = resourcesOf(row).autoScalingGroupName
        if (!name) return null
        tell('Waiting for EC2 instances to terminate. This may take a few minutes.')
        // What somebody else deleted already is as good as deleted.
        isGone(() =>
          cloud.autoscaling.deleteAutoScalingGroup(context, {
            AutoScalingGroupName: name,
            ForceDelete: true,
          }),
        )
        return name
      })
      if (group !== null) {
        step.until(
          'group is gone',
          () => {
            const { AutoScalingGroups = [] } = cloud.autoscaling.describeAutoScalingGroups(context, {
              AutoScalingGroupNames: [group],
            })
            return AutoScalingGroups.length === 0 ? true : undefined
          },
          PATIENCE,
        )
        step.do('forget group', () => {
          lookAfterInstances(parts, environmentId)
          forget(parts, environmentId, 'autoScalingGroupName')
          tell(`Deleted Auto Scaling group named: ${group}`)
        })
      }
      for (const member of ['launchConfigurationName', 'formerLaunchConfigurationName'] as const)
        remove(member, 'Auto Scaling launch configuration', (name) =>
          cloud.autoscaling.deleteLaunchConfiguration(context, { LaunchConfigurationName: name }),
        )
      removeElasticAddress(parts, step, environmentId)
      remove('listenerArn', 'Load Balancer listener', (arn) =>
        cloud.elasticloadbalancingv2.deleteListener(context, { ListenerArn: arn }),
      )
      step.do('leave a shared load balancer', () => leaveLoadBalancer({ parts, row, context }))
      // The load balancer's group is named by them.
      step.do('revoke rules', () => revokeInstanceRules({ parts, row, context }))
      const deleteGroup = (id: string) => cloud.ec2.deleteSecurityGroup(context, { GroupId: id })
      const removeGroup = (member: SecurityGroupMember) =>
        step.do(`try to remove ${member}`, () => tellWhoNames({ parts, row, context }, member)) ||
        remove(member, 'security group', deleteGroup)
      removeGroup('instanceSecurityGroupId')
      remove('loadBalancerArn', 'load balancer', (arn) =>
        cloud.elasticloadbalancingv2.deleteLoadBalancer(context, { LoadBalancerArn: arn }),
      )
      removeFurtherProcesses(step, { parts, row, context }, PATIENCE.timeoutMs)
      remove('targetGroupArn', 'target group', (arn) =>
        cloud.elasticloadbalancingv2.deleteTargetGroup(context, { TargetGroupArn: arn }),
      )
      removeGroup('loadBalancerSecurityGroupId')
      // A group that somebody else's rule names keeps nothing else from going; it goes when that rule does.
      for (const member of SECURITY_GROUPS) remove(member, 'security group', deleteGroup)
      step.do('terminated', () => {
        const now = clock.now()
        store.run('delete from environment_instance where environment_id = :environmentId', { environmentId })
        store.update(
          'environment',
          { id: environmentId },
          {
            status: 'Terminated',
            terminatedAt: now,
            updatedAt: now,
            statusSince: now,
            resources: '{}',
            abortable: 0,
          },
        )
        refreshHealth(parts, environmentId)
        removeTags(store, environmentArn(row))
        removeStreamed(parts, row)
        tell('terminateEnvironment completed successfully.')
      })
    },

    // Nothing is undone: what is left can be removed by another TerminateEnvironment.
    failed({ environmentId }, failure) {
      const row = environmentById(store, environmentId)
      if (!row || row.status !== 'Terminating') return
      events.write(ofEnvironment(row), 'ERROR', `Failed to terminate environment: ${failure}`)
      store.update('environment', { id: environmentId }, { status: 'Ready', updatedAt: clock.now() })
    },
  }
}

const SECURITY_GROUPS = ['instanceSecurityGroupId', 'loadBalancerSecurityGroupId'] as const
type SecurityGroupMember = (typeof SECURITY_GROUPS)[number]
type Removing = Pick<Work, 'parts' | 'row' | 'context'>

/** Answers whether a rule of another group keeps it from being removed; says which. */
function tellWhoNames({ parts, row, context }: Removing, member: SecurityGroupMember): boolean {
  const resources = resourcesOf(current(parts, row.id))
  const id = resources[member]
  const naming = id === undefined ? [] : groupsNaming({ parts, context }, id)
  if (id === undefined || naming.length === 0) return false
  const others = naming.filter((one) => SECURITY_GROUPS.every((own) => resources[own] !== one))
  const name = member === 'instanceSecurityGroupId' ? (resources.instanceSecurityGroupName ?? id) : id
  if (others.length > 0) parts.events.write(ofEnvironment(row), 'ERROR', stillNamed(name, others))
  return true
}

type Removal = {
  environmentId: string
  member: keyof EnvironmentResources
  wording: string
  deed(name: string): void
}

/** Deletes one thing, again and again while something still uses it; says so once it is gone. `lenient`: what resists is said,
 *  and stays. */
export function removeResource(
  parts: Parts,
  step: Step,
  { environmentId, member, wording, deed }: Removal,
  { lenient = false } = {},
): void {
  step.until(
    `remove ${member}`,
    () => {
      const row = current(parts, environmentId)
      const name = resourcesOf(row)[member]
      if (name === undefined) return true
      try {
        isGone(() => deed(name))
      } catch (error) {
        if (!(error instanceof DeclaredError)) throw error
        if (STILL_USED.test(error.code)) return undefined
        if (!lenient) throw error
        const text = `Deleting ${wording} named: ${name} failed Reason: ${error.message}`
        parts.events.write(ofEnvironment(row), 'WARN', text)
        return true
      }
      const { instanceSecurityGroupName, elasticAddress, loadBalancerName } = resourcesOf(row)
      const shown: Partial<Record<keyof EnvironmentResources, string | undefined>> = {
        instanceSecurityGroupId: instanceSecurityGroupName,
        elasticAddressId: elasticAddress,
        loadBalancerArn: loadBalancerName,
      }
      forget(parts, environmentId, member)
      // What a classic load balancer consists of is told to nobody.
      if (loadBalancerName === undefined || (member !== 'listenerArn' && member !== 'targetGroupArn'))
        parts.events.write(ofEnvironment(row), 'INFO', `Deleted ${wording} named: ${shown[member] ?? name}`)
      return true
    },
    lenient ? { timeoutMs: LENIENT_MS, onTimeout: () => true } : PATIENCE,
  )
}

/** Gives the elastic address of an environment back, whatever it leads to. */
export function removeElasticAddress(
  parts: Parts,
  step: Step,
  environmentId: string,
  options: { lenient?: boolean } = {},
): void {
  const { ec2 } = parts.cloud
  const deed = (AllocationId: string) => {
    const row = current(parts, environmentId)
    const context = systemContext(row.account, row.region, row.requestId)
    const { Addresses = [] } = ec2.describeAddresses(context, { AllocationIds: [AllocationId] })
    const { AssociationId } = Addresses[0] ?? {}
    if (AssociationId) ec2.disassociateAddress(context, { AssociationId })
    ec2.releaseAddress(context, { AllocationId })
  }
  removeResource(parts, step, { environmentId, member: 'elasticAddressId', wording: 'EIP', deed }, options)
  step.do('forget elastic address', () => {
    if (!resourcesOf(current(parts, environmentId)).elasticAddressId)
      forget(parts, environmentId, 'elasticAddress')
  })
}

const STILL_USED = /DependencyViolation|ResourceInUse|InUse|ScalingActivityInProgress/
export const LENIENT_MS = 5 * 60_000
const PATIENCE = { timeoutMs: 60 * 60_000 }
