// The processes of an environment, as its settings say them: `aws:elasticbeanstalk:environment:process:NAME`.
import { givenIn, type Read } from './effective.ts'
import { valueError } from './findings.ts'
import type { EnvironmentConfiguration, Finding, Process, Setting } from './types.ts'

const PROCESS = 'aws:elasticbeanstalk:environment:process'
export const DEFAULT = 'default'
/** What an Application Load Balancer expects when nothing is said. */
const MATCHER = '200'
/** AWS: an Auto Scaling group takes 50 target groups. */
const PROCESSES_MAX = 50

/** The one that every environment has is known whatever its case. */
export const processNamed = (text: string) => (text.trim().toLowerCase() === DEFAULT ? DEFAULT : text.trim())

/** `default` first, then by name. */
export function processesOf(settings: Setting[], read: Read): Process[] {
  const given = namesIn(settings, PROCESS).filter((name) => name !== DEFAULT)
  return [DEFAULT, ...given].map((name) => processOf(name, settings, read))
}

/** The names of the things that have settings in namespaces of that kind, sorted. */
export function namesIn(settings: Setting[], kind: string): string[] {
  const names = settings.flatMap(({ namespace }) =>
    namespace.startsWith(`${kind}:`) ? namespace.slice(kind.length + 1) : [],
  )
  return [...new Set(names)].sort()
}

function processOf(name: string, settings: Setting[], read: Read): Process {
  const text = (option: string) => read(`${PROCESS}:${name}`, option)
  const number = (option: string) => Number(text(option))
  return {
    name,
    port: number('Port'),
    protocol: text('Protocol') === 'HTTPS' ? 'HTTPS' : 'HTTP',
    healthCheck: {
      path: healthCheckPath(name, settings, read),
      intervalSeconds: number('HealthCheckInterval'),
      timeoutSeconds: number('HealthCheckTimeout'),
      healthyThreshold: number('HealthyThresholdCount'),
      unhealthyThreshold: number('UnhealthyThresholdCount'),
      matcher: text('MatcherHTTPCode') || MATCHER,
    },
    deregistrationDelaySeconds: number('DeregistrationDelay'),
    stickinessSeconds: text('StickinessEnabled') === 'true' ? number('StickinessLBCookieDuration') : null,
  }
}

// The process's own path is the more particular of the two.
function healthCheckPath(name: string, settings: Setting[], read: Read): string {
  const namespace = `${PROCESS}:${name}`
  const own = read(namespace, 'HealthCheckPath')
  if (name !== DEFAULT || givenIn(settings, { namespace, optionName: 'HealthCheckPath' })) return own
  return healthcheckUrl(read('aws:elasticbeanstalk:application', 'Application Healthcheck URL'))?.path || own
}

/** The parts of an Application Healthcheck URL: `/health`, `HTTP:80/health`. */
export function healthcheckUrl(url: string): { protocol: string; port: string; path: string } | undefined {
  const [matched, , protocol = '', port = '', path = ''] =
    /^((HTTP|TCP|SSL|HTTPS):)?(\d*)(\/.*)?$/.exec(url) ?? []
  return matched === undefined ? undefined : { protocol, port, path }
}

/** What is wrong with the processes, each alone and all together. */
export function processFindings({ processes }: EnvironmentConfiguration): Finding[] {
  const findings = processes.flatMap(({ name, healthCheck }) => {
    const complain = (optionName: string, value: string, complaint: string) =>
      valueError({ namespace: `${PROCESS}:${name}`, optionName, resourceName: null }, value, complaint)
    const { timeoutSeconds, intervalSeconds, matcher } = healthCheck
    return [
      timeoutSeconds >= intervalSeconds
        ? complain(
            'HealthCheckTimeout',
            String(timeoutSeconds),
            'Health check interval must be greater than the timeout.',
          )
        : [],
      ascends(matcher) ? [] : complain('MatcherHTTPCode', matcher, 'A range must go upwards.'),
    ].flat()
  })
  if (processes.length <= PROCESSES_MAX) return findings
  const { name, port } = processes.at(-1)!
  const last = { namespace: `${PROCESS}:${name}`, optionName: 'Port', resourceName: null }
  return [
    ...findings,
    valueError(last, String(port), `An environment has at most ${PROCESSES_MAX} processes.`),
  ]
}

const ascends = (matcher: string) =>
  matcher.split(',').every((range) => {
    const [from, to = from] = range.split('-')
    return range.split('-').length <= 2 && Number(from) <= Number(to)
  })
