// Health-check settings of a target group: AWS's defaults and limits for HTTP on an Application Load Balancer.
import { refuseOthers } from '../parameters.ts'
import { unsupported, validation } from './errors.ts'
import type { HealthCheckSettings, TargetGroupRow } from './store.ts'

export type HealthCheckInput = {
  HealthCheckEnabled?: boolean
  HealthCheckProtocol?: string
  HealthCheckPort?: string
  HealthCheckPath?: string
  HealthCheckIntervalSeconds?: number
  HealthCheckTimeoutSeconds?: number
  HealthyThresholdCount?: number
  UnhealthyThresholdCount?: number
  Matcher?: { HttpCode?: string; GrpcCode?: string }
}

export const healthCheckMembers = [
  'HealthCheckEnabled',
  'HealthCheckProtocol',
  'HealthCheckPort',
  'HealthCheckPath',
  'HealthCheckIntervalSeconds',
  'HealthCheckTimeoutSeconds',
  'HealthyThresholdCount',
  'UnhealthyThresholdCount',
  'Matcher',
] as const

const DEFAULT_HEALTH_CHECK: HealthCheckSettings = {
  protocol: 'HTTP',
  port: null,
  path: '/',
  intervalSeconds: 30,
  timeoutSeconds: 5,
  healthyThreshold: 5,
  unhealthyThreshold: 2,
  matcher: '200',
}

/** AWS's of Network Load Balancers. */
const TCP_HEALTH_CHECK: HealthCheckSettings = {
  ...DEFAULT_HEALTH_CHECK,
  protocol: 'TCP',
  timeoutSeconds: 10,
  matcher: '200-399',
}

export const defaultHealthCheck = ({ protocol }: Pick<TargetGroupRow, 'protocol'>): HealthCheckSettings =>
  protocol === 'TCP' ? TCP_HEALTH_CHECK : DEFAULT_HEALTH_CHECK

/** The settings after a request. Throws AWS's ValidationError for what is out of limits. */
export function healthCheckAfter(
  before: HealthCheckSettings,
  input: HealthCheckInput,
  group: Pick<TargetGroupRow, 'protocol'>,
): HealthCheckSettings {
  if (input.HealthCheckEnabled === false)
    throw validation("Health check enabled must be true for target groups with target type 'instance'")
  const protocol = input.HealthCheckProtocol ?? before.protocol
  if (!isProtocol(protocol) || (protocol === 'TCP' && group.protocol !== 'TCP'))
    throw unsupported(`HealthCheckProtocol '${protocol}'`)
  if (protocol === 'TCP' && (input.HealthCheckPath !== undefined || input.Matcher !== undefined))
    throw validation(
      "Health check paths and matchers are not supported for health checks of the protocol 'TCP'",
    )
  refuseOthers(input.Matcher ?? {}, ['HttpCode'], (member) => unsupported(`Matcher.${member}`))
  const after: HealthCheckSettings = {
    protocol,
    port: input.HealthCheckPort === undefined ? before.port : portOf(input.HealthCheckPort),
    path: input.HealthCheckPath ?? before.path,
    intervalSeconds: input.HealthCheckIntervalSeconds ?? before.intervalSeconds,
    timeoutSeconds: input.HealthCheckTimeoutSeconds ?? before.timeoutSeconds,
    healthyThreshold: input.HealthyThresholdCount ?? before.healthyThreshold,
    unhealthyThreshold: input.UnhealthyThresholdCount ?? before.unhealthyThreshold,
    matcher: input.Matcher?.HttpCode ?? before.matcher,
  }
  requireBetween('Health check interval', after.intervalSeconds, 5, 300)
  requireBetween('Health check timeout', after.timeoutSeconds, 2, 120)
  requireBetween('Healthy threshold count', after.healthyThreshold, 2, 10)
  requireBetween('Unhealthy threshold count', after.unhealthyThreshold, 2, 10)
  if (after.timeoutSeconds >= after.intervalSeconds)
    throw validation('Health check interval must be greater than the timeout.')
  // Printable ASCII without space and what would end a line or a word in a configuration.
  if (!/^\/[\x21-\x7e]*$/.test(after.path) || after.path.length > 1024)
    throw validation(
      `Health check path '${after.path.slice(0, 100)}' must begin with a '/' character, and can be no longer than 1024 printable characters`,
    )
  if (!validMatcher(after.matcher))
    throw validation(
      `Health check matcher HTTP code '${after.matcher.slice(0, 100)}' must be within '200-499' inclusive`,
    )
  return after
}

const isProtocol = (protocol: string) => protocol === 'HTTP' || protocol === 'HTTPS' || protocol === 'TCP'

function portOf(given: string): number | null {
  if (given === 'traffic-port') return null
  const port = Number(given)
  if (/^\d{1,5}$/.test(given) && port >= 1 && port <= 65_535) return port
  throw validation(
    `Health check port '${given}' must be 'traffic-port' or an integer between '1' and '65535'`,
  )
}

function requireBetween(what: string, value: number, least: number, most: number) {
  if (!Number.isInteger(value) || value < least || value > most)
    throw validation(`${what} must be between ${least} and ${most}`)
}

const validMatcher = (matcher: string) =>
  matcher.length <= 256 &&
  matcher.split(',').every((part) => {
    const [from = 0, to = from] = part
      .split('-')
      .map((code) => (/^\d{3}$/.test(code) ? Number(code) : Number.NaN))
    return part.split('-').length <= 2 && from >= 200 && to <= 499 && from <= to
  })
