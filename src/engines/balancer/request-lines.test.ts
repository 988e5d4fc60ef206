import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type BalancerModel, listenerTo } from './engine.ts'
import { backendName } from './names.ts'
import { ownPortsOf } from './own-ports.ts'
import { parseRequestLine, withNames } from './request-lines.ts'

const model: BalancerModel = {
  loadBalancers: [
    {
      ...{
        id: 'lb',
        address: '10.0.0.1',
        elasticAddress: null,
        internetFacing: true,
        hosts: ['shop.example'],
      },
      ...{ loopbackPort: 9000, idleTimeoutSeconds: 60, cutsOnRevoke: false },
      listeners: [listenerTo(80, 'group', ['0.0.0.0/0'])],
    },
  ],
  targetGroups: [
    {
      ...{ id: 'group', healthCheck: null },
      targets: [{ id: 'i-1', address: '10.0.1.1', port: 80, draining: false }],
    },
  ],
}
const names = withNames(undefined, model)
const backend = backendName('lb', 'group')
const STAMP = '2026-11-24_00:21:07.40350 '
const line = (over: Partial<Record<'to' | 'frontend' | 'request' | 'texts' | 'rate', string>> = {}) =>
  `${STAMP}request 1795796041917 192.0.2.1 46056 ${over.frontend ?? 'public-80'} ${over.to ?? backend} i-1-80-abcd.i 10.0.1.1 80 ` +
  `0 1 2 15 21 200 -- 87 143 ${over.rate ?? '-'} - - - - "${over.request ?? 'GET /a HTTP/1.1'}" ${over.texts ?? '"" "" "" "" ""'}`

describe('a line of a request', () => {
  it('is told', () => {
    const texts = '"" "shop.example" "an \\"agent\\" \\u001b" "Root=1-2-3" ""'
    const entry = parseRequestLine(line({ texts }), names)
    assert.deepEqual(entry, {
      ...{ id: 'lb', at: 1_795_796_041_917, client: '192.0.2.1', clientPort: 46_056, listenerPort: 80 },
      ...{
        targetGroupId: 'group',
        target: { id: 'i-1', address: '10.0.1.1', port: 80 },
        action: 'forward',
        rule: 0,
      },
      ...{ requestMs: 3, targetMs: 15, totalMs: 21, status: 200, isOfTarget: true, ended: '--' },
      ...{
        bytesIn: 87,
        bytesOut: 143,
        weight: 1,
        tls: null,
        isLogged: false,
        request: 'GET /a HTTP/1.1',
        location: '',
      },
      ...{ host: 'shop.example', userAgent: 'an "agent" \u001b', traceId: 'Root=1-2-3' },
    })
  })
  it('stands for others where there are many', () => {
    assert.equal(parseRequestLine(line({ rate: '2000' }), names)?.weight, 100)
  })
  it('without a target group is told where its frontend is of one load balancer alone', () => {
    const frontend = ownPortsOf(model.loadBalancers[0]!)[0]!.name
    const own = parseRequestLine(line({ frontend, to: frontend, request: '<BADREQ>' }), names)
    assert.deepEqual([own?.id, own?.targetGroupId, own?.listenerPort], ['lb', null, 80])
    assert.equal(parseRequestLine(line({ to: 'public-80' }), names), undefined)
  })
  it('that was cut is told as far as it goes', () => {
    const cut = line({ texts: '"" "shop.example" "an agent without end' })
    assert.deepEqual([parseRequestLine(cut, names)?.status, parseRequestLine(cut, names)?.host], [200, ''])
    const early = line().slice(0, line().indexOf('/a') + 2)
    assert.equal(parseRequestLine(early, names)?.request, 'GET /a')
    assert.equal(parseRequestLine(line().slice(0, 60), names), undefined)
  })
  it('cannot be made up by a client', () => {
    for (const said of [
      `${STAMP}[ALERT] (12) : request 1 2 3`,
      `${STAMP}x ${line().slice(26)}`,
      'request',
      '',
    ])
      assert.equal(parseRequestLine(said, names), undefined)
  })
  it('is still told when its target group has gone', () => {
    const later = withNames(names, { loadBalancers: [], targetGroups: [] })
    assert.equal(parseRequestLine(line(), later)?.targetGroupId, 'group')
    assert.equal(
      parseRequestLine(line(), withNames(undefined, { loadBalancers: [], targetGroups: [] })),
      undefined,
    )
  })
})
