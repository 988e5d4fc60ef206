import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkModel } from './check-model.ts'
import { renderConfig, type Settings } from './config.ts'
import { type BalancerModel, type HealthCheck, listenerTo } from './engine.ts'
import { backendsOf } from './names.ts'
import { planServers } from './plan.ts'

const settings: Settings = {
  dir: '/run/polebean/abc123/haproxy',
  threads: 2,
  connectionsMax: 8_000,
  user: { name: 'haproxy', group: 'haproxy' },
  hostNamespace: 'pb-abc123-host',
  addresses: { ipv6: true, public: [] },
  leftOut: new Set(),
  publicPort: (port) => (port === 80 ? 8080 : port),
}

const check: HealthCheck = {
  protocol: 'HTTP',
  port: null,
  path: "/it's?a=1",
  intervalSeconds: 15,
  timeoutSeconds: 5,
  healthyThreshold: 3,
  unhealthyThreshold: 5,
  matcher: '200,301-302',
}

const shop: BalancerModel = {
  loadBalancers: [
    {
      id: 'app/shop/0123456789abcdef',
      address: '10.9.0.10',
      elasticAddress: null,
      internetFacing: true,
      hosts: ['shop.us-west-2.elasticbeanstalk.localhost', 'shop-123.us-west-2.elb.localhost'],
      loopbackPort: 9000,
      idleTimeoutSeconds: 60,
      listeners: [listenerTo(80, 'targetgroup/shop/1', ['0.0.0.0/0'])],
      cutsOnRevoke: false,
    },
  ],
  targetGroups: [
    {
      id: 'targetgroup/shop/1',
      healthCheck: check,
      targets: [
        { id: 'i-0123456789abcdef0', address: '10.9.1.1', port: 80, draining: false },
        { id: 'i-0123456789abcdef1', address: '10.9.1.2', port: 80, draining: true },
      ],
    },
  ],
}

const render = (model: BalancerModel, over: Partial<Settings> = {}) =>
  renderConfig(model, { ...settings, ...over }, planServers(backendsOf(model), []).servers)

describe('HAProxy configuration', () => {
  it('is this text for one environment', () => {
    const { config, frame, maps, hostBinds } = render(shop)
    assert.equal(
      config.slice(config.indexOf('frontend public-80')),
      `frontend public-80
  bind 127.0.0.1:8080 namespace pb-abc123-host
  bind [::1]:8080 v6only namespace pb-abc123-host
  bind abns@polebean-DIR-public-80 accept-proxy
  tcp-request connection reject if { src -m found } { src -m sub : } !{ src,map_ip(/run/polebean/abc123/haproxy/clients-80-6.map) -m found }
  tcp-request connection reject if { src -m found } !{ src -m sub : } !{ src,map_ip(/run/polebean/abc123/haproxy/clients-80-4.map) -m found }
  tcp-request session set-var(sess.here) str(here) if { src -m ip 127.0.0.0/8 ::1/128 }
  http-request set-var(txn.via) str(-via) if { req.hdr(x-forwarded-for) -m found }
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port 8080
  http-request set-header X-Amzn-Trace-Id Root=1-%[date,bytes(4,4),hex,lower]-6c237681e709%[uuid(),bytes(24,12)] unless { req.hdr(x-amzn-trace-id) -m found }
  http-request return status 200 content-type text/plain lf-string "%[path,map_str(/run/polebean/abc123/haproxy/challenges.map)]" if { path_beg /.well-known/acme-challenge/ } { path,map_str(/run/polebean/abc123/haproxy/challenges.map) -m found }
  http-request set-var(txn.to) req.hdr(host),host_only,lower,map(/run/polebean/abc123/haproxy/hosts-80.map,unknown-host)
  use_backend handover-public-80 if { stopping }
  use_backend %[var(txn.to)]

backend handover-public-80
  http-request set-log-level silent
  server current abns@polebean-DIR-public-80 send-proxy-v2

frontend vpc-80
  bind 10.9.0.10:80
  bind abns@polebean-DIR-vpc-80 accept-proxy
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port 80
  http-request set-header X-Amzn-Trace-Id Root=1-%[date,bytes(4,4),hex,lower]-48449a14a4ff%[uuid(),bytes(24,12)] unless { req.hdr(x-amzn-trace-id) -m found }
  http-request set-var(txn.to) dst,map(/run/polebean/abc123/haproxy/addresses-80.map,unknown-host)
  use_backend handover-vpc-80 if { stopping }
  use_backend %[var(txn.to)]

backend handover-vpc-80
  http-request set-log-level silent
  server current abns@polebean-DIR-vpc-80 send-proxy-v2

# load balancer app/shop/0123456789abcdef
frontend own-OWN
  bind 127.0.0.1:9000 namespace pb-abc123-host
  bind [::1]:9000 v6only namespace pb-abc123-host
  bind abns@polebean-DIR-own-OWN accept-proxy
  tcp-request connection reject if { src -m found } { src -m sub : } !{ src,map_ip(/run/polebean/abc123/haproxy/clients-OWN-80-6.map) -m found }
  tcp-request connection reject if { src -m found } !{ src -m sub : } !{ src,map_ip(/run/polebean/abc123/haproxy/clients-OWN-80-4.map) -m found }
  tcp-request session set-var(sess.here) str(here) if { src -m ip 127.0.0.0/8 ::1/128 }
  http-request set-var(txn.via) str(-via) if { req.hdr(x-forwarded-for) -m found }
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Port 9000
  http-request set-header X-Amzn-Trace-Id Root=1-%[date,bytes(4,4),hex,lower]-c4fe6b6dbe94%[uuid(),bytes(24,12)] unless { req.hdr(x-amzn-trace-id) -m found }
  http-request set-var(txn.to) str(b-BACKEND)
  use_backend handover-own-OWN if { stopping }
  use_backend %[var(txn.to)]

backend handover-own-OWN
  http-request set-log-level silent
  server current abns@polebean-DIR-own-OWN send-proxy-v2

# load balancer app/shop/0123456789abcdef, target group targetgroup/shop/1
backend b-BACKEND
  balance roundrobin
  source 10.9.0.10
  option allbackups
  http-request replace-header X-Forwarded-For (.*) "\\1, %[src]"
  option forwardfor if-none
  http-request reject if !{ var(sess.let_in) -m str OWN } { fe_name public-80 own-OWN } { src -m sub : } !{ src,map_ip(/run/polebean/abc123/haproxy/clients-OWN-80-6.map) -m found }
  http-request reject if !{ var(sess.let_in) -m str OWN } { fe_name public-80 own-OWN } !{ src -m sub : } !{ src,map_ip(/run/polebean/abc123/haproxy/clients-OWN-80-4.map) -m found }
  http-request set-var(sess.let_in) str(OWN) if !{ var(sess.let_in) -m str OWN }
  http-response set-var(txn.rate) be_sess_rate
  http-response set-log-level silent if { rand(1000),mul(txn.rate) gt 20000 }
  timeout server 60s
  timeout tunnel 60s
  timeout check 5000ms
  option httpchk
  http-check send meth GET uri '/it'\\''s?a=1' ver HTTP/1.1 hdr Host shop.us-west-2.elasticbeanstalk.localhost hdr User-Agent ELB-HealthChecker/2.0 hdr Connection close
  http-check expect status 200,301-302
  default-server check inter 15000ms fall 5 rise 3 downinter 250ms
  server i-0123456789abcdef0-80-HASH.i 10.9.1.1:80 rise 1
  server i-0123456789abcdef0-80-HASH.o 10.9.1.1:80 no-check backup disabled

backend no-targets

backend unknown-host
  http-request set-log-level silent
  http-request return status 404 content-type text/plain lf-string "No environment answers to this name.\\n%[be_name,concat(-,sess.here),concat(,txn.via),map(/run/polebean/abc123/haproxy/reasons.map)]"
`
        .replaceAll('BACKEND', BACKEND)
        .replaceAll('OWN', OWN)
        .replaceAll('HASH', HASH)
        .replaceAll('DIR', DIR),
    )
    assert.match(config, new RegExp(`^  node polebean-${frame}$`, 'm'))
    assert.deepEqual(hostBinds, ['127.0.0.1:8080', '[::1]:8080', '127.0.0.1:9000', '[::1]:9000'])
    assert.deepEqual(Object.fromEntries(maps), {
      'hosts-80.map': `shop.us-west-2.elasticbeanstalk.localhost b-${BACKEND}\nshop-123.us-west-2.elb.localhost b-${BACKEND}\n`,
      'addresses-80.map': `10.9.0.10 b-${BACKEND}\n`,
      'reasons.map': '',
      'challenges.map': '',
      'clients-80-4.map': '0.0.0.0/0 1\n',
      'clients-80-6.map': '::1/128 1\n',
      [`clients-${OWN}-80-4.map`]: '0.0.0.0/0 1\n',
      [`clients-${OWN}-80-6.map`]: '::1/128 1\n',
    })
  })

  it('keeps its frame when targets or names change, and only then', () => {
    const { frame } = render(shop)
    const [balancer] = shop.loadBalancers
    const [group] = shop.targetGroups
    assert.ok(balancer && group)
    const changed = (one: Partial<typeof balancer>, other: Partial<typeof group> = {}) =>
      render({ loadBalancers: [{ ...balancer, ...one }], targetGroups: [{ ...group, ...other }] }).frame
    assert.equal(changed({}, { targets: [] }), frame)
    assert.equal(changed({ hosts: [balancer.hosts[0]!, 'another.localhost'] }), frame)
    assert.notEqual(changed({ loopbackPort: 9001 }), frame)
    assert.notEqual(changed({ idleTimeoutSeconds: 61 }), frame)
    assert.notEqual(changed({}, { healthCheck: { ...check, unhealthyThreshold: 2 } }), frame)
    assert.notEqual(render(shop, { addresses: { ipv6: false, public: [] } }).frame, frame)
  })

  it('leaves out what somebody else has on the host, and nothing more', () => {
    const lines = (...leftOut: string[]) =>
      render(shop, { leftOut: new Set(leftOut) })
        .config.split('\n')
        .filter((line) => /^ {2}bind [^a]|^frontend /.test(line))
    assert.deepEqual(lines('[::1]:8080', '127.0.0.1:9000', '[::1]:9000'), [
      'frontend public-80',
      '  bind 127.0.0.1:8080 namespace pb-abc123-host',
      'frontend vpc-80',
      '  bind 10.9.0.10:80',
    ])
    const { config, maps } = render(shop, { leftOut: new Set(['127.0.0.1:8080', '[::1]:8080']) })
    assert.doesNotMatch(config, /frontend public-80/)
    assert.deepEqual(
      [...maps.keys()].filter((name) => !name.startsWith('clients-')),
      ['challenges.map', 'addresses-80.map', 'reasons.map'],
    )
    assert.equal(maps.has('clients-80-4.map'), false)
    assert.match(config, new RegExp(`frontend own-${OWN}`))
  })

  it('gives an internal balancer no public listener, and a listener without targets a 503', () => {
    const [balancer] = shop.loadBalancers
    assert.ok(balancer)
    const internal = {
      ...balancer,
      elasticAddress: null,
      internetFacing: false,
      loopbackPort: null,
      listeners: [listenerTo(80, null, [])],
      cutsOnRevoke: false,
    }
    const { config, maps, hostBinds } = render({ loadBalancers: [internal], targetGroups: [] })
    assert.deepEqual(hostBinds, [])
    assert.doesNotMatch(config, /frontend (public|own)/)
    assert.equal(maps.get('addresses-80.map'), '10.9.0.10 no-targets\n')
    assert.equal(maps.get(`clients-${OWN}-80-4.map`), '')
  })

  it('leads nobody below a wildcard whose own name has no listener at the port', () => {
    const [balancer] = shop.loadBalancers as [BalancerModel['loadBalancers'][number]]
    const other = {
      ...{ ...balancer, id: 'app/wild/0123456789abcdef', address: '10.9.0.11', loopbackPort: 9001 },
      hosts: ['*.elasticbeanstalk.localhost'],
      listeners: [80, 8443].map((port) => listenerTo(port, 'targetgroup/shop/1', ['0.0.0.0/0'])),
    }
    const { maps } = render({ ...shop, loadBalancers: [balancer, other] })
    assert.match(maps.get('ends-8443.map')!, /^\.elasticbeanstalk\.localhost \S+\n$/)
    assert.match(maps.get('hosts-8443.map')!, /^shop\.us-west-2\.elasticbeanstalk\.localhost unknown-host$/m)
    assert.doesNotMatch(maps.get('hosts-80.map')!, /unknown-host/)
  })

  it('checks by connection alone when the target group says so', () => {
    const [group] = shop.targetGroups
    assert.ok(group)
    const tcp = {
      ...shop,
      targetGroups: [{ ...group, healthCheck: { ...check, protocol: 'TCP' as const, port: 81 } }],
    }
    const { config } = render(tcp)
    assert.doesNotMatch(config, /httpchk|http-check/)
    assert.match(config, /default-server check .* port 81$/m)
  })
})

describe('a model', () => {
  it('is refused when a word of it could become more than a word', () => {
    const [balancer] = shop.loadBalancers
    const [group] = shop.targetGroups
    assert.ok(balancer && group)
    const withBalancer = (over: Partial<typeof balancer>) => ({
      ...shop,
      loadBalancers: [{ ...balancer, ...over }],
    })
    const withCheck = (over: Partial<HealthCheck>) => ({
      ...shop,
      targetGroups: [{ ...group, healthCheck: { ...check, ...over } }],
    })
    checkModel(shop)
    const bad: [BalancerModel, RegExp][] = [
      [withBalancer({ id: 'a\nserver evil 1.2.3.4' }), /not an id/],
      [withBalancer({ hosts: ['a b'] }), /host name cannot be "a b"/],
      [withBalancer({ hosts: ['Shop.localhost'] }), /host name/],
      [withBalancer({ hosts: ['a.b', 'a.b'] }), /same host name/],
      [withBalancer({ address: '::1' }), /address/],
      [withBalancer({ listeners: [listenerTo(0, null, [])] }), /listener port/],
      [withCheck({ path: '/a b' }), /health check path/],
      [withCheck({ path: '/a\nb' }), /health check path/],
      [withCheck({ path: 'a' }), /health check path/],
      [withCheck({ matcher: '200 or so' }), /matcher/],
      [withCheck({ intervalSeconds: Number.NaN }), /interval/],
      [
        { ...shop, loadBalancers: [balancer, { ...balancer, id: 'other', hosts: [], loopbackPort: null }] },
        /same address/,
      ],
    ]
    for (const [model, message] of bad)
      assert.throws(() => checkModel(model), { name: 'EngineError', message })
  })
})

// sha256 of the load balancer's id, of both ids, of the target's address, of HAProxy's folder.
const OWN = 'a3bf528fd85c'
const BACKEND = '9ba0e4914b72'
const HASH = '7a47'
const DIR = 'd0525b53ac7f'
