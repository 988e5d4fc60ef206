// Rules of listeners, as settings say them: `aws:elbv2:listenerrule:NAME`, named by a listener's option Rules.
import { listItems } from '../options/check-value.ts'
import type { Read } from './effective.ts'
import { valueError } from './findings.ts'
import { processNamed } from './processes.ts'
import type { EnvironmentConfiguration, Finding, ListenerRule, ListenerTargets } from './types.ts'

const LISTENER = 'aws:elbv2:listener'
const RULE = 'aws:elbv2:listenerrule'

/** One that has no settings matches nothing that can be said, and is found wanting. */
export const ruleOf = (name: string, read: Read): ListenerRule => ({
  name,
  hostHeaders: listItems(read(`${RULE}:${name}`, 'HostHeaders')),
  pathPatterns: listItems(read(`${RULE}:${name}`, 'PathPatterns')),
  priority: Number(read(`${RULE}:${name}`, 'Priority')),
  process: processNamed(read(`${RULE}:${name}`, 'Process')),
})

/** "up to five combined HostHeader and PathPattern rules", each of up to 128 characters with up to three wildcards. */
const VALUES_MAX = 5
const WILDCARDS_MAX = 3
const LENGTH_MAX = 128
/** Wildcards of a whole rule: a quota of Application Load Balancers. */
const RULE_WILDCARDS_MAX = 5
/** AWS: of a load balancer, besides the default ones. */
const RULES_MAX = 100

// What elasticloadbalancingv2 takes.
const HOST = /^[A-Za-z0-9.*?-]*\.[A-Za-z*?]+$/
const PATH = /^[A-Za-z0-9_.$/~"'@:+&*?%!;=()#[\]\\-]+$/

/** What is wrong with where listeners send requests. */
export function ruleFindings(configuration: EnvironmentConfiguration): Finding[] {
  const { processes, defaultListener, listeners, sharedLoadBalancer } = configuration
  const isShared = sharedLoadBalancer !== ''
  const isProcess = (name: string) => processes.some((process) => process.name === name)
  const all: [string, ListenerTargets][] = [
    ...(defaultListener ? [['default', defaultListener] as [string, ListenerTargets]] : []),
    ...listeners.map((listener): [string, ListenerTargets] => [String(listener.port), listener]),
  ]
  const error = (namespace: string, optionName: string, value: string, complaint: string) =>
    valueError({ namespace, optionName, resourceName: null }, value, complaint)
  const ofListeners = all.flatMap(([name, { defaultProcess, rules }]) => [
    ...(isProcess(defaultProcess)
      ? []
      : [error(`${LISTENER}:${name}`, 'DefaultProcess', defaultProcess, noProcess(defaultProcess))]),
    ...rules.flatMap((rule, index) =>
      rules[index - 1]?.priority === rule.priority
        ? [
            error(
              `${RULE}:${rule.name}`,
              'Priority',
              String(rule.priority),
              `The rule '${rules[index - 1]!.name}' of the same listener has this priority.`,
            ),
          ]
        : [],
    ),
  ])
  const rules = all.flatMap(([, targets]) => targets.rules)
  const named = new Map(rules.map((rule) => [rule.name, rule]))
  const ofRules = [...named.values()].flatMap((rule) => {
    const namespace = `${RULE}:${rule.name}`
    const found = ruleComplaint(rule, isShared)
    if (found) return [error(namespace, ...found)]
    return isProcess(rule.process) ? [] : [error(namespace, 'Process', rule.process, noProcess(rule.process))]
  })
  const tooMany =
    rules.length > RULES_MAX
      ? [
          error(
            `${LISTENER}:${all.at(-1)![0]}`,
            'Rules',
            rules.map(({ name }) => name).join(),
            `A load balancer has at most ${RULES_MAX} rules.`,
          ),
        ]
      : []
  return [...ofListeners, ...ofRules, ...tooMany]
}

const noProcess = (name: string) => `There is no process '${name}'.`

/** One that is shared has the environment's name among its hosts. */
function ruleComplaint(
  { hostHeaders, pathPatterns }: ListenerRule,
  isShared: boolean,
): [option: string, value: string, complaint: string] | undefined {
  const values = [...hostHeaders, ...pathPatterns]
  if (values.length === 0 && isShared) return undefined
  if (values.length === 0) return ['PathPatterns', '', 'A rule must have host headers or path patterns.']
  const wrong = hostHeaders.find((value) => !HOST.test(value))
  if (wrong !== undefined)
    return ['HostHeaders', wrong, 'This is not the name of a host or a pattern of names.']
  const path = pathPatterns.find((value) => !PATH.test(value))
  if (path !== undefined) return ['PathPatterns', path, 'This is not a pattern of paths.']
  const option = (value: string) => (pathPatterns.includes(value) ? 'PathPatterns' : 'HostHeaders')
  const long = values.find((value) => value.length > LENGTH_MAX)
  if (long !== undefined) return [option(long), long, `A pattern has at most ${LENGTH_MAX} characters.`]
  const wild = values.find((value) => wildcardsOf(value) > WILDCARDS_MAX)
  if (wild !== undefined) return [option(wild), wild, `A pattern has at most ${WILDCARDS_MAX} wildcards.`]
  const valuesMax = isShared ? VALUES_MAX - 1 : VALUES_MAX
  if (values.length > valuesMax)
    return [
      option(values.at(-1)!),
      values.join(),
      `A rule has at most ${valuesMax} host headers and path patterns together.`,
    ]
  if (wildcardsOf(values.join('')) > RULE_WILDCARDS_MAX)
    return [option(values.at(-1)!), values.join(), `A rule has at most ${RULE_WILDCARDS_MAX} wildcards.`]
  return undefined
}

const wildcardsOf = (text: string) => text.replaceAll(/\\./g, '').match(/[*?]/g)?.length ?? 0
