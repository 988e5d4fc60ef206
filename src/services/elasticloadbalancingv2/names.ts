// What AWS keeps inside itself: the names of a load balancer, and its figures (cloud.ts).
import type { Elbv2Internal } from '../cloud.ts'
import type { Rates } from './counters.ts'
import { requireLoadBalancer, type Elbv2Deps } from './deps.ts'
import { certificatesOf } from './secure.ts'
import { idOfArn, listenersOf } from './store.ts'

export const makeInternal = (deps: Elbv2Deps, rates: Rates): Omit<Elbv2Internal, 'publicListeners'> => ({
  putLoadBalancerNames(context, loadBalancerArn, { hosts, loopbackPort }) {
    deps.store.transaction(() => {
      const { arn } = requireLoadBalancer(deps, context, loadBalancerArn)
      const names = JSON.stringify([...new Set(hosts.map((host) => host.toLowerCase()))].sort())
      deps.store.update('elbv2_load_balancer', { arn }, { hosts: names, loopbackPort })
    })
  },
  certificatesInUse: (context) => new Set(listenersOf(deps.store, context).flatMap(certificatesOf)),
  certificateUses: (context, arn) => [
    ...new Set(
      listenersOf(deps.store, context)
        .filter((row) => certificatesOf(row).includes(arn))
        .map((row) => row.loadBalancerArn),
    ),
  ],
  loadBalancerCounters: (_context, loadBalancerArn) => rates.loadBalancer(idOfArn(loadBalancerArn)),
  addressCounters: (_context, allocationId) => rates.loadBalancer(allocationId),
  targetCounters: (_context, targetGroupArn, targetId) => rates.target(idOfArn(targetGroupArn), targetId),
})
