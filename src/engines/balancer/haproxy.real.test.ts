import { createServer, type Server } from 'node:net'
import { systemClock as clock } from '../../kernel/clock.ts'
import { describeBalancer } from './conformance.ts'
import { get, makeTestNetwork } from './test-network.ts'

/** No headers of its own, the path /, no agent. */
const NONE = [{}, '/', false] as const

describeBalancer('haproxy', async () => {
  const net = await makeTestNetwork()
  const others = new Map<number, Server>()
  return {
    clock,
    engine: net.engine,
    place: (n) => ({ address: `10.213.1.${n}`, loopbackPort: net.home.ports.environments + n }),
    targetAddress: (n) => `10.213.2.${n}`,
    occupy: async (port, by) => {
      if (by === null) await new Promise((resolve) => others.get(port)?.close(resolve))
      else {
        const server = createServer()
        others.set(port, server)
        await new Promise<void>((resolve) => server.listen(port, resolve))
      }
    },
    answer: (n, status) => net.order({ address: `10.213.2.${n}`, port: 80, name: `i-${n}`, status }),
    request: async (to) => {
      const port = 'host' in to ? net.home.ports.http : to.loopbackPort
      const { status, by } = await get(
        port,
        'host' in to ? `${to.host.toUpperCase()}:${port}` : 'any.example',
        ...NONE,
        to.from,
      )
      return { status, by }
    },
    close: async () => {
      for (const server of others.values()) server.close()
      await net.close()
    },
  }
})
