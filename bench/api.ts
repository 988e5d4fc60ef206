// DescribeEnvironments a second with the signature verified, against moto's server (which verifies none). Both are asked
// by wrk over 8 keep-alive connections, with a request signed beforehand: a client that costs as much as the server would
// be what is measured.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientPrograms } from '../tools/test/clients.mjs'
import { signRequest } from '../src/gateway/sigv4.ts'
import { readCredentials } from '../src/home.ts'
import type { TestHome } from '../test/support/home.ts'
import { inTurns, median, ratioOf, wrk, type Figure } from './measure.ts'

const ROUNDS = 5
const SECONDS = 3
const CONNECTIONS = 8
const BODY = 'Action=DescribeEnvironments&Version=2010-12-01'
const MOTO_PORT = 9004

export async function api(home: TestHome): Promise<Figure[]> {
  const { region, ports } = home.settings()
  const credentials = readCredentials(home.dir)
  const moto = spawn(join(clientPrograms(), 'moto_server'), ['-p', String(MOTO_PORT)], { stdio: 'ignore' })
  try {
    await answering(MOTO_PORT)
    const ask = (port: number) => {
      const headers = signRequest({
        method: 'POST',
        path: '/',
        headers: { host: `127.0.0.1:${port}`, 'content-type': 'application/x-www-form-urlencoded' },
        payloadHash: createHash('sha256').update(BODY).digest('hex'),
        service: 'elasticbeanstalk',
        region,
        credentials,
        at: Date.now(),
      })
      const script = join(home.dir, '../describe.lua')
      writeFileSync(script, luaOf(headers))
      return wrk([], `http://127.0.0.1:${port}/`, { seconds: SECONDS, connections: CONNECTIONS, script })
    }
    const values = await inTurns(ROUNDS, { polebean: () => ask(ports.api), moto: () => ask(MOTO_PORT) })
    const ratio = ratioOf(values.polebean!, values.moto!)
    return [
      {
        what: 'DescribeEnvironments, signature verified',
        value: `${median(values.polebean!).toFixed(0)} requests/s`,
        against: `moto_server: ${median(values.moto!).toFixed(0)}`,
        ratio: ratio.toFixed(1),
        budget: '≥ 10',
        met: ratio >= 10 ? 'yes' : 'no',
      },
    ]
  } finally {
    moto.kill('SIGTERM')
  }
}

// JSON's strings are Lua's, for the text of headers. wrk sends `host` itself.
const luaOf = ({ host: _host, ...headers }: Record<string, string>) =>
  [
    'wrk.method = "POST"',
    `wrk.body = ${JSON.stringify(BODY)}`,
    ...Object.entries(headers).map(
      ([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`,
    ),
  ].join('\n')

async function answering(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const up = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    )
    if (up) return
    await sleep(100)
  }
  throw new Error(`nothing listens on ${port}`)
}
