// Environments with a Classic Load Balancer (`LoadBalancerType` = `classic`): the namespaces `aws:elb:*` say what those of
// `aws:elbv2:*` and of processes say of others. One health check holds for all ports of the instances.
import { listItems } from '../options/check-value.ts'
import { givenIn, type Read } from './effective.ts'
import { valueError } from './findings.ts'
import type { Names } from './names.ts'
import { LISTENERS_MAX } from './listeners.ts'
import { healthcheckUrl, namesIn } from './processes.ts'
import type { EnvironmentConfiguration, Finding, FurtherListener, Process, Setting } from './types.ts'

const LISTENER = 'aws:elb:listener'
const BALANCER = 'aws:elb:loadbalancer'
const CHECK = 'aws:elb:healthcheck'
const POLICIES = 'aws:elb:policies'
const HTTP_PORT = 80
/** A cookie that is to end with the browser's session has no end of its own: the longest that there is. */
const SESSION_SECONDS = 604_800

export const isClassicIn = (read: Read): boolean =>
  read('aws:elasticbeanstalk:environment', 'LoadBalancerType') === 'classic'

type Classic = Pick<
  EnvironmentConfiguration,
  | 'classic'
  | 'processes'
  | 'defaultListener'
  | 'listeners'
  | 'idleTimeoutSeconds'
  | 'accessLogs'
  | 'loadBalancerSecurityGroups'
  | 'managedSecurityGroup'
  | 'sharedLoadBalancer'
>

export function classicOf(settings: Setting[], read: Read): Classic {
  const ports = [
    ...(isEnabled(LISTENER, read) ? [{ port: HTTP_PORT, namespace: LISTENER }] : []),
    ...namesIn(settings, LISTENER)
      .map((name) => ({ port: Number(name), namespace: `${LISTENER}:${name}` }))
      .filter(({ namespace }) => isEnabled(namespace, read))
      .sort((a, b) => a.port - b.port),
  ].map((one) => ({ ...one, to: targetOf(one.namespace, read) }))
  const targets = [...new Map(ports.map(({ to }) => [`${to.protocol} ${to.port}`, to])).values()]
  // The first is the one that an environment's own words are about.
  const nameOf = ({ protocol, port }: Pick<Process, 'protocol' | 'port'>) =>
    targets[0]?.port === port && targets[0].protocol === protocol
      ? 'default'
      : `${protocol.toLowerCase()}-${port}`
  const check = checkOf(settings, read)
  const common = commonOf(check, read)
  const [first = targetOf(LISTENER, read), ...further] = targets
  const processes = [first, ...further].map((to) => ({ ...common, ...to, name: nameOf(to) }))
  processes[0]!.name = 'default'
  const own = ports.find(({ namespace }) => namespace === LISTENER)
  return {
    classic: { protocol: check.protocol, port: check.port },
    processes,
    defaultListener: own ? { defaultProcess: nameOf(own.to), rules: [] } : null,
    listeners: ports
      .filter(({ namespace }) => namespace !== LISTENER)
      .map(({ port, namespace, to }): FurtherListener => {
        const certificate = read(namespace, 'SSLCertificateId').trim()
        return {
          ...{ port, protocol: read(namespace, 'ListenerProtocol') === 'HTTPS' ? 'HTTPS' : 'HTTP' },
          ...{ certificates: certificate === '' ? [] : [certificate], sslPolicy: '' },
          ...{ defaultProcess: nameOf(to), rules: [] },
        }
      }),
    idleTimeoutSeconds: Number(read(POLICIES, 'ConnectionSettingIdleTimeout')),
    accessLogs: null,
    sharedLoadBalancer: '',
    loadBalancerSecurityGroups: listItems(read(BALANCER, 'SecurityGroups')),
    managedSecurityGroup: read(BALANCER, 'ManagedSecurityGroup').trim(),
  }
}

const isEnabled = (namespace: string, read: Read) => read(namespace, 'ListenerEnabled') !== 'false'

const targetOf = (namespace: string, read: Read): Pick<Process, 'port' | 'protocol'> => ({
  port: Number(read(namespace, 'InstancePort')),
  protocol: read(namespace, 'InstanceProtocol') === 'HTTPS' ? 'HTTPS' : 'HTTP',
})

type Check = { protocol: 'HTTP' | 'HTTPS' | 'TCP'; port: number; path: string }

// AWS: the application's URL is the more particular of the two.
function checkOf(settings: Setting[], read: Read): Check {
  const url = { namespace: 'aws:elasticbeanstalk:application', optionName: 'Application Healthcheck URL' }
  const given = read(url.namespace, url.optionName)
  const text = givenIn(settings, url) && given !== '' ? given : read(CHECK, 'Target')
  const { protocol, port, path } = healthcheckUrl(text) ?? { protocol: '', port: '', path: '' }
  const spoken = protocol === '' ? (path === '' ? 'TCP' : 'HTTP') : protocol
  return {
    protocol: spoken === 'HTTP' || spoken === 'HTTPS' ? spoken : 'TCP',
    port: Number(port || (spoken === 'HTTPS' ? 443 : 80)),
    path: path || '/',
  }
}

function commonOf({ path }: Check, read: Read): Omit<Process, 'name' | 'port' | 'protocol'> {
  const number = (namespace: string, option: string) => Number(read(namespace, option))
  return {
    healthCheck: {
      ...{ path, matcher: '200' },
      intervalSeconds: number(CHECK, 'Interval'),
      timeoutSeconds: number(CHECK, 'Timeout'),
      healthyThreshold: number(CHECK, 'HealthyThreshold'),
      unhealthyThreshold: number(CHECK, 'UnhealthyThreshold'),
    },
    deregistrationDelaySeconds:
      read(POLICIES, 'ConnectionDrainingEnabled') === 'true'
        ? number(POLICIES, 'ConnectionDrainingTimeout')
        : 0,
    stickinessSeconds:
      read(POLICIES, 'Stickiness Policy') === 'true'
        ? Math.min(number(POLICIES, 'Stickiness Cookie Expiration') || SESSION_SECONDS, SESSION_SECONDS)
        : null,
  }
}

/** What is wrong with the options of a classic load balancer taken together. */
export function classicFindings(
  { listeners, defaultListener, processes }: EnvironmentConfiguration,
  read: Read,
  names: Names | undefined,
): Finding[] {
  const error = (namespace: string, optionName: string, value: string, complaint: string) =>
    valueError({ namespace, optionName, resourceName: null }, value, complaint)
  const findings: Finding[] = []
  const { healthCheck } = processes[0]!
  if (healthCheck.timeoutSeconds >= healthCheck.intervalSeconds)
    findings.push(
      error(
        CHECK,
        'Timeout',
        String(healthCheck.timeoutSeconds),
        'Health check interval must be greater than the timeout.',
      ),
    )
  for (const [namespace, option] of [
    [CHECK, 'Target'],
    ['aws:elasticbeanstalk:application', 'Application Healthcheck URL'],
  ] as const) {
    const value = read(namespace, option)
    const { protocol, port, path } = healthcheckUrl(value) ?? { protocol: '', port: '', path: '' }
    if (protocol === 'SSL')
      findings.push(
        error(
          namespace,
          option,
          value,
          'Polebean does not implement this value yet. It takes: TCP, HTTP, HTTPS.',
        ),
      )
    if (protocol === 'TCP' && path !== '')
      findings.push(error(namespace, option, value, 'A check of the protocol TCP has no path.'))
    if (port !== '' && (Number(port) < 1 || Number(port) > 65_535))
      findings.push(error(namespace, option, value, 'A port is 1 to 65535.'))
    if (!/^[!-~]*$/.test(path))
      findings.push(
        error(namespace, option, value, 'A path has no blanks and no characters outside of ASCII.'),
      )
  }
  if (listeners.length >= LISTENERS_MAX)
    findings.push(
      error(
        `${LISTENER}:${listeners.at(-1)!.port}`,
        'ListenerEnabled',
        'true',
        `A load balancer has at most ${LISTENERS_MAX} listeners.`,
      ),
    )
  if (!defaultListener && listeners.length === 0)
    findings.push(
      error(LISTENER, 'ListenerEnabled', 'false', 'The load balancer must have a listener that is enabled.'),
    )
  for (const { port, protocol, certificates } of listeners) {
    const namespace = `${LISTENER}:${port}`
    if (port < 1 || port > 65_535 || port === HTTP_PORT)
      findings.push(
        error(
          namespace,
          'ListenerEnabled',
          'true',
          port === HTTP_PORT ? `Port 80 is that of ${LISTENER}.` : 'A port is 1 to 65535.',
        ),
      )
    const [certificate = ''] = certificates
    if ((protocol === 'HTTPS') !== (certificate !== ''))
      findings.push(
        error(
          namespace,
          'SSLCertificateId',
          certificate,
          'A listener has a certificate when its protocol is HTTPS, and only then.',
        ),
      )
    else if (certificate !== '' && names && !names.hasCertificate(certificate))
      findings.push(
        error(namespace, 'SSLCertificateId', certificate, `The certificate '${certificate}' does not exist`),
      )
  }
  return findings
}
