// The rules that an environment's settings ask for, of the listeners of its load balancer. What a user made beside them is left
// alone.
import type { RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2'
import { dictionary } from '../../../kernel/dictionary.ts'
import { DeclaredError } from '../../../kernel/errors.ts'
import type { ListenerRule } from '../configuration/types.ts'
import { ofEnvironment } from '../events.ts'
import { isGone } from '../gone.ts'
import { resourcesOf } from '../store.ts'
import { forwardTo } from './processes.ts'
import { current, forget, remember, required, type Work } from './work.ts'

/** Port → name → ARN. */
type Made = Record<string, Record<string, string>>

export const madeOf = ({ parts, row }: Pick<Work, 'parts' | 'row'>): Made =>
  JSON.parse(resourcesOf(current(parts, row.id)).listenerRules ?? '{}') as Made

/** Undefined where a listener is not there any more. */
export function rulesThere({ parts, context }: Pick<Work, 'parts' | 'context'>, ListenerArn: string) {
  let rules: { arn: string; priority: number }[] | undefined
  isGone(() => {
    const { Rules = [] } = parts.cloud.elasticloadbalancingv2.describeRules(context, {
      ListenerArn,
      PageSize: 400,
    })
    rules = Rules.filter(({ IsDefault }) => !IsDefault).map(({ RuleArn = '', Priority }) => ({
      ...{ arn: RuleArn, priority: Number(Priority) },
    }))
  })
  return rules
}

/** Brings the rules of one listener to these. */
export function putRules(work: Work, port: number, ListenerArn: string, wanted: ListenerRule[]): void {
  const { parts, context } = work
  const { elasticloadbalancingv2 } = parts.cloud
  const { [port]: before = {}, ...others } = madeOf(work)
  if (wanted.length === 0 && Object.keys(before).length === 0) return
  const there = rulesThere(work, ListenerArn) ?? []
  const own = dictionary(
    Object.fromEntries(Object.entries(before).filter(([, arn]) => there.some((rule) => rule.arn === arn))),
  )
  for (const [name, RuleArn] of Object.entries(own))
    if (!wanted.some((rule) => rule.name === name)) {
      isGone(() => elasticloadbalancingv2.deleteRule(context, { RuleArn }))
      delete own[name]
    }
  // First those that are there, so that no two of them have the same priority on the way.
  const moved = wanted.flatMap(({ name, priority }) => {
    const RuleArn = own[name]
    const rule = there.find(({ arn }) => arn === RuleArn)
    return rule && rule.priority !== priority ? [{ RuleArn, Priority: priority }] : []
  })
  if (moved.length > 0)
    unlessTaken(work, port, () =>
      elasticloadbalancingv2.setRulePriorities(context, { RulePriorities: moved }),
    )
  for (const rule of wanted) {
    const RuleArn = own[rule.name]
    const says = { Conditions: conditionsOf(rule), Actions: [forwardTo(work, rule.process)] }
    if (RuleArn !== undefined) elasticloadbalancingv2.modifyRule(context, { RuleArn, ...says })
    else
      unlessTaken(work, port, () => {
        const input = { ListenerArn, Priority: rule.priority, ...says }
        const { Rules = [] } = elasticloadbalancingv2.createRule(context, input)
        own[rule.name] = required(Rules[0]?.RuleArn, 'createRule')
      })
  }
  const now: Made = { ...others, ...(Object.keys(own).length > 0 ? { [port]: own } : {}) }
  rememberRules(work, now)
}

/** All that the environment has made. */
export function removeRules({ parts, row, context }: Pick<Work, 'parts' | 'row' | 'context'>): void {
  for (const own of Object.values(madeOf({ parts, row })))
    for (const RuleArn of Object.values(own))
      isGone(() => parts.cloud.elasticloadbalancingv2.deleteRule(context, { RuleArn }))
  forget(parts, row.id, 'listenerRules')
}

/** With their listeners they went themselves. */
export function forgetRules(work: Work, port: number): void {
  const { [port]: _gone, ...others } = madeOf(work)
  rememberRules(work, others)
}

function rememberRules({ parts, row }: Work, made: Made): void {
  if (Object.keys(made).length > 0) remember(parts, row.id, { listenerRules: JSON.stringify(made) })
  else forget(parts, row.id, 'listenerRules')
}

const conditionsOf = ({ hostHeaders, pathPatterns }: ListenerRule): RuleCondition[] => [
  ...(hostHeaders.length > 0 ? [{ Field: 'host-header', Values: hostHeaders }] : []),
  ...(pathPatterns.length > 0 ? [{ Field: 'path-pattern', Values: pathPatterns }] : []),
]

// A user's own rule has the priority, or there are too many: the environment's is left out, and this is said.
function unlessTaken({ parts, row }: Work, port: number, deed: () => unknown): void {
  try {
    deed()
  } catch (error) {
    if (!(error instanceof DeclaredError) || !/PriorityInUse|TooManyRules/.test(error.code)) throw error
    const text = `A rule of the listener at port ${port} could not be put: ${error.message}`
    parts.events.write(ofEnvironment(row), 'WARN', text)
  }
}
