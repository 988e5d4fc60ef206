import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { answerLines } from './answers.ts'
import { type Action, type Condition, forwardTo, type Listener, type LoadBalancer } from './engine.ts'
import { backendsOf, answerName, backendName, digest, forwardName, listenerName } from './names.ts'
import { entryOf, routeOf } from './routing.ts'

const ID = 'app/shop/1'
const SHOP: LoadBalancer = {
  ...{ id: ID, address: '10.9.0.10', elasticAddress: null, internetFacing: true, hosts: [] },
  ...{ loopbackPort: null, idleTimeoutSeconds: 60, listeners: [], cutsOnRevoke: false },
}
const rendered = (listener: Pick<Listener, 'rules' | 'action'>) => {
  const loadBalancer: LoadBalancer = { ...SHOP, listeners: [{ port: 80, clients: [], ...listener }] }
  const targetGroups = ['one', 'two'].map((id) => ({ id, healthCheck: null, targets: [] }))
  const backends = backendsOf({ loadBalancers: [loadBalancer], targetGroups })
  const [own] = loadBalancer.listeners
  return { ...routeOf(backends, loadBalancer, own!, '/d'), entry: entryOf(backends, loadBalancer, own!) }
}
const L = listenerName(ID, 80)
const [ONE, TWO] = [backendName(ID, 'one'), backendName(ID, 'two')]

describe('the way of a request', () => {
  it('has no line where there is nothing to decide', () => {
    assert.deepEqual(rendered({ rules: [], action: forwardTo('one') }), {
      lines: [],
      files: new Map(),
      entry: ONE,
    })
    assert.equal(rendered({ rules: [], action: forwardTo(null) }).entry, 'no-targets')
    assert.equal(rendered({ rules: [], action: forwardTo('gone') }).entry, 'no-targets')
    assert.equal(rendered({ rules: [], action: FIXED }).entry, answerName(ID, FIXED))
  })

  it('is one line a rule, whose patterns are in files', () => {
    const conditions: Condition[] = [
      { field: 'host-header', patterns: ['*.Example.com'] },
      { field: 'path-pattern', patterns: ['/a*', '/b'] },
      { field: 'http-request-method', methods: ['GET', 'PUT'] },
      { field: 'http-header', name: 'X-A', patterns: ['b c'] },
      {
        field: 'query-string',
        pairs: [
          { key: 'k', value: 'v*' },
          { key: null, value: 'w' },
        ],
      },
      { field: 'source-ip', ranges: ['10.0.0.0/8'] },
    ]
    const { lines, files, entry } = rendered({
      rules: [{ conditions, action: FIXED }],
      action: forwardTo('one'),
    })
    const at = (content: string) => `/d/rule-${digest(content, 16)}.lst`
    const contents = [
      '^.*\\.Example\\.com$\n',
      '^/a.*$\n^/b$\n',
      'GET\nPUT\n',
      '^b c$\n',
      '(?:^|&)k=v[^&]*(?:&|$)\n(?:^|&)(?:[^&=]*=)?+w(?:&|$)\n',
      '10.0.0.0/8\n',
    ]
    assert.deepEqual([...files.values()], contents)
    const [host, path, method, header, query, source] = contents.map(at)
    assert.equal(entry, L)
    assert.deepEqual(lines, [
      `http-request set-var(txn.to) str(${answerName(ID, FIXED)}) if { var(txn.to) -m str ${L} }` +
        ` { req.hdr(host),host_only -m reg -i -f ${host} } { path -m reg -f ${path} } { method -m str -f ${method} }` +
        ` { 'req.fhdr(X-A)' -m reg -i -f ${header} } { query -m reg -i -f ${query} } { src -f ${source} } !{ src -m sub : }`,
      `http-request set-var(txn.to) str(${ONE}) if { var(txn.to) -m str ${L} }`,
    ])
  })

  it('is drawn among target groups, of which each takes its share of what is left', () => {
    const action = shared(null)
    const forward = forwardName(ID, action)
    assert.deepEqual(rendered({ rules: [], action }).lines, [
      `http-request set-var(txn.to) str(${forward}) if { var(txn.to) -m str ${L} }`,
      `http-request set-var(txn.to) str(${ONE}) if { var(txn.to) -m str ${forward} } { rand(4) lt 3 }`,
      `http-request set-var(txn.to) str(${TWO}) if { var(txn.to) -m str ${forward} }`,
    ])
  })

  it('is kept by a cookie where it is sticky', () => {
    const action = shared(60)
    const forward = forwardName(ID, action)
    const [one, two] = [ONE, TWO].map((end) => digest(`sticky ${end}`, 32))
    const sets = (token: string | undefined, end: string) =>
      ['AWSALBTG=%; Expires=@; Path=/', 'AWSALBTGCORS=%; Expires=@; Path=/; SameSite=None'].map(
        (cookie) =>
          `http-response add-header Set-Cookie '${cookie.replace('%', token!).replace('@', '%[date(60),http_date]')}'` +
          ` if { var(txn.sticky) -m str ${forward} } { var(txn.to) -m str ${end} }`,
      )
    const at = `{ var(txn.to) -m str ${forward} }`
    assert.deepEqual(rendered({ rules: [], action }).lines.slice(1), [
      `http-request set-var(txn.sticky) str(${forward}) if ${at} !{ stopping }`,
      `http-request set-var(txn.to) str(${ONE}) if ${at} { req.cook(AWSALBTG) -m str ${one} }`,
      `http-request set-var(txn.to) str(${TWO}) if ${at} { req.cook(AWSALBTG) -m str ${two} }`,
      `http-request set-var(txn.to) str(${ONE}) if ${at} { req.cook(AWSALBTGCORS) -m str ${one} }`,
      `http-request set-var(txn.to) str(${TWO}) if ${at} { req.cook(AWSALBTGCORS) -m str ${two} }`,
      `http-request set-var(txn.to) str(${ONE}) if ${at} { rand(4) lt 3 }`,
      `http-request set-var(txn.to) str(${TWO}) if ${at}`,
      ...sets(one, ONE),
      ...sets(two, TWO),
    ])
  })

  it("ends in an answer of the balancer's own", () => {
    const settings = { dir: '/d', publicPort: (port: number) => (port === 80 ? 8080 : port) }
    const lines = (action: Exclude<Action, { type: 'forward' }>) =>
      answerLines({ name: 'a', loadBalancer: SHOP, action }, settings)
    assert.deepEqual(lines(FIXED), [
      `  http-request return status 404 content-type text/plain file /d/body-${digest('no', 16)}.txt hdr Server awselb/2.0`,
    ])
    assert.deepEqual(lines({ ...FIXED, body: '' }), [
      '  http-request return status 404 hdr Server awselb/2.0',
    ])
    const redirect: Action & { type: 'redirect' } = {
      ...{ type: 'redirect', statusCode: 301, protocol: 'HTTPS', host: '#{host}' },
      ...{ port: '443', path: '/#{path}', query: '#{query}' },
    }
    const to = 'https://%[req.hdr(host),host_only]:443/%[path,bytes(1)]'
    assert.deepEqual(lines(redirect), [
      `  http-request redirect code 301 location '${to}?%[query]' if { query -m len gt 0 }`,
      `  http-request redirect code 301 location '${to}'`,
    ])
    assert.deepEqual(
      lines({ ...redirect, protocol: 'HTTP', host: 'a.#{host}', port: '80', path: '/%\'"$', query: '' }),
      [
        "  http-request redirect code 301 location 'http://a.%[req.hdr(host),host_only]:8080/%%%%27%%22$' if { fe_name -m beg public- own- }",
        "  http-request redirect code 301 location 'http://a.%[req.hdr(host),host_only]:80/%%%%27%%22$'",
      ],
    )
  })
})

const FIXED = { type: 'fixed-response', statusCode: 404, contentType: 'text/plain', body: 'no' } as const

const shared = (stickySeconds: number | null): Action => ({
  type: 'forward',
  targetGroups: [
    { targetGroupId: 'one', weight: 3 },
    { targetGroupId: 'two', weight: 1 },
  ],
  stickySeconds,
})
