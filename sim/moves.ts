// What may happen in a seed: requests of AWS clients, and trouble. Each move happens as often as its weight says.
import { call, callJson, callRoute53, importCertificate, putObject, requestCertificate } from './client.ts'
import { LOG_MOVES, nextSetting, streaming } from './logs.ts'
import { SCALING } from './scaling-moves.ts'
import {
  APPLICATION,
  BUCKET,
  TEAMS,
  VERSIONS,
  accessLogging,
  balancerGroups,
  bundleOf,
  classic,
  creating,
  domains,
  httpsListener,
  kind,
  keyOf,
  property,
  replacing,
  ruleAnswer,
  furtherProcess,
  ruleInput,
  securityGroups,
  sharing,
  sizes,
  versionInput,
  ZONE,
} from './shop.ts'
import { request, resourcesOf, type Move, type Stage } from './stage.ts'
import { TRIGGERS } from './trigger-moves.ts'
import { DOMAIN, REGION } from './world.ts'

const beanstalk = (stage: Stage, action: string, input: Record<string, string>) =>
  request(stage, action, { EnvironmentName: stage.name, ...input })

const anyOf = <T>({ below }: Stage, items: T[]): T | undefined => items[below(items.length)]
const teamIdsOf = ({ world }: Stage): string[] =>
  world.store
    .all<{ id: string }>(`select id from ec2_security_group where name like 'team-%' order by name`)
    .map(({ id }) => id)
const labelOf = (stage: Stage) => VERSIONS[stage.below(VERSIONS.length)]!
const memberOf = (stage: Stage): string | undefined =>
  anyOf(
    stage,
    stage.world.store.all<{ instanceId: string }>(
      `select instance_id from autoscaling_instance where group_name = :name and lifecycle_state = 'InService'
       order by instance_id`,
      { name: resourcesOf(stage).autoScalingGroupName },
    ),
  )?.instanceId

export const REQUESTS: Record<string, Move> = {
  create: {
    weight: 3,
    play(stage) {
      const least = 1 + stage.below(3)
      const input = creating(stage.name, least, least + stage.below(2))
      const alone = stage.chance(0.3) ? kind('SingleInstance', 3) : {}
      const shared = stage.chance(0.3) ? sharing(stage.world, 4) : stage.chance(0.2) ? classic(4) : {}
      const settings = { ...input, ...alone, ...shared }
      const streams = stage.chance(0.5) ? streaming(true, stage.chance(0.5), nextSetting(settings)) : {}
      return beanstalk(stage, 'CreateEnvironment', { ...settings, ...streams })
    },
  },
  resize: {
    weight: 1,
    play: (stage) => beanstalk(stage, 'UpdateEnvironment', sizes(1 + stage.below(3))),
  },
  property: {
    weight: 1,
    play: (stage) => beanstalk(stage, 'UpdateEnvironment', property(String(stage.below(100)))),
  },
  deploy: {
    weight: 1.5,
    play: (stage) => beanstalk(stage, 'UpdateEnvironment', { VersionLabel: labelOf(stage) }),
  },
  replace: {
    weight: 0.8,
    play: (stage) =>
      beanstalk(stage, 'UpdateEnvironment', replacing(stage.chance(0.5) ? 't3.small' : 't3.micro')),
  },
  'one instance, or a load balancer': {
    weight: 0.8,
    play: (stage) =>
      beanstalk(stage, 'UpdateEnvironment', kind(stage.chance(0.5) ? 'SingleInstance' : 'LoadBalanced')),
  },
  ...TRIGGERS,
  'name security groups': {
    weight: 0.6,
    play(stage) {
      const named = TEAMS.filter(() => stage.chance(0.5))
      const input = securityGroups(named, named.length > 0 && stage.chance(0.4))
      return beanstalk(stage, 'UpdateEnvironment', input)
    },
  },
  "name the load balancer's groups": {
    weight: 0.5,
    play(stage) {
      const named = TEAMS.filter(() => stage.chance(0.5))
      const managed = stage.chance(0.5) ? (anyOf(stage, TEAMS) ?? '') : ''
      return beanstalk(stage, 'UpdateEnvironment', balancerGroups(named, managed))
    },
  },
  "a user's rule about an environment's group": {
    weight: 0.4,
    play(stage) {
      const { loadBalancerSecurityGroupId, instanceSecurityGroupId } = resourcesOf(stage)
      const peer = anyOf(stage, [loadBalancerSecurityGroupId, instanceSecurityGroupId])
      if (!peer) return
      const tcp = { 'IpPermissions.1.IpProtocol': 'tcp', 'IpPermissions.1.Groups.1.GroupId': peer }
      const ports = { 'IpPermissions.1.FromPort': '5432', 'IpPermissions.1.ToPort': '5432' }
      const action = `${stage.chance(0.6) ? 'Authorize' : 'Revoke'}SecurityGroupIngress`
      return request(stage, action, { GroupName: anyOf(stage, TEAMS)!, ...tcp, ...ports }, 'ec2')
    },
  },
  "change an instance's groups": {
    weight: 0.4,
    play(stage) {
      const id = memberOf(stage)
      const named = id === undefined ? [] : teamIdsOf(stage).filter(() => stage.chance(0.5))
      const own = resourcesOf(stage).instanceSecurityGroupId
      const groups = [...named, ...(own ? [own] : [])]
      if (id === undefined || groups.length === 0) return
      const given = groups.map((group, index) => [`GroupId.${index + 1}`, group])
      return request(
        stage,
        'ModifyInstanceAttribute',
        { InstanceId: id, ...Object.fromEntries(given) },
        'ec2',
      )
    },
  },
  restart: { weight: 0.4, play: (stage) => beanstalk(stage, 'RestartAppServer', {}) },
  terminate: { weight: 1, play: (stage) => beanstalk(stage, 'TerminateEnvironment', {}) },
  'set desired capacity': {
    weight: 0.8,
    play(stage) {
      const AutoScalingGroupName = resourcesOf(stage).autoScalingGroupName ?? 'none'
      const input = { AutoScalingGroupName, DesiredCapacity: String(1 + stage.below(3)) }
      return request(stage, 'SetDesiredCapacity', input, 'autoscaling')
    },
  },
  ...SCALING,
  'terminate an instance': {
    weight: 0.6,
    play(stage) {
      const id = memberOf(stage)
      return id ? request(stage, 'TerminateInstances', { 'InstanceId.1': id }, 'ec2') : undefined
    },
  },
  'take a target out, or put it back': { weight: 0.6, play: moveTarget },
  'give it another process, or take it away': {
    weight: 0.6,
    play: (stage) =>
      beanstalk(
        stage,
        'UpdateEnvironment',
        furtherProcess(
          stage.chance(0.7) ? 81 + stage.below(2) : null,
          resourcesOf(stage).sharesLoadBalancer === 'true',
        ),
      ),
  },
  'swap its name with that of another': {
    weight: 1,
    play(stage) {
      const others = stage.world.store
        .all<{ name: string }>('select name from environment where terminated_at is null')
        .filter(({ name }) => name !== stage.name)
      const DestinationEnvironmentName = anyOf(stage, others)?.name ?? 'nobody'
      const input = { SourceEnvironmentName: stage.name, DestinationEnvironmentName }
      return request(stage, 'SwapEnvironmentCNAMEs', input)
    },
  },
  'give it a domain, or take it away': {
    weight: 0.3,
    play: (stage) =>
      beanstalk(stage, 'UpdateEnvironment', domains(stage.chance(0.7) ? `${stage.name}.example.org` : '')),
  },
  'lead names of a zone to it, or elsewhere': { weight: 0.8, play: changeNames },
  'ask for a certificate, or delete one': { weight: 0.3, play: changeCertificates },
  'give it HTTPS, or take it away': { weight: 0.4, play: changeHttps },
  'log its requests, or do not': { weight: 1.2, play: changeAccessLogs },
  'change rules of its listener': { weight: 1, play: changeRules },
  'upload again': {
    weight: 1.2,
    play({ world, life, later, note, ...stage }) {
      const label = VERSIONS[stage.below(VERSIONS.length)]!
      const put = putObject(world, life, BUCKET, keyOf(label), bundleOf(label))
      later(put.then((status) => note(`PutObject ${label}: ${status}`)))
    },
  },
  'create a version': {
    weight: 0.6,
    play: (stage) => request(stage, 'CreateApplicationVersion', versionInput(labelOf(stage))),
  },
  'delete a version': {
    weight: 0.4,
    play(stage) {
      const DeleteSourceBundle = String(stage.chance(0.3))
      const input = { ApplicationName: APPLICATION, VersionLabel: labelOf(stage), DeleteSourceBundle }
      return request(stage, 'DeleteApplicationVersion', input)
    },
  },
  'change what a security group lets in': {
    weight: 0.8,
    play(stage) {
      const { loadBalancerSecurityGroupId, instanceSecurityGroupId } = resourcesOf(stage)
      const GroupId = anyOf(stage, [loadBalancerSecurityGroupId, instanceSecurityGroupId])
      if (!GroupId) return
      const port = String(8_000 + stage.below(4))
      const range = { 'IpPermissions.1.IpProtocol': 'tcp', 'IpPermissions.1.IpRanges.1.CidrIp': '10.0.0.0/8' }
      const ports = { 'IpPermissions.1.FromPort': port, 'IpPermissions.1.ToPort': port }
      const action = `${stage.chance(0.5) ? 'Authorize' : 'Revoke'}SecurityGroupIngress`
      return request(stage, action, { GroupId, ...range, ...ports }, 'ec2')
    },
  },
  tag: {
    weight: 0.3,
    play: (stage) =>
      request(stage, 'UpdateTagsForResource', {
        ResourceArn: `arn:aws:elasticbeanstalk:us-west-2:000000000000:environment/${APPLICATION}/${stage.name}`,
        'TagsToAdd.member.1.Key': 'team',
        'TagsToAdd.member.1.Value': String(stage.below(100)),
      }),
  },
  'delete the application': {
    weight: 0.15,
    play: (stage) =>
      request(stage, 'DeleteApplication', { ApplicationName: APPLICATION, TerminateEnvByForce: 'true' }),
  },
  'create the application': {
    weight: 0.3,
    play: (stage) => request(stage, 'CreateApplication', { ApplicationName: APPLICATION }),
  },
  ...LOG_MOVES,
  traffic: {
    weight: 1,
    play({ world, below, name }) {
      for (let count = 20 + below(80); count > 0; count--) world.request(name)
    },
  },
}

async function moveTarget(stage: Stage): Promise<void> {
  const { world, life, name, note } = stage
  const { targetGroupArn: TargetGroupArn } = resourcesOf(stage)
  const id = memberOf(stage)
  // One that its group has not registered yet would be registered after all.
  const registered = world.store.get(
    `select 1 from autoscaling_instance where instance_id = :id and registered <> '[]'`,
    { id },
  )
  if (!TargetGroupArn || !id || !registered) return
  const action = world.takenOut.has(id) ? 'RegisterTargets' : 'DeregisterTargets'
  const input = { TargetGroupArn, 'Targets.member.1.Id': id }
  const { code } = await call(world, life, action, input, 'elasticloadbalancingv2')
  note(`${action} ${id} of ${name}: ${code || 'ok'}`)
  if (code !== '') return
  if (action === 'RegisterTargets') world.takenOut.delete(id)
  else world.takenOut.add(id)
}

async function changeRules(stage: Stage): Promise<void> {
  for (let count = 2 + stage.below(4); count > 0; count--) await changeRule(stage)
}

/** A user's own rules on the environment's listener, on ways that no visitor takes: made, changed, reordered, removed. */
async function changeRule(stage: Stage): Promise<void> {
  const { world, below } = stage
  const { listenerArn: ListenerArn } = resourcesOf(stage)
  if (!ListenerArn) return
  const rules = world.store.all<{ arn: string; priority: number }>(
    'select arn, priority from elbv2_rule where listener_arn = :ListenerArn',
    { ListenerArn },
  )
  const one = rules[below(rules.length)]
  const change = below(4)
  const send = (action: string, input: Record<string, string>) =>
    request(stage, action, input, 'elasticloadbalancingv2')
  if (!one || change === 0)
    return send('CreateRule', {
      ...ruleInput(ListenerArn, String(1 + below(5)), `rule ${below(100)}`),
    })
  if (change === 1) return send('DeleteRule', { RuleArn: one.arn })
  if (change === 2) return send('ModifyRule', { RuleArn: one.arn, ...ruleAnswer(`changed ${below(100)}`) })
  const other = rules[below(rules.length)]!
  const moved = [
    { ...one, to: other.arn === one.arn ? 1 + below(5) : other.priority },
    ...(other.arn === one.arn ? [] : [{ ...other, to: one.priority }]),
  ].map(({ arn, to }, index) => [
    [`RulePriorities.member.${index + 1}.RuleArn`, arn],
    [`RulePriorities.member.${index + 1}.Priority`, String(to)],
  ])
  return send('SetRulePriorities', Object.fromEntries(moved.flat()) as Record<string, string>)
}

async function changeAccessLogs(stage: Stage): Promise<void> {
  await beanstalk(stage, 'UpdateEnvironment', accessLogging(stage.chance(0.7)))
}

/** A listener at another port, by a certificate that is imported again and again under the same ARN. */
async function changeHttps(stage: Stage): Promise<void> {
  const { world, life, chance } = stage
  const arn = await importCertificate(world, life)
  if (arn) await beanstalk(stage, 'UpdateEnvironment', httpsListener(arn, chance(0.6)))
}

/** Of a name of the zone, or below .localhost; one that is there may be renewed, or goes. */
async function changeCertificates(stage: Stage): Promise<void> {
  const { world, life, chance, below, note } = stage
  const { arn } =
    world.store.get<{ arn: string }>('select arn from acm_order order by arn limit 1 offset :skipped', {
      skipped: below(3),
    }) ?? {}
  if (arn !== undefined && chance(0.4)) {
    const action = chance(0.5) ? 'DeleteCertificate' : 'RenewCertificate'
    const { code } = await callJson(world, life, 'acm', `CertificateManager.${action}`, {
      CertificateArn: arn,
    })
    return note(`${action}: ${code || 'ok'}`)
  }
  const name = [`*.${ZONE}`, `www.${ZONE}`, 'shop.localhost'][below(3)]!
  note(`ask for a certificate of ${name}: ${(await requestCertificate(world, life, name, '')) || 'ok'}`)
}

/** A batch of changes of which each may be refused, and then all are. */
async function changeNames(stage: Stage): Promise<void> {
  const { world, life, chance, below, note, name } = stage
  const isPrivate = chance(0.3)
  const zone = world.store.get<{ id: string }>('select id from route53_zone where private = :isPrivate', {
    isPrivate: isPrivate ? 1 : 0,
  })?.id
  if (zone === undefined) return
  // Of somebody who is there, mostly.
  const prefixes = world.store.all<{ cnamePrefix: string }>(
    'select cname_prefix from environment where terminated_at is null',
  )
  const host = `${(chance(0.9) && anyOf(stage, prefixes)?.cnamePrefix) || name}.${REGION}.${DOMAIN}`
  const failover = (role: string, value: string) =>
    `<SetIdentifier>${role}</SetIdentifier><Failover>${role}</Failover>${alias(value)}`
  const alias = (value: string) =>
    `<AliasTarget><HostedZoneId>Z38NKT9BP95V3O</HostedZoneId><DNSName>${value}</DNSName><EvaluateTargetHealth>true</EvaluateTargetHealth></AliasTarget>`
  const plain = (value: string) =>
    `<TTL>60</TTL><ResourceRecords><ResourceRecord><Value>${value}</Value></ResourceRecord></ResourceRecords>`
  const set = (label: string, type: string, content: string) =>
    `<Change><Action>${chance(0.85) ? 'UPSERT' : 'DELETE'}</Action><ResourceRecordSet><Name>${label}.${ZONE}</Name><Type>${type}</Type>${content}</ResourceRecordSet></Change>`
  const changes = [
    () => set('www', 'A', alias(host)),
    () => set('*.apps', 'CNAME', plain(host)),
    () => set('fail', 'A', failover(chance(0.5) ? 'PRIMARY' : 'SECONDARY', host)),
    () => set(`h${below(3)}`, 'A', plain(`192.0.2.${below(200)}`)),
  ]
  const some = Array.from({ length: 1 + below(3) }, () => changes[below(changes.length)]!()).join('')
  const batch = `<ChangeResourceRecordSetsRequest><ChangeBatch><Changes>${some}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`
  const { code } = await callRoute53(world, life, 'POST', `/hostedzone/${zone}/rrset`, batch)
  note(`change names of ${isPrivate ? 'the private ' : ''}${ZONE}: ${code || 'ok'}`)
}
