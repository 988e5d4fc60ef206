// What every balancer must keep of rules: a part of conformance.ts.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { BalancerHarness, ConformanceAnswer } from './conformance.ts'
import {
  type Action,
  type BalancerEngine,
  type Condition,
  forwardTo,
  type HealthCheck,
  type LoadBalancer,
  type Rule,
  type Target,
  type TargetGroupRouting,
  targetGroupIdsOf,
  type TargetHealth,
} from './engine.ts'

export type Stage = {
  world: BalancerHarness
  engine: BalancerEngine
  loadBalancer(n: number): LoadBalancer
  target(n: number): Target
  check(): HealthCheck
  untilHealth(wanted: Record<string, TargetHealth>): Promise<void>
}

/** `stage`: asked when a test runs. */
export function describeRules(stage: () => Stage): void {
  const host = 'shop-1.localhost'
  /** Load balancer 1 with these rules; target group n has target n alone. */
  const apply = async (
    rules: Rule[],
    action: Action = forwardTo('group-1'),
    over: Partial<LoadBalancer> = {},
  ) => {
    const { world, engine, loadBalancer, target, check, untilHealth } = stage()
    await world.answer(1, 200)
    await world.answer(2, 200)
    await engine.apply({
      loadBalancers: [
        {
          ...loadBalancer(1),
          listeners: [{ port: 80, rules, action, clients: ['0.0.0.0/0'] }],
          ...over,
        },
        loadBalancer(2),
      ],
      targetGroups: [1, 2].map((n) => ({ id: `group-${n}`, healthCheck: check(), targets: [target(n)] })),
    })
    const isNamed = targetGroupIdsOf({ rules, action }).includes('group-1')
    await untilHealth({ 'i-2': 'healthy', ...(isNamed ? { 'i-1': 'healthy' } : {}) })
  }
  const rule = (...conditions: Condition[]): Rule => ({ conditions, action: forwardTo('group-2') })
  type Request = Omit<Parameters<BalancerHarness['request']>[0], 'host' | 'loopbackPort' | 'elasticAddress'>
  const request = (more: Request = {}) => stage().world.request({ host, ...more })
  const servedBy = async (more: Request) => (await request(more)).by

  const tables: [what: string, condition: Condition, meets: Request[], misses: Request[]][] = [
    [
      'a path, with its case, without the query',
      {
        field: 'path-pattern',
        patterns: ['/img/*', '/a?c', '/exact.html', '/*/x/*.png', '/100%', '/~$@+&:'],
      },
      [
        '/img/',
        '/img/a/b?c=d',
        '/abc',
        '/exact.html?x',
        '/a/x/b.png',
        '/a/b/x/c/x/d.png',
        '/100%',
        '/~$@+&:',
      ],
      [
        '/',
        '/IMG/',
        '/img',
        '/ac',
        '/abbc',
        '/exactxhtml',
        '/exact.html/',
        '/a/x.png',
        '/?x=/img/',
        '/x/exact.html',
      ],
    ].map((part) => (Array.isArray(part) ? part.map((path) => ({ path })) : part)) as never,
    [
      'a method',
      { field: 'http-request-method', methods: ['PUT', 'DELETE'] },
      [{ method: 'PUT' }, { method: 'DELETE' }],
      [{ method: 'GET' }, { method: 'POST' }],
    ],
    [
      'a header, whatever its case',
      { field: 'http-header', name: 'X-Colour', patterns: ['*blue*', 'a\\*', '"x" \'y\' {z} \\\\'] },
      [
        { headers: { 'x-colour': 'Dark Blue' } },
        { headers: { 'X-COLOUR': 'blue' } },
        { headers: { 'x-colour': 'a*' } },
        { headers: { 'x-colour': '"x" \'y\' {z} \\' } },
      ],
      [
        {},
        { headers: { 'x-colour': 'red' } },
        { headers: { 'x-colour2': 'blue' } },
        { headers: { 'x-colour': 'ab' } },
      ],
    ],
    [
      'a parameter of the query',
      {
        field: 'query-string',
        pairs: [
          { key: 'version', value: 'v?' },
          { key: null, value: '*night*' },
          { key: 'a.b', value: '\\*' },
        ],
      },
      ['?version=v1', '?x=1&VERSION=V2&y', '?x=midnights', '?tonight', '?a.b=*'],
      [
        '',
        '?version=v10',
        '?aversion=v1',
        '?version=v',
        '?night=1&x=y',
        '?a-b=*',
        '?a.b=x',
        '?version=x&y=v1',
      ],
    ].map((part) => (Array.isArray(part) ? part.map((query) => ({ path: `/${query}` })) : part)) as never,
    [
      "a range of the client's address",
      { field: 'source-ip', ranges: ['127.0.0.8/30', '::/0'] },
      [{ from: '127.0.0.9' }],
      [
        { from: '127.0.0.1' },
        { from: '127.0.0.12' },
        { from: '127.0.0.1', headers: { 'x-forwarded-for': '127.0.0.9' } },
      ],
    ],
  ]
  for (const [what, condition, meets, misses] of tables)
    it(`takes a rule by ${what}`, async () => {
      await apply([rule(condition)])
      for (const one of meets) assert.equal(await servedBy(one), 'i-2', JSON.stringify(one))
      for (const one of misses) assert.equal(await servedBy(one), 'i-1', JSON.stringify(one))
    })

  it('takes a rule by a host pattern, whatever its case and the port', async () => {
    const names = { hosts: [host, 'a.shop-1.localhost', 'ab.shop-1.localhost'] }
    const patterns = ['?.Shop-1.localhost']
    await apply([rule({ field: 'host-header', patterns })], forwardTo('group-1'), names)
    const by = async (name: string) => (await stage().world.request({ host: name })).by
    assert.deepEqual(await Promise.all(names.hosts.map(by)), ['i-1', 'i-2', 'i-1'])
  })

  it('asks rules in their order, wants all conditions of one, and leaves other balancers alone', async () => {
    const path = (...patterns: string[]): Condition => ({ field: 'path-pattern', patterns })
    const post: Condition = { field: 'http-request-method', methods: ['POST'] }
    const says = (body: string): Action => ({
      ...{ type: 'fixed-response', statusCode: 200, contentType: 'text/plain', body },
    })
    await apply([
      { conditions: [path('/a/b'), post], action: says('first') },
      { conditions: [path('/a/*')], action: says('second') },
      rule(path('/a/*', '/c')),
    ])
    const { world } = stage()
    assert.equal((await request({ path: '/a/b', method: 'POST' })).body, 'first')
    assert.equal((await request({ path: '/a/b' })).body, 'second')
    assert.equal(await servedBy({ path: '/c' }), 'i-2')
    assert.equal(await servedBy({ path: '/' }), 'i-1')
    assert.equal((await world.request({ host: 'shop-2.localhost', path: '/a/b' })).by, 'i-2')
    const { loopbackPort } = world.place(1)
    assert.equal((await world.request({ loopbackPort, path: '/a/b' })).body, 'second')
  })

  it('may have a loopback port for each of its names, at which it is asked by that name', async () => {
    const path = (...patterns: string[]): Condition => ({ field: 'path-pattern', patterns })
    const of = (...patterns: string[]): Condition => ({ field: 'host-header', patterns })
    const says = (body: string): Action => ({
      ...{ type: 'fixed-response', statusCode: 200, contentType: 'text/plain', body },
    })
    const { world } = stage()
    const [first, second] = [world.place(1).loopbackPort, world.place(3).loopbackPort]
    const names = ['one.localhost', 'two.localhost']
    const rules: Rule[] = [
      { conditions: [of('two.localhost'), path('/admin/*')], action: says('admin of two') },
      { conditions: [of('ONE.localhost', 'three.localhost')], action: forwardTo('group-2') },
      { conditions: [of('t?o.*')], action: says('two') },
    ]
    const namedPorts = [first, second].map((port, n) => ({ port, host: names[n]! }))
    const over = { hosts: [host, ...names], loopbackPort: null, namedPorts }
    const at = async (loopbackPort: number, asked: string) =>
      (await world.request({ loopbackPort, path: asked })).body
    await world.occupy(second, 'somebody')
    await apply(rules, says('nobody'), over)
    assert.equal((await world.request({ loopbackPort: first, path: '/admin/x' })).by, 'i-2')
    const { taken } = await stage().engine.observe()
    assert.deepEqual(
      taken.map(({ listenerPort, port }) => [listenerPort, port]),
      [[null, second]],
    )
    await world.occupy(second, null)
    await apply(rules, says('somebody'), over)
    assert.deepEqual([await at(second, '/admin/x'), await at(second, '/')], ['admin of two', 'two'])
    assert.equal((await request({ path: '/admin/x' })).body, 'somebody')
    assert.equal((await world.request({ host: 'two.localhost', path: '/admin/x' })).body, 'admin of two')
    const listeners = [{ port: 80, rules, action: says('nobody'), clients: ['127.0.0.9/32'] }]
    await apply(rules, says('nobody'), { ...over, listeners })
    for (const loopbackPort of [first, second]) {
      await assert.rejects(at(loopbackPort, '/'))
      assert.ok(await world.request({ loopbackPort, from: '127.0.0.9' }))
    }
    await apply(rules, says('nobody'), { ...over, namedPorts: namedPorts.slice(0, 1) })
    await assert.rejects(at(second, '/'))
  })

  it('redirects, with what it takes from the request, and counts it', async () => {
    const to = (over: object): Action => ({
      ...{ type: 'redirect', statusCode: 301, protocol: '#{protocol}', host: '#{host}', port: '#{port}' },
      ...{ path: '/#{path}', query: '#{query}', ...over },
    })
    const at = (pattern: string, action: Action): Rule => ({
      conditions: [{ field: 'path-pattern', patterns: [pattern] }],
      action,
    })
    await apply(
      [
        at('/secure/*', to({ protocol: 'HTTPS', port: '443', statusCode: 302 })),
        at('/old', to({ host: 'other.example', path: "/new/100%/it's", query: 'from=#{path}&x=$1' })),
        at('/away', to({ host: 'www.#{host}', port: '81', query: '' })),
        at('/home', to({ port: '80', path: '/' })),
      ],
      to({ path: '/moved/#{path}' }),
    )
    const { httpPort } = stage().world
    const before = (await stage().engine.observe()).counters[0]
    const redirected = async (path: string) => {
      const { status, headers } = await request({ path })
      return `${status} ${headers['location']}`.toLowerCase()
    }
    assert.equal(await redirected('/secure/a?b=c'), `302 https://${host}:${httpPort + 363}/secure/a?b=c`)
    assert.match(
      await redirected('/old?x'),
      new RegExp(`^301 http://other\\.example:${httpPort}/new/100%/it('|%27)s\\?from=old&x=\\$1$`),
    )
    assert.equal(await redirected('/away?x=y'), `301 http://www.${host}:81/away`)
    assert.equal(await redirected('/home'), `301 http://${host}:${httpPort}/`)
    assert.equal(await redirected('/x/y'), `301 http://${host}:${httpPort}/moved/x/y`)
    assert.equal(await redirected('/?q'), `301 http://${host}:${httpPort}/moved/?q`)
    const now = (await stage().engine.observe()).counters[0]
    assert.equal(now!.redirects - before!.redirects, 6)
    assert.equal(now!.requests, before!.requests)
  })

  it('answers by itself what a fixed response says, byte for byte, also to who asks for the head only', async () => {
    const body = `<p class="a">'$PATH' %[src]\n\\n {}</p>\n`
    const fixed = (statusCode: number, contentType: string, text: string): Action => ({
      ...{ type: 'fixed-response', statusCode, contentType, body: text },
    })
    await apply(
      [
        {
          conditions: [{ field: 'path-pattern', patterns: ['/empty'] }],
          action: fixed(404, 'text/plain', ''),
        },
      ],
      fixed(503, 'text/html', body),
    )
    const before = (await stage().engine.observe()).counters[0]
    const answer = await request({ path: '/x' })
    assert.deepEqual([answer.status, answer.body, answer.by], [503, body, null])
    assert.equal(answer.headers['content-type'], 'text/html')
    const empty = await request({ path: '/empty' })
    assert.deepEqual([empty.status, empty.body], [404, ''])
    const now = (await stage().engine.observe()).counters[0]
    assert.equal(now!.fixedResponses - before!.fixedResponses, 2)
    assert.equal(now!.balancer5xx, before!.balancer5xx)
  })

  it('shares requests among target groups by weight, and none to a weight of 0', async () => {
    const weighted = (first: number, second: number): Action => ({
      type: 'forward',
      targetGroups: [
        { targetGroupId: 'group-1', weight: first },
        { targetGroupId: 'group-2', weight: second },
      ],
      stickySeconds: null,
    })
    const shareOfSecond = async () => {
      const all = await Promise.all(Array.from({ length: 400 }, () => servedBy({})))
      return all.filter((one) => one === 'i-2').length / all.length
    }
    await apply([], weighted(3, 1))
    const share = await shareOfSecond()
    // Four hundred draws of a quarter: seven standard deviations.
    assert.ok(Math.abs(share - 0.25) < 0.15, String(share))
    await apply([], weighted(1, 0))
    assert.equal(await shareOfSecond(), 0)
    await apply([], weighted(0, 0))
    assert.equal((await request()).status, 503)
  })

  it('keeps a client with the target group that its first request met, by a cookie', async () => {
    await apply([], {
      type: 'forward',
      targetGroups: ['group-1', 'group-2'].map((targetGroupId) => ({ targetGroupId, weight: 1 })),
      stickySeconds: 60,
    })
    for (let client = 0; client < 4; client++) {
      const { by, headers } = await request()
      const cookie = /AWSALBTG=[^;,]+/.exec(headers['set-cookie'] ?? '')![0]
      for (let i = 0; i < 6; i++) assert.equal(await servedBy({ headers: { cookie: `a=b; ${cookie}` } }), by)
    }
    assert.match((await servedBy({ headers: { cookie: 'AWSALBTG=made-up' } })) ?? '', /^i-[12]$/)
    const kept = await request()
    const cookie = /AWSALBTG=[^;,]+/.exec(kept.headers['set-cookie'] ?? '')![0]
    await apply([], {
      type: 'forward',
      targetGroups: ['group-1', 'group-2'].map((targetGroupId, index) => ({
        targetGroupId,
        weight: 1 + index,
      })),
      stickySeconds: 60,
    })
    for (let i = 0; i < 6; i++)
      assert.equal(await servedBy({ headers: { cookie } }), kept.by, 'whatever the weights became')
  })

  /** Targets 1 and 2 behind load balancer 1. */
  const routed = async (routing: TargetGroupRouting, targets = [1, 2].map((n) => stage().target(n))) => {
    const { world, engine, loadBalancer, check, untilHealth } = stage()
    await world.answer(1, 200)
    await world.answer(2, 200)
    await engine.apply({
      loadBalancers: [loadBalancer(1)],
      targetGroups: [{ id: 'group-1', healthCheck: check(), targets, routing }],
    })
    await untilHealth({ 'i-1': targets[0]!.draining ? 'draining' : 'healthy', 'i-2': 'healthy' })
  }
  const plain: TargetGroupRouting = { algorithm: 'round_robin', slowStartSeconds: 0, stickiness: null }
  const cookieIn = (answer: ConformanceAnswer, name: string) =>
    new RegExp(`(?:^|[ ,])(${name}=[^;,]+)`).exec(answer.headers['set-cookie'] ?? '')?.[1]

  for (const algorithm of ['least_outstanding_requests', 'weighted_random'] as const)
    it(`shares requests out by ${algorithm}`, async () => {
      await routed({ ...plain, algorithm })
      const all = await Promise.all(Array.from({ length: 60 }, () => servedBy({})))
      for (const id of ['i-1', 'i-2']) assert.ok(all.filter((one) => one === id).length > 5, `${all}`)
    })

  it('keeps a client with its target by a cookie, until that drains or fails', async () => {
    const sticky = { ...plain, stickiness: { seconds: 60, applicationCookie: null } }
    await routed(sticky)
    const cookies: Record<string, string> = {}
    for (let i = 0; i < 4; i++) {
      const answer = await request()
      cookies[answer.by!] = cookieIn(answer, 'AWSALB')!
    }
    assert.deepEqual(Object.keys(cookies).sort(), ['i-1', 'i-2'])
    const by = (id: string) => servedBy({ headers: { cookie: `x=y; ${cookies[id]}` } })
    for (let i = 0; i < 3; i++) assert.deepEqual([await by('i-1'), await by('i-2')], ['i-1', 'i-2'])
    assert.match((await servedBy({ headers: { cookie: 'AWSALB=made-up' } })) ?? '', /^i-[12]$/)
    await routed(sticky, [{ ...stage().target(1), draining: true }, stage().target(2)])
    assert.equal(await by('i-1'), 'i-2')
    await routed(sticky)
    assert.equal(await by('i-1'), 'i-1')
    await stage().world.answer(1, null)
    await stage().untilHealth({ 'i-1': 'unhealthy' })
    assert.equal(await by('i-1'), 'i-2')
    await stage().world.answer(1, 200)
    await stage().untilHealth({ 'i-1': 'healthy' })
    // The engine may learn of it a moment before its map.
    await stage().engine.observe()
    assert.equal(await by('i-1'), 'i-1')
  })

  it("keeps a client with its target from where the application's cookie is set, and while it is sent", async () => {
    // What a name may hold, and what would be a comment, a variable or a sample elsewhere.
    await routed({ ...plain, stickiness: { seconds: 60, applicationCookie: 'a#$%&*+-.^_`|~!Z9' } })
    assert.match((await servedBy({})) ?? '', /^i-/)
    await routed({ ...plain, stickiness: { seconds: 60, applicationCookie: 'SESSION' } })
    assert.equal(cookieIn(await request(), 'AWSALBAPP-0'), undefined)
    const answer = await request({ headers: { 'x-sets-cookie': 'SESSION=1; Path=/' } })
    const cookie = cookieIn(answer, 'AWSALBAPP-0')
    for (let i = 0; i < 4; i++)
      assert.equal(await servedBy({ headers: { cookie: `SESSION=1; ${cookie}` } }), answer.by)
    const without = await Promise.all([1, 2].map(() => servedBy({ headers: { cookie: cookie! } })))
    assert.deepEqual(without.sort(), ['i-1', 'i-2'])
  })

  it('refuses what could not be carried, and keeps what is in force', async () => {
    await apply([rule({ field: 'path-pattern', patterns: ['/kept'] })])
    const bad: [Rule, RegExp][] = [
      [rule({ field: 'path-pattern', patterns: ['/a\nb'] }), /pattern/],
      [rule({ field: 'http-header', name: "a'b", patterns: ['x'] }), /header of a rule/],
      [rule({ field: 'http-request-method', methods: ['get'] }), /method/],
      [rule({ field: 'source-ip', ranges: ['10.0.0.0'] }), /range of a rule/],
      [
        {
          conditions: [],
          action: { type: 'fixed-response', statusCode: 200, contentType: 'text/html\n', body: '' },
        },
        /content type/,
      ],
    ]
    for (const [one, message] of bad) await assert.rejects(apply([one]), { name: 'EngineError', message })
    assert.equal(await servedBy({ path: '/kept' }), 'i-2')
    assert.equal(await servedBy({ path: '/' }), 'i-1')
  })
}
