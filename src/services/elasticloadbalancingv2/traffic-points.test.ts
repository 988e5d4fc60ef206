import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { TRAFFIC_COUNTS, type Traffic, type TrafficCounters } from '../../engines/balancer/engine.ts'
import type { MetricPoint } from '../cloud.ts'
import { hostPoints, type MeasuredBalancer, trafficPoints } from './traffic-points.ts'

const AT = Date.UTC(2026, 0, 1)
const NONE = Object.fromEntries(TRAFFIC_COUNTS.map((name) => [name, 0])) as Omit<
  TrafficCounters,
  'id' | 'targetGroupId'
>
type Some = Partial<TrafficCounters>
const counters = (over: Some = {}): TrafficCounters => ({ id: 'lb', targetGroupId: 'tg', ...NONE, ...over })
const traffic = (boot: string, ...some: Some[]): Traffic => ({
  ...{ boot, at: AT, counters: some.map(counters) },
})
const group = (over = {}) => ({
  ...{ id: 'tg', path: 'targetgroup/web/tg', registered: 2, healthy: 2, unhealthy: 0, ...over },
})
const balancer = (over: Partial<MeasuredBalancer> = {}): MeasuredBalancer => ({
  ...{ id: 'lb', kind: 'application', name: 'web', path: 'app/web/lb', groups: [group()], ...over },
})
/** `namespace name{dimensions}` → value; of several seconds their values. */
const shown = (points: MetricPoint[]) => {
  const all: Record<string, unknown> = {}
  for (const { namespace, metricName, dimensions, value, unit } of points) {
    const name = `${namespace} ${metricName} ${Object.values(dimensions).join(',')} ${unit}`
    all[name] = name in all ? [all[name], value].flat() : value
  }
  return all
}
const ALB = 'AWS/ApplicationELB'
const IDLE = {
  [`${ALB} RequestCount app/web/lb Count`]: 0,
  [`${ALB} RequestCount targetgroup/web/tg,app/web/lb Count`]: 0,
  [`${ALB} RequestCountPerTarget targetgroup/web/tg,app/web/lb Count`]: 0,
  [`${ALB} RequestCountPerTarget targetgroup/web/tg Count`]: 0,
}
const both = (metricName: string, value: unknown) => ({
  [`${ALB} ${metricName} app/web/lb Count`]: value,
  [`${ALB} ${metricName} targetgroup/web/tg,app/web/lb Count`]: value,
})
const perTarget = (value: unknown) => ({
  [`${ALB} RequestCountPerTarget targetgroup/web/tg,app/web/lb Count`]: value,
  [`${ALB} RequestCountPerTarget targetgroup/web/tg Count`]: value,
})

describe('what load balancers carried in a second', () => {
  const cases: [
    what: string,
    balancers: MeasuredBalancer[],
    before: Traffic,
    now: Traffic,
    seconds: number,
    points: Record<string, unknown>,
  ][] = [
    [
      'nothing: only what AWS always reports',
      [balancer()],
      traffic('a', { requests: 7 }),
      traffic('a', { requests: 7 }),
      1,
      IDLE,
    ],
    [
      'requests and the codes of targets, of both and for each target',
      [balancer()],
      traffic('a', { requests: 7, target2xx: 5 }),
      traffic('a', { requests: 17, target2xx: 10, target3xx: 1, target4xx: 2, target5xx: 2 }),
      1,
      {
        ...{ ...both('RequestCount', 10), ...both('HTTPCode_Target_2XX_Count', 5) },
        ...{ ...both('HTTPCode_Target_3XX_Count', 1), ...both('HTTPCode_Target_4XX_Count', 2) },
        ...{ ...both('HTTPCode_Target_5XX_Count', 2), ...perTarget(5) },
      },
    ],
    [
      'what it answered by itself, of the load balancer alone',
      [balancer()],
      traffic('a', {}, { targetGroupId: null }),
      traffic(
        'a',
        { balancer5xx: 2 },
        {
          ...{ targetGroupId: null, balancer3xx: 4, balancer4xx: 1, balancer5xx: 1 },
          ...{ redirects: 4, fixedResponses: 2 },
        },
      ),
      1,
      {
        ...IDLE,
        [`${ALB} HTTPCode_ELB_3XX_Count app/web/lb Count`]: 4,
        [`${ALB} HTTPCode_ELB_4XX_Count app/web/lb Count`]: 1,
        [`${ALB} HTTPCode_ELB_5XX_Count app/web/lb Count`]: 3,
        [`${ALB} HTTP_Redirect_Count app/web/lb Count`]: 4,
        [`${ALB} HTTP_Fixed_Response_Count app/web/lb Count`]: 2,
      },
    ],
    [
      'bytes and connections; what is now is not a difference',
      [balancer()],
      traffic('a', { bytes: 100, connections: 3, current: 9 }),
      traffic('a', { bytes: 350, connections: 5, current: 4 }),
      1,
      {
        ...IDLE,
        [`${ALB} ProcessedBytes app/web/lb Bytes`]: 250,
        [`${ALB} NewConnectionCount app/web/lb Count`]: 2,
        [`${ALB} ActiveConnectionCount app/web/lb Count`]: 4,
      },
    ],
    [
      'all that a new process has counted: it began with nothing',
      [balancer()],
      traffic('a', { requests: 1_000 }),
      traffic('b', { requests: 4 }),
      1,
      { ...both('RequestCount', 4), ...perTarget(2) },
    ],
    [
      'a share in each second of a stall, and no spike',
      [balancer()],
      traffic('a', { requests: 0 }),
      traffic('a', { requests: 30, current: 2 }),
      3,
      {
        ...both('RequestCount', [10, 10, 10]),
        ...perTarget([5, 5, 5]),
        [`${ALB} ActiveConnectionCount app/web/lb Count`]: 2,
      },
    ],
    [
      'what a target group had that was not asked before',
      [balancer()],
      traffic('a'),
      traffic('a', { requests: 2 }),
      1,
      { ...both('RequestCount', 2), ...perTarget(1) },
    ],
    [
      'for each registered target where none is healthy',
      [balancer({ groups: [group({ healthy: 0, unhealthy: 4, registered: 4 })] })],
      traffic('a'),
      traffic('a', { requests: 2 }),
      1,
      { ...both('RequestCount', 2), ...perTarget(0.5) },
    ],
    [
      'a target group behind two load balancers, for each of them and together',
      [balancer(), balancer({ id: 'lb2', path: 'app/two/lb2' })],
      traffic('a'),
      traffic('a', { requests: 2 }, { id: 'lb2', requests: 4 }),
      1,
      {
        ...both('RequestCount', 2),
        [`${ALB} RequestCount app/two/lb2 Count`]: 4,
        [`${ALB} RequestCount targetgroup/web/tg,app/two/lb2 Count`]: 4,
        [`${ALB} RequestCountPerTarget targetgroup/web/tg,app/web/lb Count`]: 1,
        [`${ALB} RequestCountPerTarget targetgroup/web/tg,app/two/lb2 Count`]: 2,
        [`${ALB} RequestCountPerTarget targetgroup/web/tg Count`]: 3,
      },
    ],
    [
      'nothing of an elastic address, which is no load balancer',
      [],
      traffic('a'),
      traffic('a', { id: 'eipalloc-1', requests: 9 }),
      1,
      {},
    ],
    [
      'flows of a network load balancer',
      [balancer({ kind: 'network', path: 'net/web/lb' })],
      traffic('a', { connections: 3, requests: 3, bytes: 10 }),
      traffic('a', { connections: 5, requests: 5, bytes: 40, current: 2 }),
      1,
      {
        'AWS/NetworkELB ActiveFlowCount net/web/lb Count': 2,
        'AWS/NetworkELB ActiveFlowCount_TCP net/web/lb Count': 2,
        'AWS/NetworkELB NewFlowCount net/web/lb Count': 2,
        'AWS/NetworkELB NewFlowCount_TCP net/web/lb Count': 2,
        'AWS/NetworkELB ProcessedBytes net/web/lb Bytes': 30,
        'AWS/NetworkELB ProcessedBytes_TCP net/web/lb Bytes': 30,
      },
    ],
    [
      'a network load balancer without any',
      [balancer({ kind: 'network', path: 'net/web/lb' })],
      traffic('a'),
      traffic('a'),
      1,
      {
        'AWS/NetworkELB ActiveFlowCount net/web/lb Count': 0,
        'AWS/NetworkELB NewFlowCount net/web/lb Count': 0,
      },
    ],
    [
      'a classic load balancer, by its name',
      [balancer({ kind: 'classic' })],
      traffic('a'),
      traffic('a', { requests: 9, target2xx: 1, target3xx: 2, target4xx: 3, target5xx: 1, balancer5xx: 2 }),
      1,
      {
        'AWS/ELB RequestCount web Count': 9,
        'AWS/ELB HTTPCode_Backend_2XX web Count': 1,
        'AWS/ELB HTTPCode_Backend_3XX web Count': 2,
        'AWS/ELB HTTPCode_Backend_4XX web Count': 3,
        'AWS/ELB HTTPCode_Backend_5XX web Count': 1,
        'AWS/ELB HTTPCode_ELB_5XX web Count': 2,
      },
    ],
  ]
  for (const [what, balancers, before, now, seconds, points] of cases)
    it(what, () => {
      const at = Array.from({ length: seconds }, (_, index) => AT + index * 1_000)
      assert.deepEqual(shown(trafficPoints(balancers, before, now, at)), points)
    })
})

describe('hosts', () => {
  const two = [group({ healthy: 2, unhealthy: 1, registered: 4 }), group({ path: 'targetgroup/api/t2' })]
  const cases: [kind: MeasuredBalancer['kind'], points: Record<string, number>][] = [
    [
      'application',
      {
        [`${ALB} HealthyHostCount targetgroup/web/tg,app/web/lb Count`]: 2,
        [`${ALB} UnHealthyHostCount targetgroup/web/tg,app/web/lb Count`]: 1,
        [`${ALB} HealthyHostCount targetgroup/api/t2,app/web/lb Count`]: 2,
        [`${ALB} UnHealthyHostCount targetgroup/api/t2,app/web/lb Count`]: 0,
      },
    ],
    [
      'network',
      {
        'AWS/NetworkELB HealthyHostCount targetgroup/web/tg,app/web/lb Count': 2,
        'AWS/NetworkELB UnHealthyHostCount targetgroup/web/tg,app/web/lb Count': 1,
        'AWS/NetworkELB HealthyHostCount targetgroup/api/t2,app/web/lb Count': 2,
        'AWS/NetworkELB UnHealthyHostCount targetgroup/api/t2,app/web/lb Count': 0,
      },
    ],
    ['classic', { 'AWS/ELB HealthyHostCount web Count': 2, 'AWS/ELB UnHealthyHostCount web Count': 1 }],
  ]
  for (const [kind, points] of cases)
    it(`are told of a load balancer that is ${kind}`, () =>
      assert.deepEqual(shown(hostPoints([balancer({ kind, groups: two })], AT)), points))
})
