import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assess, colourOf, span, worse, type EnvironmentFacts, type InstanceFacts } from './health.ts'

const instance = (facts: Partial<InstanceFacts> = {}): InstanceFacts => ({
  id: 'i-1',
  state: 'Deployed',
  ageMs: 60_000,
  target: { state: 'healthy', reason: '' },
  withoutElbMs: 0,
  updated: false,
  wrong: null,
  requests: null,
  ...facts,
})
const environment = (facts: Partial<EnvironmentFacts> = {}): EnvironmentFacts => ({
  status: 'Ready',
  front: 'load balancer',
  update: 'Application',
  runningMs: 7_000,
  completed: null,
  expected: { versionLabel: 'v1', deploymentId: 1 },
  minSize: 1,
  missing: [],
  requests: null,
  lowRoom: null,
  launchFailure: '',
  instances: [instance()],
  ...facts,
})
const requests = (count: number, status4xx: number, status5xx: number) => ({
  seconds: 10,
  requests: count,
  status4xx,
  status5xx,
})
const unseen = (state: string | null, withoutElbMs = 60_000) => ({
  target: state === null ? null : { state, reason: '' },
  withoutElbMs,
})
const unhealthy = { target: { state: 'unhealthy', reason: 'Target.Timeout' } }

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
    ['is Severe without instances', { instances: [] }, 'Severe', ['There are no instances.']],
    [
      'says why there are none',
      { instances: [], launchFailure: 'No room. Launching EC2 instance failed.' },
      'Severe',
      ['There are no instances.', 'No room. Launching EC2 instance failed.'],
    ],
    [
      'is Degraded below the minimum size',
      { minSize: 5 },
      'Degraded',
      ['1 active instances is below Auto Scaling group minimum size 5.'],
    ],
    [
      'is Severe when the balancer finds nobody healthy',
      { instances: [instance(unhealthy)] },
      'Severe',
      ['ELB health is failing or not available for all instances.'],
    ],
    [
      'is Warning when one of three is unhealthy',
      { instances: [instance(unhealthy), instance({ id: 'i-2' }), instance({ id: 'i-3' })] },
      'Warning',
      ['ELB health is failing or not available for 1 out of 3 instances.'],
    ],
    [
      'is Degraded when two of three are',
      { instances: [instance(unhealthy), instance({ id: 'i-2', ...unhealthy }), instance({ id: 'i-3' })] },
      'Degraded',
      ['ELB health is failing or not available for 2 out of 3 instances.'],
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
      { minSize: 0, missing: ['Auto Scaling group'], instances: [] },
      'Severe',
      ['The Auto Scaling group of the environment does not exist.', 'There are no instances.'],
    ],
    [
      'is Severe without its load balancer',
      { missing: ['load balancer'] },
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
    ['says nothing of codes at a low rate', { requests: requests(1, 1, 0) }, 'Ok', []],
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

  it('names what an instance suffers from', () => {
    const { instances } = assess(
      environment({
        instances: [instance({ ...unhealthy, wrong: { versionLabel: 'v2', deploymentId: 2 } })],
      }),
    )
    assert.deepEqual(instances, [
      {
        id: 'i-1',
        status: 'Severe',
        causes: [
          'ELB health is failing: Target.Timeout.',
          'Incorrect application version "v2" (deployment 2). Expected version "v1" (deployment 1).',
        ],
      },
    ])
  })

  it('says for how long the balancer has not seen an instance', () => {
    const { instances } = assess(environment({ instances: [instance(unseen('unavailable', 37 * 60_000))] }))
    assert.deepEqual(instances[0]?.causes, ['Instance ELB health has not been available for 37 minutes.'])
  })

  it('has the colours of AWS', () => {
    const colours = ['Ok', 'Info', 'Warning', 'Degraded', 'Severe', 'Pending', 'NoData'].map(colourOf)
    assert.deepEqual(colours, ['Green', 'Green', 'Yellow', 'Red', 'Red', 'Grey', 'Grey'])
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
