// A load balancer with a hundred names, each with a port of its own and a rule, as text.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { renderConfig } from './config.ts'
import { type BalancerModel, forwardTo, type Rule } from './engine.ts'
import { backendsOf } from './names.ts'

/** HAProxy 2.6 takes 64 words a line (MAX_LINE_ARGS). */
const WORDS_MAX = 64
const MANY = 100
const names = Array.from({ length: MANY }, (_unused, n) => `shop-${n}.example`)
const rules: Rule[] = names.flatMap((name, n) => [
  {
    conditions: [
      { field: 'host-header', patterns: [name] },
      { field: 'path-pattern', patterns: ['/admin/*'] },
    ],
    action: forwardTo(`admin-${n}`),
  },
  { conditions: [{ field: 'host-header', patterns: [name] }], action: forwardTo(`group-${n}`) },
])
const group = (id: string) => ({ id, healthCheck: null, targets: [] })
const model: BalancerModel = {
  loadBalancers: [
    {
      ...{ id: 'front', address: '10.9.0.10', elasticAddress: null, internetFacing: true, hosts: names },
      ...{ loopbackPort: null, idleTimeoutSeconds: 60, cutsOnRevoke: false },
      namedPorts: names.map((host, n) => ({ port: 20_000 + n, host })),
      listeners: [
        {
          ...{ port: 80, rules, clients: ['192.0.2.0/24'] },
          action: { type: 'fixed-response', statusCode: 404, contentType: 'text/plain', body: '' },
        },
      ],
    },
  ],
  targetGroups: names.flatMap((_name, n) => [group(`group-${n}`), group(`admin-${n}`)]),
}

describe('a load balancer with a hundred named ports', () => {
  const { config } = renderConfig(
    model,
    {
      ...{ dir: '/run/x', threads: 2, connectionsMax: 100, user: null, hostNamespace: null },
      ...{ addresses: { ipv6: false, public: [] }, leftOut: new Set(), publicPort: (port) => port },
    },
    [],
  )

  it('has no line that is too long for HAProxy', () => {
    const longest = Math.max(...config.split('\n').map((line) => line.trim().split(/\s+/).length))
    assert.ok(longest <= WORDS_MAX, `${longest} words`)
  })

  it('asks at each port for its own rules alone, and in each backend who is let in', () => {
    const frontend = config.split('# load balancer front as shop-7.example\n')[1]!.split('\nbackend ')[0]!
    const [own, admin] = ['group-7', 'admin-7'].map(
      (id) => backendsOf(model).find((backend) => backend.group.id === id)!.name,
    )
    const steps = frontend.split('\n').filter((line) => /set-var\(txn\.(own|to)\)/.test(line))
    assert.deepEqual(
      steps.map((line) =>
        line
          .trim()
          .replaceAll(/l-[0-9a-f]{12}/g, 'HERE')
          .replaceAll(/rule-[0-9a-f]{16}/g, 'RULE'),
      ),
      [
        'http-request set-var(txn.own) str(HERE)',
        'http-request set-var(txn.to) str(HERE)',
        `http-request set-var(txn.to) str(${admin}) if { var(txn.to) -m str HERE } { path -m reg -f /run/x/RULE.lst }`,
        `http-request set-var(txn.to) str(${own}) if { var(txn.to) -m str HERE }`,
        ...steps.slice(4).map((line) => line.trim().replaceAll(/l-[0-9a-f]{12}/g, 'HERE')),
      ],
    )
    assert.equal(steps.length, 5)
    const backend = config.split(`backend ${own}\n`)[1]!.split('\nbackend ')[0]!
    assert.match(backend, /http-request reject .*\{ fe_name public-80 own-[0-9a-f]{12} \} .*clients-/)
    assert.match(backend, /http-request reject .*\{ var\(txn\.own\) -m str l-[0-9a-f]{12} \} .*clients-/)
  })
})
