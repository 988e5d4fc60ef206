// The listeners of an environment's load balancer, as its settings say them.
import { listItems } from '../options/check-value.ts'
import { valueError } from './findings.ts'
import type { EnvironmentConfiguration, Finding, FurtherListener, Setting } from './types.ts'
import type { Read } from './effective.ts'
import type { Names } from './names.ts'

const LISTENER = 'aws:elbv2:listener'

/** Those besides the default one, by port. */
export function listenersOf(settings: Setting[], read: Read): FurtherListener[] {
  const ports = settings.flatMap(({ namespace }) => {
    const [, port] = /^aws:elbv2:listener:([1-9]\d{0,4})$/i.exec(namespace) ?? []
    return port === undefined ? [] : Number(port)
  })
  return [...new Set(ports)]
    .sort((a, b) => a - b)
    .filter((port) => read(`${LISTENER}:${port}`, 'ListenerEnabled') !== 'false')
    .map((port) => ({
      port,
      protocol: read(`${LISTENER}:${port}`, 'Protocol') === 'HTTPS' ? 'HTTPS' : 'HTTP',
      certificates: [...new Set(listItems(read(`${LISTENER}:${port}`, 'SSLCertificateArns')))],
      sslPolicy: read(`${LISTENER}:${port}`, 'SSLPolicy').trim(),
    }))
}

/** AWS: 25 certificates of a load balancer besides the default ones. */
const CERTIFICATES_MAX = 25
const LISTENERS_MAX = 50

/** What is wrong with the listeners taken together. */
export function listenerFindings(
  { listeners, defaultListener, loadBalanced }: EnvironmentConfiguration,
  names: Names | undefined,
): Finding[] {
  if (!loadBalanced) return []
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
  return findings
}
