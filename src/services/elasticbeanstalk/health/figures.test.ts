import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { EnvironmentFacts } from './facts.ts'
import { assess } from './health.ts'
import { environment, instance, own, requests, starved } from './test-facts.ts'
import { DEFAULT_THRESHOLDS } from './thresholds.ts'

describe('health by figures', () => {
  const cases: [string, Partial<EnvironmentFacts>, string, string[]][] = [
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
  ]
  for (const [what, facts, status, causes] of cases)
    it(what, () => {
      const { status: found, causes: said } = assess(environment(facts))
      assert.deepEqual([found, said], [status, causes])
    })
})
