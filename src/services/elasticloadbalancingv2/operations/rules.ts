import type { Rule } from '@aws-sdk/client-elastic-load-balancing-v2'
import { DeclaredError } from '../../../kernel/errors.ts'
import { pageOf, refuseOthers } from '../../parameters.ts'
import type { Context } from '../../context.ts'
import type { Elasticloadbalancingv2Operations } from '../../generated/elasticloadbalancingv2.ts'
import { describeAction, requireAction } from '../actions.ts'
import { describeCondition, requireConditions } from '../conditions.ts'
import { requireListener, type Elbv2Deps } from '../deps.ts'
import { missing, noRule, paging, unsupported, validation } from '../errors.ts'
import {
  actionOf,
  conditionsOf,
  listenersOf,
  ruleOf,
  rulesOf,
  type ListenerRow,
  type RuleRow,
} from '../store.ts'
import { changingUses, requireUsable } from '../uses.ts'
import { putTags, removeTagsOf, requireTags } from './tags.ts'

type Implemented = Pick<
  Elasticloadbalancingv2Operations,
  'createRule' | 'modifyRule' | 'deleteRule' | 'describeRules' | 'setRulePriorities'
>

/** AWS: 100 per load balancer, without default rules. */
export const RULES_MAX = 100
const PRIORITY_MAX = 50_000

export function makeRuleOperations(deps: Elbv2Deps): Implemented {
  const { store, clock, ids } = deps
  return {
    createRule(context, input) {
      refuseOthers(input, ['ListenerArn', 'Conditions', 'Priority', 'Actions', 'Tags'], unsupported)
      const listener = requireListener(deps, context, input.ListenerArn)
      if (listener.protocol === 'TCP')
        throw validation('Rules are not supported for listeners of Network Load Balancers')
      const priority = requirePriority(input.Priority)
      const conditions = requireConditions(input.Conditions)
      const action = requireAction(input.Actions, 'An action')
      requireUsable(deps, context, listener.loadBalancerArn, action)
      requireTags(input.Tags)
      if (rulesOf(store, listener.arn).some((rule) => rule.priority === priority)) throw inUse(priority)
      if (rulesOfLoadBalancer(context, listener).length >= RULES_MAX)
        throw new DeclaredError(
          'TooManyRules',
          `The maximum number of rules (${RULES_MAX}) of load balancer '${listener.loadBalancerArn}' has been reached`,
        )
      const { account, region } = context
      const row: RuleRow = {
        arn: `${listener.arn.replace(':listener/', ':listener-rule/')}/${ids.hex('', 16)}`,
        ...{ account, region, listenerArn: listener.arn, priority },
        ...{ conditions: JSON.stringify(conditions), action: JSON.stringify(action) },
        createdAt: clock.now(),
      }
      changingUses(deps, context, () => store.insert('elbv2_rule', row))
      putTags(deps, context, row.arn, input.Tags)
      return { Rules: [describe(row)] }
    },
    modifyRule(context, input) {
      refuseOthers(input, ['RuleArn', 'Conditions', 'Actions'], unsupported)
      if (!input.RuleArn) throw missing('ruleArn')
      if (!input.Conditions?.length && !input.Actions?.length)
        throw validation('Either conditions or actions must be specified')
      requireNoDefault(context, input.RuleArn, 'modified')
      const row = requireRule(context, input.RuleArn)
      const conditions = input.Conditions?.length ? requireConditions(input.Conditions) : conditionsOf(row)
      const action = input.Actions?.length ? requireAction(input.Actions, 'An action') : actionOf(row)
      const { loadBalancerArn } = requireListener(deps, context, row.listenerArn)
      requireUsable(deps, context, loadBalancerArn, action)
      const set = { conditions: JSON.stringify(conditions), action: JSON.stringify(action) }
      changingUses(deps, context, () => store.update('elbv2_rule', { arn: row.arn }, set))
      return { Rules: [describe({ ...row, ...set })] }
    },
    deleteRule(context, input) {
      refuseOthers(input, ['RuleArn'], unsupported)
      if (!input.RuleArn) throw missing('ruleArn')
      requireNoDefault(context, input.RuleArn, 'deleted')
      const { arn } = requireRule(context, input.RuleArn)
      removeTagsOf(deps, arn)
      changingUses(deps, context, () => store.remove('elbv2_rule', { arn }))
      return {}
    },
    describeRules(context, input) {
      refuseOthers(input, ['ListenerArn', 'RuleArns', 'Marker', 'PageSize'], unsupported)
      if (input.ListenerArn && input.RuleArns?.length)
        throw validation('You can specify either a listener ARN or rule ARNs, not both')
      if (!input.ListenerArn && !input.RuleArns?.length)
        throw validation('You must specify either listener rule ARNs or a listener ARN')
      const found = input.ListenerArn
        ? rulesOfListener(requireListener(deps, context, input.ListenerArn))
        : [...new Set(input.RuleArns)].map((arn) => describedRule(context, arn))
      const asked = { token: input.Marker, max: input.PageSize }
      const page = pageOf(found, (rule) => `${orderOf(rule)} ${rule.RuleArn}`, asked, paging)
      return { NextMarker: page.next, Rules: page.items }
    },
    setRulePriorities(context, input) {
      refuseOthers(input, ['RulePriorities'], unsupported)
      if (!input.RulePriorities?.length) throw missing('rulePriorities')
      const wanted = input.RulePriorities.map(({ RuleArn: arn = '', Priority }) => {
        requireNoDefault(context, arn, 'prioritised')
        return { rule: requireRule(context, arn), priority: requirePriority(Priority) }
      })
      const [{ rule: first }] = wanted as [(typeof wanted)[number]]
      if (wanted.some(({ rule }) => rule.listenerArn !== first.listenerArn))
        throw validation('All rules must belong to the same listener')
      if (new Set(wanted.map(({ rule }) => rule.arn)).size < wanted.length)
        throw validation('A rule was provided multiple times')
      const twice = wanted.find(({ priority }, index) =>
        wanted.slice(0, index).some((one) => one.priority === priority),
      )
      if (twice) throw validation(`Priority '${twice.priority}' was provided multiple times`)
      for (const { arn, priority } of rulesOf(store, first.listenerArn))
        if (wanted.some((one) => one.priority === priority) && !wanted.some(({ rule }) => rule.arn === arn))
          throw inUse(priority)
      // Two may change places: no priority is taken before all have left theirs.
      for (const { rule } of wanted)
        store.update('elbv2_rule', { arn: rule.arn }, { priority: -rule.priority })
      for (const { rule, priority } of wanted) store.update('elbv2_rule', { arn: rule.arn }, { priority })
      return { Rules: wanted.map(({ rule, priority }) => describe({ ...rule, priority })) }
    },
  }

  function rulesOfListener(listener: ListenerRow): Rule[] {
    return [...rulesOf(store, listener.arn).map(describe), describeDefault(listener)]
  }

  function rulesOfLoadBalancer(context: Context, { loadBalancerArn }: ListenerRow): RuleRow[] {
    return listenersOf(store, context)
      .filter((one) => one.loadBalancerArn === loadBalancerArn)
      .flatMap((one) => rulesOf(store, one.arn))
  }

  function describedRule(context: Context, arn: string): Rule {
    const listener = listenersOf(store, context).find((one) => one.ruleArn === arn)
    return listener ? describeDefault(listener) : describe(requireRule(context, arn))
  }

  function requireRule(context: Context, arn: string): RuleRow {
    const row = ruleOf(store, context, arn)
    if (!row) throw noRule(arn)
    return row
  }

  function requireNoDefault(context: Context, arn: string, done: string) {
    if (listenersOf(store, context).some((one) => one.ruleArn === arn))
      throw new DeclaredError('OperationNotPermitted', `Default rule '${arn}' cannot be ${done}`)
  }
}

const inUse = (priority: number) =>
  new DeclaredError('PriorityInUse', `Priority '${priority}' is currently in use`)

function requirePriority(priority: number | undefined): number {
  if (priority === undefined) throw missing('priority')
  if (!Number.isInteger(priority) || priority < 1 || priority > PRIORITY_MAX)
    throw validation(
      `1 validation error detected: Value '${priority}' at 'priority' failed to satisfy constraint: Member must be between 1 and ${PRIORITY_MAX}`,
    )
  return priority
}

/** By priority, the default rule last. */
const orderOf = ({ Priority = '' }: Rule) => (Priority === 'default' ? '999999' : Priority.padStart(6, '0'))

const describe = (row: RuleRow): Rule => ({
  RuleArn: row.arn,
  Priority: String(row.priority),
  Conditions: conditionsOf(row).map(describeCondition),
  Actions: [describeAction(actionOf(row))],
  IsDefault: false,
})

const describeDefault = (row: ListenerRow): Rule => ({
  RuleArn: row.ruleArn,
  Priority: 'default',
  Conditions: [],
  Actions: [describeAction(actionOf(row))],
  IsDefault: true,
})
