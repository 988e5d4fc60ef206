// An environment behind a load balancer that somebody made for several (`SharedLoadBalancer`): the environment has its rules,
// target groups and name there, and leaves everything else as it is. AWS: "Configuring a shared Application Load Balancer".
import type { LoadBalancer } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { ListenerRule } from '../configuration/types.ts'
import { ofEnvironment } from '../events.ts'
import { putSharer } from '../front.ts'
import { isGone } from '../gone.ts'
import { cnameOf } from '../names.ts'
import { environmentById, liveEnvironments, resourcesOf } from '../store.ts'
import { madeOf, putRules, removeRules, rulesThere } from './listener-rules.ts'
import { groupsOfLoadBalancer, openPort } from './security-groups.ts'
import { current, defaultVpc, forget, remember, required, type Work } from './work.ts'

type Sharing = Pick<Work, 'parts' | 'row' | 'context'>

/** AWS's, of Application Load Balancers. */
const PRIORITY_MAX = 50_000

/** One that is not there (any more) is said to be so. */
export function joinLoadBalancer(work: Work): void {
  const { parts, row, context, configuration } = work
  const { elasticloadbalancingv2 } = parts.cloud
  const arn = configuration.sharedLoadBalancer
  let found: LoadBalancer[] = []
  isGone(() => {
    const input = { LoadBalancerArns: [arn] }
    found = elasticloadbalancingv2.describeLoadBalancers(context, input).LoadBalancers ?? []
  })
  const [loadBalancer] = found
  if (!loadBalancer) {
    const text = `The shared load balancer is not there any more: ${arn}. Nobody reaches the environment by it.`
    return parts.events.write(ofEnvironment(row), 'WARN', text)
  }
  const dnsName = required(loadBalancer.DNSName, 'describeLoadBalancers')
  remember(parts, row.id, { loadBalancerArn: arn, loadBalancerDnsName: dnsName, sharesLoadBalancer: 'true' })
  addGroups(work, arn, groupsOfLoadBalancer(work))
  parts.events.write(ofEnvironment(row), 'INFO', `Using shared load balancer: ${arn}`)
}

/** The group that the first of its environments made for a load balancer; undefined = none has. */
export const groupOfSharers = ({ parts, row }: Sharing, arn: string): string | undefined =>
  sharersOf({ parts, row }, arn).flatMap((one) => resourcesOf(one).loadBalancerSecurityGroupId ?? [])[0]

/** The other environments behind it. */
const sharersOf = ({ parts, row }: Pick<Sharing, 'parts' | 'row'>, arn: string) =>
  liveEnvironments(parts.store).filter((one) => {
    const { loadBalancerArn, sharesLoadBalancer } = resourcesOf(one)
    return one.id !== row.id && sharesLoadBalancer === 'true' && loadBalancerArn === arn
  })

/** Whether another environment has the group, also one that has not joined yet. */
const isOfOthers = ({ parts, row }: Sharing, group: string) =>
  liveEnvironments(parts.store).some(
    (one) => one.id !== row.id && resourcesOf(one).loadBalancerSecurityGroupId === group,
  )

/** Takes the environment's group from the load balancer; answers false where others have it, whose it is then. */
export function takeSharedGroup(sharing: Sharing, arn: string, group: string): boolean {
  if (!isOfOthers(sharing, group)) {
    takeGroup(sharing, arn, group)
    return true
  }
  forget(sharing.parts, sharing.row.id, 'loadBalancerSecurityGroupId')
  return false
}

/** Gives the load balancer groups beside those that it has. */
export function addGroups({ parts, context }: Sharing, arn: string, groups: string[]): void {
  const before = groupsOf({ parts, context }, arn)
  const all = [...new Set([...before, ...groups])]
  if (all.length > before.length)
    parts.cloud.elasticloadbalancingv2.setSecurityGroups(context, {
      LoadBalancerArn: arn,
      SecurityGroups: all,
    })
}

const groupsOf = ({ parts, context }: Pick<Sharing, 'parts' | 'context'>, arn: string): string[] =>
  parts.cloud.elasticloadbalancingv2.describeLoadBalancers(context, { LoadBalancerArns: [arn] })
    .LoadBalancers?.[0]?.SecurityGroups ?? []

/** Brings the environment's rules to what its settings say, at the listeners that there are. */
export function putSharedRules(work: Work): void {
  const { parts, row, context, configuration } = work
  const {
    loadBalancerArn: LoadBalancerArn = '',
    loadBalancerSecurityGroupId: group = '',
    openedPorts = '{}',
  } = resourcesOf(current(parts, row.id))
  const { Listeners = [] } = parts.cloud.elasticloadbalancingv2.describeListeners(context, {
    LoadBalancerArn,
  })
  const cname = cnameOf(row, parts.domain)
  const opened = JSON.parse(openedPorts) as Record<string, string>
  for (const { Port = 0, ListenerArn = '' } of Listeners) {
    const wanted = configuration.listeners.find(({ port }) => port === Port)?.rules ?? []
    const named = wanted.map((rule) => ({ ...rule, hostHeaders: [cname, ...rule.hostHeaders] }))
    // Its rules are everybody's who shares it, and go with the group. What a user revoked stays so.
    if (wanted.length > 0 && opened[Port] !== group) {
      openPort(work, group, Port)
      opened[Port] = group
    }
    putRules(work, Port, ListenerArn, inTheirPlaces(work, Port, ListenerArn, named))
  }
  remember(parts, row.id, { openedPorts: JSON.stringify(opened) })
  for (const { port } of configuration.listeners)
    if (!Listeners.some((listener) => listener.Port === port)) {
      const text = `The shared load balancer has no listener at port ${port}: the rules of the environment are not there.`
      parts.events.write(ofEnvironment(row), 'WARN', text)
    }
}

/** AWS: priorities are relative among the environments, and get absolute ones that are free: here behind those that there are. */
function inTheirPlaces(
  work: Work,
  port: number,
  listenerArn: string,
  wanted: ListenerRule[],
): ListenerRule[] {
  const own = new Set(Object.values(madeOf(work)[port] ?? {}))
  const there = rulesThere(work, listenerArn) ?? []
  const taken = new Set(there.filter(({ arn }) => !own.has(arn)).map(({ priority }) => priority))
  const kept = there.filter(({ arn }) => own.has(arn)).map(({ priority }) => priority)
  const places = kept.sort((a, b) => a - b).slice(0, wanted.length)
  const last = Math.max(0, ...there.map(({ priority }) => priority))
  // Where the end is reached, what is free from the beginning on.
  let next = last + wanted.length - places.length <= PRIORITY_MAX ? last : 0
  while (places.length < wanted.length) {
    next++
    if (!taken.has(next) && !places.includes(next)) places.push(next)
  }
  places.sort((a, b) => a - b)
  return wanted.map((rule, index) => ({ ...rule, priority: places[index]! }))
}

/** Of a load balancer that is gone: the group is theirs who have it still. */
export function leaveGroupOfOthers(sharing: Sharing, group: string): void {
  if (isOfOthers(sharing, group)) forget(sharing.parts, sharing.row.id, 'loadBalancerSecurityGroupId')
}

/** Takes the environment's rules, name and group from the load balancer, which stays. Does nothing for one of its own. */
export function leaveLoadBalancer(sharing: Sharing): void {
  const { parts, row } = sharing
  const {
    loadBalancerArn: arn,
    sharesLoadBalancer,
    loadBalancerSecurityGroupId: group,
  } = resourcesOf(environmentById(parts.store, row.id) ?? row)
  if (!sharesLoadBalancer || !arn) return group ? leaveGroupOfOthers(sharing, group) : undefined
  removeRules(sharing)
  putSharer(parts, row, arn, false)
  if (group) takeSharedGroup(sharing, arn, group)
  forget(parts, row.id, 'loadBalancerArn', 'loadBalancerDnsName', 'sharesLoadBalancer', 'openedPorts')
}

// A load balancer without groups would let everybody in: AWS does not leave it without any.
function takeGroup({ parts, context }: Sharing, arn: string, group: string): void {
  const { ec2, elasticloadbalancingv2 } = parts.cloud
  isGone(() => {
    const left = groupsOf({ parts, context }, arn).filter((one) => one !== group)
    if (left.length === 0) {
      const Filters = [
        { Name: 'group-name', Values: ['default'] },
        { Name: 'vpc-id', Values: [defaultVpc(parts, context)] },
      ]
      const { SecurityGroups = [] } = ec2.describeSecurityGroups(context, { Filters })
      left.push(required(SecurityGroups[0]?.GroupId, 'describeSecurityGroups'))
    }
    elasticloadbalancingv2.setSecurityGroups(context, { LoadBalancerArn: arn, SecurityGroups: left })
  })
}
