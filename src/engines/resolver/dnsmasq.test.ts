import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readResolverHost, resolverProblem, resolverService } from './dnsmasq.ts'

const network = {
  names: { router: 'pb-abc123' },
  resolverAddresses: ['169.254.169.253', '10.9.0.2'],
  execIn: (namespace: string, argv: string[]) => ['in', namespace, ...argv],
}
const users = { '/etc/passwd': 'root:x:0\nnobody:x:65534\n', '/etc/group': 'root:x:0\nnogroup:x:65534\n' }
const hostWith = (files: Record<string, string>) =>
  readResolverHost((path) => ({ ...users, ...files })[path as keyof typeof users])

describe('resolver', () => {
  it('runs in the router, unprivileged, on its own addresses only', () => {
    const host = hostWith({ '/etc/resolv.conf': 'nameserver 192.0.2.1\n' })
    assert.deepEqual(resolverService(network, host), {
      name: 'resolver',
      argv: [
        ...['in', 'pb-abc123', 'dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--pid-file='],
        ...[
          '--log-facility=-',
          '--bind-interfaces',
          '--listen-address=169.254.169.253',
          '--listen-address=10.9.0.2',
        ],
        ...['--resolv-file=/etc/resolv.conf', '--no-hosts', '--local=/localhost/', '--cache-size=1000'],
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

  it('says when the only resolver is out of reach, or there is none', () => {
    const stub = hostWith({ '/etc/resolv.conf': 'nameserver 127.0.0.1\nnameserver ::1\n' })
    assert.match(resolverProblem(stub) ?? '', /listens on 127.0.0.1, ::1 only/)
    assert.match(resolverProblem(hostWith({})) ?? '', /names no resolver/)
  })
})
