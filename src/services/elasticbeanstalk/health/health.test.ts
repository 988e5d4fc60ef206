import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EnvironmentFacts } from './facts.ts'
import { assess } from './health.ts'
import { environment, instance, requests, unhealthy, unseen } from './test-facts.ts'
import { DEFAULT_THRESHOLDS } from './thresholds.ts'

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
})
