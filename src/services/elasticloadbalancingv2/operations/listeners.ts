import type { Action, Listener, Rule } from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Elasticloadbalancingv2Operations } from '../../generated/elasticloadbalancingv2.ts'
import { requireLoadBalancer, requireTargetGroup, type Elbv2Deps } from '../deps.ts'
import { missing, noListener, paging, unsupported, validation } from '../errors.ts'
import { listenersOf, targetsOf, updateTarget, type ListenerRow } from '../store.ts'
import { registrationInProgress, unusedTarget } from '../health.ts'
import { putTags, removeTagsOf, requireTags } from './tags.ts'
import { requirePort } from './target-groups.ts'

type Implemented = Pick<
  Elasticloadbalancingv2Operations,
  | 'createListener'
  | 'modifyListener'
  | 'deleteListener'
  | 'describeListeners'
  | 'describeRules'
  | 'describeListenerAttributes'
>

/** AWS: 50 per load balancer. */
const LISTENERS_MAX = 50

export function makeListenerOperations(deps: Elbv2Deps): Implemented {
  const { store, clock, ids } = deps
  return {
    createListener(context, input) {
      refuseOthers(input, ['LoadBalancerArn', 'Protocol', 'Port', 'DefaultActions', 'Tags'], unsupported)
      const balancer = requireLoadBalancer(deps, context, input.LoadBalancerArn)
      if (!input.Protocol) throw validation('A listener protocol must be specified')
      requireHttp(input.Protocol)
      const port = requirePort(input.Port)
      const targetGroupArn = requireForward(context, balancer.arn, input.DefaultActions)
      requireTags(input.Tags)
      const listeners = listenersOf(store, context).filter((row) => row.loadBalancerArn === balancer.arn)
      const same = listeners.find((row) => row.port === port)
      if (same?.targetGroupArn === targetGroupArn) return { Listeners: [describe(same)] }
      if (same) throw duplicate(balancer.arn)
      if (listeners.length >= LISTENERS_MAX)
        throw new DeclaredError(
          'TooManyListeners',
          `The maximum number of listeners (${LISTENERS_MAX}) has been reached`,
        )
      const { account, region } = context
      const path = `app/${balancer.name}/${balancer.id}/${ids.hex('', 16)}`
      const row: ListenerRow = {
        arn: `arn:aws:elasticloadbalancing:${region}:${account}:listener/${path}`,
        account,
        region,
        loadBalancerArn: balancer.arn,
        port,
        targetGroupArn,
        ruleArn: `arn:aws:elasticloadbalancing:${region}:${account}:listener-rule/${path}/${ids.hex('', 16)}`,
        createdAt: clock.now(),
      }
      store.insert('elbv2_listener', row)
      putTags(deps, context, row.arn, input.Tags)
      for (const target of targetsOf(store, targetGroupArn))
        if (target.health === 'unused') updateTarget(store, target, registrationInProgress)
      return { Listeners: [describe(row)] }
    },
    modifyListener(context, input) {
      refuseOthers(input, ['ListenerArn', 'Protocol', 'Port', 'DefaultActions'], unsupported)
      const row = requireListener(context, input.ListenerArn)
      if (input.Protocol) requireHttp(input.Protocol)
      const port = input.Port === undefined ? row.port : requirePort(input.Port)
      const others = listenersOf(store, context).filter(
        (one) => one.loadBalancerArn === row.loadBalancerArn && one.arn !== row.arn,
      )
      if (others.some((one) => one.port === port)) throw duplicate(row.loadBalancerArn)
      const targetGroupArn = input.DefaultActions?.length
        ? requireForward(context, row.loadBalancerArn, input.DefaultActions)
        : row.targetGroupArn
      store.update('elbv2_listener', { arn: row.arn }, { port, targetGroupArn })
      return { Listeners: [describe({ ...row, port, targetGroupArn })] }
    },
    deleteListener(context, input) {
      refuseOthers(input, ['ListenerArn'], unsupported)
      const row = requireListener(context, input.ListenerArn)
      removeTagsOf(deps, row.arn)
      store.remove('elbv2_listener', { arn: row.arn })
      if (!listenersOf(store, context).some((one) => one.targetGroupArn === row.targetGroupArn))
        for (const target of targetsOf(store, row.targetGroupArn)) updateTarget(store, target, unusedTarget)
      return {}
    },
    describeListeners(context, input) {
      refuseOthers(input, ['LoadBalancerArn', 'ListenerArns', 'Marker', 'PageSize'], unsupported)
      if (!input.LoadBalancerArn && !input.ListenerArns?.length)
        throw validation('You must specify either listener ARNs or a load balancer ARN')
      if (input.LoadBalancerArn) requireLoadBalancer(deps, context, input.LoadBalancerArn)
      for (const arn of input.ListenerArns ?? []) requireListener(context, arn)
      const found = listenersOf(store, context).filter(
        (row) =>
          (!input.LoadBalancerArn || row.loadBalancerArn === input.LoadBalancerArn) &&
          (!input.ListenerArns?.length || input.ListenerArns.includes(row.arn)),
      )
      const page = pageOf(found, (row) => row.arn, { token: input.Marker, max: input.PageSize }, paging)
      return { NextMarker: page.next, Listeners: page.items.map(describe) }
    },
    // The default rule is all there is: CreateRule is refused.
    describeRules(context, input) {
      refuseOthers(input, ['ListenerArn', 'RuleArns', 'Marker', 'PageSize'], unsupported)
      if (!input.ListenerArn && !input.RuleArns?.length)
        throw validation('You must specify either listener rule ARNs or a listener ARN')
      const rows = input.ListenerArn
        ? [requireListener(context, input.ListenerArn)]
        : (input.RuleArns ?? []).map((arn) => {
            const row = listenersOf(store, context).find((one) => one.ruleArn === arn)
            if (!row) throw new DeclaredError('RuleNotFound', `One or more rules not found: '${arn}'`)
            return row
          })
      const page = pageOf(rows, (row) => row.ruleArn, { token: input.Marker, max: input.PageSize }, paging)
      return {
        NextMarker: page.next,
        Rules: page.items.map((row): Rule => ({
          RuleArn: row.ruleArn,
          Priority: 'default',
          Conditions: [],
          IsDefault: true,
          Actions: [forward(row)],
        })),
      }
    },
    describeListenerAttributes(context, input) {
      requireListener(context, input.ListenerArn)
      return { Attributes: [{ Key: 'routing.http.response.server.enabled', Value: 'true' }] }
    },
  }

  function requireListener(context: Context, arn: string | undefined): ListenerRow {
    if (!arn) throw missing('listenerArn')
    const row = listenersOf(store, context).find((one) => one.arn === arn)
    if (!row) throw noListener(arn)
    return row
  }

  function requireForward(context: Context, loadBalancerArn: string, actions: Action[] | undefined): string {
    if (!actions?.length) throw validation('A default action must be specified')
    const [action, ...others] = actions
    if (others.length > 0) throw unsupported('More than one default action')
    if (action!.Type !== 'forward') throw unsupported(`An action of type '${action!.Type}'`)
    refuseOthers(action!, ['Type', 'TargetGroupArn', 'ForwardConfig', 'Order'], (member) =>
      unsupported(`DefaultActions.${member}`),
    )
    const groups = action!.ForwardConfig?.TargetGroups ?? []
    if (groups.length > 1) throw unsupported('A forward action to more than one target group')
    if (action!.ForwardConfig?.TargetGroupStickinessConfig?.Enabled)
      throw unsupported('TargetGroupStickinessConfig')
    const arn = action!.TargetGroupArn ?? groups[0]?.TargetGroupArn
    if (!arn) throw validation('A target group ARN must be specified')
    const group = requireTargetGroup(deps, context, arn)
    const elsewhere = listenersOf(store, context).some(
      (row) => row.targetGroupArn === arn && row.loadBalancerArn !== loadBalancerArn,
    )
    if (elsewhere)
      throw new DeclaredError(
        'TargetGroupAssociationLimit',
        `The following target groups cannot be associated with more than one load balancer: ${arn}`,
      )
    return group.arn
  }
}

const duplicate = (arn: string) =>
  new DeclaredError(
    'DuplicateListener',
    `A listener already exists on this port for this load balancer '${arn}'`,
  )

function requireHttp(protocol: string) {
  if (protocol !== 'HTTP')
    throw new DeclaredError(
      'UnsupportedProtocol',
      `Protocol '${protocol}' is not supported by Polebean yet; it has HTTP`,
    )
}

const forward = (row: ListenerRow): Action => ({
  Type: 'forward',
  TargetGroupArn: row.targetGroupArn,
  ForwardConfig: {
    TargetGroups: [{ TargetGroupArn: row.targetGroupArn, Weight: 1 }],
    TargetGroupStickinessConfig: { Enabled: false },
  },
})

const describe = (row: ListenerRow): Listener => ({
  ListenerArn: row.arn,
  LoadBalancerArn: row.loadBalancerArn,
  Port: row.port,
  Protocol: 'HTTP',
  DefaultActions: [forward(row)],
})
