// Whatever the option tables take, the services that carry it out take too: each end of every effective option goes
// through a whole launch on ec2, autoscaling and elasticloadbalancingv2 as they are.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RSA } from '../../../kernel/test-ssh-keys.ts'
import { systemClock } from '../../../kernel/clock.ts'
import { makeCertificate } from '../../../kernel/test-certificate.ts'
import { makeServicesWorld, type ServicesWorld } from '../../testing/services-world.ts'
import { makeBench } from '../test-bench.ts'
import { namespaces } from './catalogue.ts'
import type { Option } from './option.ts'

type Setting = { Namespace: string; OptionName: string; Value: string; ResourceName?: string }

const GROUP = 'aws:autoscaling:asg'
const HTTPS = 'aws:elbv2:listener:443'
const PROCESS = 'aws:elasticbeanstalk:environment:process:default'
const FURTHER = 'aws:elasticbeanstalk:environment:process:api'
const DEFAULT = 'aws:elbv2:listener:default'
const RULE = 'aws:elbv2:listenerrule:api'
const ACTION = 'aws:autoscaling:scheduledaction'
const TRIGGER = 'aws:autoscaling:trigger'
const TRACKING = 'polebean:autoscaling:targettracking'
const NAME_LONGEST = 'n'.repeat(255)
const set = (Namespace: string, OptionName: string, Value: string): Setting => ({
  ...{ Namespace, OptionName, Value },
  // The only one whose settings have names.
  ...(Namespace === ACTION && { ResourceName: NAME_LONGEST }),
})
const MINUTES = Array.from({ length: 60 }, (_unused, minute) => minute).join()
const TRACKED = [set(TRACKING, 'Metric', 'CPUUtilization'), set(TRACKING, 'TargetValue', '100')]
const RECURS = [set(ACTION, 'Recurrence', '0 0 29 2 *'), set(ACTION, 'MinSize', '0')]

/** As many as an interface has beside the environment's own, with names as long as an option takes them. */
const GROUPS = Array.from({ length: 15 }, (_unused, index) => `${'g'.repeat(198)}${10 + index}`)
const KEY = 'k'.repeat(200)
/** As many certificates as a listener has; their ARNs are known when they are imported. */
const CERTIFICATES = 'CERTIFICATES'
const CERTIFICATES_MAX = 26
const CERTIFICATE_ARN = 'CERTIFICATE-OF-ONE'
const CLASSIC_HTTPS = 'aws:elb:listener:443'
const CERTIFICATE = makeCertificate(['shop.example.com'])

/** Known when it is made. */
const SHARED = 'SHARED'
const HOSTS = Array.from({ length: 5 }, (_unused, index) => `${index}${'h'.repeat(119)}.example`).join()
const PATHS = Array.from({ length: 5 }, (_unused, index) => `/${index}*${'p'.repeat(125)}`).join()

const BUCKET = 'b'.repeat(63)
const LOGS = 'aws:elbv2:loadbalancer'
const LOGGED = [set(LOGS, 'AccessLogsS3Enabled', 'true'), set(LOGS, 'AccessLogsS3Bucket', BUCKET)]

/** Longest values of options whose limits are no numbers. */
const LONGEST: Record<string, string> = {
  'Application Healthcheck URL': `/${'a'.repeat(199)}`,
  HealthCheckPath: `/${'~'.repeat(1023)}`,
  MatcherHTTPCode: Array.from({ length: 64 }, (_unused, index) => 200 + index).join(','),
  WSGIPath: `${'a'.repeat(100)}:${'b'.repeat(99)}`,
  InstanceType: 't3.2xlarge',
  InstanceTypes: 't3.2xlarge,t3.micro',
  SecurityGroups: GROUPS.join(),
  ManagedSecurityGroup: 'default',
  EC2KeyName: KEY,
  SSHSourceRestriction: 'udp, 0, 65535, 255.255.255.255/32',
  SSLCertificateArns: CERTIFICATES,
  SSLPolicy: 'ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06',
  ErrorPage: '<p>é</p>'.padEnd(4_096, '-'),
  Hosts: Array.from({ length: 100 }, (_unused, index) => `${index}.${'a'.repeat(60)}.example.org`).join(),
  AccessLogsS3Bucket: BUCKET,
  DefaultProcess: 'api',
  Process: 'api',
  Rules: 'api',
  HostHeaders: HOSTS,
  PathPatterns: PATHS,
  SharedLoadBalancer: SHARED,
  SSLCertificateId: CERTIFICATE_ARN,
  Target: `HTTPS:65535/${'t'.repeat(1000)}`,
  StartTime: '9999-12-31T23:59:59.999999999-11:59',
  EndTime: '9999-12-31T23:59:59.999999999-11:59',
  Recurrence: `${MINUTES} 0-23 1-31 JAN-DEC SUN-SAT`,
  AccessLogsS3Prefix: `${'p'.repeat(127)}/${'q'.repeat(127)}`,
  ConfigDocument: '{"Version":1}'.padStart(32_000),
}

/** What has to go with an extreme, because options are checked together. */
const WITH: Record<string, Setting[]> = {
  ...Object.fromEntries(
    ['MinSize', 'MaxSize', 'DesiredCapacity'].flatMap((name) =>
      ['0', '10000'].map((value) => [`${ACTION} ${name}=${value}`, RECURS.slice(0, 1)]),
    ),
  ),
  [`${ACTION} Suspend=true`]: RECURS,
  [`${ACTION} Suspend=false`]: RECURS,
  [`StartTime=9999-12-31T23:59:59.999999999-11:59`]: RECURS.slice(1),
  [`EndTime=9999-12-31T23:59:59.999999999-11:59`]: RECURS,
  [`Recurrence=${MINUTES} 0-23 1-31 JAN-DEC SUN-SAT`]: RECURS.slice(1),
  'EvaluationPeriods=600': [set(TRIGGER, 'Period', '2')],
  'BreachDuration=600': [set(TRIGGER, 'Period', '1')],
  'UpperThreshold=0': [set(TRIGGER, 'LowerThreshold', '0')],
  'LowerThreshold=999999999999': [set(TRIGGER, 'UpperThreshold', '999999999999')],
  ...Object.fromEntries(
    ['Metric=CPUUtilization', 'Metric=RequestCountPerTarget'].map((what) => [what, TRACKED.slice(1)]),
  ),
  'TargetValue=1000000000': [set(TRACKING, 'Metric', 'RequestCountPerTarget')],
  'TargetValue=0.001': TRACKED.slice(0, 1),
  ...Object.fromEntries(
    [
      ...['DisableScaleIn=true', 'DisableScaleIn=false', 'ScaleInSeconds=3600'],
      ...['Seconds=1', 'WarmupSeconds=0', 'WarmupSeconds=3600'],
    ].map((what) => [what, TRACKED]),
  ),
  'ScaleInSeconds=1': [...TRACKED, set(TRACKING, 'Seconds', '1')],
  'Seconds=60': [...TRACKED, set(TRACKING, 'ScaleInSeconds', '60')],
  'MaxSize=0': [set(GROUP, 'MinSize', '0')],
  'MinSize=10000': [set(GROUP, 'MaxSize', '10000')],
  [`${PROCESS} HealthCheckInterval=5`]: [set(PROCESS, 'HealthCheckTimeout', '2')],
  [`${FURTHER} HealthCheckInterval=5`]: [set(FURTHER, 'HealthCheckTimeout', '2')],
  'DisableDefaultEC2SecurityGroup=true': [
    set('aws:autoscaling:launchconfiguration', 'SecurityGroups', 'default'),
  ],
  [`${PROCESS} HealthCheckTimeout=60`]: [set(PROCESS, 'HealthCheckInterval', '61')],
  [`${FURTHER} HealthCheckTimeout=60`]: [set(FURTHER, 'HealthCheckInterval', '61')],
  [`Process=api`]: [set(FURTHER, 'Port', '81'), set(RULE, 'PathPatterns', '/api')],
  [`DefaultProcess=api`]: [set(FURTHER, 'Port', '81')],
  [`Rules=api`]: [set(RULE, 'PathPatterns', '/api')],
  [`HostHeaders=${HOSTS}`]: [set(DEFAULT, 'Rules', 'api')],
  [`PathPatterns=${PATHS}`]: [set(DEFAULT, 'Rules', 'api')],
  'Priority=1': [set(RULE, 'PathPatterns', '/api'), set(DEFAULT, 'Rules', 'api')],
  'Priority=1000': [set(RULE, 'PathPatterns', '/api'), set(DEFAULT, 'Rules', 'api')],
  'aws:elb:healthcheck Interval=5': [set('aws:elb:healthcheck', 'Timeout', '4')],
  'aws:elb:healthcheck Timeout=60': [set('aws:elb:healthcheck', 'Interval', '61')],
  'aws:elb:listener ListenerEnabled=false': [set(CLASSIC_HTTPS, 'ListenerEnabled', 'true')],
  [`${CLASSIC_HTTPS} ListenerProtocol=HTTPS`]: [set(CLASSIC_HTTPS, 'SSLCertificateId', CERTIFICATE_ARN)],
  [`${CLASSIC_HTTPS} SSLCertificateId=${CERTIFICATE_ARN}`]: [set(CLASSIC_HTTPS, 'ListenerProtocol', 'HTTPS')],
  'LoadBalancerIsShared=true': [set(LOGS, 'SharedLoadBalancer', SHARED)],
  [`SharedLoadBalancer=${SHARED}`]: [set('aws:elasticbeanstalk:environment', 'LoadBalancerIsShared', 'true')],
  [`${HTTPS} Protocol=HTTPS`]: [set(HTTPS, 'SSLCertificateArns', CERTIFICATES)],
  [`SSLCertificateArns=${CERTIFICATES}`]: [set(HTTPS, 'Protocol', 'HTTPS')],
  'SSLPolicy=ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06': [
    set(HTTPS, 'Protocol', 'HTTPS'),
    set(HTTPS, 'SSLCertificateArns', CERTIFICATES),
  ],
  'AccessLogsS3Enabled=true': [LOGGED[1]!],
  [`AccessLogsS3Bucket=${BUCKET}`]: [LOGGED[0]!],
  [`AccessLogsS3Prefix=${'p'.repeat(127)}/${'q'.repeat(127)}`]: LOGGED,
  'aws:elbv2:listener:default ListenerEnabled=false': [set(HTTPS, 'ListenerEnabled', 'true')],
}

/** What makes options of classic load balancers hold. */
const CLASSIC = set('aws:elasticbeanstalk:environment', 'LoadBalancerType', 'classic')

function extremes(option: Option): string[] {
  const { effect, name } = option
  const only = effect.kind === 'effective' ? effect.only : undefined
  if (only) return only
  if (option.type === 'Boolean') return ['true', 'false']
  if (option.values) return option.values
  if (name.endsWith('ScaleIncrement')) return ['-10000', '10000']
  if (option.number) return [String(option.min), String(option.max ?? 999_999_999_999)]
  return LONGEST[name] === undefined ? [] : [LONGEST[name]]
}

const effective = namespaces
  .filter(({ platform }) => platform === undefined || platform === 'python')
  .flatMap(({ name, named, options }) =>
    options
      .filter(({ effect }) => effect.kind === 'effective')
      .map((option) => ({
        name: named === undefined ? name : named === 'PORT' ? `${name}:443` : `${name}:api`,
        option,
        values: extremes(option),
      })),
  )

function importCertificate(world: ServicesWorld): string {
  const bytes = (text: string) => new Uint8Array(Buffer.from(text))
  const { certificate, key } = CERTIFICATE
  const input = { Certificate: bytes(certificate), PrivateKey: bytes(key) }
  return world.acm.importCertificate(world.context, input).CertificateArn!
}

function sharedLoadBalancer({ elasticloadbalancingv2: elb, ec2, context }: ServicesWorld): string {
  const Subnets = ec2.describeSubnets(context, {}).Subnets!.map(({ SubnetId }) => SubnetId!)
  const { LoadBalancers } = elb.createLoadBalancer(context, { Name: 'shared', Subnets })
  elb.createListener(context, {
    ...{ LoadBalancerArn: LoadBalancers![0]!.LoadBalancerArn, Protocol: 'HTTP', Port: 80 },
    DefaultActions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } }],
  })
  return LoadBalancers![0]!.LoadBalancerArn!
}

async function launch(settings: Setting[], more: object = {}) {
  const world = makeServicesWorld()
  // So that the largest group does not launch 10,000 instances.
  world.compute.memoryBytes = 8 * 2 ** 30
  // Certificates are of today.
  world.clock.setWall(systemClock.now() + 1_000 - world.clock.now())
  const bench = makeBench(world)
  try {
    await world.clock.run(1_000)
    for (const GroupName of GROUPS)
      world.ec2.createSecurityGroup(world.context, { GroupName, Description: 'of a user' })
    world.ec2.importKeyPair(world.context, { KeyName: KEY, PublicKeyMaterial: Buffer.from(RSA) })
    bench.version('v1')
    world.s3.ensureBucket(world.context, BUCKET)
    const arns = Array.from({ length: CERTIFICATES_MAX }, () => importCertificate(world))
    const shared = sharedLoadBalancer(world)
    const given = settings.map((one) => ({
      ...one,
      Value: one.Value.replace(CERTIFICATES, arns.join())
        .replace(CERTIFICATE_ARN, arns[0]!)
        .replace(SHARED, shared),
    }))
    bench.create({ OptionSettings: given, ...more })
    await world.clock.run(30_000)
    const { ResourceTags = [] } = bench.api.listTagsForResource(bench.context(), {
      ResourceArn: bench.environment()?.EnvironmentArn,
    })
    return { texts: bench.texts(), status: bench.environment()?.Status, tags: ResourceTags.length }
  } finally {
    bench.end()
    world.end()
  }
}

describe('the ends of every option that has an effect', () => {
  it('are known', () => {
    const open = effective
      .filter(({ values }) => values.length === 0)
      .map(({ name, option }) => `${name} ${option.name}`)
    assert.deepEqual(open, [])
  })

  for (const { name, option, values } of effective)
    for (const value of values) {
      const what = `${option.name}=${value}`
      const besides = [
        ...(WITH[`${name} ${what}`] ?? WITH[what] ?? []),
        ...(name.startsWith('aws:elb:') ? [CLASSIC] : []),
      ]
      it(`are taken by the services behind: ${name} ${what.slice(0, 60)}`, async () => {
        const { texts, status } = await launch([...besides, set(name, option.name, value)])
        assert.deepEqual(
          texts.filter((text) => text.startsWith('ERROR')),
          [],
        )
        // The largest group waits for room that this machine has not.
        if (what !== 'MinSize=10000') assert.equal(status, 'Ready')
      })
    }

  it('are taken together with as many tags, as long as they may be', async () => {
    const Tags = Array.from({ length: 47 }, (_unused, index) => ({
      Key: `${'k'.repeat(125)}${100 + index}`,
      Value: 'v'.repeat(256),
    }))
    const { texts, status, tags } = await launch([], { Tags })
    assert.deepEqual(
      texts.filter((text) => text.startsWith('ERROR')),
      [],
    )
    assert.deepEqual([status, tags], ['Ready', 50])
  })
})
