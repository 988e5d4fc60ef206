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
  type Effect,
  type Namespace,
} from './option.ts'

const PROTOCOLS = ['HTTP', 'TCP', 'HTTPS', 'SSL']
const ONE_MACHINE =
  'All zones are on one machine, and instances of each get requests. `eb create` always sends it.'

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

const classicListener = (protocols: string[], certificate: Effect) => [
  integer('InstancePort', 1, 65_535, { default: '80', effect: EFFECTIVE }),
  choice('InstanceProtocol', PROTOCOLS, {
    caseSensitive: true,
    effect: only('HTTP', 'HTTPS'),
    complaint: 'Unsupported instance protocol: VALUE',
  }),
  flag('ListenerEnabled', 'true', { effect: EFFECTIVE }),
  choice('ListenerProtocol', PROTOCOLS, {
    ...{ default: 'HTTP', caseSensitive: true, effect: only(...protocols) },
  }),
  { name: 'PolicyNames', type: 'List' as const },
  text('SSLCertificateId', { effect: certificate }),
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
  namespace('aws:elb:healthcheck', { severity: 'NoInterruption', effect: EFFECTIVE, shown: 'given' }, [
    integer('HealthyThreshold', 2, 10, { default: '3' }),
    integer('Interval', 5, 300, { default: '10' }),
    text('Target', { default: 'TCP:80', regex: '^((HTTP|TCP|SSL|HTTPS):)?(\\d*)(/.*)?$' }),
    integer('Timeout', 2, 60, { default: '5' }),
    integer('UnhealthyThreshold', 2, 10, { default: '5' }),
  ]),
  // Port 80.
  namespace(
    'aws:elb:listener',
    { severity: 'Unknown', effect: REFUSED, shown: 'given' },
    classicListener(['HTTP'], REFUSED),
  ),
  namespace(
    'aws:elb:listener',
    { severity: 'Unknown', effect: REFUSED, named: 'PORT', shown: 'given' },
    classicListener(['HTTP', 'HTTPS'], EFFECTIVE),
  ),
  namespace('aws:elb:loadbalancer', { severity: 'NoInterruption', effect: REFUSED, shown: 'given' }, [
    flag('CrossZone', 'false', { effect: accepted(ONE_MACHINE) }),
    // `eb open` takes OFF for "https only": shown only when it was given.
    choice('LoadBalancerHTTPPort', ['OFF', '80'], { default: '80' }),
    choice('LoadBalancerHTTPSPort', ['OFF', '443', '8443'], { default: 'OFF' }),
    choice('LoadBalancerPortProtocol', ['HTTP', 'TCP'], { default: 'HTTP' }),
    choice('LoadBalancerSSLPortProtocol', ['HTTPS', 'SSL'], { default: 'HTTPS' }),
    text('ManagedSecurityGroup', { effect: EFFECTIVE }),
    list('SecurityGroups', { effect: EFFECTIVE }),
    text('SSLCertificateId', { maxLength: 200 }),
  ]),
  namespace('aws:elb:policies', { severity: 'NoInterruption', effect: REFUSED, shown: 'given' }, [
    flag('ConnectionDrainingEnabled', 'false', { effect: EFFECTIVE }),
    integer('ConnectionDrainingTimeout', 1, 3600, { default: '20', effect: EFFECTIVE }),
    integer('ConnectionSettingIdleTimeout', 1, 3600, { default: '60', effect: EFFECTIVE }),
    ...CLASSIC_POLICY.map((option) => {
      if (option.name.startsWith('Stickiness')) return { ...option, effect: EFFECTIVE }
      // Clients stay with an instance at whatever port they ask.
      return option.name === 'LoadBalancerPorts' ? { ...option, effect: only(':all') } : option
    }),
  ]),
  namespace(
    'aws:elb:policies',
    { severity: 'NoInterruption', effect: REFUSED, named: 'NAME', shown: 'given' },
    CLASSIC_POLICY,
  ),
]
