// Elastic Load Balancing v2: Application Load Balancers, with HTTP and HTTPS.
import type { BalancerEngine } from '../../engines/balancer/engine.ts'
import type { Elbv2Internal } from '../cloud.ts'
import { inTransactions } from '../in-transactions.ts'
import type { Service, ServiceDeps } from '../service.ts'
import { makeClassic } from './classic.ts'
import { makeRates } from './counters.ts'
import { makeLatencies } from './latencies.ts'
import { makeMetricsReconciler } from './metrics.ts'
import { makeInternal } from './names.ts'
import { makeCertificateOperations } from './operations/certificates.ts'
import { limitOperations } from './operations/limits.ts'
import { makeListenerOperations } from './operations/listeners.ts'
import { makeLoadBalancerOperations } from './operations/load-balancers.ts'
import { makeRuleOperations } from './operations/rules.ts'
import { makeTagOperations } from './operations/tags.ts'
import { makeTargetGroupOperations } from './operations/target-groups.ts'
import { makeTargetOperations } from './operations/targets.ts'
import { publicListeners } from './public-listeners.ts'
import { makeBalancerReconciler } from './reconcilers.ts'
import { makeRequestReconciler } from './request-reconciler.ts'

export function makeElasticloadbalancingv2Service(deps: ServiceDeps, balancer: BalancerEngine) {
  const rates = makeRates()
  const latencies = makeLatencies(deps.clock.now)
  const operations = inTransactions(deps.store, {
    ...makeLoadBalancerOperations(deps),
    ...makeTargetGroupOperations(deps),
    ...makeListenerOperations(deps),
    ...makeRuleOperations(deps),
    ...makeCertificateOperations(deps),
    ...makeTargetOperations(deps),
    ...makeTagOperations(deps),
    ...limitOperations,
  })
  const balancing = makeBalancerReconciler(deps, balancer, rates)
  return {
    operations,
    internal: {
      ...makeInternal(deps, rates, latencies),
      ...makeClassic(deps),
      isApplied: balancing.isApplied,
      servesHttp: balancing.servesHttp,
      publicListeners: () => publicListeners(deps, balancer),
    },
    reconcilers: [
      balancing.reconciler,
      makeRequestReconciler(deps, balancer, latencies),
      makeMetricsReconciler(deps, balancer),
    ],
    workflows: [],
  } satisfies Service<typeof operations, Elbv2Internal>
}
