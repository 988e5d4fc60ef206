// One instance that opens all the connections it can does not take those of the others.
import assert from 'node:assert/strict'
import { it } from 'node:test'
import { runOk } from '../../kernel/process.ts'
import { countsFlows, flowsMaxOf, readRemembered } from '../network/flows.ts'
import { usualModel } from './test-model.ts'
import { makeTestNetwork } from './test-network.ts'

it(
  'the connections of one instance',
  { skip: process.getuid?.() === 0 ? false : 'needs root: namespaces' },
  async (context) => {
    const net = await makeTestNetwork(2)
    try {
      const { router, balancer, outside } = net
      const [hostile, neighbour] = net.hosts
      if (!(await countsFlows(router.names.router))) return context.skip('this kernel lacks nft_connlimit')
      await net.engine().apply(usualModel([hostile!.address, neighbour!.address], [balancer.address]))
      for (const host of [neighbour!, outside]) await host.ask({ what: 'serve', tcp: [80], udp: [] })
      const opens = (from: typeof outside, to: typeof outside) => {
        const order = { what: 'probe' as const, address: to.address, port: 80, protocol: 'tcp' as const }
        return from.ask({
          ...order,
          timeoutMs: 1_000,
          ...(from === balancer ? { from: balancer.address } : {}),
        })
      }
      assert.equal(await opens(hostile!, outside), 'open')

      const max = flowsMaxOf(readRemembered())
      await hostile!.ask({ what: 'flood', address: outside.address, ports: Math.min(65_535, 2 * max) })
      const file = '/proc/sys/net/netfilter/nf_conntrack_count'
      const count = Number(await runOk(router.execIn(router.names.router, ['cat', file])))
      assert.ok(count > 0.9 * max && count < 1.1 * max, `${count} of ${max}`)
      assert.equal(await opens(hostile!, outside), 'closed')
      assert.equal(await opens(neighbour!, outside), 'open')
      assert.equal(await opens(balancer, neighbour!), 'open')
      const { strange } = await net.engine().inForce()
      assert.deepEqual(strange, [])
    } finally {
      await net.close()
    }
  },
)
