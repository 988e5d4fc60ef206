// The first start of this release beside instances that a former one let run: its fixed rules stay until groups are in force.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { runOk } from '../../kernel/process.ts'
import { generationOf } from './engine.ts'
import { usualModel } from './test-model.ts'
import { makeTestNetwork } from './test-network.ts'

const FORMER = (instance: string, interfaceName: string, balancer: string) => `
delete table inet polebean
table inet polebean {
  set members { type ifname . ipv4_addr; elements = { "${interfaceName}" . ${instance} } }
  set instances { type ipv4_addr; elements = { ${instance} } }
  set balancers { type ipv4_addr; elements = { ${balancer} } }
  set ports { type ipv4_addr . inet_service; }
  set closed { type ipv4_addr; flags interval; auto-merge; elements = { 127.0.0.0/8 } }
  chain prerouting { type filter hook prerouting priority raw; policy accept; meta nfproto ipv6 drop; }
  chain forward {
    type filter hook forward priority filter; policy drop
    ct state established,related accept
    iifname "lb0" ip daddr @instances tcp dport 80 accept
    iifname "lb0" ip daddr . tcp dport @ports accept
  }
  chain input { type filter hook input priority filter; policy drop; }
}
`

it(
  'a table of a former release',
  { skip: process.getuid?.() === 0 ? false : 'needs root: namespaces' },
  async () => {
    const net = await makeTestNetwork(1)
    try {
      const [host] = net.hosts
      const { router, balancer } = net
      await host!.ask({ what: 'serve', tcp: [80], udp: [] })
      const opens = async () => {
        const order = { what: 'probe' as const, address: host!.address, port: 80, protocol: 'tcp' as const }
        return balancer.ask({ ...order, timeoutMs: 1_000, from: balancer.address })
      }
      const links = await runOk(['ip', '-n', router.names.router, '-o', 'link'])
      const [, name = ''] = /: (i[0-9a-f]{14})@/.exec(links) ?? []
      await runOk(router.execIn(router.names.router, ['nft', '-f', '-']), {
        stdin: FORMER(host!.address, name, balancer.address),
      })
      assert.equal(await opens(), 'open')
      await router.ensureTable()
      assert.equal(await opens(), 'open', 'nothing is closed before groups are in force')
      const model = usualModel([host!.address], [balancer.address])
      const engine = net.engine()
      await engine.apply(model)
      assert.equal(await engine.applied(), generationOf(model))
      assert.equal(await opens(), 'open')
      assert.doesNotMatch(await net.nft('list', 'table', 'inet', 'polebean'), /set (instances|ports) /)
    } finally {
      await net.close()
    }
  },
)
