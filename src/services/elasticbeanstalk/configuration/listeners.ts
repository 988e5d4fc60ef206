// The listeners of an environment's load balancer, as its settings say them.
import { listItems } from '../options/check-value.ts'
import type { Read } from './effective.ts'
import { valueError } from './findings.ts'
import { ruleFindings, ruleOf } from './listener-rules.ts'
import type { Names } from './names.ts'
import { namesIn, processNamed } from './processes.ts'
import type { EnvironmentConfiguration, Finding, FurtherListener, ListenerTargets, Setting } from './types.ts'

const LISTENER = 'aws:elbv2:listener'

/** Of port 80; null where it is not enabled. */
export const defaultListenerOf = (read: Read): ListenerTargets | null =>
  read(`${LISTENER}:default`, 'ListenerEnabled') === 'false' ? null : targetsOf(`${LISTENER}:default`, read)

/** Those besides the default one, by port. */
export const listenersOf = (settings: Setting[], read: Read): FurtherListener[] =>
  namesIn(settings, LISTENER)
    .filter((name) => name !== 'default' && read(`${LISTENER}:${name}`, 'ListenerEnabled') !== 'false')
    .map((name) => ({
      port: Number(name),
      protocol: read(`${LISTENER}:${name}`, 'Protocol') === 'HTTPS' ? ('HTTPS' as const) : ('HTTP' as const),
      certificates: [...new Set(listItems(read(`${LISTENER}:${name}`, 'SSLCertificateArns')))],
      sslPolicy: read(`${LISTENER}:${name}`, 'SSLPolicy').trim(),
      ...targetsOf(`${LISTENER}:${name}`, read),
    }))
    .sort((a, b) => a.port - b.port)

const targetsOf = (namespace: string, read: Read): ListenerTargets => ({
  defaultProcess: processNamed(read(namespace, 'DefaultProcess')),
  rules: [...new Set(listItems(read(namespace, 'Rules')))]
    .map((name) => ruleOf(name, read))
    .sort((a, b) => a.priority - b.priority),
})

/** AWS: 25 certificates of a load balancer besides the default ones. */
const CERTIFICATES_MAX = 25
export const LISTENERS_MAX = 50

/** What is wrong with the listeners taken together. */
export function listenerFindings(
  configuration: EnvironmentConfiguration,
  names: Names | undefined,
): Finding[] {
  const { listeners, defaultListener, loadBalanced, sharedLoadBalancer } = configuration
  if (!loadBalanced) return []
  if (sharedLoadBalancer !== '') return ruleFindings(configuration)
  const findings: Finding[] = []
  const complain = (port: number | 'default', optionName: string, value: string, complaint: string) =>
    findings.push(
      valueError({ namespace: `${LISTENER}:${port}`, optionName, resourceName: null }, value, complaint),
    )
  if (!defaultListener && listeners.length === 0)
    complain('default', 'ListenerEnabled', 'false', 'The load balancer must have a listener that is enabled.')
  if (listeners.length >= LISTENERS_MAX)
    complain(
      listeners.at(-1)!.port,
      'ListenerEnabled',
      'true',
      `A load balancer has at most ${LISTENERS_MAX} listeners.`,
    )
  const besides = listeners.reduce((sum, { certificates }) => sum + Math.max(0, certificates.length - 1), 0)
  if (besides > CERTIFICATES_MAX)
    complain(
      listeners.at(-1)!.port,
      'SSLCertificateArns',
      listeners.at(-1)!.certificates.join(),
      `A load balancer has at most ${CERTIFICATES_MAX} certificates besides the first of each listener.`,
    )
  for (const { port, protocol, certificates, sslPolicy } of listeners) {
    if (port < 1 || port > 65_535 || port === 80)
      complain(
        port,
        'ListenerEnabled',
        'true',
        port === 80 ? 'Port 80 is that of aws:elbv2:listener:default.' : 'A port is 1 to 65535.',
      )
    if (protocol === 'HTTPS' && certificates.length === 0)
      complain(port, 'SSLCertificateArns', '', 'A listener of the protocol HTTPS must have a certificate.')
    if (protocol === 'HTTP' && (certificates.length > 0 || sslPolicy !== ''))
      complain(
        port,
        'Protocol',
        'HTTP',
        'A certificate and a policy are for listeners of the protocol HTTPS.',
      )
    const unknown = names && certificates.find((arn) => !names.hasCertificate(arn))
    if (unknown !== undefined)
      complain(port, 'SSLCertificateArns', unknown, `The certificate '${unknown}' does not exist`)
    if (names && sslPolicy !== '' && !names.hasSslPolicy(sslPolicy))
      complain(port, 'SSLPolicy', sslPolicy, `The SSL policy '${sslPolicy}' does not exist`)
  }
  return [...findings, ...ruleFindings(configuration)]
}
