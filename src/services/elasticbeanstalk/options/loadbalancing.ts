// aws:elbv2:* and aws:elb:*: the load balancer of an environment is an Application Load Balancer.
import {
  accepted,
  choice,
  EFFECTIVE,
  flag,
  integer,
  list,
  namespace,
  only,
  REFUSED,
  text,
  type Namespace,
} from './option.ts'

const PROTOCOLS = ['HTTP', 'TCP', 'HTTPS', 'SSL']
const CLASSIC =
  'It belongs to Classic Load Balancers; AWS, too, ignores it when the load balancer is an Application Load Balancer. `eb create` always sends it.'

/** What the load balancer's attribute takes. */
const PREFIX =
  "^((?!.*AWSLogs)[A-Za-z0-9!_.*'()-][A-Za-z0-9!_.*'()/-]{0,253}[A-Za-z0-9!_.*'()-]|[A-Za-z0-9!_.*'()-])?$"

const LISTENER = [
  text('DefaultProcess', { default: 'default', effect: EFFECTIVE }),
  flag('ListenerEnabled', 'true', { effect: EFFECTIVE }),
  choice('Protocol', ['HTTP', 'HTTPS'], { default: 'HTTP', effect: only('HTTP') }),
  list('Rules', { effect: EFFECTIVE }),
  text('SSLCertificateArns'),
  text('SSLPolicy'),
]

const CLASSIC_LISTENER = [
  integer('InstancePort', 1, 65_535, { default: '80' }),
  choice('InstanceProtocol', PROTOCOLS, {
    caseSensitive: true,
    complaint: 'Unsupported instance protocol: VALUE',
  }),
  flag('ListenerEnabled', 'true'),
  choice('ListenerProtocol', PROTOCOLS, { default: 'HTTP', caseSensitive: true }),
  { name: 'PolicyNames', type: 'List' as const },
  text('SSLCertificateId'),
]

const CLASSIC_POLICY = [
  text('CookieName'),
  list('InstancePorts'),
  list('LoadBalancerPorts'),
  flag('ProxyProtocol'),
  text('PublicKey'),
  list('PublicKeyPolicyNames'),
  list('SSLProtocols'),
  text('SSLReferencePolicy'),
  integer('Stickiness Cookie Expiration', 0, 1_000_000, { default: '0' }),
  flag('Stickiness Policy'),
]

export const loadbalancingOptions: Namespace[] = [
  namespace('aws:elbv2:listener:default', { severity: 'NoInterruption', effect: REFUSED }, LISTENER),
  namespace(
    'aws:elbv2:listener',
    { severity: 'NoInterruption', effect: REFUSED, named: 'PORT', shown: 'given' },
    [
      text('DefaultProcess', { default: 'default', effect: EFFECTIVE }),
      flag('ListenerEnabled', 'true', { effect: EFFECTIVE }),
      choice('Protocol', ['HTTP', 'HTTPS'], { default: 'HTTP', effect: EFFECTIVE }),
      list('Rules', { effect: EFFECTIVE }),
      text('SSLCertificateArns', { effect: EFFECTIVE }),
      text('SSLPolicy', { effect: EFFECTIVE }),
    ],
  ),
  namespace(
    'aws:elbv2:listenerrule',
    { severity: 'NoInterruption', effect: EFFECTIVE, named: 'NAME', shown: 'given' },
    [
      list('HostHeaders'),
      list('PathPatterns'),
      integer('Priority', 1, 1000, { default: '1' }),
      text('Process', { default: 'default' }),
    ],
  ),
  namespace('aws:elbv2:loadbalancer', { severity: 'NoInterruption', effect: REFUSED }, [
    text('AccessLogsS3Bucket', {
      effect: EFFECTIVE,
      regex: '^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$',
    }),
    flag('AccessLogsS3Enabled', 'false', { effect: EFFECTIVE }),
    text('AccessLogsS3Prefix', { effect: EFFECTIVE, regex: PREFIX }),
    integer('IdleTimeout', 1, 3600, { effect: EFFECTIVE }),
    choice('IpAddressType', ['ipv4', 'dualstack'], { default: 'ipv4' }),
    text('ManagedSecurityGroup', { effect: EFFECTIVE }),
    list('SecurityGroups', { effect: EFFECTIVE }),
    text('SharedLoadBalancer', { effect: EFFECTIVE }),
  ]),
  namespace('aws:elb:healthcheck', { severity: 'NoInterruption', effect: REFUSED, shown: 'given' }, [
    integer('HealthyThreshold', 2, 10, { default: '3' }),
    integer('Interval', 5, 300, { default: '10' }),
    text('Target', { default: 'TCP:80', regex: '^((HTTP|TCP|SSL|HTTPS):)?(\\d*)(/.*)?$' }),
    integer('Timeout', 2, 60, { default: '5' }),
    integer('UnhealthyThreshold', 2, 10, { default: '5' }),
  ]),
  namespace('aws:elb:listener', { severity: 'Unknown', effect: REFUSED, shown: 'given' }, CLASSIC_LISTENER),
  namespace(
    'aws:elb:listener',
    { severity: 'Unknown', effect: REFUSED, named: 'PORT', shown: 'given' },
    CLASSIC_LISTENER,
  ),
  namespace('aws:elb:loadbalancer', { severity: 'NoInterruption', effect: REFUSED, shown: 'given' }, [
    flag('CrossZone', 'false', { effect: accepted(CLASSIC) }),
    // `eb open` takes OFF for "https only": shown only when it was given.
    choice('LoadBalancerHTTPPort', ['OFF', '80'], { default: '80' }),
    choice('LoadBalancerHTTPSPort', ['OFF', '443', '8443'], { default: 'OFF' }),
    choice('LoadBalancerPortProtocol', ['HTTP', 'TCP'], { default: 'HTTP' }),
    choice('LoadBalancerSSLPortProtocol', ['HTTPS', 'SSL'], { default: 'HTTPS' }),
    text('ManagedSecurityGroup'),
    list('SecurityGroups'),
    text('SSLCertificateId', { maxLength: 200 }),
  ]),
  namespace('aws:elb:policies', { severity: 'NoInterruption', effect: REFUSED, shown: 'given' }, [
    flag('ConnectionDrainingEnabled', 'false', { effect: accepted(CLASSIC) }),
    integer('ConnectionDrainingTimeout', 1, 3600, { default: '20', effect: accepted(CLASSIC) }),
    integer('ConnectionSettingIdleTimeout', 1, 3600, { default: '60' }),
    ...CLASSIC_POLICY,
  ]),
  namespace(
    'aws:elb:policies',
    { severity: 'NoInterruption', effect: REFUSED, named: 'NAME', shown: 'given' },
    CLASSIC_POLICY,
  ),
]
