import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { listenerTo, type BalancerModel, type LoadBalancer } from './engine.ts'
import { answersOf, backendName } from './names.ts'
import { ownPortsOf } from './own-ports.ts'
import { withNames } from './request-lines.ts'
import { parseCounts } from './running.ts'
import { describeTraffic, noTraffic } from './traffic.ts'

const loadBalancer = (id: string, over: Partial<LoadBalancer> = {}): LoadBalancer => ({
  ...{ id, address: '10.0.0.4', elasticAddress: null, internetFacing: true, hosts: [] },
  ...{ loopbackPort: 18_000, idleTimeoutSeconds: 60, cutsOnRevoke: false },
  listeners: [listenerTo(80, 'tg', ['0.0.0.0/0'])],
  ...over,
})
const redirect = {
  ...{ type: 'redirect' as const, statusCode: 301 as const, protocol: 'HTTPS', host: '#{host}' },
  ...{ port: '443', path: '/', query: '' },
}
const model: BalancerModel = {
  loadBalancers: [
    loadBalancer('lb', {
      listeners: [{ ...listenerTo(80, 'tg', []), rules: [{ conditions: [], action: redirect }] }],
    }),
    loadBalancer('net', { isNetwork: true, loopbackPort: null }),
  ],
  targetGroups: [{ id: 'tg', healthCheck: null, targets: [] }],
}
const HEADER =
  '# pxname,svname,scur,stot,bin,bout,ereq,econ,eresp,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,connect,'
const [answer] = answersOf(model)
const [own] = ownPortsOf(model.loadBalancers[0]!)
const seen = (...rows: string[]) =>
  describeTraffic(withNames(undefined, model), [HEADER, ...rows, ''].join('\n'), { boot: '1-2', at: 3 })

describe('counters of HAProxy', () => {
  it('are of target groups behind load balancers, and of what those answer by themselves', () => {
    const { boot, at, counters } = seen(
      `${backendName('lb', 'tg')},BACKEND,2,50,100,200,,2,1,1,30,4,5,7,0,9,`,
      `${backendName('net', 'tg')},BACKEND,3,8,10,20,,0,0,,,,,,,8,`,
      `${answer!.name},BACKEND,0,6,5,6,,0,0,0,0,6,0,0,0,0,`,
      `${own!.name},FRONTEND,0,9,1,1,3,,,0,0,0,0,0,0,,`,
      'public-80,FRONTEND,0,9,1,1,300,,,0,0,0,0,0,0,,',
      'handover-public-80,BACKEND,0,9,1,1,,0,0,0,9,0,0,0,0,9,',
    )
    assert.deepEqual([boot, at], ['1-2', 3])
    assert.deepEqual(counters, [
      {
        ...{ id: 'lb', targetGroupId: 'tg', ...noTraffic(), requests: 47 },
        ...{ target2xx: 30, target3xx: 4, target4xx: 5, target5xx: 4, balancer5xx: 3 },
        ...{ bytes: 300, connections: 9, current: 2 },
      },
      {
        ...{ id: 'net', targetGroupId: 'tg', ...noTraffic(), requests: 8 },
        ...{ bytes: 30, connections: 8, current: 3 },
      },
      {
        ...{ id: 'lb', targetGroupId: null, ...noTraffic(), bytes: 11 },
        ...{ redirects: 6, balancer3xx: 6, balancer4xx: 3 },
      },
    ])
  })

  it('are read where a field has commas or is not told', () => {
    const text = 'a,BACKEND,"x, 7",3,,12\nb,BACKEND,1,2,3\nc,BACKEND,4,5,6,7\n'
    assert.deepEqual(
      parseCounts(`# pxname,svname,said,bin,bout,econ\n${text}`, ['econ', 'bin'], (proxy) => proxy !== 'c'),
      [
        { proxy: 'a', name: 'BACKEND', counts: { econ: 12, bin: 3 } },
        { proxy: 'b', name: 'BACKEND', counts: { econ: 0, bin: 2 } },
      ],
    )
  })

  it('are nothing where there is nothing', () => assert.deepEqual(seen().counters, []))
})
