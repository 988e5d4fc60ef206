import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { RequestEntry } from '../../engines/balancer/engine.ts'
import type { MetricPoint } from '../cloud.ts'
import { responsePoints, type Names } from './response-points.ts'

const NOW = Date.UTC(2026, 0, 1)
const entry = (over: Partial<RequestEntry> = {}): RequestEntry => ({
  ...{ id: 'lb', at: NOW, client: '127.0.0.1', clientPort: 1, listenerPort: 80, targetGroupId: 'tg' },
  ...{ target: { id: 'i-1', address: '10.0.0.1', port: 80 }, action: 'forward', requestMs: 0 },
  ...{ targetMs: 20, totalMs: 21, status: 200, isOfTarget: true, ended: '--', bytesIn: 1, bytesOut: 1 },
  ...{ weight: 1, isLogged: false, rule: 0, tls: null, request: '', host: '', userAgent: '' },
  ...{ traceId: '', location: '', ...over },
})
const names = (kind: 'application' | 'classic' | 'network'): Names => ({
  balancer: (id) => (id === 'lb' ? { kind, name: 'web', path: 'app/web/lb' } : undefined),
  group: (id) => (id === 'tg' ? { path: 'targetgroup/web/tg' } : undefined),
})
const shown = (entries: RequestEntry[], kind: 'application' | 'classic' = 'application') =>
  responsePoints(entries, names(kind), NOW).map(
    ({ namespace, metricName, dimensions, unit, at, value }): [string, MetricPoint['value']] => [
      `${namespace} ${metricName} ${Object.values(dimensions).join(',')} ${unit} ${at - NOW}`,
      value,
    ],
  )
const failure = { isOfTarget: false, targetMs: -1, requestMs: -1 }

describe('points of requests that ended', () => {
  it('say how long targets took, with the spread, of the load balancer and its target group', () => {
    const value = {
      ...{ count: 4, sum: 0.01 + 0.02 + 0.02 + 0.05, min: 0.01, max: 0.05 },
      values: [
        [0.01, 1],
        [0.02, 2],
        [0.05, 1],
      ],
    }
    const times = [10, 20, 20, 50].map((targetMs) => entry({ targetMs }))
    assert.deepEqual(shown(times), [
      ['AWS/ApplicationELB TargetResponseTime app/web/lb Seconds 0', value],
      ['AWS/ApplicationELB TargetResponseTime targetgroup/web/tg,app/web/lb Seconds 0', value],
    ])
    assert.deepEqual(shown(times, 'classic'), [['AWS/ELB Latency web Seconds 0', value]])
  })

  it('count a line as often as it stands for others, in whole requests', () => {
    const [first] = shown([entry({ targetMs: 10, weight: 2.4 }), entry({ targetMs: 30, weight: 7.6 })])
    const value = first?.[1]
    assert.ok(typeof value === 'object')
    assert.equal(value.count, 10)
    assert.ok(Math.abs(value.sum - 10 * ((2.4 * 0.01 + 7.6 * 0.03) / 10)) < 1e-9)
  })

  it('count for the second in which a request ended', () => {
    const seconds = [entry({ at: NOW - 1_500 }), entry({ at: NOW - 1_200 }), entry({ at: NOW - 100 })]
    assert.deepEqual(
      shown(seconds).map(([name]) => name.split(' ').at(-1)),
      ['-2000', '-2000', '-1000', '-1000'],
    )
  })

  const cases: [what: string, entry: Partial<RequestEntry>, points: [name: string, value: number][]][] = [
    [
      'a target that refuses the connection',
      { ...failure, status: 503, ended: 'SC' },
      [
        ['TargetConnectionErrorCount app/web/lb', 1],
        ['TargetConnectionErrorCount targetgroup/web/tg,app/web/lb', 1],
        ['HTTPCode_ELB_503_Count app/web/lb', 1],
      ],
    ],
    [
      'no target that could be asked',
      { ...failure, status: 503, ended: 'SC', target: null },
      [['HTTPCode_ELB_503_Count app/web/lb', 1]],
    ],
    [
      'an answer that makes no sense',
      { ...failure, status: 502, ended: 'SH' },
      [['HTTPCode_ELB_502_Count app/web/lb', 1]],
    ],
    [
      'an answer that does not come',
      { ...failure, status: 504, ended: 'sH' },
      [['HTTPCode_ELB_504_Count app/web/lb', 1]],
    ],
    ['a redirect', { ...failure, status: 301, target: null, targetGroupId: null, action: 'redirect' }, []],
    ['what ended long ago', { at: NOW - 61_000 }, []],
    ['what is of no load balancer', { id: 'eipalloc-1' }, []],
  ]
  for (const [what, one, points] of cases)
    it(what, () =>
      assert.deepEqual(
        shown([entry(one)]),
        points.map(([name, value]) => [`AWS/ApplicationELB ${name} Count 0`, value]),
      ),
    )
})
