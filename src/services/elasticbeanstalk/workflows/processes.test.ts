// Processes and rules of listeners, on elasticloadbalancingv2, autoscaling and ec2 as they are.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeServicesWorld, type ServicesWorld } from '../../testing/services-world.ts'
import { makeBench, type Bench } from '../test-bench.ts'

const PROCESS = 'aws:elasticbeanstalk:environment:process'
const LISTENER = 'aws:elbv2:listener'
const RULE = 'aws:elbv2:listenerrule'
const HOST = 'shop.us-west-2.elasticbeanstalk.localhost'
const set = (Namespace: string, OptionName: string, Value: string) => ({ Namespace, OptionName, Value })
const ADMIN = [
  set(`${PROCESS}:admin`, 'Port', '4443'),
  set(`${PROCESS}:admin`, 'HealthCheckPath', '/admin'),
  set(`${RULE}:admin`, 'PathPatterns', '/admin,/admin/*'),
  set(`${RULE}:admin`, 'Process', 'admin'),
  set(`${LISTENER}:default`, 'Rules', 'admin'),
]

/** Of two values of one option the later one. */
const lastOf = (settings: ReturnType<typeof set>[]) => [
  ...new Map(settings.map((one) => [`${one.Namespace} ${one.OptionName}`, one])).values(),
]

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

const errors = () => bench.texts().filter((text) => text.startsWith('ERROR'))
async function settle() {
  await bench.until('Ready')
  await world.clock.run(60_000)
  assert.deepEqual(errors(), [])
  assert.equal(bench.environment()?.Health, 'Green')
}
async function update(OptionSettings: ReturnType<typeof set>[], OptionsToRemove: object[] = []) {
  const input = { EnvironmentName: 'shop-prod', OptionSettings, OptionsToRemove }
  bench.api.updateEnvironment(bench.context(), input)
  await settle()
}
const elb = () => world.elasticloadbalancingv2
const targetGroups = () => elb().describeTargetGroups(world.context, {}).TargetGroups!
const groupAt = (port: number) => targetGroups().find(({ Port }) => Port === port)!
/** The target group that a request to the public listener of port 80 gets to, by its port. */
function portFor(path: string): number | undefined {
  const [loadBalancer] = world.balancer.model().loadBalancers
  const answer = world.balancer.request({ host: HOST, path })
  assert.equal(answer.status, 200, `${path} of ${loadBalancer?.id}`)
  return answer.targetPort
}
const rules = () => {
  const { LoadBalancerArn } = elb().describeLoadBalancers(world.context, {}).LoadBalancers![0]!
  const { Listeners = [] } = elb().describeListeners(world.context, { LoadBalancerArn })
  return Listeners.flatMap(({ Port, ListenerArn }) =>
    elb()
      .describeRules(world.context, { ListenerArn })
      .Rules!.filter(({ IsDefault }) => !IsDefault)
      .map(({ Priority, Conditions = [] }) => [
        Port,
        Priority,
        ...Conditions.map(({ Field, Values }) => `${Field} ${Values!.join(' ')}`),
      ]),
  )
}
const openPorts = () => {
  const { SecurityGroupRules = [] } = world.ec2.describeSecurityGroupRules(world.context, {})
  const own = SecurityGroupRules.filter(
    ({ ReferencedGroupInfo, IsEgress }) => ReferencedGroupInfo && !IsEgress,
  )
  return own.flatMap(({ FromPort = -1 }) => (FromPort < 0 ? [] : FromPort)).sort()
}

describe('several processes', () => {
  it('have a target group each, which rules and listeners name; instances let the load balancer in at each port', async () => {
    bench.create({
      OptionSettings: [...ADMIN, set(`${LISTENER}:8080`, 'DefaultProcess', 'admin')],
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
    const [listener] = world.balancer.model().loadBalancers[0]!.listeners.filter(({ port }) => port === 8080)
    assert.deepEqual(listener?.action, {
      ...{ type: 'forward', stickySeconds: null },
      targetGroups: [{ targetGroupId: groupAt(4443).TargetGroupArn!.split('/').at(-1), weight: 1 }],
    })
    assert.deepEqual(openPorts(), [4443, 80])
    assert.deepEqual(rules(), [[80, '1', 'path-pattern /admin /admin/*']])
  })

  it('come, change and go while it runs', async () => {
    bench.create()
    await settle()
    await update(ADMIN)
    assert.equal(portFor('/admin'), 4443)
    await update([
      set(`${RULE}:admin`, 'HostHeaders', 'admin.example.com'),
      set(`${RULE}:admin`, 'Priority', '7'),
      set(`${PROCESS}:admin`, 'HealthCheckInterval', '30'),
    ])
    assert.deepEqual(rules(), [[80, '7', 'host-header admin.example.com', 'path-pattern /admin /admin/*']])
    assert.equal(groupAt(4443).HealthCheckIntervalSeconds, 30)
    assert.equal(portFor('/admin'), 80)
    assert.equal(world.balancer.request({ host: 'admin.example.com', path: '/admin' }).targetPort, 4443)
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
      [portFor('/admin'), world.balancer.request({ host: 'admin.example.com', path: '/' }).status],
      [80, 404],
    )
  })

  it('get another target group of another port, and the former one goes', async () => {
    bench.create()
    await settle()
    const before = groupAt(80).TargetGroupArn
    const OptionSettings = [set(`${PROCESS}:default`, 'Port', '81')]
    bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', OptionSettings })
    const ports = new Set<number | undefined>()
    while (bench.environment()?.Status !== 'Ready') {
      await world.clock.run(100)
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
    bench.create({ OptionSettings: ADMIN })
    await settle()
    const before = targetGroups().map(({ TargetGroupArn }) => TargetGroupArn)
    world.silentPorts.add(4444)
    const OptionSettings = [set(`${PROCESS}:admin`, 'Port', '4444')]
    bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', OptionSettings })
    while (bench.environment()?.Status !== 'Ready') {
      await world.clock.run(500)
      assert.deepEqual([portFor('/admin'), portFor('/')], [4443, 80])
    }
    assert.ok(errors().includes('ERROR Failed to deploy configuration.'))
    await world.clock.run(10_000)
    assert.deepEqual(
      targetGroups().map(({ TargetGroupArn }) => TargetGroupArn),
      before,
    )
    assert.deepEqual(openPorts(), [4443, 80])
  })

  it('swap the priorities of their rules at once', async () => {
    const two = [
      ...ADMIN,
      set(`${RULE}:all`, 'PathPatterns', '/a*'),
      set(`${RULE}:all`, 'Priority', '2'),
      set(`${LISTENER}:default`, 'Rules', 'admin,all'),
    ]
    bench.create({ OptionSettings: lastOf(two) })
    await settle()
    assert.equal(portFor('/admin'), 4443)
    await update([set(`${RULE}:all`, 'Priority', '1'), set(`${RULE}:admin`, 'Priority', '2')])
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
    bench.create()
    await settle()
    const { LoadBalancerArn } = elb().describeLoadBalancers(world.context, {}).LoadBalancers![0]!
    const { ListenerArn } = elb().describeListeners(world.context, { LoadBalancerArn }).Listeners![0]!
    elb().createRule(world.context, {
      ...{ ListenerArn, Priority: 1, Conditions: [{ Field: 'path-pattern', Values: ['/mine'] }] },
      Actions: [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode: '200' } }],
    })
    await update(ADMIN)
    assert.deepEqual(rules(), [[80, '1', 'path-pattern /mine']])
    assert.ok(
      bench.texts().some((text) => /^WARN A rule of the listener at port 80 could not be put/.test(text)),
    )
    await update([set(`${RULE}:admin`, 'Priority', '2')])
    assert.equal(portFor('/admin'), 4443)
    bench.api.terminateEnvironment(bench.context(), { EnvironmentName: 'shop-prod' })
    await bench.until('Terminated')
    assert.deepEqual([targetGroups(), elb().describeLoadBalancers(world.context, {}).LoadBalancers], [[], []])
  })

  it('make an instance as well as the worst of them', async () => {
    bench.create({ OptionSettings: ADMIN })
    await settle()
    world.silentPorts.add(4443)
    await world.clock.run(120_000)
    assert.notEqual(bench.environment()?.Health, 'Green')
    world.silentPorts.delete(4443)
    await world.clock.run(120_000)
    assert.equal(bench.environment()?.Health, 'Green')
  })

  it('go when the environment gets an elastic address, and come back', async () => {
    bench.create({ OptionSettings: ADMIN })
    await settle()
    const type = (value: string) => set('aws:elasticbeanstalk:environment', 'EnvironmentType', value)
    await update([type('SingleInstance')])
    assert.deepEqual(targetGroups(), [])
    await update([type('LoadBalanced')])
    assert.equal(portFor('/admin'), 4443)
  })

  const bad: [what: string, settings: ReturnType<typeof set>[], message: RegExp][] = [
    [
      'a listener of an unknown process',
      [set(`${LISTENER}:8080`, 'DefaultProcess', 'x')],
      /There is no process 'x'/,
    ],
    [
      'a rule of an unknown process',
      [...ADMIN, set(`${RULE}:admin`, 'Process', 'x')],
      /There is no process 'x'/,
    ],
    [
      'a rule without conditions',
      [set(`${LISTENER}:default`, 'Rules', 'nothing')],
      /must have host headers or path patterns/,
    ],
    [
      'two rules of one priority',
      [...ADMIN, set(`${RULE}:b`, 'PathPatterns', '/b'), set(`${LISTENER}:default`, 'Rules', 'admin,b')],
      /The rule '.*' of the same listener has this priority/,
    ],
    [
      'six wildcards',
      [set(`${RULE}:a`, 'PathPatterns', '/*,/**,/***'), set(`${LISTENER}:default`, 'Rules', 'a')],
      /at most 5 wildcards/,
    ],
    [
      'four wildcards in one',
      [set(`${RULE}:a`, 'PathPatterns', '/*/*/*/*'), set(`${LISTENER}:default`, 'Rules', 'a')],
      /at most 3 wildcards/,
    ],
    [
      'six patterns',
      [set(`${RULE}:a`, 'PathPatterns', '/1,/2,/3,/4,/5,/6'), set(`${LISTENER}:default`, 'Rules', 'a')],
      /at most 5 host headers and path patterns/,
    ],
    [
      'a path of 129 characters',
      [set(`${RULE}:a`, 'PathPatterns', `/${'x'.repeat(128)}`), set(`${LISTENER}:default`, 'Rules', 'a')],
      /at most 128 characters/,
    ],
    [
      'a path with a newline',
      [set(`${RULE}:a`, 'PathPatterns', '/a\n\tacl'), set(`${LISTENER}:default`, 'Rules', 'a')],
      /not a pattern of paths/,
    ],
    [
      'a host that is none',
      [set(`${RULE}:a`, 'HostHeaders', 'a b.example'), set(`${LISTENER}:default`, 'Rules', 'a')],
      /not the name of a host/,
    ],
    [
      'a time-out as long as its interval',
      [set(`${PROCESS}:a`, 'HealthCheckInterval', '5')],
      /interval must be greater than the timeout/,
    ],
  ]
  for (const [what, OptionSettings, message] of bad)
    it(`are refused with ${what}`, () => {
      assert.throws(() => bench.create({ OptionSettings: lastOf(OptionSettings) }), message)
    })
})
