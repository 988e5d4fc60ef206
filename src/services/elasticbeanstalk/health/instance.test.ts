import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EnvironmentFacts, InstanceFacts } from './facts.ts'
import { assess } from './health.ts'
import { environment, instance, requests, starved, unseen } from './test-facts.ts'

describe('health of an instance', () => {
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
    it(what, () => {
      const { instances } = assess(environment({ instances: [instance(facts)], ...around }))
      assert.deepEqual(instances, [{ id: 'i-1', status, causes }])
    })
})
