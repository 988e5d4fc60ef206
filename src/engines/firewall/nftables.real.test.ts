import assert from 'node:assert/strict'
import { it } from 'node:test'
import { describeFirewall, type Host } from './conformance.ts'
import { makeTestNetwork } from './test-network.ts'

if (process.getuid?.() !== 0) it('nftables', { skip: 'needs root: namespaces' })
else
  describeFirewall('nftables', async () => {
    const net = await makeTestNetwork(4)
    let engine = net.engine()
    const hostOf = (host: Host) =>
      host === 'outside' ? net.outside : host === 5 ? net.balancer : net.hosts[host - 1]!
    const from = (host: Host) => (host === 5 ? { from: net.balancer.address } : {})
    for (const host of [...net.hosts, net.balancer, net.outside])
      await host.ask({ what: 'serve', tcp: [80, 81, 5432], udp: [53] })
    let held = 0
    return {
      engine: () => engine,
      restart: () => void (engine = net.engine()),
      lose: async () => void (await net.nft('flush', 'ruleset')),
      empty: async () => void (await net.nft('flush', 'table', 'inet', 'polebean')),
      address: (host) => hostOf(host).address,
      connects: async (source, target, protocol, port, patient) => {
        const { address } = hostOf(target)
        const timeoutMs = patient ? 4_000 : 250
        const order = { what: 'probe' as const, address, port, protocol, timeoutMs, ...from(source) }
        return (await hostOf(source).ask(order)) === 'open'
      },
      hold: async (source, target, port) => {
        const name = String(++held)
        const { address } = hostOf(target)
        await hostOf(source).ask({ what: 'hold', name, address, port, ...from(source) })
        return {
          async carries() {
            const said = await hostOf(source).ask({ what: 'say', name, timeoutMs: 700 })
            assert.notEqual(said, 'silent', 'who sends on a connection that is cut is told so')
            return said === 'heard'
          },
        }
      },
      close: net.close,
    }
  })
