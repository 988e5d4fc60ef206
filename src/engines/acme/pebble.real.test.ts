// The client against Pebble, which asks a web server and a name server of this test.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { systemClock as clock } from '../../kernel/clock.ts'
import { makeAcmeClient } from './client.ts'
import { describeAcme, realTime } from './conformance.ts'
import { newKey } from './test-der.ts'
import { freePort, startPebble } from './test-pebble.ts'

const HOST = '127.0.0.1'

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
