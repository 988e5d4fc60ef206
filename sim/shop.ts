// The application that the simulator deploys, and the requests that deploy it.
import { call, callRoute53, putObject } from './client.ts'
import { structureOf, textOf } from '../src/cli/xml.ts'
import type { Life } from './life.ts'
import type { World } from './world.ts'

export const APPLICATION = 'shop'
export const BUCKET = 'elasticbeanstalk-us-west-2-000000000000'
export const VERSIONS = ['v1', 'v2', 'v3']
/** Security groups of users, which no environment makes or deletes. Each lets everybody in at port 80. */
export const TEAMS = ['team-a', 'team-b']
/** A load balancer of a user's, which several environments may share. */
export const SHARED = 'front'
const STACK = '64bit Amazon Linux 2023 v4.6.0 running Python 3.11'

/** A zone of the user's. */
export const ZONE = 'example.com'
/** Names of it that lead to environments, or do not. */
export const ZONE_NAMES = ['www', '*.apps', 'fail']
export const keyOf = (label: string) => `${label}.zip`
export const bundleOf = (label: string) => `bundle ${label}`

export const versionInput = (label: string): Record<string, string> => ({
  ApplicationName: APPLICATION,
  VersionLabel: label,
  Process: 'true',
  'SourceBundle.S3Bucket': BUCKET,
  'SourceBundle.S3Key': keyOf(label),
})

/** An application with three versions, before the trouble begins. */
export async function prepare(world: World, life: Life): Promise<void> {
  const done = Promise.resolve()
    .then(() => call(world, life, 'CreateApplication', { ApplicationName: APPLICATION }))
    .then(() => call(world, life, 'CreateStorageLocation', {}))
  await settle(world, done)
  for (const label of VERSIONS) {
    await settle(world, putObject(world, life, BUCKET, keyOf(label), bundleOf(label)))
    await settle(world, call(world, life, 'CreateApplicationVersion', versionInput(label)))
  }
  for (const GroupName of TEAMS) {
    const GroupId = { GroupName, GroupDescription: 'of a user' }
    await settle(world, call(world, life, 'CreateSecurityGroup', GroupId, 'ec2'))
    const http = { 'IpPermissions.1.IpProtocol': 'tcp', 'IpPermissions.1.IpRanges.1.CidrIp': '0.0.0.0/0' }
    const port = { 'IpPermissions.1.FromPort': '80', 'IpPermissions.1.ToPort': '80' }
    const rule = { GroupName, ...http, ...port }
    await settle(world, call(world, life, 'AuthorizeSecurityGroupIngress', rule, 'ec2'))
  }
  const elb = (action: string, input: Record<string, string>) =>
    settle(world, call(world, life, action, input, 'elasticloadbalancingv2'))
  await elb('CreateLoadBalancer', {
    Name: SHARED,
    'Subnets.member.1': await subnetOf(world, life, 'us-west-2a'),
    'Subnets.member.2': await subnetOf(world, life, 'us-west-2b'),
  })
  const says = 'DefaultActions.member.1'
  await elb('CreateListener', {
    ...{ LoadBalancerArn: sharedArn(world), Protocol: 'HTTP', Port: '80' },
    ...{ [`${says}.Type`]: 'fixed-response', [`${says}.FixedResponseConfig.StatusCode`]: '404' },
  })
  const vpc = `<VPC><VPCRegion>us-west-2</VPCRegion><VPCId>${await vpcOf(world, life)}</VPCId></VPC>`
  for (const where of ['', vpc]) {
    const zone = `<CreateHostedZoneRequest><Name>${ZONE}</Name>${where}<CallerReference>sim${where.length}</CallerReference></CreateHostedZoneRequest>`
    await settle(world, callRoute53(world, life, 'POST', '/hostedzone', zone))
  }
  await world.clock.runUntil(
    () => world.store.all(`select 1 from application_version where status = 'PROCESSED'`).length === 3,
    60_000,
  )
}

async function vpcOf(world: World, life: Life): Promise<string> {
  let id = ''
  const answered = call(world, life, 'DescribeVpcs', {}, 'ec2').then(({ result }) => {
    id = textOf(structureOf(structureOf(result.vpcSet).item).vpcId)
  })
  await settle(world, answered)
  return id
}

async function subnetOf(world: World, life: Life, zone: string): Promise<string> {
  const asked = { 'Filter.1.Name': 'availability-zone', 'Filter.1.Value.1': zone }
  let id = ''
  const answered = call(world, life, 'DescribeSubnets', asked, 'ec2').then(({ result }) => {
    id = textOf(structureOf(structureOf(result.subnetSet).item).subnetId)
  })
  await settle(world, answered)
  return id
}

const sharedArn = ({ store }: World) =>
  store.get<{ arn: string }>('select arn from elbv2_load_balancer where name = :SHARED', { SHARED })?.arn ??
  ''

/** Users take back their rules about environments' groups, which cannot go before. */
export async function withdraw(world: World, life: Life): Promise<void> {
  const rules = world.store.all<{ id: string; groupId: string }>(
    `select r.id, r.group_id from ec2_security_group_rule r join ec2_security_group g on g.id = r.group_id
     where g.name like 'team-%' and r.peer_group_id is not null`,
  )
  for (const { id, groupId: GroupId } of rules)
    await settle(
      world,
      call(world, life, 'RevokeSecurityGroupIngress', { GroupId, 'SecurityGroupRuleId.1': id }, 'ec2'),
    )
}

// Streams of bodies need turns of the event loop that are not the clock's.
export async function settle(world: World, work: Promise<unknown>): Promise<void> {
  let over = false
  const ended = work.finally(() => (over = true))
  ended.catch(() => undefined)
  for (let turn = 0; turn < 1_000 && !over; turn++) await world.clock.run(0)
  await ended
}

export const setting = (index: number, namespace: string, name: string, value: string) => ({
  [`OptionSettings.member.${index}.Namespace`]: namespace,
  [`OptionSettings.member.${index}.OptionName`]: name,
  [`OptionSettings.member.${index}.Value`]: value,
})

export const sizes = (least: number, most = least): Record<string, string> => ({
  ...setting(1, 'aws:autoscaling:asg', 'MinSize', String(least)),
  ...setting(2, 'aws:autoscaling:asg', 'MaxSize', String(most)),
})

/** Further names of it; '' = none. */
export const domains = (hosts: string): Record<string, string> =>
  setting(1, 'polebean:domains', 'Hosts', hosts)

/** A trigger that is often beyond one of its thresholds. */
export const trigger = (measure: string, most: number, first = 1): Record<string, string> => {
  const namespace = 'aws:autoscaling:trigger'
  return {
    ...setting(first, namespace, 'MeasureName', measure),
    ...setting(first + 1, namespace, 'Period', '1'),
    ...setting(first + 2, namespace, 'UpperThreshold', String(most)),
    ...setting(first + 3, namespace, 'LowerThreshold', String(Math.floor(most / 2))),
  }
}

const TRACKING = 'polebean:autoscaling:targettracking'

/** Null = no more. */
export const tracking = (metric: string | null, target = 50): Record<string, string> =>
  metric === null
    ? Object.fromEntries(
        ['Metric', 'TargetValue'].flatMap((name, index) => [
          [`OptionsToRemove.member.${index + 1}.Namespace`, TRACKING],
          [`OptionsToRemove.member.${index + 1}.OptionName`, name],
        ]),
      )
    : { ...setting(1, TRACKING, 'Metric', metric), ...setting(2, TRACKING, 'TargetValue', String(target)) }

/** Every so many minutes. */
export const scheduled = (minutes: number, desired: number, suspend: boolean): Record<string, string> =>
  Object.assign(
    {},
    ...Object.entries({
      Recurrence: `*/${minutes} * * * *`,
      DesiredCapacity: String(desired),
      Suspend: String(suspend),
    }).map(([name, value], index) => ({
      ...setting(index + 1, 'aws:autoscaling:scheduledaction', name, value),
      [`OptionSettings.member.${index + 1}.ResourceName`]: 'often',
    })),
  ) as Record<string, string>

/** A property of the environment. */
export const property = (value: string): Record<string, string> =>
  setting(1, 'aws:elasticbeanstalk:application:environment', 'GREETING', value)

/** Behind the load balancer that a user made. */
export const sharing = (world: World, index: number): Record<string, string> => ({
  ...setting(index, 'aws:elasticbeanstalk:environment', 'LoadBalancerIsShared', 'true'),
  ...setting(index + 1, 'aws:elbv2:loadbalancer', 'SharedLoadBalancer', sharedArn(world)),
})

/** With a Classic Load Balancer, which leads to a second port, too. */
export const classic = (index: number): Record<string, string> => ({
  ...setting(index, 'aws:elasticbeanstalk:environment', 'LoadBalancerType', 'classic'),
  ...setting(index + 1, 'aws:elb:listener:8080', 'InstancePort', '81'),
})

const PROCESS = [
  ['aws:elasticbeanstalk:environment:process:admin', 'Port'],
  ['aws:elbv2:listenerrule:admin', 'PathPatterns', '/admin/*'],
  ['aws:elbv2:listenerrule:admin', 'Priority', '9'],
  ['aws:elbv2:listenerrule:admin', 'Process', 'admin'],
  ['aws:elbv2:listener:80', 'Rules', 'default,admin'],
  ['aws:elbv2:listener:default', 'Rules', 'admin'],
] as const

/** A process at another port, on ways of its own; null = none. `shared`: on whose load balancer. */
export const furtherProcess = (port: number | null, shared: boolean, first = 1): Record<string, string> => {
  const own = PROCESS.filter(([namespace]) => namespace !== `aws:elbv2:listener:${shared ? 'default' : '80'}`)
  if (port !== null)
    return Object.assign(
      {},
      ...own.map(([namespace, name, value], index) =>
        setting(first + index, namespace, name, value ?? String(port)),
      ),
    ) as Record<string, string>
  return Object.fromEntries(
    own.flatMap(([namespace, name], index) => [
      [`OptionsToRemove.member.${first + index}.Namespace`, namespace],
      [`OptionsToRemove.member.${first + index}.OptionName`, name],
    ]),
  )
}

/** Another instance type: new instances for old ones, one at a time. */
export const replacing = (type: string): Record<string, string> =>
  setting(1, 'aws:autoscaling:launchconfiguration', 'InstanceType', type)

export const kind = (type: 'SingleInstance' | 'LoadBalanced', index = 1): Record<string, string> =>
  setting(index, 'aws:elasticbeanstalk:environment', 'EnvironmentType', type)

/** Groups beside or instead of the instances' own. */
export const securityGroups = (named: string[], alone: boolean): Record<string, string> => ({
  ...setting(1, 'aws:autoscaling:launchconfiguration', 'SecurityGroups', named.join()),
  ...setting(2, 'aws:autoscaling:launchconfiguration', 'DisableDefaultEC2SecurityGroup', String(alone)),
})

/** The load balancer's groups; '' = its own is made. */
export const balancerGroups = (named: string[], managed: string): Record<string, string> => ({
  ...setting(1, 'aws:elbv2:loadbalancer', 'SecurityGroups', named.join()),
  ...setting(2, 'aws:elbv2:loadbalancer', 'ManagedSecurityGroup', managed),
})

/** A rule that answers by itself, on a way that no visitor takes. */
export const ruleInput = (ListenerArn: string, Priority: string, body: string): Record<string, string> => ({
  ListenerArn,
  Priority,
  'Conditions.member.1.Field': 'path-pattern',
  'Conditions.member.1.Values.member.1': `/rule/${Priority}/*`,
  ...ruleAnswer(body),
})

export const ruleAnswer = (body: string): Record<string, string> => ({
  'Actions.member.1.Type': 'fixed-response',
  'Actions.member.1.FixedResponseConfig.StatusCode': '200',
  'Actions.member.1.FixedResponseConfig.MessageBody': body,
})

/** Into the bucket that is there already. */
export const accessLogging = (enabled: boolean): Record<string, string> => ({
  ...setting(1, 'aws:elbv2:loadbalancer', 'AccessLogsS3Enabled', String(enabled)),
  ...setting(2, 'aws:elbv2:loadbalancer', 'AccessLogsS3Bucket', BUCKET),
})

export const creating = (name: string, least: number, most = least): Record<string, string> => ({
  ApplicationName: APPLICATION,
  CNAMEPrefix: name,
  VersionLabel: 'v1',
  SolutionStackName: STACK,
  ...sizes(least, most),
})

/** Settings of a listener at another port. */
export const httpsListener = (certificateArn: string, enabled: boolean): Record<string, string> => {
  const namespace = 'aws:elbv2:listener:8443'
  return {
    ...setting(1, namespace, 'ListenerEnabled', String(enabled)),
    ...setting(2, namespace, 'Protocol', 'HTTPS'),
    ...setting(3, namespace, 'SSLCertificateArns', certificateArn),
  }
}
