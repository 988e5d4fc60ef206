import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { namespaces } from '../options/catalogue.ts'
import type { Option } from '../options/option.ts'
import { resolveConfiguration } from './resolve.ts'

/** A valid value other than the default, for options whose type does not tell one. */
const SAMPLES: Record<string, string> = {
  InstanceType: 't3.large',
  InstanceTypes: 't3.large',
  'Application Healthcheck URL': '/health',
  HealthCheckPath: '/health',
  MatcherHTTPCode: '200-399',
  WSGIPath: 'shop:app',
  ProxyServer: 'none',
  HealthCheckTimeout: '7',
  EC2KeyName: 'mine',
  SecurityGroups: 'sg-1, web',
  SSHSourceRestriction: 'tcp, 22, 22, 192.0.2.0/24',
  ManagedSecurityGroup: 'sg-1',
  EnvironmentType: 'SingleInstance',
  SSLCertificateArns: 'arn:b',
  Protocol: 'HTTPS',
  SSLPolicy: 'ELBSecurityPolicy-2016-08',
  ErrorPage: '<h1>Soon</h1>',
  Hosts: 'www.example.org',
  AccessLogsS3Bucket: 'logs',
  AccessLogsS3Prefix: 'web',
  InstanceProtocol: 'HTTPS',
  ListenerProtocol: 'HTTPS',
  SSLCertificateId: 'arn:b',
  Target: 'HTTP:81/x',
  DefaultProcess: '443',
  Process: '443',
  Rules: '443',
  HostHeaders: 'www.example.com',
  PathPatterns: '/b',
  StartTime: '2100-01-01T00:00:00Z',
  EndTime: '2100-01-02T00:00:00Z',
  Recurrence: '0 9 * * MON-FRI',
  MeasureName: 'RequestCount',
  Statistic: 'Sum',
  HealthCheckType: 'ELB',
  Metric: 'RequestCountPerTarget',
  TargetValue: '70.5',
  ConfigDocument: '{"Version":1,"Rules":{"Environment":{"ELB":{"ELBRequests4xx":{"Enabled":false}}}}}',
  HealthCheckSuccessThreshold: 'Warning',
  SystemType: 'basic',
  RetentionInDays: '30',
}

/** They are for good, as on AWS. */
const FIXED = ['LoadBalancerType', 'LoadBalancerIsShared', 'SharedLoadBalancer']

const IMPACTS = {
  NoInterruption: { impact: 'in-place', restartsApplication: false },
  RestartApplicationServer: { impact: 'in-place', restartsApplication: true },
  RestartEnvironment: { impact: 'replace', restartsApplication: false },
  Unknown: { impact: 'in-place', restartsApplication: false },
}

/** What AWS's severity makes worse than it is: instances stay. */
const EXCEPTIONS: Record<string, typeof IMPACTS.NoInterruption> = {
  SSHSourceRestriction: IMPACTS.NoInterruption,
  EnvironmentType: IMPACTS.NoInterruption,
  SystemType: IMPACTS.NoInterruption,
}

const ACTION = 'aws:autoscaling:scheduledaction'
const TRACKING = 'polebean:autoscaling:targettracking'
const TRACKED = { Metric: 'CPUUtilization', TargetValue: '50' }
const CLASSIC = 'aws:elasticbeanstalk:environment LoadBalancerType'

/** Settings that an option does not go without: by its name or its namespace and name, of the same namespace or another. */
const WITH: Record<string, Record<string, string>> = {
  DisableDefaultEC2SecurityGroup: { SecurityGroups: 'sg-1' },
  AccessLogsS3Enabled: { AccessLogsS3Bucket: 'other' },
  AccessLogsS3Bucket: { AccessLogsS3Enabled: 'true' },
  AccessLogsS3Prefix: { AccessLogsS3Enabled: 'true', AccessLogsS3Bucket: 'other' },
  StickinessLBCookieDuration: { StickinessEnabled: 'true' },
  'aws:elbv2:listener:default ListenerEnabled': { 'aws:elbv2:listener:443 ListenerEnabled': 'true' },
  'aws:elbv2:listener:443 ListenerEnabled': { Protocol: 'HTTP' },
  ConnectionDrainingTimeout: { ConnectionDrainingEnabled: 'true' },
  'Stickiness Cookie Expiration': { 'Stickiness Policy': 'true' },
  'aws:elb:listener ListenerEnabled': { 'aws:elb:listener:443 ListenerEnabled': 'true' },
  'aws:elb:listener:443 ListenerEnabled': { InstancePort: '81' },
  'aws:elb:listener:443 InstanceProtocol': { InstancePort: '81' },
  'aws:elb:listener:443 ListenerProtocol': { SSLCertificateId: 'arn:a' },
  'aws:elb:listener:443 SSLCertificateId': { SSLCertificateId: 'arn:a', ListenerProtocol: 'HTTPS' },
  DefaultProcess: { 'aws:elasticbeanstalk:environment:process:443 Port': '81' },
  Rules: { 'aws:elbv2:listenerrule:443 PathPatterns': '/a' },
  Process: {
    ...{ 'aws:elasticbeanstalk:environment:process:443 Port': '81', PathPatterns: '/a' },
    'aws:elbv2:listener:default Rules': '443',
  },
  HostHeaders: { 'aws:elbv2:listener:default Rules': '443', PathPatterns: '/a' },
  PathPatterns: { 'aws:elbv2:listener:default Rules': '443', PathPatterns: '/a' },
  Priority: { 'aws:elbv2:listener:default Rules': '443', PathPatterns: '/a' },
  [`${ACTION} DesiredCapacity`]: { Recurrence: '0 1 * * *' },
  [`${ACTION} MaxSize`]: { Recurrence: '0 1 * * *' },
  [`${ACTION} MinSize`]: { Recurrence: '0 1 * * *' },
  [`${ACTION} EndTime`]: { Recurrence: '0 1 * * *', MinSize: '1' },
  [`${ACTION} StartTime`]: { Recurrence: '0 1 * * *', MinSize: '1' },
  [`${ACTION} Recurrence`]: { Recurrence: '0 1 * * *', MinSize: '1' },
  [`${ACTION} Suspend`]: { Recurrence: '0 1 * * *', MinSize: '1' },
  ...Object.fromEntries(
    ['DisableScaleIn', 'Metric', 'ScaleInSeconds', 'Seconds', 'TargetValue', 'WarmupSeconds'].map((name) => [
      `${TRACKING} ${name}`,
      TRACKED,
    ]),
  ),
  'aws:elbv2:listener:443 Protocol': { SSLCertificateArns: 'arn:a' },
  'aws:elbv2:listener:443 SSLCertificateArns': { SSLCertificateArns: 'arn:a', Protocol: 'HTTPS' },
  'aws:elbv2:listener:443 SSLPolicy': { SSLCertificateArns: 'arn:a', Protocol: 'HTTPS' },
}

const otherValue = (option: Option): string => {
  const sample = SAMPLES[option.name]
  if (sample !== undefined) return sample
  if (option.type === 'Boolean') return option.default === 'true' ? 'false' : 'true'
  assert.ok(option.number, `a sample for ${option.name}`)
  return String(Number(option.default ?? option.min) + 1)
}

describe('an option that the tables call effective', () => {
  for (const { name, named, resourceNamed, options, platform = 'python' } of namespaces)
    for (const option of options) {
      if (option.effect.kind !== 'effective' || FIXED.includes(option.name)) continue
      // Of one value there is nothing to carry out.
      if ((option.effect.only ?? option.values ?? ['', '']).length === 1) continue
      const namespace = named === undefined ? name : `${name}:443`
      it(`changes the configuration: ${namespace} ${option.name}, ${option.severity}`, () => {
        const resourceName = resourceNamed ? 'nightly' : null
        const given = [
          {
            ...{ Namespace: namespace, OptionName: option.name, Value: otherValue(option) },
            ...(resourceName && { ResourceName: resourceName }),
          },
        ]
        const besides = WITH[`${namespace} ${option.name}`] ?? WITH[option.name] ?? {}
        const classic = namespace.startsWith('aws:elb:') ? { [CLASSIC]: 'classic' } : {}
        const stored = Object.entries({ ...classic, ...besides }).map(([key, value]) => {
          // Names of options may have blanks, namespaces have none.
          const [, where = namespace, optionName = key] = /^(aws:\S+) (.*)$/.exec(key) ?? []
          return { namespace: where, optionName, resourceName, value }
        })
        const { change } = resolveConfiguration({ platform, stored, given })
        const expected = EXCEPTIONS[option.name] ?? IMPACTS[option.severity]
        assert.deepEqual(change, { ...expected, options: [`${namespace}:${option.name}`] })
      })
    }
})
