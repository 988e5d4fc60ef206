// Putting a load balancer in the place of a single instance's elastic address, or the other way round. Instances stay, and
// so do the environment's names: they go to the new front once it serves; then the old one is taken away.
import type { Step } from '../../../control/workflows.ts'
import { putNames, wantedFront } from '../front.ts'
import { isGone } from '../gone.ts'
import { resourcesOf } from '../store.ts'
import { awaitHealthy } from './deployment-steps.ts'
import type { Failure } from './outcome.ts'
import { putInstanceRules } from './security-groups.ts'
import { removeElasticAddress, removeResource } from './terminate-environment.ts'
import { current, forget, type Work } from './work.ts'

/** Gives the names to the front that the settings ask for, unless it has them. Answers why it does not serve, or null. */
export function switchFront(step: Step, work: Work): Failure | null {
  const { parts, row, configuration } = work
  const front = wantedFront(configuration)
  const needed = step.do('look for another front', () => {
    const { loadBalancerArn, elasticAddressId } = resourcesOf(current(parts, row.id))
    return loadBalancerArn !== undefined && elasticAddressId !== undefined
  })
  if (!needed) return null
  const environmentId = row.id
  const unhealthy = awaitHealthy(parts, step, { environmentId, name: `${front} serves`, front })
  if (unhealthy.length > 0 && !configuration.ignoreHealthCheck) return { kind: 'health', unhealthy }
  step.do('switch front', () => {
    putNames(parts, environmentId, front)
    putInstanceRules(work)
  })
  return null
}

/** Takes away what the settings have no use for; the names are not there any more. */
export function removeUnusedFront(step: Step, work: Work): void {
  const { parts, row, context, configuration } = work
  const { autoscaling, elasticloadbalancingv2 } = parts.cloud
  const environmentId = row.id
  if (wantedFront(configuration) === 'load balancer') return removeElasticAddress(parts, step, environmentId)
  step.do('take leave of the target group', () => {
    const { targetGroupArn, autoScalingGroupName } = resourcesOf(current(parts, environmentId))
    if (!targetGroupArn || !autoScalingGroupName) return
    const names = { AutoScalingGroupNames: [autoScalingGroupName] }
    const [group] = autoscaling.describeAutoScalingGroups(context, names).AutoScalingGroups ?? []
    if (group?.TargetGroupARNs?.includes(targetGroupArn))
      isGone(() =>
        autoscaling.detachLoadBalancerTargetGroups(context, {
          AutoScalingGroupName: autoScalingGroupName,
          TargetGroupARNs: [targetGroupArn],
        }),
      )
  })
  const remove = (
    member: 'listenerArn' | 'loadBalancerArn' | 'targetGroupArn',
    wording: string,
    deed: (arn: string) => void,
  ) => removeResource(parts, step, { environmentId, member, wording, deed })
  remove('listenerArn', 'Load Balancer listener', (arn) =>
    elasticloadbalancingv2.deleteListener(context, { ListenerArn: arn }),
  )
  remove('loadBalancerArn', 'load balancer', (arn) =>
    elasticloadbalancingv2.deleteLoadBalancer(context, { LoadBalancerArn: arn }),
  )
  step.do('forget load balancer name', () => forget(parts, environmentId, 'loadBalancerDnsName'))
  remove('targetGroupArn', 'target group', (arn) =>
    elasticloadbalancingv2.deleteTargetGroup(context, { TargetGroupArn: arn }),
  )
}
