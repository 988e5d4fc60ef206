// Putting a load balancer in the place of a single instance's elastic address, or the other way round. Instances stay, and
// so do the environment's names: they go to the new front once it serves; then the old one is taken away.
import type { Step } from '../../../control/workflows.ts'
import { putNames, targetsOf, wantedFront } from '../front.ts'
import { resourcesOf, targetGroupsOf } from '../store.ts'
import { awaitHealthy } from './deployment-steps.ts'
import type { Failure } from './outcome.ts'
import { detach, removeFurtherProcesses } from './processes.ts'
import { putInstanceRules } from './security-groups.ts'
import { leaveLoadBalancer } from './shared-load-balancer.ts'
import { LENIENT_MS, removeElasticAddress, removeResource } from './terminate-environment.ts'
import { current, forget, type Work } from './work.ts'

/** Gives the names to the front that the settings ask for, unless it has them. Answers why it does not serve, or null. */
export function switchFront(step: Step, work: Work): Failure | null {
  const { parts, row, configuration } = work
  const front = wantedFront(configuration)
  if (!step.do('look for another front', () => hasBoth(work))) return null
  const environmentId = row.id
  const unhealthy = awaitHealthy(parts, step, { environmentId, name: `${front} serves`, front })
  if (unhealthy.length > 0 && !configuration.ignoreHealthCheck) return { kind: 'health', front, unhealthy }
  step.do('switch front', () => {
    putNames(parts, environmentId, front, configuration.domains)
    putInstanceRules(work)
  })
  return null
}

/** Takes away the front that the settings have no use for, once what is in flight has ended; what resists is said, and tried
 *  again by the next update. The names are not there any more. */
export function removeUnusedFront(step: Step, work: Work): void {
  const { parts, row, configuration } = work
  if (!step.do('look for a front too many', () => hasBoth(work))) return
  const unused = wantedFront(configuration) === 'load balancer' ? 'elastic address' : 'load balancer'
  if (unused === 'load balancer')
    // Its targets drain, and go when nothing is in flight.
    step.do('take leave of the target group', () =>
      detach(work, Object.values(targetGroupsOf(current(parts, row.id)))),
    )
  const drained = `${unused} drained`
  step.until(
    drained,
    () => {
      const waitedMs = parts.clock.now() - step.startedAt(drained)
      return waitedMs >= SEEN_AGAIN_MS && !answersStill(work, unused) ? true : undefined
    },
    { timeoutMs: SEEN_AGAIN_MS + longestDelay(configuration) * 1000, onTimeout: () => true },
  )
  if (unused === 'elastic address') removeElasticAddress(parts, step, row.id, LENIENT)
  else removeLoadBalancer(step, work)
  // It let in who came by the front that is gone.
  step.do('revoke what let in the former front', () => putInstanceRules(work))
}

const hasBoth = ({ parts, row }: Work): boolean => {
  const { loadBalancerArn, elasticAddressId } = resourcesOf(current(parts, row.id))
  return loadBalancerArn !== undefined && elasticAddressId !== undefined
}

const longestDelay = ({ processes }: Work['configuration']) =>
  Math.max(...processes.map(({ deregistrationDelaySeconds }) => deregistrationDelaySeconds))

function answersStill({ parts, row }: Work, front: 'load balancer' | 'elastic address'): boolean {
  const now = current(parts, row.id)
  if (front === 'load balancer') return targetsOf(parts, now, front).size > 0
  const { elasticAddressId } = resourcesOf(now)
  return ((elasticAddressId && parts.cloud.ec2.elasticAddress(elasticAddressId)?.inFlight) || 0) > 0
}

function removeLoadBalancer(step: Step, { parts, row, context }: Work): void {
  const { elasticloadbalancingv2 } = parts.cloud
  const environmentId = row.id
  const remove = (
    member: 'listenerArn' | 'loadBalancerArn' | 'targetGroupArn',
    wording: string,
    deed: (arn: string) => void,
  ) => removeResource(parts, step, { environmentId, member, wording, deed }, LENIENT)
  step.do('leave a shared load balancer', () => leaveLoadBalancer({ parts, row, context }))
  remove('listenerArn', 'Load Balancer listener', (arn) =>
    elasticloadbalancingv2.deleteListener(context, { ListenerArn: arn }),
  )
  remove('loadBalancerArn', 'load balancer', (arn) =>
    elasticloadbalancingv2.deleteLoadBalancer(context, { LoadBalancerArn: arn }),
  )
  removeFurtherProcesses(step, { parts, row, context }, LENIENT_MS)
  remove('targetGroupArn', 'target group', (arn) =>
    elasticloadbalancingv2.deleteTargetGroup(context, { TargetGroupArn: arn }),
  )
  step.do('forget load balancer name', () => {
    if (!resourcesOf(current(parts, environmentId)).loadBalancerArn)
      forget(
        parts,
        environmentId,
        'loadBalancerDnsName',
        'loadBalancerName',
        'furtherListeners',
        'listenerRules',
      )
  })
}

/** The engine is looked at every two seconds. */
const SEEN_AGAIN_MS = 3_000
const LENIENT = { lenient: true }
