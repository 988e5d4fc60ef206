import { createServer, type Server } from 'node:net'
import { systemClock as clock } from '../../kernel/clock.ts'
import { describeBalancer } from './conformance.ts'
import { get, makeTestNetwork } from './test-network.ts'

describeBalancer('haproxy', async () => {
  const net = await makeTestNetwork()
  const others = new Map<number, Server>()
  return {
    clock,
    engine: net.engine,
    place: (n) => ({ address: `10.213.1.${n}`, loopbackPort: net.home.ports.environments + n }),
    elasticAddress: '127.213.0.1',
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
      const publicPort = to.tls ? net.home.ports.http + 363 : net.home.ports.http
      const listened = 'host' in to && to.listenerPort !== undefined ? to.listenerPort : publicPort
      const port = 'loopbackPort' in to ? to.loopbackPort : listened
      const { status, by, headers, body, certificate } = await get(
        port,
        'host' in to ? `${to.host.toUpperCase()}:${port}` : 'any.example',
        to.headers,
        to.path,
        false,
        to.from,
        'elasticAddress' in to ? to.elasticAddress : undefined,
        to.method,
        to.tls,
      )
      const texts = Object.entries(headers).map(([name, value]) => [name, value?.toString()] as const)
      const shown = certificate === undefined ? {} : { certificate }
      return { status, by, headers: Object.fromEntries(texts), body, ...shown }
    },
    httpPort: net.home.ports.http,
    close: async () => {
      for (const server of others.values()) server.close()
      await net.close()
    },
  }
})
