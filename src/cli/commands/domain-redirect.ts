// A rule of an environment's listener at port 80 that leads requests of one name to HTTPS.
import type { Api } from '../client.ts'
import type { Environment } from '../environments.ts'
import { listOf, structureOf, textOf } from '../xml.ts'

const FIRST_PRIORITY = 100
const PRIORITIES_MAX = 50_000

/** Rules of the environment itself have smaller numbers, unless its owner says otherwise. False = it has no HTTP at port 80. */
export async function addRedirect(api: Api, environment: Environment, name: string): Promise<boolean> {
  const listener = await listenerOf(api, environment)
  if (listener === undefined) return false
  const rules = await rulesOf(api, listener)
  if (rules.some((one) => one.redirects === name)) return true
  const taken = new Set(rules.map(({ priority }) => priority))
  let Priority = FIRST_PRIORITY
  while (taken.has(String(Priority)) && Priority < PRIORITIES_MAX) Priority++
  await api.call('elasticloadbalancing', 'CreateRule', {
    ...{ ListenerArn: listener, Priority },
    Conditions: [{ Field: 'host-header', HostHeaderConfig: { Values: [name] } }],
    Actions: [
      { Type: 'redirect', RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' } },
    ],
  })
  return true
}

/** False = there was none. */
export async function removeRedirect(api: Api, environment: Environment, name: string): Promise<boolean> {
  const listener = await listenerOf(api, environment)
  const rules = listener === undefined ? [] : await rulesOf(api, listener)
  const own = rules.filter((one) => one.redirects === name)
  for (const { arn } of own) await api.call('elasticloadbalancing', 'DeleteRule', { RuleArn: arn })
  return own.length > 0
}

async function listenerOf(api: Api, { name }: Environment): Promise<string | undefined> {
  const { result } = await api.call('elasticbeanstalk', 'DescribeEnvironmentResources', {
    EnvironmentName: name,
  })
  const [balancer] = listOf(structureOf(result.EnvironmentResources).LoadBalancers)
  const LoadBalancerArn = textOf(balancer?.Name)
  if (!LoadBalancerArn.startsWith('arn:')) return undefined
  const { result: found } = await api.call('elasticloadbalancing', 'DescribeListeners', { LoadBalancerArn })
  const http = listOf(found.Listeners).find(
    (one) => textOf(one.Port) === '80' && textOf(one.Protocol) === 'HTTP',
  )
  return http && textOf(http.ListenerArn)
}

/** `redirects`: the name that it leads to HTTPS; '' for rules of another kind. */
async function rulesOf(api: Api, ListenerArn: string) {
  const { result } = await api.call('elasticloadbalancing', 'DescribeRules', { ListenerArn })
  return listOf(result.Rules).map((rule) => {
    const conditions = listOf(rule.Conditions)
    const [action] = listOf(rule.Actions)
    const listed = structureOf(structureOf(conditions[0]).HostHeaderConfig).Values
    const values = Array.isArray(listed) ? listed.map(textOf) : []
    const isOurs =
      conditions.length === 1 &&
      values.length === 1 &&
      textOf(structureOf(structureOf(action).RedirectConfig).Protocol) === 'HTTPS'
    return { arn: textOf(rule.RuleArn), priority: textOf(rule.Priority), redirects: isOurs ? values[0]! : '' }
  })
}
