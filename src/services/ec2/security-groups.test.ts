import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { IpPermission, SecurityGroupRuleRequest } from '@aws-sdk/client-ec2'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
let web: string
let db: string
beforeEach(() => {
  world = makeServicesWorld()
  web = create('web')
  db = create('db')
})
afterEach(() => world.end())

const create = (GroupName: string, more: object = {}) =>
  world.ec2.createSecurityGroup(world.context, { GroupName, Description: 'for a test', ...more }).GroupId!
const authorize = (GroupId: string, IpPermissions: IpPermission[], more: object = {}) =>
  world.ec2.authorizeSecurityGroupIngress(world.context, { GroupId, IpPermissions, ...more })
    .SecurityGroupRules!
const revoke = (GroupId: string, more: object) =>
  world.ec2.revokeSecurityGroupIngress(world.context, { GroupId, ...more })
const rulesOf = (id: string) =>
  world.ec2
    .describeSecurityGroupRules(world.context, { Filters: [{ Name: 'group-id', Values: [id] }] })
    .SecurityGroupRules!.filter((rule) => !rule.IsEgress)
const tcp = (port: number, more: IpPermission = {}): IpPermission => ({
  IpProtocol: 'tcp',
  FromPort: port,
  ToPort: port,
  IpRanges: [{ CidrIp: '0.0.0.0/0' }],
  ...more,
})
const fromGroup = (GroupId: string) => ({ IpRanges: [], UserIdGroupPairs: [{ GroupId }] })

describe('rules of security groups', () => {
  it('have ids, descriptions and tags', () => {
    const Tags = [{ Key: 'why', Value: 'shop' }]
    const TagSpecifications = [{ ResourceType: 'security-group-rule', Tags }]
    const [rule] = authorize(
      web,
      [tcp(80, { IpRanges: [{ CidrIp: '10.1.2.3/16', Description: 'the office' }] })],
      { TagSpecifications },
    )
    assert.deepEqual(rule, {
      SecurityGroupRuleId: rule!.SecurityGroupRuleId,
      SecurityGroupRuleArn: `arn:aws:ec2:us-west-2:000000000000:security-group-rule/${rule!.SecurityGroupRuleId}`,
      GroupId: web,
      GroupOwnerId: '000000000000',
      IsEgress: false,
      IpProtocol: 'tcp',
      FromPort: 80,
      ToPort: 80,
      CidrIpv4: '10.1.0.0/16',
      Description: 'the office',
      Tags,
    })
    const byTag = (Values: string[]) =>
      world.ec2.describeSecurityGroupRules(world.context, { Filters: [{ Name: 'tag:why', Values }] })
        .SecurityGroupRules!
    assert.deepEqual(byTag(['sh*']), [rule])
    assert.deepEqual(byTag(['x']), [])
    revoke(web, { SecurityGroupRuleIds: [rule!.SecurityGroupRuleId] })
    assert.deepEqual(world.ec2.describeTags(world.context, {}).Tags, [])
  })

  it('name groups, their own included, by id and by name, and IPv6 ranges', () => {
    authorize(db, [
      tcp(5432, fromGroup(web)),
      tcp(5433, { IpRanges: [], UserIdGroupPairs: [{ GroupName: 'web' }] }),
      { IpProtocol: '-1', UserIdGroupPairs: [{ GroupId: db, UserId: '000000000000' }] },
      { IpProtocol: 'icmpv6', FromPort: -1, ToPort: -1, Ipv6Ranges: [{ CidrIpv6: '2001:DB8::1/32' }] },
    ])
    assert.deepEqual(
      rulesOf(db)
        .map((rule) => [rule.FromPort, rule.ReferencedGroupInfo?.GroupId ?? rule.CidrIpv6])
        .toSorted(),
      [
        [-1, '2001:db8::/32'],
        [-1, db],
        [5432, web],
        [5433, web],
      ].toSorted(),
    )
  })

  it('may overlap, but not be the same twice', () => {
    authorize(web, [tcp(80, { IpRanges: [{ CidrIp: '10.0.0.0/8' }, { CidrIp: '10.1.0.0/16' }] })])
    authorize(web, [{ ...tcp(80), FromPort: 1, ToPort: 1_000 }])
    assert.equal(rulesOf(web).length, 3)
    assert.throws(() => authorize(web, [tcp(80, { IpRanges: [{ CidrIp: '10.9.9.9/8' }] })]), {
      code: 'InvalidPermission.Duplicate',
      message: 'the specified rule "peer: 10.0.0.0/8, TCP, from port: 80, to port: 80, ALLOW" already exists',
    })
    assert.throws(() => authorize(web, [tcp(81), tcp(81)]), {
      code: 'InvalidParameterValue',
      message: 'The same permission must not appear multiple times',
    })
    assert.equal(rulesOf(web).length, 3)
  })

  it('are sixty at most, counted for IPv4 and IPv6 apart', () => {
    const many = (count: number, more: IpPermission = {}) =>
      Array.from({ length: count }, (_unused, index) => tcp(1_000 + index, more))
    authorize(web, many(59))
    authorize(web, many(59, { IpRanges: [], Ipv6Ranges: [{ CidrIpv6: '::/0' }] }))
    authorize(web, [tcp(1, fromGroup(db))])
    for (const more of [{}, fromGroup(db), { IpRanges: [], Ipv6Ranges: [{ CidrIpv6: '::/0' }] }])
      assert.throws(() => authorize(web, [tcp(2, more)]), {
        code: 'RulesPerSecurityGroupLimitExceeded',
        message: 'The maximum number of rules per security group has been reached.',
      })
    assert.equal(rulesOf(web).length, 119)
  })

  it('are refused when they are none, in the words of AWS', () => {
    const wrong: [IpPermission, string, string][] = [
      [tcp(70_000), 'InvalidParameterValue', 'TCP/UDP port (70000) out of range'],
      [tcp(-1), 'InvalidParameterValue', 'TCP/UDP port (-1) out of range'],
      [{ ...tcp(80), IpProtocol: 'tcpp' }, 'InvalidParameterValue', ''],
      [tcp(80, { IpRanges: [] }), 'MissingParameter', ''],
      [tcp(80, { PrefixListIds: [{ PrefixListId: 'pl-1' }] }), 'UnsupportedOperation', ''],
      [{ ...tcp(300), IpProtocol: 'icmp' }, 'InvalidParameterValue', 'ICMP type (300) out of range'],
      [
        { ...tcp(0), IpProtocol: 'icmp', FromPort: -1 },
        'InvalidParameterValue',
        'ICMP code (0) out of range',
      ],
      [
        tcp(80, fromGroup('sg-0123456789abcdef0')),
        'InvalidGroup.NotFound',
        "The security group 'sg-0123456789abcdef0' does not exist",
      ],
      [
        tcp(80, { IpRanges: [], UserIdGroupPairs: [{ GroupId: db, VpcId: 'vpc-1' }] }),
        'InvalidGroup.NotFound',
        'You have specified two resources that belong to different networks.',
      ],
      [
        tcp(80, { IpRanges: [], UserIdGroupPairs: [{ GroupId: db, UserId: '111111111111' }] }),
        'InvalidGroup.NotFound',
        `The security group '${db}' does not exist`,
      ],
      ...['a\u0000b', 'a\nb', 'café', "AWS' own", 'x'.repeat(256)].map(
        (Description): [IpPermission, string, string] => [
          tcp(80, { IpRanges: [{ CidrIp: '0.0.0.0/0', Description }] }),
          'InvalidParameterValue',
          'Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*',
        ],
      ),
    ]
    for (const [permission, code, message] of wrong)
      assert.throws(() => authorize(web, [tcp(443), permission]), {
        code,
        ...(message && { message }),
      })
    assert.deepEqual(rulesOf(web), [])
  })

  it('go by their content or by their ids, all or none', () => {
    authorize(web, [tcp(80), tcp(443)])
    assert.throws(() => revoke(web, { IpPermissions: [tcp(80), tcp(81)] }), {
      code: 'InvalidPermission.NotFound',
      message: 'The specified rule does not exist in this security group.',
    })
    const ids = rulesOf(web).map((rule) => rule.SecurityGroupRuleId!)
    assert.throws(() => revoke(web, { SecurityGroupRuleIds: [ids[0], 'sgr-0123456789abcdef0'] }), {
      code: 'InvalidSecurityGroupRuleId.NotFound',
    })
    assert.throws(() => revoke(db, { SecurityGroupRuleIds: ids }), {
      code: 'InvalidSecurityGroupRuleId.NotFound',
    })
    assert.equal(rulesOf(web).length, 2)
    const answer = revoke(web, { SecurityGroupRuleIds: ids })
    assert.deepEqual(answer.RevokedSecurityGroupRules!.map((rule) => rule.FromPort).toSorted(), [443, 80])
    assert.deepEqual(rulesOf(web), [])
  })

  it('of traffic out begin with all, which can be revoked', () => {
    const IpPermissions = [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }]
    const egress = () =>
      world.ec2.describeSecurityGroups(world.context, { GroupIds: [web] }).SecurityGroups![0]!
        .IpPermissionsEgress!
    world.ec2.revokeSecurityGroupEgress(world.context, { GroupId: web, IpPermissions })
    assert.deepEqual(egress(), [])
    world.ec2.authorizeSecurityGroupEgress(world.context, {
      GroupId: web,
      IpPermissions: [tcp(5432, fromGroup(db))],
    })
    assert.equal(egress()[0]!.UserIdGroupPairs![0]!.GroupId, db)
    assert.deepEqual(rulesOf(web), [])
  })

  it('grant TCP, UDP and ICMP whole by the name of another group', () => {
    world.ec2.authorizeSecurityGroupIngress(world.context, { GroupId: db, SourceSecurityGroupName: 'web' })
    assert.deepEqual(
      rulesOf(db)
        .map((rule) => `${rule.IpProtocol} ${rule.FromPort}-${rule.ToPort}`)
        .toSorted(),
      ['icmp -1--1', 'tcp 0-65535', 'udp 0-65535'],
    )
    assert.throws(
      () =>
        world.ec2.authorizeSecurityGroupIngress(world.context, {
          GroupId: db,
          SourceSecurityGroupName: 'web',
          CidrIp: '0.0.0.0/0',
        }),
      { code: 'InvalidParameterCombination' },
    )
  })
})

describe('rules that are changed', () => {
  const modify = (id: string, SecurityGroupRule: SecurityGroupRuleRequest) =>
    world.ec2.modifySecurityGroupRules(world.context, {
      GroupId: web,
      SecurityGroupRules: [{ SecurityGroupRuleId: id, SecurityGroupRule }],
    })

  it('keep their id and are replaced as a whole', () => {
    const [rule] = authorize(web, [tcp(80, { IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'all' }] })])
    const id = rule!.SecurityGroupRuleId!
    modify(id, { IpProtocol: 'udp', FromPort: 53, ToPort: 54, CidrIpv4: '10.0.0.1/8' })
    const [changed] = rulesOf(web)
    assert.deepEqual(
      [
        changed!.SecurityGroupRuleId,
        changed!.IpProtocol,
        changed!.ToPort,
        changed!.CidrIpv4,
        changed!.Description,
      ],
      [id, 'udp', 54, '10.0.0.0/8', undefined],
    )
  })

  it('stay of their kind, and do not become another one', () => {
    const [one] = authorize(web, [tcp(80), tcp(81)])
    const id = one!.SecurityGroupRuleId!
    const wrong: [SecurityGroupRuleRequest, string][] = [
      [{ IpProtocol: 'tcp', FromPort: 81, ToPort: 81, CidrIpv4: '0.0.0.0/0' }, 'InvalidPermission.Duplicate'],
      [{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, CidrIpv6: '::/0' }, 'InvalidParameterValue'],
      [{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, ReferencedGroupId: db }, 'InvalidParameterValue'],
      [{ IpProtocol: '-1', CidrIpv4: '0.0.0.0/0', ReferencedGroupId: db }, 'InvalidParameterCombination'],
      [{ IpProtocol: '-1', PrefixListId: 'pl-1' }, 'UnsupportedOperation'],
    ]
    for (const [request, code] of wrong) assert.throws(() => modify(id, request), { code })
    assert.throws(() => modify('sgr-1', {}), { code: 'InvalidSecurityGroupRuleId.NotFound' })
    modify(id, { IpProtocol: 'tcp', FromPort: 80, ToPort: 80, CidrIpv4: '0.0.0.0/0', Description: 'same' })
    assert.deepEqual(
      rulesOf(web)
        .map((rule) => rule.FromPort)
        .toSorted(),
      [80, 81],
    )
  })

  it('get other descriptions, by content or by id', () => {
    const [rule] = authorize(web, [tcp(80)])
    const descriptionOf = () => rulesOf(web)[0]!.Description
    const change = (more: object) =>
      world.ec2.updateSecurityGroupRuleDescriptionsIngress(world.context, { GroupId: web, ...more })
    change({ IpPermissions: [tcp(80, { IpRanges: [{ CidrIp: '0.0.0.0/0', Description: 'one' }] })] })
    assert.equal(descriptionOf(), 'one')
    const byId = [{ SecurityGroupRuleId: rule!.SecurityGroupRuleId, Description: 'two' }]
    change({ SecurityGroupRuleDescriptions: byId })
    assert.equal(descriptionOf(), 'two')
    change({ IpPermissions: [tcp(80)] })
    assert.equal(descriptionOf(), undefined)
    assert.throws(() => change({ IpPermissions: [tcp(81)] }), { code: 'InvalidPermission.NotFound' })
    assert.throws(() => change({}), { code: 'MissingParameter' })
    assert.throws(
      () =>
        world.ec2.updateSecurityGroupRuleDescriptionsEgress(world.context, {
          GroupId: web,
          SecurityGroupRuleDescriptions: byId,
        }),
      { code: 'InvalidSecurityGroupRuleId.NotFound' },
    )
  })
})

describe('security groups', () => {
  it('are refused names and descriptions that AWS refuses', () => {
    for (const [name, code] of [
      ['default', 'InvalidGroup.Reserved'],
      ['sg-web', 'InvalidParameterValue'],
      ['ümlaut', 'InvalidParameterValue'],
      ["it's", 'InvalidParameterValue'],
      ['x'.repeat(256), 'InvalidParameterValue'],
      ['', 'MissingParameter'],
    ])
      assert.throws(() => create(name!), { code }, name)
    assert.throws(() => create('x', { Description: 'a\u0007b' }), {
      code: 'InvalidParameterValue',
      message: /^Invalid security group description\. Valid descriptions are strings less than 256 /,
    })
    assert.throws(() => create('x', { VpcId: 'vpc-0123' }), { code: 'InvalidVpcID.NotFound' })
  })

  it('lose the spaces at the end of their names, and are not another one by name than by id', () => {
    const [id, other] = [create('trail '), create('other')]
    const found = world.ec2.describeSecurityGroups(world.context, { GroupNames: ['trail'] }).SecurityGroups
    assert.deepEqual(
      found?.map(({ GroupId }) => GroupId),
      [id],
    )
    assert.throws(
      () => world.ec2.deleteSecurityGroup(world.context, { GroupId: other, GroupName: 'trail' }),
      { code: 'InvalidParameterCombination' },
    )
    world.ec2.deleteSecurityGroup(world.context, { GroupId: id, GroupName: 'trail' })
  })

  it('are found by their rules', () => {
    authorize(db, [tcp(5432, fromGroup(web))])
    authorize(web, [tcp(80)])
    const find = (Name: string, ...Values: string[]) =>
      world.ec2
        .describeSecurityGroups(world.context, { Filters: [{ Name, Values }] })
        .SecurityGroups!.map((group) => group.GroupName)
        .toSorted()
    assert.deepEqual(find('ip-permission.group-name', 'w*'), ['db'])
    assert.deepEqual(find('ip-permission.from-port', '80'), ['web'])
    assert.deepEqual(find('ip-permission.cidr', '0.0.0.0/0'), ['web'])
    assert.deepEqual(find('ip-permission.cidr', ''), [])
    assert.deepEqual(find('egress.ip-permission.protocol', '-1'), ['db', 'default', 'web'])
    assert.throws(() => find('ip-permission.colour', 'red'), { code: 'InvalidParameterValue' })
  })

  it('are two and a half thousand at most', () => {
    const { account, region } = world.context
    const { vpcId } = world.store.get<{ vpcId: string }>('select vpc_id from ec2_security_group limit 1')!
    for (let count = 3; count < 2_500; count++)
      world.store.insert('ec2_security_group', {
        ...{ id: `sg-${count}`, account, region, vpcId, name: `n${count}`, description: 'x' },
      })
    assert.throws(() => create('one-more'), {
      code: 'SecurityGroupLimitExceeded',
      message: 'The maximum number of security groups for this account has been reached.',
    })
  })
})
