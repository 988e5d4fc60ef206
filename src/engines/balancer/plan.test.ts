import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { commandOf } from './commands.ts'
import { type BalancerModel, listenerTo, type Target } from './engine.ts'
import { backendsOf, type Role, serverName } from './names.ts'
import { describeSeen } from './observe.ts'
import { planServers } from './plan.ts'
import { parseOldWorkers, parseServersState, parseStatistics, type RunningServer } from './running.ts'
import { gistOf, renderServerState } from './state-file.ts'

const one: Target = { id: 'i-1', address: '10.0.2.1', port: 80, draining: false }
const modelOf = (...targets: Target[]): BalancerModel => ({
  loadBalancers: [
    {
      id: 'balancer',
      address: '10.0.1.1',
      elasticAddress: null,
      internetFacing: true,
      hosts: ['shop.localhost'],
      loopbackPort: null,
      idleTimeoutSeconds: 60,
      listeners: [listenerTo(80, 'group', [])],
      cutsOnRevoke: false,
    },
  ],
  targetGroups: [
    {
      id: 'group',
      healthCheck: {
        protocol: 'HTTP',
        port: null,
        path: '/',
        intervalSeconds: 15,
        timeoutSeconds: 5,
        healthyThreshold: 3,
        unhealthyThreshold: 5,
        matcher: '200',
      },
      targets,
    },
  ],
})
const backend = backendsOf(modelOf())[0]!.name

const server = (role: Role, over: Partial<RunningServer> = {}, target = one): RunningServer => ({
  backend,
  name: serverName(target, role),
  operation: 'running',
  maintenance: false,
  draining: false,
  weight: 1,
  checked: true,
  sinceSeconds: 1,
  state: ['5', backend, '1', serverName(target, role), target.address, '2'],
  ...over,
})
const down = { operation: 'stopped' } as const
const closed = server('open', { maintenance: true })

/** `what` and role of each action. */
const planned = (model: BalancerModel, running: RunningServer[]) =>
  planServers(backendsOf(model), running).actions.map(({ what, name }) => {
    const role = name.endsWith('.i') ? 'initial' : name.endsWith('.o') ? 'open' : 'settled'
    return `${what} ${role}`
  })

describe('plan of servers', () => {
  const table: [string, BalancerModel, RunningServer[], string[]][] = [
    ['a new target is added, its stand-in closed', modelOf(one), [], ['add initial', 'add open']],
    ['a target under its first checks is left alone', modelOf(one), [server('initial', down), closed], []],
    ['a healthy target opens its stand-in', modelOf(one), [server('initial'), closed], ['open open']],
    ['a healthy target is left alone', modelOf(one), [server('initial'), server('open')], []],
    [
      'a target that failed for interval × threshold settles, and is open',
      modelOf(one),
      [server('initial', { ...down, sinceSeconds: 76 }), closed],
      ['add settled', 'open open'],
    ],
    [
      'but not in the second when that time may not be over yet',
      modelOf(one),
      [server('initial', { ...down, sinceSeconds: 75 }), closed],
      [],
    ],
    [
      'a target that was healthy and is not settles',
      modelOf(one),
      [server('initial', down), server('open')],
      ['add settled'],
    ],
    [
      'while the settled server had no check its forerunner stays',
      modelOf(one),
      [server('initial', down), server('settled', { ...down, checked: false }), server('open')],
      [],
    ],
    [
      'then the forerunner goes',
      modelOf(one),
      [server('initial', down), server('settled', down), server('open')],
      ['retire initial', 'delete initial'],
    ],
    ['a settled target stays settled', modelOf(one), [server('settled'), server('open')], []],
    [
      'a draining target drains, its stand-in too',
      modelOf({ ...one, draining: true }),
      [server('initial'), server('open')],
      ['drain initial', 'drain open'],
    ],
    [
      'it drains once',
      modelOf({ ...one, draining: true }),
      [server('initial', { draining: true }), server('open', { draining: true })],
      [],
    ],
    ['one that is not there need not drain', modelOf({ ...one, draining: true }), [], []],
    [
      'a target that comes back from draining is ready again',
      modelOf(one),
      [server('initial', { draining: true }), server('open', { draining: true })],
      ['ready initial', 'ready open'],
    ],
    [
      'a target that goes is cut off and deleted',
      modelOf(),
      [server('initial'), server('open')],
      ['retire initial', 'delete initial', 'retire open', 'delete open'],
    ],
    [
      'what could not be deleted yet is tried again',
      modelOf(),
      [server('initial', { maintenance: true })],
      ['delete initial'],
    ],
    [
      'a target that returns before its server is deleted starts unchecked',
      modelOf(one),
      [server('initial', { maintenance: true }), closed],
      ['revive initial'],
    ],
    [
      'an addition that was cut short is finished',
      modelOf(one),
      [server('initial', { weight: 0 }), closed],
      ['revive initial'],
    ],
  ]
  for (const [title, model, running, actions] of table)
    it(title, () => assert.deepEqual(planned(model, running), actions))

  it('leaves draining targets out of the configuration, and opens what was open', () => {
    const two: Target = { ...one, id: 'i-2', address: '10.0.2.2', draining: true }
    const { servers } = planServers(backendsOf(modelOf(one, two)), [
      server('initial'),
      closed,
      server('initial', {}, two),
    ])
    assert.deepEqual(
      servers.map(({ name, disabled }) => [name, disabled]),
      [
        [serverName(one, 'initial'), false],
        [serverName(one, 'open'), false],
      ],
    )
  })

  it('never lets an added server have weight before it is down', () => {
    const [add] = planServers(backendsOf(modelOf(one)), []).actions
    const x = `${backend}/${serverName(one, 'initial')}`
    assert.equal(
      commandOf(add!).line,
      `add server ${x} 10.0.2.1:80 check inter 15000ms fall 5 rise 1 downinter 250ms pool-max-conn -1 pool-purge-delay 5s ` +
        `weight 0; enable health ${x}; set server ${x} state ready; set server ${x} health down; set server ${x} weight 1`,
    )
  })
})

describe('server-state file', () => {
  it('repeats what is running, and calls the rest down', () => {
    const { servers } = planServers(backendsOf(modelOf(one)), [])
    const fresh = renderServerState(servers, []).split('\n')
    assert.equal(fresh[0], '1')
    assert.equal(
      fresh[2],
      `0 ${backend} 0 ${serverName(one, 'initial')} 10.0.2.1 0 0 1 1 0 1 0 0 6 0 0 0 - 80 - 0 0 - - 0`,
    )
    const known = renderServerState(servers, [server('initial')])
    assert.match(known, new RegExp(`^5 ${backend} 1 ${serverName(one, 'initial')} 10.0.2.1 2$`, 'm'))
    assert.notEqual(gistOf(known), gistOf(fresh.join('\n')))
  })
})

describe('observation', () => {
  const seen = (running: RunningServer[], rows: string[] = [], old: string[] = []) =>
    describeSeen(modelOf(one, { ...one, id: 'i-2', address: '10.0.2.2', draining: true }), {
      running,
      statistics: parseStatistics([HEADER, ...rows].join('\n')),
      oldStatistics: parseStatistics([HEADER, ...old].join('\n')),
      boot: '12-345',
      at: 1,
    })
  const HEADER = '# pxname,svname,scur,check_status,check_code,hrsp_2xx,hrsp_5xx,econ,eresp,rtime'
  const row = (role: Role, figures: string) => `${backend},${serverName(one, role)},${figures}`
  const first = (running: RunningServer[], rows: string[] = []) => {
    const { health, reason, description } = seen(running, rows).targets[0]!
    return [health, reason, description]
  }

  it("says how a target fares in ELBv2's words", () => {
    assert.deepEqual(first([]), [
      'initial',
      'Elb.RegistrationInProgress',
      'Target registration is in progress',
    ])
    assert.deepEqual(first([server('initial', { ...down, weight: 0 })])[1], 'Elb.RegistrationInProgress')
    assert.deepEqual(first([server('initial', down), closed]), [
      'initial',
      'Elb.InitialHealthChecking',
      'Initial health checks in progress',
    ])
    assert.deepEqual(first([server('initial')]), ['healthy', '', ''])
    const failed = (status: string, code: string) =>
      first([server('settled', down), server('open')], [row('settled', `0,${status},${code},,,,,`)])
    assert.deepEqual(failed('L7STS', '404'), [
      'unhealthy',
      'Target.ResponseCodeMismatch',
      'Health checks failed with these codes: [404]',
    ])
    assert.deepEqual(failed('* L4TOUT', ''), ['unhealthy', 'Target.Timeout', 'Request timed out'])
    assert.deepEqual(failed('L4CON', ''), ['unhealthy', 'Target.FailedHealthChecks', 'Health checks failed'])
    assert.equal(seen([]).targets[1]?.reason, 'Target.DeregistrationInProgress')
  })

  it("keeps the last check's reason while a settled server waits for its first", () => {
    const servers = [server('initial', down), server('settled', { ...down, checked: false }), server('open')]
    const rows = [row('initial', '0,L7STS,500,,,,,'), row('settled', '0,INI,,,,,,')]
    assert.equal(first(servers, rows)[1], 'Target.ResponseCodeMismatch')
  })

  it('counts requests in flight also on workers that a reload has replaced', () => {
    const rows = [row('initial', '2,L7OK,200,,,,,'), row('open', '1,,,,,,,')]
    assert.equal(seen([server('initial')], rows, [row('initial', '3,,,,,,,')]).targets[0]?.current, 6)
  })

  it("tells the balancer's own failures from its targets'", () => {
    const [counters] = seen([server('initial')], [`${backend},BACKEND,0,,,10,7,2,1,30`]).counters
    assert.deepEqual(
      [
        counters?.requests,
        counters?.target2xx,
        counters?.target5xx,
        counters?.balancer5xx,
        counters?.responseTimeAverageMs,
      ],
      [17, 10, 4, 3, 30],
    )
  })
})

describe("HAProxy's answers", () => {
  it('are read with their quotes and their bits', () => {
    const [row] = parseStatistics('# pxname,svname,last_chk,scur\nb,s,"a, ""b""",4\n')
    assert.equal(row?.fields.get('last_chk'), 'a, "b"')
    assert.equal(row?.fields.get('scur'), '4')
    // Admin state 4 only remembers that the line says `disabled`.
    const states = ['0', '1', '4', '5', '8'].map((admin) => `5 b 1 s 10.0.0.1 2 ${admin} 1 1 7 15 3 5 6 0`)
    const parsed = parseServersState(`1\n# header\n${states.join('\n')}\n`)
    assert.deepEqual(
      parsed.map(({ maintenance }) => maintenance),
      [false, true, false, true, false],
    )
    assert.deepEqual(
      parsed.map(({ draining }) => draining),
      [false, false, false, false, true],
    )
    assert.equal(parsed[0]?.sinceSeconds, 7)
  })

  it('name the workers of former configurations', () => {
    const text = `#<PID>          <type>          <reloads>       <uptime>        <version>
1            master          2               0d00h01m00s     2.6.12
# workers
30           worker          0               0d00h00m01s     2.6.12
# old workers
20           worker          1               0d00h00m30s     2.6.12
10           worker          2               0d00h01m00s     2.6.12
# programs

`
    assert.deepEqual(parseOldWorkers(text), [20, 10])
  })
})
