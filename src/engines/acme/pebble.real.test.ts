// The client against Pebble, which asks a web server and a name server of this test.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { freePort } from '../../kernel/test-ports.ts'
import { makeCertificate } from '../../kernel/test-certificate.ts'
import { makeAcmeClient } from './client.ts'
import { describeAcme, realTime } from './conformance.ts'
import { newKey } from './test-der.ts'
import { startPebble } from './test-pebble.ts'

const HOST = '127.0.0.1'

describe('an authority that is out of order', () => {
  for (const [what, answer] of [
    ['is too busy', (response: ServerResponse) => response.writeHead(429).end('{"detail":"busy"}')],
    ['is broken', (response: ServerResponse) => response.writeHead(503).end('<html>')],
    ['hangs up', (response: ServerResponse) => response.destroy()],
  ] as const)
    it(`has refused nothing when it ${what}`, async () => {
      const { certificate: cert, key } = makeCertificate(['localhost'])
      const server = createServer({ cert, key }, (_request, response) => void answer(response)).listen(
        0,
        HOST,
      )
      await once(server, 'listening')
      const { port } = server.address() as AddressInfo
      const account = { directory: `https://localhost:${port}/dir`, trust: cert, key: newKey(), email: null }
      const engine = makeAcmeClient({ clock, resolver: () => null })
      await assert.rejects(engine.order(account, ['www.shop.example']), { name: 'EngineError' })
      server.close()
    })
  it('has refused nothing but a nonce when it takes none', async () => {
    const pebble = await startPebble({ httpPort: 1, dns: `${HOST}:1`, noncesRefused: 100 })
    try {
      const { directory, trust } = pebble
      const engine = makeAcmeClient({ clock, resolver: () => null })
      const asked = engine.order({ directory, trust, key: newKey(), email: null }, ['www.shop.example'])
      await assert.rejects(asked, { name: 'EngineError', message: /nonce/ })
    } finally {
      await pebble.stop()
    }
  })
})

describeAcme('Pebble', async () => {
  const [httpPort, dnsPort, management] = [await freePort(), await freePort(), await freePort()]
  const off = ['-https01', '', '-tlsalpn01', '', '-defaultIPv6', '']
  const answers = spawn(
    'pebble-challtestsrv',
    [
      ...['-http01', `${HOST}:${httpPort}`, '-dns01', `${HOST}:${dnsPort}`],
      ...['-management', `${HOST}:${management}`, ...off],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const ended = once(answers, 'exit')
  const pebble = await startPebble({ httpPort, dns: `${HOST}:${dnsPort}` })
  const account = { directory: pebble.directory, trust: pebble.trust, key: newKey(), email: null }
  const tell = async (path: string, body: object) => {
    const { ok, status } = await fetch(`http://${HOST}:${management}/${path}`, {
      ...{ method: 'POST', body: JSON.stringify(body) },
    })
    if (!ok) throw new Error(`${path}: ${status}`)
  }
  return {
    ...realTime,
    engine: makeAcmeClient({ clock, resolver: () => `${HOST}:${dnsPort}` }),
    account: () => account,
    async publish({ type, name, token, content }) {
      if (type === 'http-01') await tell('add-http01', { token, content })
      else await tell('set-txt', { host: `_acme-challenge.${name}.`, value: content })
    },
    async end() {
      await pebble.stop()
      answers.kill('SIGKILL')
      await ended
    },
  }
})
