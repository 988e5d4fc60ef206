// What an environment is composed of, in the order in which one thing needs the other. A launch makes all of it; an update
// makes what a failed launch, or somebody's own hand, left missing.
import type { Step } from '../../../control/workflows.ts'
import { isGone } from '../gone.ts'
import { groupOf } from '../instances.ts'
import { putNames, wantedFront } from '../front.ts'
import { resourcesOf, type EnvironmentResources } from '../store.ts'
import { putDefaultListener, putListeners } from './listeners.ts'
import { putProcesses } from './processes.ts'
import {
  makeAutoScalingGroup,
  makeElasticAddress,
  makeLaunchConfiguration,
  makeLoadBalancer,
  makeStorage,
} from './resources.ts'
import { putScaling } from './scaling.ts'
import { putScheduledActions } from './scheduled-actions.ts'
import { joinLoadBalancer, leaveGroupOfOthers } from './shared-load-balancer.ts'
import { makeInstanceSecurityGroup, makeLoadBalancerSecurityGroup, WANTED } from './security-groups.ts'
import { current, forget, type Work } from './work.ts'

type Making = {
  name: string
  member: keyof EnvironmentResources
  make(work: Work): void
  /** Not asked: always. */
  wanted?(configuration: Work['configuration']): boolean
}

const isLoadBalanced = ({ loadBalanced }: Work['configuration']) => loadBalanced

const MAKINGS: Making[] = [
  { name: 'target group', member: 'targetGroupArn', make: putProcesses, wanted: isLoadBalanced },
  {
    name: 'load balancer security group',
    member: 'loadBalancerSecurityGroupId',
    make: makeLoadBalancerSecurityGroup,
    wanted: WANTED.loadBalancerSecurityGroupId,
  },
  {
    name: 'instance security group',
    member: 'instanceSecurityGroupId',
    make: makeInstanceSecurityGroup,
    wanted: WANTED.instanceSecurityGroupId,
  },
  {
    name: 'launch configuration',
    member: 'launchConfigurationName',
    make: (work) => void makeLaunchConfiguration(work),
  },
  { name: 'auto scaling group', member: 'autoScalingGroupName', make: makeAutoScalingGroup },
  {
    name: 'load balancer',
    member: 'loadBalancerArn',
    make: (work) =>
      (work.configuration.sharedLoadBalancer === '' ? makeLoadBalancer : joinLoadBalancer)(work),
    wanted: isLoadBalanced,
  },
  {
    name: 'listener',
    member: 'listenerArn',
    make: putDefaultListener,
    wanted: ({ loadBalanced, defaultListener }) => loadBalanced && defaultListener !== null,
  },
  {
    name: 'elastic address',
    member: 'elasticAddressId',
    make: makeElasticAddress,
    wanted: (configuration) => !isLoadBalanced(configuration),
  },
]

/** One step for each thing; what is remembered already is left alone. */
export function makeResources(step: Step, work: Work): void {
  for (const making of MAKINGS) {
    step.do(making.name, () => {
      if (lacks(work, making)) making.make(work)
    })
    if (making.member === 'autoScalingGroupName') step.do('scaling policies', () => putScaling(work))
  }
  // Alarms about the load balancer wait for it.
  step.do('scaling by the load balancer', () => putScaling(work))
  step.do('scheduled actions', () => putScheduledActions(work))
  step.do('further listeners', () => putListeners(work))
  // While one front is put in the place of the other, the one that serves keeps them until the other one serves.
  step.do('names', () => {
    const { loadBalancerArn, elasticAddressId } = remembered(work)
    if (!loadBalancerArn || !elasticAddressId)
      putNames(work.parts, work.row.id, wantedFront(work.configuration), work.configuration.domains)
  })
}

const lacks = (work: Work, { member, wanted = () => true }: Making) =>
  wanted(work.configuration) && remembered(work)[member] === undefined

/** Makes what is not there; answers whether anything was missing that new instances or their traffic need. */
export function repairResources(step: Step, work: Work): boolean {
  const missing = step.do('look for what is missing', () => {
    forgetGone(work)
    const missing = MAKINGS.filter((making) => lacks(work, making)).map(({ name }) => name)
    // A launch that failed on its way came to no names.
    return remembered(work).front === undefined ? [...missing, 'names'] : missing
  })
  if (missing.length === 0) {
    step.do('scaling policies', () => putScaling(work))
    step.do('scheduled actions', () => putScheduledActions(work))
    return false
  }
  // A group of its own is missing where settings begin to ask for it, with everything else in place.
  const repairs = missing.some((name) => !name.endsWith('security group'))
  if (missing.includes('auto scaling group')) step.do('storage', () => makeStorage(work))
  makeResources(step, work)
  return repairs
}

// Things that a user can delete behind an environment's back while it lives. Its target group and its security groups
// are in use by these, and a launch configuration by the group.
function forgetGone(work: Work): void {
  const { parts, row, context } = work
  const { autoScalingGroupName, loadBalancerArn, listenerArn, elasticAddressId } = remembered(work)
  const { sharesLoadBalancer, loadBalancerSecurityGroupId } = remembered(work)
  const { elasticloadbalancingv2 } = parts.cloud
  if (autoScalingGroupName && !groupOf(parts, row))
    forget(parts, row.id, 'autoScalingGroupName', 'groupSettings')
  if (
    listenerArn &&
    isGone(() => elasticloadbalancingv2.describeListeners(context, { ListenerArns: [listenerArn] }))
  )
    forget(parts, row.id, 'listenerArn')
  if (
    loadBalancerArn &&
    isGone(() =>
      elasticloadbalancingv2.describeLoadBalancers(context, { LoadBalancerArns: [loadBalancerArn] }),
    )
  ) {
    if (sharesLoadBalancer && loadBalancerSecurityGroupId)
      leaveGroupOfOthers(work, loadBalancerSecurityGroupId)
    forget(
      ...([parts, row.id, 'loadBalancerArn', 'loadBalancerDnsName', 'loadBalancerName'] as const),
      ...(['sharesLoadBalancer', 'openedPorts', 'listenerArn', 'furtherListeners', 'listenerRules'] as const),
    )
  }
  if (elasticAddressId && !parts.cloud.ec2.elasticAddress(elasticAddressId))
    forget(parts, row.id, 'elasticAddressId', 'elasticAddress')
}

const remembered = ({ parts, row }: Work) => resourcesOf(current(parts, row.id))
