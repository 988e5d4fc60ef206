// Load balancers that users made, for several environments: `LoadBalancerIsShared` and `SharedLoadBalancer`.
import { findOption } from '../options/catalogue.ts'
import { isDefault } from '../options/check-value.ts'
import { readerOf, type Read } from './effective.ts'
import { valueError } from './findings.ts'
import { listenersOf } from './listeners.ts'
import { keyOf } from './merge.ts'
import type { Names } from './names.ts'
import type { EnvironmentConfiguration, Finding, FurtherListener, ListenerRule, Setting } from './types.ts'

const ENVIRONMENT = 'aws:elasticbeanstalk:environment'
const BALANCER = 'aws:elbv2:loadbalancer'
const LISTENER = 'aws:elbv2:listener'
const HTTP_PORT = 80
const DEFAULT = 'default'
/** Below every priority that a setting has. */
const LAST = 1001

/** Its ARN; '' = the environment's load balancer is its own. */
export const sharedIn = (read: Read): string =>
  read(ENVIRONMENT, 'LoadBalancerIsShared') === 'true' ? read(BALANCER, 'SharedLoadBalancer').trim() : ''

/** Somebody else's listeners, with the rules that the environment has there. AWS: where no listener names rules, that of port 80 has
 *  the rule `default`, which sends all that asks for the environment's name to its default process. */
export function sharedListenersOf(settings: Setting[], read: Read): FurtherListener[] {
  const named = listenersOf(settings, read).filter(({ rules }) => rules.length > 0)
  const listeners = named.length > 0 ? named : [{ ...PLAIN, rules: [ruleCalledDefault] }]
  const isGiven = settings.some(({ namespace }) => namespace === `aws:elbv2:listenerrule:${DEFAULT}`)
  return listeners.map(({ rules, ...listener }) => ({
    ...listener,
    rules: rules
      .map((rule) => (rule.name === DEFAULT && !isGiven ? ruleCalledDefault : rule))
      .sort((a, b) => a.priority - b.priority),
  }))
}

const PLAIN: Omit<FurtherListener, 'rules'> = {
  ...{ port: HTTP_PORT, protocol: 'HTTP', certificates: [], sslPolicy: '', defaultProcess: DEFAULT },
}
const ruleCalledDefault: ListenerRule = {
  ...{ name: DEFAULT, hostHeaders: [], pathPatterns: [], priority: LAST, process: DEFAULT },
}

/** What belongs to the load balancer itself, and is its owner's. */
const OWNERS: [namespace: RegExp, options: string[]][] = [
  [/^aws:elbv2:listener:default$/, ['Rules']],
  [
    /^aws:elbv2:listener:/,
    ['ListenerEnabled', 'Protocol', 'DefaultProcess', 'SSLCertificateArns', 'SSLPolicy'],
  ],
  [
    /^aws:elbv2:loadbalancer$/,
    [
      ...['AccessLogsS3Enabled', 'AccessLogsS3Bucket', 'AccessLogsS3Prefix', 'IdleTimeout'],
      ...['IpAddressType', 'ManagedSecurityGroup'],
    ],
  ],
  [/^polebean:loadbalancer$/, ['QueueSeconds', 'ErrorPage']],
]

type Given = { platform: string; settings: Setting[]; before: Setting[] | null; isTemplate?: boolean }

/** What is wrong with sharing a load balancer. */
export function sharedFindings(
  { platform, settings, before, isTemplate = false }: Given,
  { loadBalanced, classic, sharedLoadBalancer: arn, listeners }: EnvironmentConfiguration,
  names: Names | undefined,
): Finding[] {
  const isShared = settings.some(
    ({ namespace, optionName, value }) =>
      namespace === ENVIRONMENT && optionName === 'LoadBalancerIsShared' && value.toLowerCase() === 'true',
  )
  const changed = before === null || isTemplate ? [] : changedFindings(before, settings)
  if (!isShared || !loadBalanced) return changed
  const complain = (namespace: string, optionName: string, value: string, complaint: string) =>
    valueError({ namespace, optionName, resourceName: null }, value, complaint)
  if (classic)
    return [
      ...changed,
      complain(
        ENVIRONMENT,
        'LoadBalancerIsShared',
        'true',
        'Only an Application Load Balancer can be shared.',
      ),
    ]
  const ofBalancer = (complaint: string) => complain(BALANCER, 'SharedLoadBalancer', arn, complaint)
  if (arn === '')
    return [...changed, ofBalancer('A shared load balancer must be named when LoadBalancerIsShared is true.')]
  const foreign = settings.flatMap((setting) => {
    const option = findOption(platform, setting.namespace, setting.optionName)?.option
    const isOwners = OWNERS.some(
      ([namespace, options]) => namespace.test(setting.namespace) && options.includes(setting.optionName),
    )
    const isOld = before?.some((one) => keyOf(one) === keyOf(setting) && one.value === setting.value) ?? false
    return isOwners && !isOld && option && !isDefault(option, setting.value)
      ? [
          valueError(
            setting,
            setting.value,
            'This is not an option of environments with a shared load balancer.',
          ),
        ]
      : []
  })
  // What its owner took away later is no reason to refuse another change: an event says so (workflows/shared-load-balancer.ts).
  const had =
    before === null ? [] : sharedListenersOf(before, readerOf(platform, before)).map(({ port }) => port)
  const isNew = before === null || sharedIn(readerOf(platform, before)) !== arn
  const ports = names?.sharableLoadBalancers().get(arn)
  const unknown =
    names && !ports
      ? !isNew
        ? []
        : [ofBalancer('There is no Application Load Balancer of that ARN that can be shared.')]
      : listeners.flatMap(({ port, rules }) =>
          ports && !ports.includes(port) && (isNew || !had.includes(port))
            ? [
                complain(
                  `${LISTENER}:${port}`,
                  'Rules',
                  rules.map(({ name }) => name).join(),
                  `The shared load balancer has no listener at port ${port}.`,
                ),
              ]
            : [],
        )
  return [...changed, ...foreign, ...unknown]
}

// AWS: both are for good.
function changedFindings(before: Setting[], after: Setting[]): Finding[] {
  const value = (settings: Setting[], namespace: string, name: string) =>
    settings.find((one) => one.namespace === namespace && one.optionName === name)?.value.trim() ?? ''
  return (
    [
      [ENVIRONMENT, 'LoadBalancerIsShared'],
      [BALANCER, 'SharedLoadBalancer'],
    ] as const
  ).flatMap(([namespace, optionName]) => {
    const [was, is] = [before, after].map((settings) => {
      const text = value(settings, namespace, optionName)
      return optionName === 'LoadBalancerIsShared' ? text.toLowerCase() || 'false' : text
    })
    return was === is
      ? []
      : [
          {
            ...{ severity: 'error' as const, namespace, optionName },
            message: `${optionName} option cannot be changed.`,
          },
        ]
  })
}
