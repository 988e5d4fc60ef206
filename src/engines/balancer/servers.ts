// One server in HAProxy, as its line in the file and its keywords on the runtime socket.
import type { HealthCheck, Target, TargetGroup } from './engine.ts'
import type { Role } from './names.ts'

/** One server line. `open`: a stand-in that takes requests while no target is healthy (see plan.ts). */
export type Server = {
  backend: string
  name: string
  role: Role
  target: Target
  disabled: boolean
  /** It is spoken to by HTTPS. */
  tls: boolean
}

/** Keywords of a server, for its line and for `add server`; `default-server` does not reach dynamic ones. */
export function serverKeywords(role: Role, group: TargetGroup): string {
  const { healthCheck: check, routing } = group
  if (role === 'open' || check === null)
    return ['backup', ...tlsKeywords(group, null), ...(group.proxyProtocol ? ['send-proxy-v2'] : [])].join(
      ' ',
    )
  const slowly = routing?.slowStartSeconds ?? 0
  const { intervalSeconds, unhealthyThreshold, healthyThreshold, port } = check
  return [
    // One passed check makes a new target healthy (AWS: "it must pass one health check to be considered healthy").
    `check inter ${ms(intervalSeconds)} fall ${unhealthyThreshold} rise ${role === 'initial' ? 1 : healthyThreshold}`,
    // Difference from AWS: a target that is down is looked at more often than at the interval.
    `downinter ${Math.min(DOWN_INTERVAL_MS, intervalSeconds * 1000)}ms`,
    ...(port === null ? [] : [`port ${port}`]),
    ...(slowly === 0 ? [] : [`slowstart ${slowly}s`]),
    ...tlsKeywords(group, check),
    ...(group.proxyProtocol ? ['send-proxy-v2 check-send-proxy'] : []),
    // AWS: connections to a target of TCP end when it becomes unhealthy.
    ...(group.protocol === 'TCP' ? ['on-marked-down shutdown-sessions'] : []),
  ].join(' ')
}

export const speaksTls = ({ protocol }: Pick<TargetGroup, 'protocol'>): boolean => protocol === 'HTTPS'

// A check goes by what the server speaks, but not one of a server that came over the socket (seen with 2.6): so it is told.
function tlsKeywords(group: TargetGroup, check: HealthCheck | null): string[] {
  const isChecked = check?.protocol === 'HTTPS'
  const verify = speaksTls(group) || isChecked ? ['verify none'] : []
  const own = speaksTls(group) ? ['ssl'] : []
  if (check === null) return [...own, ...verify]
  return [...own, ...(isChecked ? ['check-ssl'] : speaksTls(group) ? ['no-check-ssl'] : []), ...verify]
}

const DOWN_INTERVAL_MS = 250
export const ms = (seconds: number) => `${Math.round(seconds * 1000)}ms`

export function serverLine({ name, role, target, disabled }: Server): string {
  const own = role === 'open' ? 'no-check backup' : role === 'initial' ? 'rise 1' : ''
  return `  server ${name} ${target.address}:${target.port} ${own}${disabled ? ' disabled' : ''}`.trimEnd()
}
