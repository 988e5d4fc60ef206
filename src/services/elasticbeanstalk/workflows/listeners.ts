// The listeners that settings ask for besides the default one of port 80: `aws:elbv2:listener:PORT`. What a user made at
// another port of the load balancer is left alone.
import type { CreateListenerInput } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { FurtherListener } from '../configuration/types.ts'
import { ofEnvironment } from '../events.ts'
import { isGone } from '../gone.ts'
import { resourcesOf } from '../store.ts'
import { forgetRules, putRules } from './listener-rules.ts'
import { forwardTo } from './processes.ts'
import { putSharedRules } from './shared-load-balancer.ts'
import { LISTENER_PORT, openPort } from './security-groups.ts'
import { current, forget, remember, required, type Work } from './work.ts'

/** What was made, by port; the rules are of that group. */
type Made = Record<string, { listenerArn: string; groupId: string; ruleIds: string[] }>

/** Brings them to what the settings say, with the rules of the load balancer's own group that let everybody in there. */
export function putListeners(work: Work): void {
  const { parts, row, configuration } = work
  const { loadBalancerArn } = resourcesOf(current(parts, row.id))
  // While an elastic address takes its place the load balancer serves as it did; then it goes with all its listeners.
  if (!loadBalancerArn || !configuration.loadBalanced) return
  if (configuration.sharedLoadBalancer !== '') return putSharedRules(work)
  const made = madeOf(work)
  const kept: Made = {}
  const wanted = configuration.listeners
  // One that goes first leaves its port to nobody else, and its certificate to whoever wants to delete it.
  for (const [port, one] of Object.entries(made))
    if (!wanted.some((listener) => String(listener.port) === port)) {
      removeListener(work, one)
      forgetRules(work, Number(port))
    }
  for (const listener of wanted) {
    const put = putListener(work, loadBalancerArn, listener, made[listener.port])
    if (put) kept[listener.port] = put
  }
  if (Object.keys(kept).length > 0) remember(parts, row.id, { furtherListeners: JSON.stringify(kept) })
  else forget(parts, row.id, 'furtherListeners')
}

/** Makes the default listener, or brings it to what the settings say. */
export function putDefaultListener(work: Work): void {
  const { parts, row, context, configuration } = work
  const { elasticloadbalancingv2 } = parts.cloud
  const { defaultListener } = configuration
  if (!defaultListener) return
  const { listenerArn: there, loadBalancerArn = '' } = resourcesOf(current(parts, row.id))
  const DefaultActions = [forwardTo(work, defaultListener.defaultProcess)]
  if (there === undefined) {
    const listenerArn = makeListener(work, loadBalancerArn, {
      ...{ Protocol: 'HTTP' as const, Port: LISTENER_PORT, DefaultActions },
    })
    remember(parts, row.id, { listenerArn })
    tell(work, `Created Load Balancer listener named: ${listenerArn}`)
  } else elasticloadbalancingv2.modifyListener(context, { ListenerArn: there, DefaultActions })
  const { listenerArn = '' } = resourcesOf(current(parts, row.id))
  putRules(work, LISTENER_PORT, listenerArn, defaultListener.rules)
}

/** Takes the default listener away where the settings have none. */
export function removeDefaultListener(work: Work): void {
  const { parts, row, context, configuration } = work
  const { listenerArn } = resourcesOf(current(parts, row.id))
  if (!listenerArn || configuration.defaultListener) return
  isGone(() => parts.cloud.elasticloadbalancingv2.deleteListener(context, { ListenerArn: listenerArn }))
  forget(parts, row.id, 'listenerArn')
  forgetRules(work, LISTENER_PORT)
  tell(work, `Deleted Load Balancer listener named: ${listenerArn}`)
}

function madeOf({ parts, row }: Work): Made {
  const { furtherListeners } = resourcesOf(current(parts, row.id))
  return furtherListeners === undefined ? {} : (JSON.parse(furtherListeners) as Made)
}

/** Undefined where somebody else has a listener, which stays as it is. */
function putListener(
  work: Work,
  LoadBalancerArn: string,
  { port, protocol, certificates, sslPolicy, defaultProcess, rules }: FurtherListener,
  before: Made[string] | undefined,
): Made[string] | undefined {
  const { parts, row, context } = work
  const { elasticloadbalancingv2 } = parts.cloud
  const { Listeners = [] } = elasticloadbalancingv2.describeListeners(context, { LoadBalancerArn })
  const there = Listeners.find(({ Port }) => Port === port)?.ListenerArn
  if (there !== undefined && there !== before?.listenerArn) {
    const message = `Port ${port} of the load balancer has a listener that was not made by this environment: ${there}. It stays as it is.`
    parts.events.write(ofEnvironment(row), 'WARN', message)
    return undefined
  }
  const settings = {
    ...{ Protocol: protocol, Port: port, DefaultActions: [forwardTo(work, defaultProcess)] },
    ...(protocol === 'HTTPS'
      ? { Certificates: [{ CertificateArn: certificates[0] }], SslPolicy: sslPolicy || DEFAULT_SSL_POLICY }
      : {}),
  }
  if (there !== undefined) elasticloadbalancingv2.modifyListener(context, { ListenerArn: there, ...settings })
  const listenerArn = there ?? makeListener(work, LoadBalancerArn, settings)
  if (protocol === 'HTTPS') putCertificates(work, listenerArn, certificates)
  putRules(work, port, listenerArn, rules)
  if (there === undefined) tell(work, `Created Load Balancer listener named: ${listenerArn}`)
  const { loadBalancerSecurityGroupId: groupId = '' } = resourcesOf(current(parts, row.id))
  const ruleIds = before?.groupId === groupId ? before.ruleIds : openPort(work, groupId, port)
  return { listenerArn, groupId, ruleIds }
}

/** AWS's own, of a listener for which none is named. */
const DEFAULT_SSL_POLICY = 'ELBSecurityPolicy-2016-08'

function makeListener(
  { parts, context }: Work,
  LoadBalancerArn: string,
  settings: Pick<CreateListenerInput, 'Protocol' | 'Port' | 'Certificates' | 'SslPolicy' | 'DefaultActions'>,
): string {
  const { Listeners = [] } = parts.cloud.elasticloadbalancingv2.createListener(context, {
    LoadBalancerArn,
    ...settings,
  })
  return required(Listeners[0]?.ListenerArn, 'createListener')
}

function putCertificates({ parts, context }: Work, ListenerArn: string, wanted: string[]): void {
  const { elasticloadbalancingv2 } = parts.cloud
  const { Certificates = [] } = elasticloadbalancingv2.describeListenerCertificates(context, { ListenerArn })
  const there = Certificates.map(({ CertificateArn }) => CertificateArn ?? '')
  const list = (arns: string[]) => arns.map((CertificateArn) => ({ CertificateArn }))
  const added = wanted.filter((arn) => !there.includes(arn))
  const gone = there.filter((arn) => !wanted.includes(arn))
  if (gone.length > 0)
    elasticloadbalancingv2.removeListenerCertificates(context, { ListenerArn, Certificates: list(gone) })
  if (added.length > 0)
    elasticloadbalancingv2.addListenerCertificates(context, { ListenerArn, Certificates: list(added) })
}

function removeListener(work: Work, { listenerArn, groupId, ruleIds }: Made[string]): void {
  const { parts, context } = work
  const { cloud } = parts
  isGone(() => cloud.elasticloadbalancingv2.deleteListener(context, { ListenerArn: listenerArn }))
  for (const id of ruleIds)
    isGone(() =>
      cloud.ec2.revokeSecurityGroupIngress(context, { GroupId: groupId, SecurityGroupRuleIds: [id] }),
    )
  tell(work, `Deleted Load Balancer listener named: ${listenerArn}`)
}

// Listeners of a classic load balancer have no names.
function tell({ parts, row }: Work, text: string): void {
  if (!resourcesOf(current(parts, row.id)).loadBalancerName)
    parts.events.write(ofEnvironment(row), 'INFO', text)
}
