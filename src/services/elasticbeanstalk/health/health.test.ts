import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_THRESHOLDS } from './thresholds.ts'
import type { EnvironmentFacts, InstanceFacts, Requests } from './facts.ts'
import { assess } from './health.ts'
import { colourOf, span, worse } from './words.ts'

const idle = { cpu: 10, ioWait: null, memory: 20, rootFilesystem: 30 }
const instance = (facts: Partial<InstanceFacts> = {}): InstanceFacts => ({
  id: 'i-1',
  state: 'Deployed',
  ageMs: 60_000,
  target: { state: 'healthy', reason: '' },
  withoutElbMs: 0,
  silentMs: 0,
  updated: false,
  wrong: null,
  requests: null,
  system: idle,
  completed: null,
  before: 'Ok',
  ...facts,
})
const environment = (facts: Partial<EnvironmentFacts> = {}): EnvironmentFacts => ({
  status: 'Ready',
  front: 'load balancer',
  update: 'Application',
  runningMs: 7_000,
  commandTimeoutMs: 840_000,
  completed: null,
  expected: { versionLabel: 'v1', deploymentId: 1 },
  group: { minSize: 1, desired: 1 },
  hasFront: true,
  requests: null,
  lowRoom: null,
  launchFailure: '',
  instances: [instance()],
  thresholds: DEFAULT_THRESHOLDS,
  rules: { application4xx: true, balancer4xx: true },
  before: 'Ok',
  beforeMs: 0,
  ...facts,
})
const requests = (
  count: number,
  status4xx: number,
  status5xx: number,
  more: Partial<Requests> = {},
): Requests => ({
  application: { requests: count, status4xx, status5xx },
  balancer: null,
  agoMs: 1_000,
  ...more,
})
/** None of them an instance's. */
const own = (count: number, status4xx: number, status5xx: number, agoMs = 1_000): Requests => ({
  ...requests(count, 0, 0, { balancer: { requests: count, status4xx, status5xx }, agoMs }),
})
const starved = (system: Partial<InstanceFacts['system']>) => ({ system: { ...idle, ...system } })
const unseen = (state: string | null, withoutElbMs = 60_000) => ({
  target: state === null ? null : { state, reason: '' },
  withoutElbMs,
})
const unhealthy = { target: { state: 'unhealthy', reason: 'Target.Timeout: Request timed out' } }

describe('health', () => {
  const cases: [string, Partial<EnvironmentFacts>, string, string[]][] = [
    ['is Ok when nothing is wrong', {}, 'Ok', []],
    [
      'is Pending while it is launched',
      { status: 'Launching', instances: [] },
      'Pending',
      ['Initialization in progress (running for 7 seconds).', 'There are no instances.'],
    ],
    [
      'is Info while it is updated',
      { status: 'Updating', instances: [instance({ state: 'In Progress' })] },
      'Info',
      [
        'Application update in progress on 1 instance. 0 out of 1 instance completed (running for 7 seconds).',
        'Command is executing on all instances.',
      ],
    ],
    [
      'is Warning while the home has no room',
      { lowRoom: 'The disk is nearly full.' },
      'Warning',
      ['The disk is nearly full.'],
    ],
    [
      'counts the instances that have an update',
      { status: 'Updating', instances: [instance({ updated: true }), instance({ id: 'i-2' })] },
      'Info',
      [
        'Application update in progress on 2 instances. 1 out of 2 instances completed (running for 7 seconds).',
      ],
    ],
    [
      'does not count them for a change of settings',
      { status: 'Updating', update: 'Configuration' },
      'Info',
      ['Configuration update in progress (running for 7 seconds).'],
    ],
    [
      'is Info while it is terminated',
      { status: 'Terminating' },
      'Info',
      ['Terminate in progress (running for 7 seconds).'],
    ],
    [
      'is Severe without instances',
      { instances: [] },
      'Severe',
      ['There are no instances.', 'Auto Scaling group desired capacity is set to 1.'],
    ],
    [
      'is Info without instances that nobody wants',
      { instances: [], group: { minSize: 0, desired: 0 } },
      'Info',
      ['There are no instances.', 'Auto Scaling group desired capacity is set to zero.'],
    ],
    [
      'says why there are none',
      { instances: [], launchFailure: 'No room. Launching EC2 instance failed.' },
      'Severe',
      [
        'There are no instances.',
        'Auto Scaling group desired capacity is set to 1.',
        'No room. Launching EC2 instance failed.',
      ],
    ],
    [
      'is Degraded below the minimum size',
      { group: { minSize: 5, desired: 5 } },
      'Degraded',
      ['1 active instances is below Auto Scaling group minimum size 5.'],
    ],
    [
      'is Severe when the balancer finds nobody healthy',
      { instances: [instance(unhealthy)] },
      'Severe',
      ['ELB processes are not healthy on all instances.'],
    ],
    [
      'is Warning when one of three is unhealthy',
      { instances: [instance(unhealthy), instance({ id: 'i-2' }), instance({ id: 'i-3' })] },
      'Warning',
      ['ELB processes are not healthy on 1 out of 3 instances.'],
    ],
    [
      'is Degraded when two of three are',
      { instances: [instance(unhealthy), instance({ id: 'i-2', ...unhealthy }), instance({ id: 'i-3' })] },
      'Degraded',
      ['ELB processes are not healthy on 2 out of 3 instances.'],
    ],
    [
      'is as bad as an option says when two of three are',
      {
        instances: [instance(unhealthy), instance({ id: 'i-2', ...unhealthy }), instance({ id: 'i-3' })],
        thresholds: { ...DEFAULT_THRESHOLDS, unhealthyPercentDegraded: 70 },
      },
      'Warning',
      ['ELB processes are not healthy on 2 out of 3 instances.'],
    ],
    [
      'tells unhealthy processes from instances without health',
      { instances: [instance(unhealthy), instance({ id: 'i-2', ...unseen('unused') })] },
      'Severe',
      [
        'ELB processes are not healthy on 1 out of 2 instances.',
        'ELB health is failing or not available for 1 out of 2 instances.',
      ],
    ],
    [
      'knows no processes of a classic load balancer',
      { front: 'classic load balancer', instances: [instance(unhealthy)] },
      'Severe',
      ['ELB health is failing or not available for all instances.'],
    ],
    ...['initial', 'unused', 'draining', 'unavailable', null].map(
      (state): [string, Partial<EnvironmentFacts>, string, string[]] => [
        `is Severe when every target is ${state ?? 'not registered'} for longer than the grace`,
        { instances: [instance(unseen(state)), instance({ id: 'i-2', ...unseen(state) })] },
        'Severe',
        ['ELB health is failing or not available for all instances.'],
      ],
    ),
    [
      'is Severe when nobody serves while the only instance is replaced, for longer than the grace',
      { instances: [instance({ state: 'In Progress', target: null, ageMs: 61_000 })] },
      'Severe',
      ['ELB health is failing or not available for all instances.', 'Command is executing on all instances.'],
    ],
    [
      'is Info before that',
      { instances: [instance({ state: 'In Progress', target: null, ageMs: 59_000 })] },
      'Info',
      ['Command is executing on all instances.'],
    ],
    [
      'is Info while a new instance takes its time beside one that serves',
      {
        instances: [instance(), instance({ id: 'i-2', state: 'In Progress', target: null, ageMs: 300_000 })],
      },
      'Info',
      ['Command is executing on 1 out of 2 instances.'],
    ],
    [
      'is Info while an instance waits for its software',
      { instances: [instance(), instance({ id: 'i-2', state: 'Pending', target: null, ageMs: 300_000 })] },
      'Info',
      ['Initialization in progress on 1 out of 2 instances.'],
    ],
    [
      'is Warning when an instance waits for its software too long',
      { instances: [instance(), instance({ id: 'i-2', state: 'Pending', target: null, ageMs: 301_000 })] },
      'Warning',
      ['No data received from 1 out of 2 instances'],
    ],
    [
      'is Warning when one of three is not seen by its balancer',
      { instances: [instance(unseen('initial')), instance({ id: 'i-2' }), instance({ id: 'i-3' })] },
      'Warning',
      ['ELB health is failing or not available for 1 out of 3 instances.'],
    ],
    ['waits for a new target', { instances: [instance(unseen('initial', 59_999))] }, 'Ok', []],
    [
      'is Severe without its group, whatever its minimum size',
      { group: null, instances: [] },
      'Severe',
      ['The Auto Scaling group of the environment does not exist.', 'There are no instances.'],
    ],
    [
      'is still Severe without its group just before an hour is over',
      { group: null, instances: [], before: 'Severe', beforeMs: 3_599_999 },
      'Severe',
      ['The Auto Scaling group of the environment does not exist.', 'There are no instances.'],
    ],
    [
      'is Suspended without its group after an hour',
      { group: null, instances: [], before: 'Severe', beforeMs: 3_600_000 },
      'Suspended',
      ['The Auto Scaling group of the environment does not exist.', 'There are no instances.'],
    ],
    [
      'stays so',
      { group: null, instances: [], before: 'Suspended', beforeMs: 1 },
      'Suspended',
      ['The Auto Scaling group of the environment does not exist.', 'There are no instances.'],
    ],
    ['until it has one', { instances: [instance()], before: 'Suspended', beforeMs: 1 }, 'Ok', []],
    [
      'is Severe without its load balancer',
      { hasFront: false },
      'Severe',
      ['The load balancer of the environment does not exist.'],
    ],
    [
      'is Warning when the requests of one of two instances fail',
      { instances: [instance({ requests: requests(100, 0, 60) }), instance({ id: 'i-2' })] },
      'Warning',
      ['Impaired services on 1 out of 2 instances.'],
    ],
    [
      'is Severe when one fails and its balancer does not see the other',
      { instances: [instance({ state: 'Failed' }), instance({ id: 'i-2', ...unseen('unused') })] },
      'Severe',
      [
        'Impaired services on 1 out of 2 instances.',
        'ELB health is failing or not available for 1 out of 2 instances.',
      ],
    ],
    [
      'is Degraded with another version on some',
      { instances: [instance({ wrong: { versionLabel: 'v2', deploymentId: 2 } }), instance({ id: 'i-2' })] },
      'Degraded',
      ['Incorrect application version found on 1 out of 2 instances. Expected version "v1" (deployment 1).'],
    ],
    [
      'is Severe when the application failed everywhere',
      { instances: [instance({ state: 'Failed' })] },
      'Severe',
      ['Impaired services on all instances.'],
    ],
    [
      'says that it cannot judge codes at a low rate',
      { requests: requests(6, 6, 0) },
      'Ok',
      [
        '100.0 % of the requests are erroring with HTTP 4xx.',
        'Insufficient request rate (6.0 requests/min) to determine application health.',
      ],
    ],
    ['says nothing at a low rate of what would be well', { requests: requests(6, 0, 0) }, 'Ok', []],
    [
      'judges one request more',
      { requests: requests(7, 7, 0) },
      'Severe',
      ['100.0 % of the requests are erroring with HTTP 4xx.'],
    ],
    [
      'judges at the rate that an option says',
      { requests: requests(6, 6, 0), thresholds: { ...DEFAULT_THRESHOLDS, requestsPerMinuteLeast: 5 } },
      'Severe',
      ['100.0 % of the requests are erroring with HTTP 4xx.'],
    ],
    ['is Ok at 0.9 % of 5xx', { requests: requests(1000, 0, 9) }, 'Ok', []],
    [
      'leaves a status only well below its threshold',
      { requests: requests(1000, 0, 9), before: 'Warning' },
      'Warning',
      ['0.9 % of the requests are failing with HTTP 5xx.'],
    ],
    ['leaves it then', { requests: requests(1000, 0, 7), before: 'Warning' }, 'Ok', []],
    [
      'is as bad as an option says',
      {
        requests: requests(100, 0, 3),
        thresholds: { ...DEFAULT_THRESHOLDS, application5xx: { Warning: 2, Degraded: 3, Severe: 4 } },
      },
      'Degraded',
      ['3.0 % of the requests are failing with HTTP 5xx.'],
    ],
    [
      'does not mind 4xx where a rule says so',
      { requests: requests(100, 90, 0), rules: { application4xx: false, balancer4xx: true } },
      'Ok',
      [],
    ],
    [
      'tells what the load balancer answers itself',
      { requests: own(100, 20, 0) },
      'Warning',
      ['20.0 % of the requests to the ELB are erroring with HTTP 4xx.'],
    ],
    [
      'tells what it fails with',
      { requests: own(100, 0, 12) },
      'Degraded',
      ['12.0 % of the requests to the ELB are failing with HTTP 5xx.'],
    ],
    [
      'tells how old that is',
      { requests: own(100, 100, 0, 180_000) },
      'Severe',
      ['100.0 % of the requests to the ELB are erroring with HTTP 4xx (3 minutes ago).'],
    ],
    ['and at last nothing', { requests: own(100, 100, 0, 600_000) }, 'Ok', []],
    ['nor of instances what is old', { requests: requests(100, 100, 0, { agoMs: 60_000 }) }, 'Ok', []],
    [
      'does not mind the 4xx of the load balancer where a rule says so',
      { requests: own(100, 90, 0), rules: { application4xx: true, balancer4xx: false } },
      'Ok',
      [],
    ],
    ['is Ok at 89 % of a processor', { instances: [instance(starved({ cpu: 89.9 }))] }, 'Ok', []],
    [
      'is Warning at 91 % of it',
      { instances: [instance(starved({ cpu: 91, ioWait: 24.2 }))] },
      'Warning',
      ['91 % of CPU is in use. 24 % in I/O wait'],
    ],
    [
      'says nothing of a wait that is none',
      { instances: [instance(starved({ cpu: 93.4, ioWait: 0.3 }))] },
      'Warning',
      ['93 % of CPU is in use.'],
    ],
    [
      'is Degraded at 98 % of the memory',
      { instances: [instance(starved({ memory: 98 }))] },
      'Degraded',
      ['98 % of memory is in use.'],
    ],
    [
      'is Warning when the root file system is nearly full',
      { instances: [instance(starved({ rootFilesystem: 92.7 }))] },
      'Warning',
      ['92 % of the root file system is in use.'],
    ],
    [
      'is Info when one of four instances is short of something',
      { instances: [instance(starved({ cpu: 99 })), ...[2, 3, 4].map((id) => instance({ id: `i-${id}` }))] },
      'Info',
      ['1 out of 4 instances are impacted.'],
    ],
    [
      'is Warning when most are',
      {
        instances: [1, 2, 3].map((id) => instance({ id: `i-${id}`, ...starved({ cpu: id === 3 ? 1 : 99 }) })),
      },
      'Warning',
      ['2 out of 3 instances are impacted.'],
    ],
    [
      'is Warning when a command takes longer than it may',
      {
        instances: [instance(), instance({ id: 'i-2', state: 'In Progress', ageMs: 900_000 })],
        runningMs: 900_000,
      },
      'Info',
      ['1 out of 2 instances are impacted.', 'Command is executing on 1 out of 2 instances.'],
    ],
    [
      'hears nothing of an instance that the load balancer does not see either',
      { instances: [instance({ ...unseen(null, 37 * 60_000), silentMs: 37 * 60_000 })] },
      'Severe',
      [
        'ELB health is failing or not available for all instances.',
        'None of the instances are sending data.',
      ],
    ],
    [
      'is Warning when that is one of two',
      { instances: [instance(), instance({ id: 'i-2', ...unseen(null), silentMs: 60_000 })] },
      'Warning',
      [
        'ELB health is failing or not available for 1 out of 2 instances.',
        'No data received from 1 out of 2 instances',
      ],
    ],
    [
      'believes the load balancer when the engine is silent',
      { instances: [instance({ silentMs: 3_600_000 })] },
      'Ok',
      [],
    ],
    [
      'does not mind what fails while it is updated',
      { status: 'Updating', update: 'Configuration', instances: [instance(unhealthy)] },
      'Info',
      ['Configuration update in progress (running for 7 seconds).'],
    ],
    [
      'minds it after the command timeout',
      { status: 'Updating', update: 'Configuration', instances: [instance(unhealthy)], runningMs: 840_001 },
      'Severe',
      [
        'ELB processes are not healthy on all instances.',
        'Configuration update in progress (running for 14 minutes).',
      ],
    ],
    [
      'is Warning at 1.5 % of 5xx',
      { requests: requests(200, 0, 3) },
      'Warning',
      ['1.5 % of the requests are failing with HTTP 5xx.'],
    ],
    [
      'is Degraded at 19.9 %',
      { requests: requests(4234, 0, 843) },
      'Degraded',
      ['19.9 % of the requests are failing with HTTP 5xx.'],
    ],
    [
      'is Severe at 44.8 %',
      { requests: requests(1000, 0, 448) },
      'Severe',
      ['44.8 % of the requests are failing with HTTP 5xx.'],
    ],
    ['stays Ok at 5 % of 4xx', { requests: requests(100, 5, 0) }, 'Ok', []],
    [
      'is Severe at 85.7 % of 4xx',
      { requests: requests(1000, 857, 0) },
      'Severe',
      ['85.7 % of the requests are erroring with HTTP 4xx.'],
    ],
    [
      'tells what was completed',
      { completed: { what: 'Initialization', agoMs: 26_000, tookMs: 300_000 } },
      'Ok',
      ['Initialization completed 26 seconds ago and took 5 minutes.'],
    ],
  ]
  for (const [what, facts, status, causes] of cases)
    it(what, () => {
      const { status: found, causes: said } = assess(environment(facts))
      assert.deepEqual([found, said], [status, causes])
    })

  const ofInstances: [string, Partial<InstanceFacts>, Partial<EnvironmentFacts>, string, string[]][] = [
    ['is Ok when nothing is wrong', {}, {}, 'Ok', []],
    [
      'tells how its deployment went',
      { completed: { what: 'Application deployment', agoMs: 23_000, tookMs: 26_000 } },
      {},
      'Ok',
      ['Application deployment completed 23 seconds ago and took 26 seconds.'],
    ],
    [
      'is Pending while it is launched',
      { state: 'In Progress', target: null, ageMs: 12_000 },
      { status: 'Launching', runningMs: 60_000 },
      'Pending',
      ['Performing initialization (running for 12 seconds)'],
    ],
    [
      'is Info while it is deployed to, and tells what it is short of',
      { state: 'In Progress', ...starved({ cpu: 91, ioWait: 24 }) },
      { status: 'Updating', runningMs: 31_000 },
      'Info',
      [
        '91 % of CPU is in use. 24 % in I/O wait',
        'Performing application deployment (running for 31 seconds)',
      ],
    ],
    [
      'is Warning when that takes longer than it may',
      { state: 'In Progress', ageMs: 900_000 },
      { status: 'Updating', runningMs: 900_000 },
      'Warning',
      ['Performing application deployment (running for 15 minutes)'],
    ],
    [
      'is Severe when its application failed',
      { state: 'Failed' },
      {},
      'Severe',
      ['Application deployment failed.'],
    ],
    [
      'names its process, and what else it suffers from',
      {
        target: { state: 'unhealthy', process: 'admin', reason: 'Target.ResponseCodeMismatch: Codes: [404]' },
        withoutElbMs: 13 * 60_000,
        wrong: { versionLabel: 'v2', deploymentId: 2 },
      },
      {},
      'Severe',
      [
        'Process admin has been unhealthy for 13 minutes (Target.ResponseCodeMismatch). Codes: [404].',
        'Incorrect application version "v2" (deployment 2). Expected version "v1" (deployment 1).',
      ],
    ],
    [
      'has no process behind a classic load balancer',
      { target: { state: 'unhealthy', reason: '' } },
      { front: 'classic load balancer' },
      'Severe',
      ['ELB health is failing: no reason given.'],
    ],
    [
      'says for how long the balancer has not seen it',
      unseen('unavailable', 37 * 60_000),
      {},
      'Severe',
      ['Instance ELB health has not been available for 37 minutes.'],
    ],
    [
      'and since when there is no data',
      { ...unseen('unavailable', 37 * 60_000), silentMs: 37 * 60_000 },
      {},
      'Severe',
      ['Instance ELB health has not been available for 37 minutes.', 'No data. Last seen 37 minutes ago.'],
    ],
    [
      'is NoData before the balancer is late',
      { ...unseen('initial', 30_000), silentMs: 60_000 },
      {},
      'NoData',
      ['No data. Last seen 60 seconds ago.'],
    ],
    [
      'is Degraded at the share of its own requests',
      { requests: requests(4234, 0, 843), ...starved({ cpu: 93 }) },
      {},
      'Degraded',
      ['19.9 % of the requests are failing with HTTP 5xx.', '93 % of CPU is in use.'],
    ],
    [
      'waits to be checked',
      unseen('initial', 1_000),
      {},
      'Info',
      ['The load balancer has not checked this instance yet.'],
    ],
    [
      'waits for its elastic address',
      unseen('unused', 1_000),
      { front: 'elastic address' },
      'Info',
      ['The elastic address of the environment does not lead to its instance.'],
    ],
  ]
  for (const [what, facts, around, status, causes] of ofInstances)
    it(`of an instance ${what}`, () => {
      const { instances } = assess(environment({ instances: [instance(facts)], ...around }))
      assert.deepEqual(instances, [{ id: 'i-1', status, causes }])
    })

  it('has the colours of AWS', () => {
    const colours = ['Ok', 'Info', 'Warning', 'Degraded', 'Severe', 'Pending', 'NoData', 'Suspended'].map(
      colourOf,
    )
    assert.deepEqual(colours, ['Green', 'Green', 'Yellow', 'Red', 'Red', 'Grey', 'Grey', 'Grey'])
  })

  it('counts time as AWS does', () =>
    assert.deepEqual([1_000, 31_000, 300_000, 7_200_000].map(span), [
      '1 second',
      '31 seconds',
      '5 minutes',
      '2 hours',
    ]))

  it('knows worse from better', () => {
    assert.deepEqual(
      [worse('Ok', 'Severe'), worse('Severe', 'Ok'), worse('Pending', 'Ok'), worse('Info', 'Degraded')],
      [true, false, false, true],
    )
  })
})
