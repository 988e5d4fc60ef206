// Processes and rules of listeners, on elasticloadbalancingv2, autoscaling and ec2 as they are.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type GivenOption, onRealServices, option } from '../test-real-bench.ts'

const PROCESS = 'aws:elasticbeanstalk:environment:process'
const LISTENER = 'aws:elbv2:listener'
const RULE = 'aws:elbv2:listenerrule'
const HOST = 'shop.us-west-2.elasticbeanstalk.localhost'
const ADMIN = [
  option(`${PROCESS}:admin`, 'Port', '4443'),
  option(`${PROCESS}:admin`, 'HealthCheckPath', '/admin'),
  option(`${RULE}:admin`, 'PathPatterns', '/admin,/admin/*'),
  option(`${RULE}:admin`, 'Process', 'admin'),
  option(`${LISTENER}:default`, 'Rules', 'admin'),
]

/** Of two values of one option the later one. */
const lastOf = (settings: GivenOption[]) => [
  ...new Map(settings.map((one) => [`${one.Namespace} ${one.OptionName}`, one])).values(),
]

const stage = onRealServices()

const errors = () => stage.bench.texts().filter((text) => text.startsWith('ERROR'))
async function settle() {
  await stage.bench.until('Ready')
  await stage.world.clock.run(60_000)
  assert.deepEqual(errors(), [])
  assert.equal(stage.bench.environment()?.Health, 'Green')
}
async function update(OptionSettings: GivenOption[], OptionsToRemove: object[] = []) {
  const input = { EnvironmentName: 'shop-prod', OptionSettings, OptionsToRemove }
  stage.bench.api.updateEnvironment(stage.bench.context(), input)
  await settle()
}
const elb = () => stage.world.elasticloadbalancingv2
const targetGroups = () => elb().describeTargetGroups(stage.world.context, {}).TargetGroups!
const groupAt = (port: number) => targetGroups().find(({ Port }) => Port === port)!
/** The target group that a request to the public listener of port 80 gets to, by its port. */
function portFor(path: string): number | undefined {
  const [loadBalancer] = stage.world.balancer.model().loadBalancers
  const answer = stage.world.balancer.request({ host: HOST, path })
  assert.equal(answer.status, 200, `${path} of ${loadBalancer?.id}`)
  return answer.targetPort
}
const rules = () => {
  const { LoadBalancerArn } = elb().describeLoadBalancers(stage.world.context, {}).LoadBalancers![0]!
  const { Listeners = [] } = elb().describeListeners(stage.world.context, { LoadBalancerArn })
  return Listeners.flatMap(({ Port, ListenerArn }) =>
    elb()
      .describeRules(stage.world.context, { ListenerArn })
      .Rules!.filter(({ IsDefault }) => !IsDefault)
      .map(({ Priority, Conditions = [] }) => [
        Port,
        Priority,
        ...Conditions.map(({ Field, Values }) => `${Field} ${Values!.join(' ')}`),
      ]),
  )
}
const openPorts = () => {
  const { SecurityGroupRules = [] } = stage.world.ec2.describeSecurityGroupRules(stage.world.context, {})
  const own = SecurityGroupRules.filter(
    ({ ReferencedGroupInfo, IsEgress }) => ReferencedGroupInfo && !IsEgress,
  )
  return own.flatMap(({ FromPort = -1 }) => (FromPort < 0 ? [] : FromPort)).sort()
}

describe('several processes', () => {
  it('have a target group each, which rules and listeners name; instances let the load balancer in at each port', async () => {
    stage.bench.create({
      OptionSettings: [...ADMIN, option(`${LISTENER}:8080`, 'DefaultProcess', 'admin')],
    })
    await settle()
    assert.deepEqual(
      targetGroups()
        .map(({ Port, HealthCheckPath }) => [Port, HealthCheckPath])
        .toSorted(),
      [
        [4443, '/admin'],
        [80, '/'],
      ],
    )
    assert.deepEqual([portFor('/'), portFor('/administrator'), portFor('/admin/x')], [80, 80, 4443])
    const [listener] = stage.world.balancer
      .model()
      .loadBalancers[0]!.listeners.filter(({ port }) => port === 8080)
    assert.deepEqual(listener?.action, {
      ...{ type: 'forward', stickySeconds: null },
      targetGroups: [{ targetGroupId: groupAt(4443).TargetGroupArn!.split('/').at(-1), weight: 1 }],
    })
    assert.deepEqual(openPorts(), [4443, 80])
    assert.deepEqual(rules(), [[80, '1', 'path-pattern /admin /admin/*']])
  })

  it('come, change and go while it runs', async () => {
    stage.bench.create()
    await settle()
    await update(ADMIN)
    assert.equal(portFor('/admin'), 4443)
    await update([
      option(`${RULE}:admin`, 'HostHeaders', 'admin.example.com'),
      option(`${RULE}:admin`, 'Priority', '7'),
      option(`${PROCESS}:admin`, 'HealthCheckInterval', '30'),
    ])
    assert.deepEqual(rules(), [[80, '7', 'host-header admin.example.com', 'path-pattern /admin /admin/*']])
    assert.equal(groupAt(4443).HealthCheckIntervalSeconds, 30)
    assert.equal(portFor('/admin'), 80)
    assert.equal(stage.world.balancer.request({ host: 'admin.example.com', path: '/admin' }).targetPort, 4443)
    await update(
      [],
      ADMIN.map(({ Namespace, OptionName }) => ({ Namespace, OptionName })).concat([
        { Namespace: `${RULE}:admin`, OptionName: 'HostHeaders' },
        { Namespace: `${RULE}:admin`, OptionName: 'Priority' },
        { Namespace: `${PROCESS}:admin`, OptionName: 'HealthCheckInterval' },
      ]),
    )
    assert.deepEqual(rules(), [])
    assert.deepEqual(
      targetGroups().map(({ Port }) => Port),
      [80],
    )
    assert.deepEqual(openPorts(), [80])
    assert.deepEqual(
      [portFor('/admin'), stage.world.balancer.request({ host: 'admin.example.com', path: '/' }).status],
      [80, 404],
    )
  })

  it('get another target group of another port, and the former one goes', async () => {
    stage.bench.create()
    await settle()
    const before = groupAt(80).TargetGroupArn
    const OptionSettings = [option(`${PROCESS}:default`, 'Port', '81')]
    stage.bench.api.updateEnvironment(stage.bench.context(), { EnvironmentName: 'shop-prod', OptionSettings })
    const ports = new Set<number | undefined>()
    while (stage.bench.environment()?.Status !== 'Ready') {
      await stage.world.clock.run(100)
      ports.add(portFor('/'))
    }
    assert.deepEqual([...ports], [80, 81])
    await settle()
    assert.deepEqual(
      targetGroups().map(({ Port }) => Port),
      [81],
    )
    assert.notEqual(groupAt(81).TargetGroupArn, before)
    assert.equal(portFor('/'), 81)
    assert.deepEqual(openPorts(), [81])
  })

  it('keep their port, and their requests, when nobody answers at the new one', async () => {
    stage.bench.create({ OptionSettings: ADMIN })
    await settle()
    const before = targetGroups().map(({ TargetGroupArn }) => TargetGroupArn)
    stage.world.silentPorts.add(4444)
    const OptionSettings = [option(`${PROCESS}:admin`, 'Port', '4444')]
    stage.bench.api.updateEnvironment(stage.bench.context(), { EnvironmentName: 'shop-prod', OptionSettings })
    while (stage.bench.environment()?.Status !== 'Ready') {
      await stage.world.clock.run(500)
      assert.deepEqual([portFor('/admin'), portFor('/')], [4443, 80])
    }
    assert.ok(errors().includes('ERROR Failed to deploy configuration.'))
    await stage.world.clock.run(10_000)
    assert.deepEqual(
      targetGroups().map(({ TargetGroupArn }) => TargetGroupArn),
      before,
    )
    assert.deepEqual(openPorts(), [4443, 80])
  })

  it('are reached at port 80 when one instance is alone, whatever port they have behind a load balancer', async () => {
    const type = (value: string) => option('aws:elasticbeanstalk:environment', 'EnvironmentType', value)
    stage.bench.create({ OptionSettings: [option(`${PROCESS}:default`, 'Port', '8080')] })
    await settle()
    stage.bench.api.updateEnvironment(stage.bench.context(), {
      EnvironmentName: 'shop-prod',
      OptionSettings: [type('SingleInstance')],
    })
    const open = new Set<string>()
    while (stage.bench.environment()?.Status !== 'Ready') {
      await stage.world.clock.run(100)
      if (
        stage.world.balancer
          .model()
          .loadBalancers.some(
            ({ listeners }) => listeners.length > 0 && listeners[0]!.action.type === 'forward',
          )
      )
        open.add(openPorts().join())
      assert.equal(stage.world.balancer.request({ host: HOST }).status, 200)
    }
    await settle()
    assert.equal(stage.world.balancer.request({ host: HOST }).targetPort, 80)
    assert.ok([...open][0]!.includes('8080'), 'as long as the load balancer leads there')
    await update([type('LoadBalanced')])
    assert.equal(portFor('/'), 8080)
  })

  it('have their requests where they were after an update that died', async () => {
    stage.bench.create()
    await settle()
    stage.world.silentPorts.add(81)
    const OptionSettings = [option(`${PROCESS}:default`, 'Port', '81')]
    stage.bench.api.updateEnvironment(stage.bench.context(), { EnvironmentName: 'shop-prod', OptionSettings })
    await stage.world.clock.run(5_000)
    const { LoadBalancerArn } = elb().describeLoadBalancers(stage.world.context, {}).LoadBalancers![0]!
    elb().deleteLoadBalancer(stage.world.context, { LoadBalancerArn })
    await stage.bench.until('Ready')
    stage.bench.version('v2')
    const input = { EnvironmentName: 'shop-prod', VersionLabel: 'v2' }
    stage.bench.api.updateEnvironment(stage.bench.context(), input)
    await stage.bench.until('Ready')
    await stage.world.clock.run(60_000)
    assert.equal(stage.bench.environment()?.VersionLabel, 'v2')
    assert.equal(portFor('/'), 80)
    assert.deepEqual(
      targetGroups().map(({ Port }) => Port),
      [80],
    )
    assert.deepEqual(openPorts(), [80])
  })

  it('have names again where a launch came to none', async () => {
    stage.bench.create()
    await settle()
    const { store } = stage.bench
    const { id, resources } = store.get<{ id: string; resources: string }>(
      'select id, resources from environment',
    )!
    const { front: _front, ...others } = JSON.parse(resources) as Record<string, string>
    store.update('environment', { id }, { resources: JSON.stringify(others) })
    const { LoadBalancerArn } = elb().describeLoadBalancers(stage.world.context, {}).LoadBalancers![0]!
    elb().putLoadBalancerNames(stage.world.context, LoadBalancerArn!, { hosts: [], loopbackPort: null })
    await update([option(`${PROCESS}:default`, 'HealthCheckInterval', '20')])
    assert.equal(portFor('/'), 80)
  })

  it('may be called as members of objects are', async () => {
    const names = ['constructor', '__proto__', 'tostring']
    stage.bench.create({
      OptionSettings: names
        .flatMap((name, index) => [
          option(`${PROCESS}:${name}`, 'Port', String(90 + index)),
          option(`${RULE}:${name}`, 'PathPatterns', `/${name}`),
          option(`${RULE}:${name}`, 'Priority', String(1 + index)),
          option(`${RULE}:${name}`, 'Process', name),
          option(`${LISTENER}:default`, 'Rules', names.join()),
        ])
        .filter(({ OptionName }, index, all) => OptionName !== 'Rules' || index === all.length - 1),
    })
    await settle()
    assert.deepEqual(
      names.map((name) => portFor(`/${name}`)),
      [90, 91, 92],
    )
    await update([option(`${PROCESS}:__proto__`, 'Port', '95')])
    assert.equal(portFor('/__proto__'), 95)
    assert.equal(rules().length, 3)
  })

  it('swap the priorities of their rules at once', async () => {
    const two = [
      ...ADMIN,
      option(`${RULE}:all`, 'PathPatterns', '/a*'),
      option(`${RULE}:all`, 'Priority', '2'),
      option(`${LISTENER}:default`, 'Rules', 'admin,all'),
    ]
    stage.bench.create({ OptionSettings: lastOf(two) })
    await settle()
    assert.equal(portFor('/admin'), 4443)
    await update([option(`${RULE}:all`, 'Priority', '1'), option(`${RULE}:admin`, 'Priority', '2')])
    assert.equal(portFor('/admin'), 80)
    assert.deepEqual(
      rules().map((rule) => rule.slice(1)),
      [
        ['1', 'path-pattern /a*'],
        ['2', 'path-pattern /admin /admin/*'],
      ],
    )
  })

  it('leave the rules of a user alone, and say where one is in the way', async () => {
    stage.bench.create()
    await settle()
    const { LoadBalancerArn } = elb().describeLoadBalancers(stage.world.context, {}).LoadBalancers![0]!
    const { ListenerArn } = elb().describeListeners(stage.world.context, { LoadBalancerArn }).Listeners![0]!
    elb().createRule(stage.world.context, {
      ...{ ListenerArn, Priority: 1, Conditions: [{ Field: 'path-pattern', Values: ['/mine'] }] },
      Actions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }],
    })
    await update(ADMIN)
    assert.deepEqual(rules(), [[80, '1', 'path-pattern /mine']])
    assert.ok(
      stage.bench
        .texts()
        .some((text) => /^WARN A rule of the listener at port 80 could not be put/.test(text)),
    )
    await update([option(`${RULE}:admin`, 'Priority', '2')])
    assert.equal(portFor('/admin'), 4443)
    stage.bench.api.terminateEnvironment(stage.bench.context(), { EnvironmentName: 'shop-prod' })
    await stage.bench.until('Terminated')
    assert.deepEqual(
      [targetGroups(), elb().describeLoadBalancers(stage.world.context, {}).LoadBalancers],
      [[], []],
    )
  })

  it('make an instance as well as the worst of them', async () => {
    stage.bench.create({ OptionSettings: ADMIN })
    await settle()
    stage.world.silentPorts.add(4443)
    await stage.world.clock.run(120_000)
    assert.notEqual(stage.bench.environment()?.Health, 'Green')
    stage.world.silentPorts.delete(4443)
    await stage.world.clock.run(120_000)
    assert.equal(stage.bench.environment()?.Health, 'Green')
  })

  it('go when the environment gets an elastic address, and come back', async () => {
    stage.bench.create({ OptionSettings: ADMIN })
    await settle()
    const type = (value: string) => option('aws:elasticbeanstalk:environment', 'EnvironmentType', value)
    await update([type('SingleInstance')])
    assert.deepEqual(targetGroups(), [])
    await update([type('LoadBalanced')])
    assert.equal(portFor('/admin'), 4443)
  })

  const bad: [what: string, settings: GivenOption[], message: RegExp][] = [
    [
      'a listener of an unknown process',
      [option(`${LISTENER}:8080`, 'DefaultProcess', 'x')],
      /There is no process 'x'/,
    ],
    [
      'a rule of an unknown process',
      [...ADMIN, option(`${RULE}:admin`, 'Process', 'x')],
      /There is no process 'x'/,
    ],
    [
      'a rule without conditions',
      [option(`${LISTENER}:default`, 'Rules', 'nothing')],
      /must have host headers or path patterns/,
    ],
    [
      'two rules of one priority',
      [
        ...ADMIN,
        option(`${RULE}:b`, 'PathPatterns', '/b'),
        option(`${LISTENER}:default`, 'Rules', 'admin,b'),
      ],
      /The rule '.*' of the same listener has this priority/,
    ],
    [
      'six wildcards',
      [option(`${RULE}:a`, 'PathPatterns', '/*,/**,/***'), option(`${LISTENER}:default`, 'Rules', 'a')],
      /at most 5 wildcards/,
    ],
    [
      'four wildcards in one',
      [option(`${RULE}:a`, 'PathPatterns', '/*/*/*/*'), option(`${LISTENER}:default`, 'Rules', 'a')],
      /at most 3 wildcards/,
    ],
    [
      'six patterns',
      [option(`${RULE}:a`, 'PathPatterns', '/1,/2,/3,/4,/5,/6'), option(`${LISTENER}:default`, 'Rules', 'a')],
      /at most 5 host headers and path patterns/,
    ],
    [
      'a path of 129 characters',
      [
        option(`${RULE}:a`, 'PathPatterns', `/${'x'.repeat(128)}`),
        option(`${LISTENER}:default`, 'Rules', 'a'),
      ],
      /at most 128 characters/,
    ],
    [
      'a path with a newline',
      [option(`${RULE}:a`, 'PathPatterns', '/a\n\tacl'), option(`${LISTENER}:default`, 'Rules', 'a')],
      /not a pattern of paths/,
    ],
    [
      'a host that is none',
      [option(`${RULE}:a`, 'HostHeaders', 'a b.example'), option(`${LISTENER}:default`, 'Rules', 'a')],
      /not the name of a host/,
    ],
    [
      'a time-out as long as its interval',
      [option(`${PROCESS}:a`, 'HealthCheckInterval', '5')],
      /interval must be greater than the timeout/,
    ],
  ]
  for (const [what, OptionSettings, message] of bad)
    it(`are refused with ${what}`, () => {
      assert.throws(() => stage.bench.create({ OptionSettings: lastOf(OptionSettings) }), message)
    })
})
