// DescribeEnvironments a second with the signature verified, against moto's server (which verifies none), both asked by
// the same client: 8 keep-alive connections, requests signed beforehand.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { clientPrograms } from '../tools/test/clients.mjs'
import { signRequest } from '../src/gateway/sigv4.ts'
import { readCredentials } from '../src/home.ts'
import type { TestHome } from '../test/support/home.ts'
import { inTurns, median, ratioOf, type Figure } from './measure.ts'

const ROUNDS = 5
const SECONDS = 3
const BODY = 'Action=DescribeEnvironments&Version=2010-12-01'
const MOTO_PORT = 9004

export async function api(home: TestHome): Promise<Figure[]> {
  const { region, ports } = home.settings()
  const credentials = readCredentials(home.dir)
  const moto = spawn(join(clientPrograms(), 'moto_server'), ['-p', String(MOTO_PORT)], { stdio: 'ignore' })
  try {
    await answering(MOTO_PORT)
    const headersFor = (port: number) => () =>
      signRequest({
        method: 'POST',
        path: '/',
        headers: { host: `127.0.0.1:${port}`, 'content-type': 'application/x-www-form-urlencoded' },
        payloadHash: createHash('sha256').update(BODY).digest('hex'),
        service: 'elasticbeanstalk',
        region,
        credentials,
        at: Date.now(),
      })
    const values = await inTurns(ROUNDS, {
      polebean: () => hammer(ports.api, headersFor(ports.api)),
      moto: () => hammer(MOTO_PORT, headersFor(MOTO_PORT)),
    })
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

async function hammer(port: number, sign: () => Record<string, string>): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const until = performance.now() + SECONDS * 1_000
  const headers = sign()
  let answered = 0
  const one = async () => {
    while (performance.now() < until) {
      await new Promise<void>((resolve, reject) => {
        const call = request(
          {
            host: '127.0.0.1',
            port,
            method: 'POST',
            path: '/',
            headers: { ...headers, 'content-length': BODY.length },
            agent,
          },
          (response) => {
            response.resume()
            if (response.statusCode !== 200) reject(new Error(`HTTP ${response.statusCode}`))
            response.on('end', resolve)
          },
        )
        call.on('error', reject)
        call.end(BODY)
      })
      answered++
    }
  }
  await Promise.all(Array.from({ length: 8 }, one))
  agent.destroy()
  return answered / SECONDS
}

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
