// What AWS keeps inside itself: the names of a load balancer, and its figures (cloud.ts).
import type { ClassicInternal, Elbv2Internal, RequestCounters } from '../cloud.ts'
import { type Rates, sumOf } from './counters.ts'
import { requireLoadBalancer, type Elbv2Deps } from './deps.ts'
import { hostNames } from './host-names.ts'
import { type Latencies, percentile } from './latencies.ts'
import { ofLoadBalancer, ofTarget, ofTargetGroup } from './latencies.ts'
import { certificatesOf } from './secure.ts'
import { idOfArn, listenersOf, type SharerRow } from './store.ts'

export const makeInternal = (
  deps: Elbv2Deps,
  rates: Rates,
  latencies: Latencies,
): Omit<Elbv2Internal, 'publicListeners' | 'isApplied' | 'servesHttp' | keyof ClassicInternal> => ({
  putSharer(context, loadBalancerArn, sharer, name) {
    deps.store.transaction(() => {
      if (name === null) return void deps.store.remove('elbv2_sharer', { loadBalancerArn, sharer })
      const { arn } = requireLoadBalancer(deps, context, loadBalancerArn)
      const { host, loopbackPort } = name
      const row = { loadBalancerArn: arn, sharer, host: host.toLowerCase(), loopbackPort }
      deps.store.put('elbv2_sharer', row)
    })
  },
  hostNames: () => hostNames(deps),
  sharers: (_context, loadBalancerArn) =>
    deps.store
      .all<SharerRow>('select * from elbv2_sharer where load_balancer_arn = :loadBalancerArn', {
        loadBalancerArn,
      })
      .map(({ sharer }) => sharer),
  putLoadBalancerNames(context, loadBalancerArn, { hosts, loopbackPort }) {
    deps.store.transaction(() => {
      const { arn } = requireLoadBalancer(deps, context, loadBalancerArn)
      const names = JSON.stringify([...new Set(hosts.map((host) => host.toLowerCase()))])
      deps.store.update('elbv2_load_balancer', { arn }, { hosts: names, loopbackPort })
    })
  },
  // Any id: who is not carried is forgotten with the next change.
  putReason(_context, of, reason) {
    const id = idOfArn(of) || of
    const text = reason.replace(/\s+/g, ' ').trim().slice(0, REASON_CHARACTERS_MAX)
    const before = deps.store.get<{ reason: string }>('select reason from elbv2_reason where id = :id', {
      id,
    })
    if (text === (before?.reason ?? '')) return
    if (text === '') deps.store.remove('elbv2_reason', { id })
    else deps.store.put('elbv2_reason', { id, reason: text })
  },
  certificatesInUse: (context) => new Set(listenersOf(deps.store, context).flatMap(certificatesOf)),
  certificateUses: (context, arn) => [
    ...new Set(
      listenersOf(deps.store, context)
        .filter((row) => certificatesOf(row).includes(arn))
        .map((row) => row.loadBalancerArn),
    ),
  ],
  loadBalancerCounters: (_context, arn) =>
    withLatency(rates.loadBalancer(idOfArn(arn)), latencies, [ofLoadBalancer(idOfArn(arn))]),
  addressCounters: (_context, allocationId) =>
    withLatency(rates.loadBalancer(allocationId), latencies, [ofLoadBalancer(allocationId)]),
  targetCounters(_context, arns, targetId) {
    const ids = arns.map(idOfArn)
    return withLatency(
      sumOf(ids.map((id) => rates.target(id, targetId))),
      latencies,
      ids.map((id) => ofTarget(id, targetId)),
    )
  },
  targetGroupCounters(_context, arns) {
    const ids = arns.map(idOfArn)
    return withLatency(sumOf(ids.map(rates.targetGroup)), latencies, ids.map(ofTargetGroup))
  },
})

const REASON_CHARACTERS_MAX = 500

const withLatency = (
  counters: Omit<RequestCounters, 'responseTimeMs'> | undefined,
  latencies: Latencies,
  subjects: string[],
): RequestCounters | undefined => {
  if (!counters) return undefined
  const seen = subjects.flatMap(latencies.of)
  return { ...counters, responseTimeMs: (percent) => percentile(seen, percent) }
}
