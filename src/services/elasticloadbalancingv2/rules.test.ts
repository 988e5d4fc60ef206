import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { Action, RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2'
import { makeServicesWorld, type ServicesWorld } from '../testing/services-world.ts'

let world: ServicesWorld
let ListenerArn: string
let LoadBalancerArn: string
let host: string
let groups: string[]
beforeEach(() => {
  world = makeServicesWorld()
  const subnets = world.ec2.describeSubnets(world.context, {}).Subnets!.map((one) => one.SubnetId!)
  const VpcId = world.ec2.describeVpcs(world.context, {}).Vpcs![0]!.VpcId
  groups = ['one', 'two'].map(
    (Name) =>
      elb().createTargetGroup(world.context, { Name, Protocol: 'HTTP', Port: 80, VpcId }).TargetGroups![0]!
        .TargetGroupArn!,
  )
  const [balancer] = elb().createLoadBalancer(world.context, { Name: 'web', Subnets: subnets }).LoadBalancers!
  LoadBalancerArn = balancer!.LoadBalancerArn!
  host = balancer!.DNSName!
  ListenerArn = elb().createListener(world.context, {
    ...{ LoadBalancerArn, Protocol: 'HTTP', Port: 80 },
    DefaultActions: [forward(0)],
  }).Listeners![0]!.ListenerArn!
  world.ec2.authorizeSecurityGroupIngress(world.context, {
    GroupName: 'default',
    ...{ IpProtocol: 'tcp', FromPort: 80, ToPort: 80, CidrIp: '127.0.0.0/8' },
  })
})
afterEach(() => world.end())

const elb = () => world.elasticloadbalancingv2
const forward = (n: number): Action => ({ Type: 'forward', TargetGroupArn: groups[n] })
const path = (...Values: string[]): RuleCondition => ({ Field: 'path-pattern', Values })
const says = (MessageBody: string, StatusCode = '200'): Action => ({
  Type: 'fixed-response',
  FixedResponseConfig: { StatusCode, MessageBody, ContentType: 'text/plain' },
})
const rule = (Priority: number, more: object = {}) =>
  elb().createRule(world.context, {
    ...{ ListenerArn, Priority, Conditions: [path('/a/*')], Actions: [says('a')] },
    ...more,
  }).Rules![0]!
const listed = () =>
  elb()
    .describeRules(world.context, { ListenerArn })
    .Rules!.map(({ Priority }) => Priority)
const ask = (way: string) => world.balancer.request({ host, path: way })

describe('listener rules', () => {
  it('are described as AWS does, in their order, the default one last', () => {
    rule(20)
    const { RuleArn, ...made } = rule(3, {
      Conditions: [
        { Field: 'host-header', HostHeaderConfig: { Values: ['*.example.com'] } },
        { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'X-A', Values: ['b*'] } },
        { Field: 'query-string', QueryStringConfig: { Values: [{ Key: 'k', Value: 'v' }, { Value: 'w' }] } },
        { Field: 'source-ip', SourceIpConfig: { Values: ['10.0.0.0/8'] } },
      ],
      Actions: [
        {
          Type: 'forward',
          ForwardConfig: {
            TargetGroups: [{ TargetGroupArn: groups[0], Weight: 3 }, { TargetGroupArn: groups[1] }],
            TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 60 },
          },
        },
      ],
    })
    assert.match(
      RuleArn!,
      /^arn:aws:elasticloadbalancing:us-west-2:000000000000:listener-rule\/app\/web\/[0-9a-f]{16}\/[0-9a-f]{16}\/[0-9a-f]{16}$/,
    )
    assert.deepEqual(made, {
      Priority: '3',
      IsDefault: false,
      Conditions: [
        {
          Field: 'host-header',
          Values: ['*.example.com'],
          HostHeaderConfig: { Values: ['*.example.com'] },
        },
        { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'X-A', Values: ['b*'] } },
        { Field: 'query-string', QueryStringConfig: { Values: [{ Key: 'k', Value: 'v' }, { Value: 'w' }] } },
        { Field: 'source-ip', SourceIpConfig: { Values: ['10.0.0.0/8'] } },
      ],
      Actions: [
        {
          Type: 'forward',
          ForwardConfig: {
            TargetGroups: [
              { TargetGroupArn: groups[0], Weight: 3 },
              { TargetGroupArn: groups[1], Weight: 1 },
            ],
            TargetGroupStickinessConfig: { Enabled: true, DurationSeconds: 60 },
          },
        },
      ],
    })
    assert.deepEqual(listed(), ['3', '20', 'default'])
    const first = elb().describeRules(world.context, { ListenerArn, PageSize: 1 })
    assert.deepEqual([first.Rules!.length, first.Rules![0]!.Priority], [1, '3'])
    const rest = elb().describeRules(world.context, { ListenerArn, Marker: first.NextMarker })
    assert.deepEqual(
      rest.Rules!.map(({ Priority }) => Priority),
      ['20', 'default'],
    )
  })

  it('decide what is done, are changed in place, and leave with their listener', async () => {
    const { RuleArn } = rule(10)
    await world.clock.run(2_000)
    assert.equal(ask('/a/b').body, 'a')
    assert.equal(ask('/b').status, 503)
    elb().modifyRule(world.context, { RuleArn, Conditions: [path('/b')], Actions: [says('b', '404')] })
    await world.clock.run(2_000)
    assert.deepEqual([ask('/b').body, ask('/b').status, ask('/a/b').status], ['b', 404, 503])
    elb().modifyListener(world.context, {
      ListenerArn,
      DefaultActions: [
        { Type: 'redirect', RedirectConfig: { StatusCode: 'HTTP_301', Host: 'other.example' } },
      ],
    })
    await world.clock.run(2_000)
    assert.equal(ask('/x').headers['location'], 'http://other.example:80/x')
    elb().addTags(world.context, { ResourceArns: [RuleArn!], Tags: [{ Key: 'k', Value: 'v' }] })
    elb().deleteListener(world.context, { ListenerArn })
    assert.throws(() => elb().describeRules(world.context, { RuleArns: [RuleArn!] }), {
      code: 'RuleNotFound',
    })
    assert.throws(() => elb().describeTags(world.context, { ResourceArns: [RuleArn!] }), {
      code: 'RuleNotFound',
    })
  })

  it('change places', async () => {
    const first = rule(1, { Actions: [says('first')] }).RuleArn!
    const second = rule(2, { Actions: [says('second')] }).RuleArn!
    const set = (...priorities: [string, number][]) =>
      elb().setRulePriorities(world.context, {
        RulePriorities: priorities.map(([RuleArn, Priority]) => ({ RuleArn, Priority })),
      })
    set([first, 2], [second, 1])
    await world.clock.run(2_000)
    assert.equal(ask('/a/b').body, 'second')
    assert.throws(() => set([first, 1]), {
      code: 'PriorityInUse',
      message: "Priority '1' is currently in use",
    })
    assert.throws(() => set([first, 5], [second, 5]), { message: "Priority '5' was provided multiple times" })
    assert.throws(() => set([first, 50_001]), { code: 'ValidationError' })
    assert.deepEqual(listed(), ['1', '2', 'default'])
  })

  it('use target groups, which cannot go meanwhile, and whose targets are checked', async () => {
    const ImageId = world.ec2.describeImages(world.context, {}).Images![0]!.ImageId
    const { Instances } = world.ec2.runInstances(world.context, { ImageId, MinCount: 1, MaxCount: 1 })
    await world.clock.run(1_000)
    const TargetGroupArn = groups[1]!
    elb().registerTargets(world.context, { TargetGroupArn, Targets: [{ Id: Instances![0]!.InstanceId }] })
    const state = () =>
      elb().describeTargetHealth(world.context, { TargetGroupArn }).TargetHealthDescriptions![0]!
        .TargetHealth!.State
    assert.equal(state(), 'unused')
    const { RuleArn } = rule(1, { Actions: [forward(1)] })
    assert.equal(state(), 'initial')
    await world.clock.run(10_000)
    assert.equal(state(), 'healthy')
    assert.deepEqual(ask('/a/b').targetId, Instances![0]!.InstanceId)
    assert.throws(() => elb().deleteTargetGroup(world.context, { TargetGroupArn }), { code: 'ResourceInUse' })
    const found = elb().describeTargetGroups(world.context, { LoadBalancerArn }).TargetGroups!
    assert.deepEqual(found.map((group) => group.TargetGroupArn).sort(), groups.toSorted())
    elb().deleteRule(world.context, { RuleArn })
    assert.equal(state(), 'unused')
    elb().deleteTargetGroup(world.context, { TargetGroupArn })
  })

  it('are the same after a restart', async () => {
    rule(1)
    await world.clock.run(2_000)
    world.restart()
    await world.clock.run(2_000)
    assert.deepEqual(listed(), ['1', 'default'])
    assert.equal(ask('/a/b').body, 'a')
  })

  it('keep the default one', () => {
    const { RuleArn } = elb().describeRules(world.context, { ListenerArn }).Rules![0]!
    assert.throws(() => elb().deleteRule(world.context, { RuleArn }), {
      code: 'OperationNotPermitted',
      message: `Default rule '${RuleArn}' cannot be deleted`,
    })
    assert.throws(() => elb().modifyRule(world.context, { RuleArn, Actions: [says('x')] }), {
      code: 'OperationNotPermitted',
    })
  })

  const header = (HttpHeaderName: string, ...Values: string[]): RuleCondition => ({
    Field: 'http-header',
    HttpHeaderConfig: { HttpHeaderName, Values },
  })
  const redirect = (RedirectConfig: object): object => ({
    Actions: [{ Type: 'redirect', RedirectConfig: { StatusCode: 'HTTP_301', ...RedirectConfig } }],
  })
  const fixed = (FixedResponseConfig: object): object => ({
    Actions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200', ...FixedResponseConfig } }],
  })
  const shares = (...TargetGroups: object[]): object => ({
    Actions: [{ Type: 'forward', ForwardConfig: { TargetGroups } }],
  })
  const refused: [more: object, error: RegExp | string][] = [
    [{ Priority: 0 }, /between 1 and 50000/],
    [{ Conditions: [] }, /A condition must be specified/],
    [{ Conditions: [path()] }, /condition value must be specified/],
    [{ Conditions: [path('/a*b*c*d*e*f*')] }, /'5' condition wildcards/],
    [{ Conditions: [path('/1', '/2', '/3', '/4', '/5', '/6')] }, /'5' condition values/],
    [{ Conditions: [path('/a b')] }, /is not valid/],
    [{ Conditions: [path('/a\n  use_backend x')] }, /is not valid/],
    [{ Conditions: [path(`/${'a'.repeat(128)}`)] }, /cannot be longer than '128'/],
    [{ Conditions: [path('/a'), path('/b')] }, /only have one 'path-pattern'/],
    [{ Conditions: [{ Field: 'colour', Values: ['red'] }] }, /must be one of/],
    [{ Conditions: [{ Field: 'host-header', Values: ['nopoint'] }] }, /must contain a point/],
    [{ Conditions: [header('host', 'x')] }, /use a 'host-header' condition/],
    [{ Conditions: [header('a b', 'x')] }, /header name 'a b' is not valid/],
    [{ Conditions: [header('x-a', 'b\nc')] }, /is not valid/],
    [{ Conditions: [{ Field: 'source-ip', SourceIpConfig: { Values: ['10.0.0.0/33'] } }] }, /is not valid/],
    [
      { Conditions: [{ Field: 'path-pattern', PathPatternConfig: { RegexValues: ['^/a$'] } }] },
      'InvalidConfigurationRequest',
    ],
    [
      { Conditions: [{ Field: 'path-pattern', Values: ['/a'], SourceIpConfig: { Values: ['::/0'] } }] },
      /SourceIp/,
    ],
    [{ Actions: [] }, /An action must be specified/],
    [{ Actions: [{ Type: 'authenticate-oidc' }] }, 'InvalidConfigurationRequest'],
    [{ Actions: [{ Type: 'dance' }] }, /enum value set/],
    [{ Actions: [says('a'), says('b')] }, 'TooManyActions'],
    [{ Actions: [{ ...says('a'), TargetGroupArn: 'arn:x' }] }, /cannot be specified/],
    [{ Transforms: [{ Type: 'url-rewrite' }] }, 'InvalidConfigurationRequest'],
    [redirect({}), 'InvalidLoadBalancerAction'],
    [redirect({ Query: 'a=b' }), 'InvalidLoadBalancerAction'],
    [redirect({ Port: '0' }), 'InvalidLoadBalancerAction'],
    [redirect({ Path: 'a' }), 'InvalidLoadBalancerAction'],
    [redirect({ Path: '/#{query}' }), 'InvalidLoadBalancerAction'],
    [redirect({ Host: 'a b' }), 'InvalidLoadBalancerAction'],
    [redirect({ Host: 'a', StatusCode: 'HTTP_307' }), /enum value set: \[HTTP_301, HTTP_302\]/],
    [fixed({ StatusCode: '302' }), /2XX, 4XX or 5XX/],
    [fixed({ MessageBody: 'a'.repeat(1025) }), /longer than '1024'/],
    [fixed({ ContentType: 'text/x\nevil' }), /content type must be one of/],
    [shares({ TargetGroupArn: 'arn:aws:elasticloadbalancing:x:y:targetgroup/z/0' }), 'TargetGroupNotFound'],
    [shares(...Array.from({ length: 6 }, () => ({ TargetGroupArn: 'arn:x' }))), 'TooManyTargetGroups'],
  ]
  for (const [more, error] of refused)
    it(`are refused: ${JSON.stringify(more).slice(0, 90)}`, () => {
      assert.throws(() => rule(1, more), typeof error === 'string' ? { code: error } : { message: error })
      assert.deepEqual(listed(), ['default'])
    })

  it('are refused when a priority is taken, weights are out of range or a group is named twice', () => {
    rule(1)
    assert.throws(() => rule(1), { code: 'PriorityInUse', message: "Priority '1' is currently in use" })
    const TargetGroupArn = groups[0]
    assert.throws(() => rule(2, shares({ TargetGroupArn, Weight: 1000 })), /between 0 and 999/)
    assert.throws(() => rule(2, shares({ TargetGroupArn }, { TargetGroupArn })), /more than once/)
  })

  it('are at most a hundred of a load balancer', () => {
    for (let n = 1; n <= 100; n++) rule(n)
    assert.throws(() => rule(101), { code: 'TooManyRules' })
  })
})
