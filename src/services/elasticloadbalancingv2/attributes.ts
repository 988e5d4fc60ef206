// Attributes of load balancers and target groups. Those with an effect have limits; of the others the default is
// accepted, since clients send it back, and any other value is refused (design §2.12).
import { type HeaderTreatment, isPage, type TargetGroupRouting } from '../../engines/balancer/engine.ts'
import { unsupported, validation } from './errors.ts'
import type { LoadBalancerRow, TargetGroupRow } from './store.ts'

type Attribute = {
  default: string
  /** Of Polebean alone: described once it is set. */
  own?: true
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
/** How long a request waits while no target may have it, in seconds. */
export const QUEUE = 'polebean.queue_seconds'
/** HTML in place of AWS's pages for want of a target's answer. */
export const ERROR_PAGE = 'polebean.error_page'
export const HTTP2 = 'routing.http2.enabled'
export const ACCESS_LOGS = {
  enabled: 'access_logs.s3.enabled',
  bucket: 'access_logs.s3.bucket',
  prefix: 'access_logs.s3.prefix',
}
export const DEREGISTRATION_DELAY = 'deregistration_delay.timeout_seconds'
export const PROXY_PROTOCOL = 'proxy_protocol_v2.enabled'
const DROPS_INVALID = 'routing.http.drop_invalid_header_fields.enabled'
const XFF_PORT = 'routing.http.xff_client_port.enabled'
const XFF_MODE = 'routing.http.xff_header_processing.mode'
const STICKINESS = 'stickiness.enabled'
const STICKINESS_TYPE = 'stickiness.type'
const LB_COOKIE_SECONDS = 'stickiness.lb_cookie.duration_seconds'
const APP_COOKIE = 'stickiness.app_cookie.cookie_name'
const APP_COOKIE_SECONDS = 'stickiness.app_cookie.duration_seconds'
const SLOW_START = 'slow_start.duration_seconds'
const ALGORITHM = 'load_balancing.algorithm.type'

// RFC 6265 §4.1.1. AWS keeps the names of its own cookies.
const isCookieName = (name: string) =>
  /^[A-Za-z0-9!#$%&*+.^_`|~-]{1,256}$/.test(name) && !/^AWSALB(APP|TG)?/i.test(name)

export const loadBalancerAttributes: AttributeTable = {
  [IDLE_TIMEOUT]: { default: '60', accepts: between(1, 4000) },
  [DELETION_PROTECTION]: { default: 'false', accepts: oneOf('true', 'false') },
  [ACCESS_LOGS.enabled]: { default: 'false', accepts: oneOf('true', 'false') },
  [ACCESS_LOGS.bucket]: {
    default: '',
    accepts: (value) => /^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$/.test(value),
  },
  // AWS: it "must not include AWSLogs".
  [ACCESS_LOGS.prefix]: {
    default: '',
    accepts: (value) =>
      /^([A-Za-z0-9!_.*'()-][A-Za-z0-9!_.*'()/-]{0,254})?$/.test(value) && !/AWSLogs|\/$/.test(value),
  },
  'connection_logs.s3.enabled': { default: 'false' },
  'connection_logs.s3.bucket': { default: '' },
  'connection_logs.s3.prefix': { default: '' },
  'client_keep_alive.seconds': { default: '3600' },
  'ipv6.deny_all_igw_traffic': { default: 'false' },
  'load_balancing.cross_zone.enabled': { default: 'true' },
  'routing.http.desync_mitigation_mode': { default: 'defensive' },
  [DROPS_INVALID]: { default: 'false', accepts: oneOf('true', 'false') },
  // Either way the header arrives as the client sent it (AWS adds a port to it that is not the usual one, unless true).
  'routing.http.preserve_host_header.enabled': { default: 'false', accepts: oneOf('true', 'false') },
  'routing.http.x_amzn_tls_version_and_cipher_suite.enabled': { default: 'false' },
  [XFF_PORT]: { default: 'false', accepts: oneOf('true', 'false') },
  [XFF_MODE]: { default: 'append', accepts: oneOf('append', 'preserve', 'remove') },
  [HTTP2]: { default: 'true', accepts: oneOf('true', 'false') },
  [ERROR_PAGE]: { own: true, default: '', accepts: isPage },
  [QUEUE]: { own: true, default: '0', accepts: between(0, 300) },
  'waf.fail_open.enabled': { default: 'false' },
  'zonal_shift.config.enabled': { default: 'false' },
}

export const targetGroupAttributes: AttributeTable = {
  [DEREGISTRATION_DELAY]: { default: '300', accepts: between(0, 3600) },
  [STICKINESS]: { default: 'false', accepts: oneOf('true', 'false') },
  [STICKINESS_TYPE]: { default: 'lb_cookie', accepts: oneOf('lb_cookie', 'app_cookie') },
  [LB_COOKIE_SECONDS]: { default: '86400', accepts: between(1, 604_800) },
  [APP_COOKIE]: { default: '', accepts: (value) => value === '' || isCookieName(value) },
  [APP_COOKIE_SECONDS]: { default: '86400', accepts: between(1, 604_800) },
  [SLOW_START]: { default: '0', accepts: (value) => value === '0' || between(30, 900)(value) },
  [ALGORITHM]: {
    default: 'round_robin',
    accepts: oneOf('round_robin', 'least_outstanding_requests', 'weighted_random'),
  },
  'load_balancing.algorithm.anomaly_mitigation': { default: 'off' },
  'load_balancing.cross_zone.enabled': { default: 'use_load_balancer_configuration' },
  'target_group_health.dns_failover.minimum_healthy_targets.count': { default: '1' },
  'target_group_health.dns_failover.minimum_healthy_targets.percentage': { default: 'off' },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count': { default: '1' },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': { default: 'off' },
}

/** Of Network Load Balancers. */
const networkLoadBalancerAttributes: AttributeTable = {
  [DELETION_PROTECTION]: { default: 'false', accepts: oneOf('true', 'false') },
  'access_logs.s3.enabled': { default: 'false' },
  'access_logs.s3.bucket': { default: '' },
  'access_logs.s3.prefix': { default: '' },
  'dns_record.client_routing_policy': { default: 'any_availability_zone' },
  'ipv6.deny_all_igw_traffic': { default: 'false' },
  'load_balancing.cross_zone.enabled': { default: 'true' },
  'secondary_ips.auto_assigned.per_subnet': { default: '0' },
  'zonal_shift.config.enabled': { default: 'false' },
}

/** Of their target groups. Targets see the load balancer's address; the client's comes with the PROXY protocol. */
const tcpTargetGroupAttributes: AttributeTable = {
  [DEREGISTRATION_DELAY]: { default: '300', accepts: between(0, 3600) },
  'deregistration_delay.connection_termination.enabled': { default: 'false' },
  'load_balancing.cross_zone.enabled': { default: 'use_load_balancer_configuration' },
  'preserve_client_ip.enabled': { default: 'false' },
  [PROXY_PROTOCOL]: { default: 'false', accepts: oneOf('true', 'false') },
  [STICKINESS]: { default: 'false' },
  [STICKINESS_TYPE]: { default: 'source_ip' },
  'target_group_health.dns_failover.minimum_healthy_targets.count': { default: '1' },
  'target_group_health.dns_failover.minimum_healthy_targets.percentage': { default: 'off' },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count': { default: '1' },
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': { default: 'off' },
  'target_health_state.unhealthy.connection_termination.enabled': { default: 'true' },
}

export const attributesOfLoadBalancers = ({ type }: Pick<LoadBalancerRow, 'type'>): AttributeTable =>
  type === 'network' ? networkLoadBalancerAttributes : loadBalancerAttributes
export const attributesOfTargetGroups = ({ protocol }: Pick<TargetGroupRow, 'protocol'>): AttributeTable =>
  protocol === 'TCP' ? tcpTargetGroupAttributes : targetGroupAttributes

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
  Object.entries(table)
    .filter(([Key, { own }]) => !own || set[Key] !== undefined)
    .map(([Key, attribute]) => ({ Key, Value: set[Key] ?? attribute.default }))

export const headersOf = (set: Record<string, string>): HeaderTreatment => ({
  forwardedFor: (set[XFF_MODE] ?? 'append') as HeaderTreatment['forwardedFor'],
  withClientPort: set[XFF_PORT] === 'true',
  dropsInvalid: set[DROPS_INVALID] === 'true',
})

/** Throws for values that are right each, and not together. */
export function requireRouting(set: Record<string, string>): void {
  const { algorithm, slowStartSeconds, stickiness } = routingOf(set)
  if (slowStartSeconds > 0 && algorithm !== 'round_robin')
    throw validation(`Slow start is only supported with the 'round_robin' algorithm`)
  if (stickiness?.applicationCookie === '')
    throw validation(`You must specify '${APP_COOKIE}' when stickiness is of the type 'app_cookie'`)
}

export function routingOf(set: Record<string, string>): TargetGroupRouting {
  const valueOf = (key: string) => set[key] ?? targetGroupAttributes[key]!.default
  const applicationCookie = valueOf(STICKINESS_TYPE) === 'app_cookie' ? valueOf(APP_COOKIE) : null
  const seconds = Number(valueOf(applicationCookie === null ? LB_COOKIE_SECONDS : APP_COOKIE_SECONDS))
  return {
    algorithm: valueOf(ALGORITHM) as TargetGroupRouting['algorithm'],
    slowStartSeconds: Number(valueOf(SLOW_START)),
    stickiness: valueOf(STICKINESS) === 'true' ? { seconds, applicationCookie } : null,
  }
}

/** A number among the attributes. */
export const numberOf = (table: AttributeTable, set: Record<string, string>, key: string) =>
  Number(set[key] ?? table[key]!.default)
