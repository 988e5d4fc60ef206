import type { Tag, TagDescription } from '@aws-sdk/client-elastic-load-balancing'
import type { Context } from '../../context.ts'
import type { ElasticloadbalancingOperations } from '../../generated/elasticloadbalancing.ts'
import { type ElbDeps, requireNamed } from '../load-balancers.ts'

type Implemented = Pick<ElasticloadbalancingOperations, 'describeTags' | 'addTags' | 'removeTags'>

/** The same tags as those of the load balancer's ARN. */
export function makeTagOperations(deps: ElbDeps): Implemented {
  const { elasticloadbalancingv2: elb } = deps.cloud
  const named = (context: Context, names: string[] | undefined) =>
    [...new Set(names)].map((name) => requireNamed(deps, context, name))
  return {
    describeTags: (context, { LoadBalancerNames }) => ({
      TagDescriptions: named(context, LoadBalancerNames).map(({ name, arn }): TagDescription => {
        const { TagDescriptions = [] } = elb.describeTags(context, { ResourceArns: [arn] })
        return { LoadBalancerName: name, Tags: (TagDescriptions[0]?.Tags ?? []) as Tag[] }
      }),
    }),
    addTags(context, { LoadBalancerNames, Tags }) {
      const ResourceArns = named(context, LoadBalancerNames).map(({ arn }) => arn)
      elb.addTags(context, { ResourceArns, Tags })
      return {}
    },
    removeTags(context, { LoadBalancerNames, Tags = [] }) {
      const ResourceArns = named(context, LoadBalancerNames).map(({ arn }) => arn)
      elb.removeTags(context, { ResourceArns, TagKeys: Tags.map(({ Key = '' }) => Key) })
      return {}
    },
  }
}
