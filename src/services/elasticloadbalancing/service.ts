// Elastic Load Balancing, version 2012-06-01: Classic Load Balancers as environments have them. Environments make and change theirs;
// here they are described, their instances registered and their tags changed. What makes one or changes its settings is refused by
// the gateway: a load balancer of one's own is elasticloadbalancingv2's.
import { inTransactions } from '../in-transactions.ts'
import type { Service, ServiceDeps } from '../service.ts'
import { makeDescribeOperations } from './operations/describe.ts'
import { makeInstanceOperations } from './operations/instances.ts'
import { makeTagOperations } from './operations/tags.ts'

export function makeElasticloadbalancingService(deps: Pick<ServiceDeps, 'cloud' | 'store'>) {
  const operations = inTransactions(deps.store, {
    ...makeDescribeOperations(deps),
    ...makeInstanceOperations(deps),
    ...makeTagOperations(deps),
  })
  return { operations, internal: {}, reconcilers: [], workflows: [] } satisfies Service<
    typeof operations,
    object
  >
}
