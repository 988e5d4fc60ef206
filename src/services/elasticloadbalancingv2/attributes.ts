// Attributes of load balancers and target groups. Those with an effect have limits; of the others the default is
// accepted, since clients send it back, and any other value is refused (design §2.12).
import { unsupported, validation } from './errors.ts'

type Attribute = {
  default: string
  /** Throws nothing and answers true for a value that may be set; undefined: the default only. */
  accepts?: (value: string) => boolean
}
export type AttributeTable = Record<string, Attribute>

const between = (least: number, most: number) => (value: string) =>
  /^\d{1,6}$/.test(value) && Number(value) >= least && Number(value) <= most
const oneOf =
  (...values: string[]) =>
  (value: string) =>
    values.includes(value)

export const IDLE_TIMEOUT = 'idle_timeout.timeout_seconds'
export const DELETION_PROTECTION = 'deletion_protection.enabled'
export const DEREGISTRATION_DELAY = 'deregistration_delay.timeout_seconds'

export const loadBalancerAttributes: AttributeTable = {
  [IDLE_TIMEOUT]: { default: '60', accepts: between(1, 4000) },
  [DELETION_PROTECTION]: { default: 'false', accepts: oneOf('true', 'false') },
  'access_logs.s3.enabled': { default: 'false' },
  'access_logs.s3.bucket': { default: '' },
  'access_logs.s3.prefix': { default: '' },
  'connection_logs.s3.enabled': { default: 'false' },
  'connection_logs.s3.bucket': { default: '' },
  'connection_logs.s3.prefix': { default: '' },
  'client_keep_alive.seconds': { default: '3600' },
  'ipv6.deny_all_igw_traffic': { default: 'false' },
  'load_balancing.cross_zone.enabled': { default: 'true' },
  'routing.http.desync_mitigation_mode': { default: 'defensive' },
  'routing.http.drop_invalid_header_fields.enabled': { default: 'false' },
  'routing.http.preserve_host_header.enabled': { default: 'false' },
  'routing.http.x_amzn_tls_version_and_cipher_suite.enabled': { default: 'false' },
  'routing.http.xff_client_port.enabled': { default: 'false' },
  'routing.http.xff_header_processing.mode': { default: 'append' },
  'routing.http2.enabled': { default: 'true' },
  'waf.fail_open.enabled': { default: 'false' },
  'zonal_shift.config.enabled': { default: 'false' },
}

export const targetGroupAttributes: AttributeTable = {
  [DEREGISTRATION_DELAY]: { default: '300', accepts: between(0, 3600) },
  'stickiness.enabled': { default: 'false' },
  'stickiness.type': { default: 'lb_cookie' },
  // Without effect while stickiness is off, which it is: kept and echoed, as Beanstalk sends it.
  'stickiness.lb_cookie.duration_seconds': { default: '86400', accepts: between(1, 604_800) },
  'stickiness.app_cookie.cookie_name': { default: '' },
  'stickiness.app_cookie.duration_seconds': { default: '86400', accepts: between(1, 604_800) },
  'slow_start.duration_seconds': { default: '0' },
  'load_balancing.algorithm.type': { default: 'round_robin' },
  'load_balancing.algorithm.anomaly_mitigation': { default: 'off' },
  'load_balancing.cross_zone.enabled': { default: 'use_load_balancer_configuration' },
  'target_group_health.dns_failover.minimum_healthy_targets.count': { default: '1' },
  'target_group_health.dns_failover.minimum_healthy_targets.percentage': { default: 'off' },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count': { default: '1' },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': { default: 'off' },
}

type Given = { Key?: string; Value?: string }

/** The attributes that are set after `given`; throws for unknown keys and values that have no effect or no meaning. */
export function withAttributes(
  table: AttributeTable,
  before: Record<string, string>,
  given: Given[],
): Record<string, string> {
  const after = { ...before }
  for (const { Key: key = '', Value: value = '' } of given) {
    const attribute = Object.hasOwn(table, key) ? table[key] : undefined
    if (!attribute) throw validation(`The attribute key '${key}' is not recognized`)
    if (value !== attribute.default && !attribute.accepts)
      throw unsupported(`The value '${value}' of attribute '${key}'`)
    if (attribute.accepts && !attribute.accepts(value))
      throw validation(`'${key}' value '${value}' is not valid`)
    after[key] = value
  }
  return after
}

export const describeAttributes = (table: AttributeTable, set: Record<string, string>) =>
  Object.entries(table).map(([Key, attribute]) => ({ Key, Value: set[Key] ?? attribute.default }))

/** A number among the attributes. */
export const numberOf = (table: AttributeTable, set: Record<string, string>, key: string) =>
  Number(set[key] ?? table[key]!.default)
