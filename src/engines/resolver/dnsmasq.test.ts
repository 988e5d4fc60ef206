import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { relayService, resolverService, zoneServers } from './dnsmasq.ts'
import { needsRelay, readResolverHost, resolverProblem } from './host.ts'

const network = {
  names: { router: 'pb-abc123' },
  cidr: '10.9.0.0/16',
  resolverAddresses: ['169.254.169.253', '10.9.0.2'],
  relay: { address: '10.9.255.253', port: 5300, namesPort: 5301, privateNamesPort: 5302 },
  execIn: (namespace: string, argv: string[]) => ['in', namespace, ...argv],
}
const home = { region: 'us-west-2', zonesFile: '/run/zones.conf' }
const users = { '/etc/passwd': 'root:x:0\nnobody:x:65534\n', '/etc/group': 'root:x:0\nnogroup:x:65534\n' }
const hostWith = (files: Record<string, string>) =>
  readResolverHost((path) => ({ ...users, ...files })[path as keyof typeof users], ['192.0.2.200'])

describe('zones of the resolver', () => {
  const line = (name: string, port: number) => `server=/${name}/10.9.255.253#${port}\n`

  it('are asked for where they are, of a name below a private one never the public server', () => {
    const zones = {
      public: ['shop.test', 'sub.corp.test', 'xcorp.test', 'corp.test'],
      private: ['corp.test'],
    }
    assert.equal(
      zoneServers('', network.relay, zones),
      line('corp.test', 5302) + line('shop.test', 5301) + line('xcorp.test', 5301),
    )
  })

  it('stay where nobody can tell which there are', () => {
    const there = line('corp.test', 5302) + line('shop.test', 5301)
    assert.equal(
      zoneServers(there, network.relay, { public: ['new.test'] }),
      line('corp.test', 5302) + line('new.test', 5301),
    )
    assert.equal(zoneServers(there, network.relay, { private: [] }), line('shop.test', 5301))
  })
})

describe('resolver', () => {
  it('runs in the router, unprivileged, on its own addresses only', () => {
    const host = hostWith({ '/etc/resolv.conf': 'nameserver 192.0.2.1\n' })
    assert.deepEqual(resolverService(network, home, host), {
      name: 'resolver',
      argv: [
        ...['in', 'pb-abc123', 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--pid-file='],
        ...[
          '--log-facility=-',
          '--bind-interfaces',
          '--listen-address=169.254.169.253',
          '--listen-address=10.9.0.2',
        ],
        ...['--resolv-file=/etc/resolv.conf', '--local=/localhost/', '--servers-file=/run/zones.conf'],
        '--local=/us-west-2.compute.internal/',
        '--synth-domain=us-west-2.compute.internal,10.9.0.0/16,ip-',
        ...['--cache-size=1000', '--no-hosts'],
        ...['--dns-forward-max=1000', '--user=nobody', '--group=nogroup'],
      ],
      env: {},
      filesMax: null,
    })
    assert.equal(resolverProblem(host), null)
  })

  it("looks behind systemd-resolved's stub", () => {
    const host = hostWith({
      '/etc/resolv.conf': 'nameserver 127.0.0.53\noptions edns0\n',
      '/run/systemd/resolve/resolv.conf': 'nameserver 192.0.2.7\n',
    })
    assert.equal(host.resolvFile, '/run/systemd/resolve/resolv.conf')
    assert.deepEqual(host.upstreams, ['192.0.2.7'])
  })

  for (const [what, address] of [
    ['the loopback', '127.0.0.1'],
    ["Docker's own", '127.0.0.11'],
    ['an address of the host', '192.0.2.200'],
    ['IPv6', '2001:db8::53'],
  ] as const)
    it(`asks through the host where the only resolver is on ${what}`, () => {
      const host = hostWith({ '/etc/resolv.conf': `nameserver ${address}\n` })
      assert.equal(needsRelay(host), true)
      assert.equal(resolverProblem(host), null)
      const { argv } = resolverService(network, home, host)
      assert.ok(argv.includes('--server=10.9.255.253#5300') && argv.includes('--no-resolv'))
      const relay = relayService(network, host).argv
      assert.deepEqual(relay[0], 'dnsmasq') // on the host itself
      for (const option of ['--listen-address=10.9.255.253', '--port=5300', '--resolv-file=/etc/resolv.conf'])
        assert.ok(relay.includes(option), option)
    })

  it('asks directly where one can be reached', () => {
    const host = hostWith({ '/etc/resolv.conf': 'nameserver 127.0.0.1\nnameserver 192.0.2.9\n' })
    assert.equal(needsRelay(host), false)
  })

  it('says when there is none', () => {
    assert.match(resolverProblem(hostWith({})) ?? '', /^\/etc\/resolv\.conf names no resolver/)
  })
})
