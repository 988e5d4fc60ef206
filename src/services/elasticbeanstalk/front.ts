// What clients reach an environment by: its load balancer or, of a single instance, its elastic address. While an update
// puts one in the place of the other there are both, and the names belong to one of them.
import type { TargetHealthDescription } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { RequestCounters } from '../cloud.ts'
import { systemContext } from '../service.ts'
import type { EnvironmentConfiguration } from './configuration/types.ts'
import { hostsOf } from './domains.ts'
import { isGone } from './gone.ts'
import { cnameOf } from './names.ts'
import type { Parts } from './parts.ts'
import {
  environmentById,
  instancesOf,
  liveEnvironments,
  replacedIn,
  resourcesOf,
  targetGroupsOf,
  type EnvironmentRow,
} from './store.ts'

export type Front = 'load balancer' | 'elastic address'

/** Which of the two has the environment's names. */
export const frontOf = (row: EnvironmentRow): Front => resourcesOf(row).front ?? 'load balancer'

/** Which of the two shall have them. */
export const wantedFront = ({ loadBalanced }: Pick<EnvironmentConfiguration, 'loadBalanced'>): Front =>
  loadBalanced ? 'load balancer' : 'elastic address'

/** What the front says of instances, by their ids; of which process, where there are several. */
export type Targets = ReadonlyMap<string, { state: string; reason: string; process?: string }>

/** `next`: where processes are to have another port, as if they had it already. */
export const targetsOf = (
  parts: Parts,
  row: EnvironmentRow,
  front = frontOf(row),
  { next = false } = {},
): Targets => (front === 'load balancer' ? loadBalancerTargets(parts, row, next) : addressTargets(parts, row))

// An instance is as well as its worst process, and no target as long as it is not one of all. A process that no listener leads to
// is not checked, and says nothing.
function loadBalancerTargets(parts: Parts, row: EnvironmentRow, next: boolean): Targets {
  const groups = targetGroupsOf(row)
  const coming = worstOf(Object.entries(groups).map(([name, arn]) => healthOf(parts, row, name, arn)))
  const replaced = replacedIn(row)
  if (next || Object.keys(replaced).length === 0) return coming
  // What serves now, or is to serve soon: an application that is deployed may listen at one of the two ports alone.
  const serving = Object.entries(groups).map(([name, arn]) =>
    healthOf(parts, row, name, replaced[name]?.arn ?? arn),
  )
  const best = new Map(worstOf(serving))
  for (const [id, target] of coming) {
    const before = best.get(id)
    if (!before || rankOf(target) < rankOf(before)) best.set(id, target)
  }
  return best
}

function worstOf([first, ...further]: Targets[]): Targets {
  const worst = new Map(first)
  for (const targets of further)
    for (const [id, before] of worst) {
      const target = targets.get(id)
      if (!target) worst.delete(id)
      else if (rankOf(target) > rankOf(before)) worst.set(id, target)
    }
  return worst
}

const RANKS = ['unused', 'healthy', 'unavailable', 'initial', 'unhealthy', 'draining']
const rankOf = ({ state }: { state: string }) => RANKS.indexOf(state)

function healthOf({ cloud }: Parts, row: EnvironmentRow, process: string, TargetGroupArn: string): Targets {
  let seen: TargetHealthDescription[] = []
  // A target group that somebody deleted has no targets.
  isGone(() => {
    seen =
      cloud.elasticloadbalancingv2.describeTargetHealth(contextOf(row), { TargetGroupArn })
        .TargetHealthDescriptions ?? []
  })
  return new Map(
    seen.map(({ Target, TargetHealth }) => [
      Target?.Id ?? '',
      {
        state: TargetHealth?.State ?? 'unavailable',
        reason: [TargetHealth?.Reason, TargetHealth?.Description].filter(Boolean).join(': '),
        process,
      },
    ]),
  )
}

// AWS asks nobody whether the application answers there, only whether the instance runs.
function addressTargets({ cloud, store }: Parts, row: EnvironmentRow): Targets {
  const { elasticAddressId } = resourcesOf(row)
  const address = elasticAddressId ? cloud.ec2.elasticAddress(elasticAddressId) : undefined
  return new Map(
    instancesOf(store, row.id).map(({ instanceId }) => [
      instanceId,
      address?.instance?.id === instanceId && address.leadsTo === instanceId
        ? { state: 'healthy', reason: '' }
        : { state: 'unused', reason: 'The elastic address of the environment does not lead to it' },
    ]),
  )
}

// While a process changes its port, what it had before has its requests.
const askedGroupsOf = (row: EnvironmentRow) => [
  ...new Set([
    ...Object.values(targetGroupsOf(row)),
    ...Object.values(replacedIn(row)).map(({ arn }) => arn),
  ]),
]

/** Of all requests to the environment; undefined until seen. */
export function frontCounters({ cloud }: Parts, row: EnvironmentRow): RequestCounters | undefined {
  const { loadBalancerArn, elasticAddressId, sharesLoadBalancer } = resourcesOf(row)
  if (frontOf(row) === 'elastic address')
    return elasticAddressId
      ? cloud.elasticloadbalancingv2.addressCounters(contextOf(row), elasticAddressId)
      : undefined
  // What others who share it are asked is not the environment's.
  if (sharesLoadBalancer)
    return cloud.elasticloadbalancingv2.targetGroupCounters(contextOf(row), askedGroupsOf(row))
  return loadBalancerArn
    ? cloud.elasticloadbalancingv2.loadBalancerCounters(contextOf(row), loadBalancerArn)
    : undefined
}

/** Of those that one instance got. */
export function instanceCounters(
  parts: Parts,
  row: EnvironmentRow,
  instanceId: string,
): RequestCounters | undefined {
  const { elasticAddressId } = resourcesOf(row)
  const { elasticloadbalancingv2, ec2 } = parts.cloud
  if (frontOf(row) === 'elastic address')
    return elasticAddressId && ec2.elasticAddress(elasticAddressId)?.instance?.id === instanceId
      ? frontCounters(parts, row)
      : undefined
  return elasticloadbalancingv2.targetCounters(contextOf(row), askedGroupsOf(row), instanceId)
}

/** What the environment should be reached by, and what of it is not there. */
export function isFrontMissing({ cloud }: Parts, row: EnvironmentRow): boolean {
  const { loadBalancerArn, listenerArn, furtherListeners, listenerRules, elasticAddressId } = resourcesOf(row)
  if (frontOf(row) === 'elastic address')
    return !elasticAddressId || cloud.ec2.elasticAddress(elasticAddressId) === undefined
  // Of one that is shared the environment has rules alone.
  if (!loadBalancerArn || (!listenerArn && !furtherListeners && !listenerRules)) return true
  return isGone(() =>
    cloud.elasticloadbalancingv2.describeLoadBalancers(contextOf(row), {
      LoadBalancerArns: [loadBalancerArn],
    }),
  )
}

/** At which port of this machine it is not reached, and why; '' = at none. */
export function impairmentOf({ cloud, store }: Parts, row: EnvironmentRow): string {
  const { loadBalancerArn, elasticAddressId } = resourcesOf(row)
  if (frontOf(row) === 'elastic address')
    return (elasticAddressId && cloud.ec2.elasticAddress(elasticAddressId)?.impairment) || ''
  let reason = ''
  if (loadBalancerArn)
    isGone(() => {
      const { LoadBalancers = [] } = cloud.elasticloadbalancingv2.describeLoadBalancers(contextOf(row), {
        LoadBalancerArns: [loadBalancerArn],
      })
      const { Code, Reason = '' } = LoadBalancers[0]?.State ?? {}
      reason = Code === 'active_impaired' ? Reason : ''
    })
  return resourcesOf(row).sharesLoadBalancer ? ownReasons(store, row, reason) : reason
}

// The loopback ports of others who share a load balancer are theirs to hear of.
function ownReasons(store: Parts['store'], row: EnvironmentRow, reasons: string): string {
  const others = liveEnvironments(store).flatMap(({ id, loopbackPort }) =>
    id === row.id ? [] : (loopbackPort ?? []),
  )
  return reasons
    .split('; ')
    .filter((one) => !others.some((port) => new RegExp(`\\b${port} `).test(one)))
    .join('; ')
}

/** From now on clients who ask for the environment come to this front, and to the other one no more. Joins a transaction.
 *  `domains`: further names, where other settings are about to hold. */
export function putNames(parts: Parts, environmentId: string, front: Front, domains?: string[]): void {
  const { store, cloud, domain } = parts
  const row = environmentById(store, environmentId)
  if (!row) return
  const resources = resourcesOf(row)
  const names = { hosts: hostsOf(row, domain, domains), loopbackPort: row.loopbackPort }
  const none = { hosts: [], loopbackPort: null }
  const { loadBalancerArn, elasticAddressId } = resources
  const namesOf = (one: Front) => (one === front ? names : none)
  if (loadBalancerArn && resources.sharesLoadBalancer)
    putSharer(parts, row, loadBalancerArn, front === 'load balancer')
  // What somebody took away has no names.
  else if (loadBalancerArn)
    isGone(() =>
      cloud.elasticloadbalancingv2.putLoadBalancerNames(
        contextOf(row),
        loadBalancerArn,
        namesOf('load balancer'),
      ),
    )
  if (elasticAddressId)
    isGone(() => cloud.ec2.putAddressNames(contextOf(row), elasticAddressId, namesOf('elastic address')))
  store.update('environment', { id: row.id }, { resources: { ...resources, front } })
}

/** Whether clients who ask for the environment come to a load balancer that it shares; the load balancer tells, as AWS's does, how many
 *  environments there are. */
export function putSharer({ cloud, domain }: Parts, row: EnvironmentRow, arn: string, is: boolean): void {
  const { elasticloadbalancingv2 } = cloud
  const name = { host: cnameOf(row, domain), loopbackPort: row.loopbackPort }
  isGone(() => {
    elasticloadbalancingv2.putSharer(contextOf(row), arn, row.id, is ? name : null)
    const Value = String(elasticloadbalancingv2.sharers(contextOf(row), arn).length)
    const Tags = [{ Key: 'elasticbeanstalk:shared-elb-environment-count', Value }]
    elasticloadbalancingv2.addTags(contextOf(row), { ResourceArns: [arn], Tags })
  })
}

const contextOf = (row: EnvironmentRow) => systemContext(row.account, row.region, row.requestId)
