import type { Listener } from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Elasticloadbalancingv2Operations } from '../../generated/elasticloadbalancingv2.ts'
import { describeAction, requireAction } from '../actions.ts'
import { requireListener, requireLoadBalancer, type Elbv2Deps } from '../deps.ts'
import { paging, unsupported, validation } from '../errors.ts'
import { certificatesOf, securedAfter } from '../secure.ts'
import { pathOf, actionOf, listenersOf, rulesOf, type ListenerRow } from '../store.ts'
import { changingUses, requireUsable } from '../uses.ts'
import { putTags, removeTagsOf, requireTags } from './tags.ts'
import { requirePort } from './target-groups.ts'

type Implemented = Pick<
  Elasticloadbalancingv2Operations,
  'createListener' | 'modifyListener' | 'deleteListener' | 'describeListeners' | 'describeListenerAttributes'
>

/** AWS: 50 per load balancer. */
export const LISTENERS_MAX = 50

export function makeListenerOperations(deps: Elbv2Deps): Implemented {
  const { store, clock, ids } = deps
  return {
    createListener(context, input) {
      const members = ['LoadBalancerArn', 'Port', 'DefaultActions', 'Tags', ...SECURED] as const
      refuseOthers(input, members, unsupported)
      const balancer = requireLoadBalancer(deps, context, input.LoadBalancerArn)
      const secured = securedAfter(deps, context, balancer, null, input)
      const port = requirePort(input.Port)
      const wanted = requireAction(input.DefaultActions, 'A default action')
      requireUsable(deps, context, balancer.arn, wanted)
      const action = JSON.stringify(wanted)
      requireTags(input.Tags)
      const listeners = listenersOf(store, context).filter((row) => row.loadBalancerArn === balancer.arn)
      const same = listeners.find((row) => row.port === port)
      const isSame = same && JSON.stringify({ ...same, ...secured, action }) === JSON.stringify(same)
      if (isSame) return { Listeners: [describe(same)] }
      if (same) throw duplicate(balancer.arn)
      if (listeners.length >= LISTENERS_MAX)
        throw new DeclaredError(
          'TooManyListeners',
          `The maximum number of listeners (${LISTENERS_MAX}) has been reached`,
        )
      const { account, region } = context
      const path = `${pathOf(balancer)}/${ids.hex('', 16)}`
      const row: ListenerRow = {
        arn: `arn:aws:elasticloadbalancing:${region}:${account}:listener/${path}`,
        account,
        region,
        loadBalancerArn: balancer.arn,
        port,
        ...secured,
        action,
        ruleArn: `arn:aws:elasticloadbalancing:${region}:${account}:listener-rule/${path}/${ids.hex('', 16)}`,
        createdAt: clock.now(),
      }
      changingUses(deps, context, () => store.insert('elbv2_listener', row))
      putTags(deps, context, row.arn, input.Tags)
      return { Listeners: [describe(row)] }
    },
    modifyListener(context, input) {
      refuseOthers(input, ['ListenerArn', 'Port', 'DefaultActions', ...SECURED], unsupported)
      const row = requireListener(deps, context, input.ListenerArn)
      const balancer = requireLoadBalancer(deps, context, row.loadBalancerArn)
      const secured = securedAfter(deps, context, balancer, row, input)
      const port = input.Port === undefined ? row.port : requirePort(input.Port)
      const others = listenersOf(store, context).filter(
        (one) => one.loadBalancerArn === row.loadBalancerArn && one.arn !== row.arn,
      )
      if (others.some((one) => one.port === port)) throw duplicate(row.loadBalancerArn)
      const wanted = input.DefaultActions?.length
        ? requireAction(input.DefaultActions, 'A default action')
        : actionOf(row)
      requireUsable(deps, context, row.loadBalancerArn, wanted)
      const set = { port, ...secured, action: JSON.stringify(wanted) }
      changingUses(deps, context, () => store.update('elbv2_listener', { arn: row.arn }, set))
      return { Listeners: [describe({ ...row, ...set })] }
    },
    deleteListener(context, input) {
      refuseOthers(input, ['ListenerArn'], unsupported)
      removeListener(deps, context, requireListener(deps, context, input.ListenerArn))
      return {}
    },
    describeListeners(context, input) {
      refuseOthers(input, ['LoadBalancerArn', 'ListenerArns', 'Marker', 'PageSize'], unsupported)
      if (!input.LoadBalancerArn && !input.ListenerArns?.length)
        throw validation('You must specify either listener ARNs or a load balancer ARN')
      if (input.LoadBalancerArn) requireLoadBalancer(deps, context, input.LoadBalancerArn)
      for (const arn of input.ListenerArns ?? []) requireListener(deps, context, arn)
      const found = listenersOf(store, context).filter(
        (row) =>
          (!input.LoadBalancerArn || row.loadBalancerArn === input.LoadBalancerArn) &&
          (!input.ListenerArns?.length || input.ListenerArns.includes(row.arn)),
      )
      const page = pageOf(found, (row) => row.arn, { token: input.Marker, max: input.PageSize }, paging)
      return { NextMarker: page.next, Listeners: page.items.map(describe) }
    },
    describeListenerAttributes(context, input) {
      const { protocol } = requireListener(deps, context, input.ListenerArn)
      const attribute =
        protocol === 'TCP'
          ? { Key: 'tcp.idle_timeout.seconds', Value: '350' }
          : { Key: 'routing.http.response.server.enabled', Value: 'true' }
      return { Attributes: [attribute] }
    },
  }
}

/** With its rules, and the tags of all. */
export function removeListener(deps: Elbv2Deps, context: Context, { arn, ruleArn }: ListenerRow): void {
  const { store } = deps
  for (const one of [arn, ruleArn, ...rulesOf(store, arn).map((rule) => rule.arn)]) removeTagsOf(deps, one)
  changingUses(deps, context, () => {
    store.remove('elbv2_rule', { listenerArn: arn })
    store.remove('elbv2_listener', { arn })
  })
}

const duplicate = (arn: string) =>
  new DeclaredError(
    'DuplicateListener',
    `A listener already exists on this port for this load balancer '${arn}'`,
  )

const SECURED = ['Protocol', 'SslPolicy', 'Certificates'] as const

const describe = (row: ListenerRow): Listener => ({
  ListenerArn: row.arn,
  LoadBalancerArn: row.loadBalancerArn,
  Port: row.port,
  Protocol: row.protocol,
  ...(row.sslPolicy === null ? {} : { SslPolicy: row.sslPolicy }),
  ...(row.protocol === 'HTTPS' ? { Certificates: [{ CertificateArn: certificatesOf(row)[0] }] } : {}),
  DefaultActions: [describeAction(actionOf(row))],
})
