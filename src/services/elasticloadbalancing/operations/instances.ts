import type { Instance, InstanceState } from '@aws-sdk/client-elastic-load-balancing'
import type { TargetHealth } from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { Context } from '../../context.ts'
import type { ElasticloadbalancingOperations } from '../../generated/elasticloadbalancing.ts'
import { type ElbDeps, type Named, partsOf, requireNamed } from '../load-balancers.ts'

type Implemented = Pick<
  ElasticloadbalancingOperations,
  'registerInstancesWithLoadBalancer' | 'deregisterInstancesFromLoadBalancer'
>

export function makeInstanceOperations(deps: ElbDeps): Implemented {
  const { elasticloadbalancingv2: elb } = deps.cloud
  const each = (
    context: Context,
    {
      LoadBalancerName,
      Instances,
    }: { LoadBalancerName: string | undefined; Instances: Instance[] | undefined },
    deed: (input: { TargetGroupArn: string | undefined; Targets: { Id: string }[] }) => unknown,
  ) => {
    const named = requireNamed(deps, context, LoadBalancerName)
    const Targets = idsOf(Instances ?? []).map((Id) => ({ Id }))
    for (const { TargetGroupArn } of partsOf(deps, context, named).targetGroups)
      try {
        deed({ TargetGroupArn, Targets })
      } catch (error) {
        if (!(error instanceof DeclaredError) || error.code !== 'InvalidTarget') throw error
        throw new DeclaredError('InvalidInstance', error.message)
      }
    return {
      Instances: [...statesOf(deps, context, named).keys()].sort().map((InstanceId) => ({ InstanceId })),
    }
  }
  return {
    registerInstancesWithLoadBalancer: (context, input) =>
      each(context, input, (to) => elb.registerTargets(context, to)),
    deregisterInstancesFromLoadBalancer: (context, input) =>
      each(context, input, (from) => elb.deregisterTargets(context, from)),
  }
}

export const idsOf = (instances: Instance[]) => [
  ...new Set(instances.map(({ InstanceId = '' }) => InstanceId)),
]

type State = Omit<InstanceState, 'InstanceId'>

/** By instance: in service is who is healthy at each port. Those that leave are not there any more. */
export function statesOf(deps: ElbDeps, context: Context, named: Named): Map<string, State> {
  const states = new Map<string, State>()
  for (const { TargetGroupArn } of partsOf(deps, context, named).targetGroups) {
    const { TargetHealthDescriptions = [] } = deps.cloud.elasticloadbalancingv2.describeTargetHealth(
      context,
      {
        TargetGroupArn,
      },
    )
    for (const { Target, TargetHealth } of TargetHealthDescriptions) {
      const id = Target?.Id ?? ''
      if (TargetHealth?.State === 'draining') continue
      const state = stateOf(TargetHealth)
      if (!states.has(id) || state.State !== 'InService') states.set(id, state)
    }
  }
  return states
}

/** ELB API reference, InstanceState. */
function stateOf(health: TargetHealth | undefined): State {
  switch (health?.State) {
    case 'healthy':
      return { State: 'InService', ReasonCode: 'N/A', Description: 'N/A' }
    case 'unhealthy':
      return {
        ...{ State: 'OutOfService', ReasonCode: 'Instance' },
        Description:
          'Instance has failed at least the UnhealthyThreshold number of health checks consecutively.',
      }
    case 'initial':
      return {
        ...{ State: 'OutOfService', ReasonCode: 'ELB' },
        Description: 'Instance registration is still in progress.',
      }
    case 'unused':
      return {
        ...{ State: 'OutOfService', ReasonCode: 'Instance' },
        Description: 'Instance is in stopped state.',
      }
    default:
      return {
        State: 'Unknown',
        ReasonCode: 'ELB',
        Description: 'A transient error occurred. Please try again later.',
      }
  }
}
