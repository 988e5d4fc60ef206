// What settings make of an environment's security groups, on ec2, autoscaling and elasticloadbalancingv2 as they are.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { RSA } from '../../../kernel/test-ssh-keys.ts'
import { makeServicesWorld, type ServicesWorld } from '../../testing/services-world.ts'
import { resourcesOf, environmentById } from '../store.ts'
import { makeBench, type Bench } from '../test-bench.ts'

const LAUNCH = 'aws:autoscaling:launchconfiguration'
const BALANCER = 'aws:elbv2:loadbalancer'
const set = (Namespace: string, OptionName: string, Value: string) => ({ Namespace, OptionName, Value })

let world: ServicesWorld
let bench: Bench
beforeEach(async () => {
  world = makeServicesWorld()
  bench = makeBench(world)
  await world.clock.run(1_000)
  bench.version('v1')
})
afterEach(() => {
  bench.end()
  world.end()
})

const group = (GroupName: string) =>
  world.ec2.createSecurityGroup(world.context, { GroupName, Description: 'of a user' }).GroupId!
const groups = () => world.ec2.describeSecurityGroups(world.context, {}).SecurityGroups ?? []
const nameOf = (id: string | undefined) => {
  const name = groups().find(({ GroupId }) => GroupId === id)?.GroupName ?? `gone ${id}`
  return /AWSEB\w+/.exec(name)?.[0] ?? name
}
/** Names of the groups that there are; what the environment made is cut down to its logical name. */
const names = () =>
  groups()
    .map(({ GroupId }) => nameOf(GroupId))
    .filter((name) => name !== 'default')
    .toSorted()
const running = () =>
  (world.ec2.describeInstances(world.context, {}).Reservations ?? [])
    .flatMap(({ Instances = [] }) => Instances)
    .filter(({ State }) => State?.Name === 'running')
const groupsOfInstances = () =>
  running().map(({ SecurityGroups = [] }) => SecurityGroups.map(({ GroupId }) => nameOf(GroupId)).toSorted())
const balancer = () =>
  world.elasticloadbalancingv2.describeLoadBalancers(world.context, {}).LoadBalancers?.[0]
const groupsOfBalancer = () => balancer()?.SecurityGroups?.map(nameOf)
/** What the instances' own group lets in: `tcp 80 from …`. */
const rules = () =>
  (groups().find(({ GroupId }) => nameOf(GroupId) === 'AWSEBSecurityGroup')?.IpPermissions ?? [])
    .flatMap(({ IpProtocol, FromPort, UserIdGroupPairs = [], IpRanges = [] }) =>
      [
        ...UserIdGroupPairs.map(({ GroupId }) => nameOf(GroupId)),
        ...IpRanges.map(({ CidrIp }) => CidrIp),
      ].map((source) => `${IpProtocol} ${FromPort} from ${source}`),
    )
    .toSorted()

type Options = ReturnType<typeof set>[]
async function launch(OptionSettings: Options = []) {
  bench.create({ OptionSettings })
  await bench.until('Ready')
  await world.clock.run(5_000)
  assert.equal(errors().join(), '')
}
async function update(
  OptionSettings: Options,
  OptionsToRemove: { Namespace: string; OptionName: string }[] = [],
) {
  const from = bench.texts().length
  bench.api.updateEnvironment(bench.context(), {
    EnvironmentName: 'shop-prod',
    OptionSettings,
    OptionsToRemove,
  })
  await bench.until('Ready')
  await world.clock.run(5_000)
  return bench.texts().slice(from)
}
const errors = () => bench.texts().filter((text) => text.startsWith('ERROR'))
const terminate = () =>
  bench.api.terminateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', ForceTerminate: true })

describe('an environment without settings about security groups', () => {
  it('lets everybody in at the load balancer, and the load balancer at the instances', async () => {
    await launch()
    assert.deepEqual(groupsOfBalancer(), ['AWSEBLoadBalancerSecurityGroup'])
    assert.deepEqual(groupsOfInstances(), [['AWSEBSecurityGroup']])
    assert.deepEqual(rules(), ['tcp 80 from AWSEBLoadBalancerSecurityGroup'])
  })
})

describe('SecurityGroups of the launch configuration', () => {
  it('are beside the own one, by id and by name, in new instances; no other group is touched', async () => {
    const [web] = [group('web'), group('db')]
    await launch([set(LAUNCH, 'SecurityGroups', `${web}, db`)])
    assert.deepEqual(groupsOfInstances(), [['AWSEBSecurityGroup', 'db', 'web']])
    const before = running().map(({ InstanceId }) => InstanceId)
    await update([set(LAUNCH, 'SecurityGroups', 'db')])
    assert.deepEqual(groupsOfInstances(), [['AWSEBSecurityGroup', 'db']])
    assert.notDeepEqual(
      running().map(({ InstanceId }) => InstanceId),
      before,
    )
    await update([], [{ Namespace: LAUNCH, OptionName: 'SecurityGroups' }])
    assert.deepEqual(groupsOfInstances(), [['AWSEBSecurityGroup']])
    terminate()
    await bench.until('Terminated')
    assert.deepEqual(names(), ['db', 'web'])
  })

  it('are all that there is without the default group, which goes, and comes back', async () => {
    group('web')
    const alone = [
      set(LAUNCH, 'SecurityGroups', 'web'),
      set(LAUNCH, 'DisableDefaultEC2SecurityGroup', 'true'),
    ]
    await launch(alone)
    assert.deepEqual([groupsOfInstances(), names()], [[['web']], ['AWSEBLoadBalancerSecurityGroup', 'web']])
    const back = await update([set(LAUNCH, 'DisableDefaultEC2SecurityGroup', 'false')])
    assert.deepEqual(groupsOfInstances(), [['AWSEBSecurityGroup', 'web']])
    assert.deepEqual(rules(), ['tcp 80 from AWSEBLoadBalancerSecurityGroup'])
    assert.ok(
      back.some((text) => text.startsWith('INFO Created security group named: awseb-')),
      back.join('\n'),
    )
    assert.ok(!back.some((text) => text.includes('storage bucket')))
    const gone = await update(alone)
    assert.deepEqual([groupsOfInstances(), names()], [[['web']], ['AWSEBLoadBalancerSecurityGroup', 'web']])
    assert.ok(
      gone.some((text) => text.startsWith('INFO Deleted security group named: awseb-')),
      gone.join('\n'),
    )
    terminate()
    await bench.until('Terminated')
    assert.deepEqual(names(), ['web'])
  })

  it('that is unknown is refused, also by an update, which changes nothing', async () => {
    await launch()
    const complaint = (option: string) => ({
      code: 'ConfigurationValidationException',
      message: `Configuration validation exception: Invalid option value: 'sg-0123456789abcdef0' (Namespace: '${LAUNCH}', OptionName: '${option}'): The security group 'sg-0123456789abcdef0' does not exist`,
    })
    const setting = [set(LAUNCH, 'SecurityGroups', 'sg-0123456789abcdef0')]
    assert.throws(
      () => bench.create({ EnvironmentName: 'other', OptionSettings: setting }),
      complaint('SecurityGroups'),
    )
    await assert.rejects(update(setting), complaint('SecurityGroups'))
    assert.equal(bench.environment()?.Status, 'Ready')
  })
})

describe('SSHSourceRestriction', () => {
  it('is a rule of the own group where there is a key, and follows its setting in place', async () => {
    world.ec2.importKeyPair(world.context, { KeyName: 'mine', PublicKeyMaterial: Buffer.from(RSA) })
    const WEB = 'tcp 80 from AWSEBLoadBalancerSecurityGroup'
    await launch([set(LAUNCH, 'EC2KeyName', 'mine')])
    assert.deepEqual(rules(), ['tcp 22 from 0.0.0.0/0', WEB])
    assert.deepEqual(
      running().map(({ KeyName }) => KeyName),
      ['mine'],
    )
    const before = running().map(({ InstanceId }) => InstanceId)
    // The bits of the host are cleared by ec2; that makes it no other rule.
    await update([set(LAUNCH, 'SSHSourceRestriction', 'tcp, 22, 22, 192.0.2.7/24')])
    assert.deepEqual(rules(), ['tcp 22 from 192.0.2.0/24', WEB])
    group('bastion')
    await update([set(LAUNCH, 'SSHSourceRestriction', 'tcp,22,22,bastion')])
    assert.deepEqual(rules(), ['tcp 22 from bastion', WEB])
    assert.deepEqual(
      running().map(({ InstanceId }) => InstanceId),
      before,
    )
    await update([], [{ Namespace: LAUNCH, OptionName: 'EC2KeyName' }])
    assert.deepEqual(rules(), [WEB])
    assert.deepEqual(
      running().map(({ KeyName }) => KeyName),
      [undefined],
    )
  })

  it('leaves rules that a user added, and does not bring back one that a user removed', async () => {
    world.ec2.importKeyPair(world.context, { KeyName: 'mine', PublicKeyMaterial: Buffer.from(RSA) })
    await launch([set(LAUNCH, 'EC2KeyName', 'mine')])
    const GroupId = groups().find((one) => nameOf(one.GroupId) === 'AWSEBSecurityGroup')?.GroupId
    const tcp = (port: number, CidrIp: string) => ({
      GroupId,
      IpProtocol: 'tcp',
      FromPort: port,
      ToPort: port,
      CidrIp,
    })
    world.ec2.authorizeSecurityGroupIngress(world.context, tcp(5000, '192.0.2.0/24'))
    world.ec2.authorizeSecurityGroupIngress(world.context, tcp(22, '198.51.100.0/24'))
    world.ec2.revokeSecurityGroupIngress(world.context, tcp(22, '0.0.0.0/0'))
    const after = [
      'tcp 22 from 198.51.100.0/24',
      'tcp 5000 from 192.0.2.0/24',
      'tcp 80 from AWSEBLoadBalancerSecurityGroup',
    ]
    await update([set(BALANCER, 'IdleTimeout', '61')])
    assert.deepEqual(rules(), after)
    // The rule that it wants is there already, and is the user's.
    await update([set(LAUNCH, 'SSHSourceRestriction', 'tcp,22,22,198.51.100.0/24')])
    await update([set(LAUNCH, 'SSHSourceRestriction', 'tcp,22,22,203.0.113.0/24')])
    assert.deepEqual(rules(), [after[0], 'tcp 22 from 203.0.113.0/24', ...after.slice(1)])
  })
})

describe('groups of the load balancer', () => {
  it('are beside its own one', async () => {
    group('edge')
    await launch([set(BALANCER, 'SecurityGroups', 'edge')])
    assert.deepEqual(groupsOfBalancer(), ['AWSEBLoadBalancerSecurityGroup', 'edge'])
    assert.deepEqual(rules(), ['tcp 80 from AWSEBLoadBalancerSecurityGroup'])
  })

  it('are used instead of an own one when one is managed; changed in place, there and back', async () => {
    const edge = group('edge')
    await launch()
    const before = running().map(({ InstanceId }) => InstanceId)
    const there = await update([
      set(BALANCER, 'ManagedSecurityGroup', edge),
      set(BALANCER, 'SecurityGroups', edge),
    ])
    assert.deepEqual([groupsOfBalancer(), rules()], [['edge'], ['tcp 80 from edge']])
    assert.deepEqual(names(), ['AWSEBSecurityGroup', 'edge'])
    assert.ok(
      there.some((text) => text.startsWith('INFO Deleted security group named: sg-')),
      there.join('\n'),
    )
    const [held] = world.ec2.describeNetworkInterfaces(world.context, {
      Filters: [{ Name: 'description', Values: ['ELB *'] }],
    }).NetworkInterfaces!
    assert.deepEqual(
      held?.Groups?.map(({ GroupName }) => GroupName),
      ['edge'],
    )
    await update(
      [],
      ['ManagedSecurityGroup', 'SecurityGroups'].map((OptionName) => ({ Namespace: BALANCER, OptionName })),
    )
    const OWN = 'AWSEBLoadBalancerSecurityGroup'
    assert.deepEqual([groupsOfBalancer(), rules()], [[OWN], [`tcp 80 from ${OWN}`]])
    assert.deepEqual(
      running().map(({ InstanceId }) => InstanceId),
      before,
    )
    terminate()
    await bench.until('Terminated')
    assert.deepEqual(names(), ['edge'])
  })

  it('are made with the environment', async () => {
    group('edge')
    await launch([set(BALANCER, 'ManagedSecurityGroup', 'edge')])
    assert.deepEqual([groupsOfBalancer(), rules()], [['edge'], ['tcp 80 from edge']])
    assert.deepEqual(names(), ['AWSEBSecurityGroup', 'edge'])
  })

  it('of an environment that does not remember its rules are changed, too', async () => {
    group('edge')
    await launch()
    const { id } = bench.store.get<{ id: string }>('select id from environment')!
    const { instanceRules: _forgotten, ...resources } = resourcesOf(environmentById(bench.store, id)!)
    bench.store.update('environment', { id }, { resources })
    await update([set(BALANCER, 'ManagedSecurityGroup', 'edge')])
    assert.deepEqual([rules(), names()], [['tcp 80 from edge'], ['AWSEBSecurityGroup', 'edge']])
  })
})

describe('a group that a rule of another one names', () => {
  it('keeps nothing else of a terminated environment, and goes with that rule', async () => {
    const db = group('db')
    await launch()
    const own = groups().find(({ GroupId }) => nameOf(GroupId) === 'AWSEBSecurityGroup')
    const IpPermissions = [
      { IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, UserIdGroupPairs: [{ GroupId: own?.GroupId }] },
    ]
    world.ec2.authorizeSecurityGroupIngress(world.context, { GroupId: db, IpPermissions })
    terminate()
    await world.clock.run(60_000)
    assert.deepEqual(errors(), [
      `ERROR Deleting security group named: ${own?.GroupName} failed Reason: resource ${own?.GroupName} has a dependent object. Rules of ${db} refer to it.`,
    ])
    assert.deepEqual([balancer(), names()], [undefined, ['AWSEBSecurityGroup', 'db']])
    assert.equal(bench.environment()?.Status, 'Terminating')
    world.ec2.revokeSecurityGroupIngress(world.context, { GroupId: db, IpPermissions })
    await bench.until('Terminated')
    assert.deepEqual(names(), ['db'])
  })

  it('stays when an update has no more use for it, until a later one', async () => {
    const db = group('db')
    await launch()
    const own = groups().find(({ GroupId }) => nameOf(GroupId) === 'AWSEBSecurityGroup')
    const IpPermissions = [
      { IpProtocol: 'tcp', FromPort: 5432, ToPort: 5432, UserIdGroupPairs: [{ GroupId: own?.GroupId }] },
    ]
    world.ec2.authorizeSecurityGroupIngress(world.context, { GroupId: db, IpPermissions })
    const texts = await update([
      set(LAUNCH, 'SecurityGroups', 'db'),
      set(LAUNCH, 'DisableDefaultEC2SecurityGroup', 'true'),
    ])
    assert.deepEqual(groupsOfInstances(), [['db']])
    assert.ok(
      texts.some((text) => text.includes(`Rules of ${db} refer to it.`)),
      texts.join('\n'),
    )
    assert.ok(texts.includes('INFO Environment update completed successfully.'))
    assert.ok(names().includes('AWSEBSecurityGroup'))
    world.ec2.revokeSecurityGroupIngress(world.context, { GroupId: db, IpPermissions })
    await update([set(BALANCER, 'IdleTimeout', '61')])
    assert.ok(!names().includes('AWSEBSecurityGroup'))
  })
})
