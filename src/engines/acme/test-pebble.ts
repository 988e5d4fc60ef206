// Pebble, Let's Encrypt's own server for tests (Debian's package pebble), on loopback.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock as clock } from '../../kernel/clock.ts'
import { freePort } from '../../kernel/test-ports.ts'
import { makeCertificate } from '../../kernel/test-certificate.ts'

export type Pebble = { directory: string; trust: string; trustFile: string; stop(): Promise<void> }

const HOST = '127.0.0.1'
const COMING_MS = 20_000

type Options = { httpPort: number; dns: string; noncesRefused?: number }

/** It asks for http-01 at `httpPort`, and for names at `dns` (`address:port`); so many percent of good nonces it refuses. */
export async function startPebble({ httpPort, dns, noncesRefused = 20 }: Options): Promise<Pebble> {
  const folder = mkdtempSync(join(tmpdir(), 'pbt-pebble-'))
  const { certificate, key } = makeCertificate(['localhost'])
  const path = (name: string, content: string) => {
    writeFileSync(join(folder, name), content, { mode: 0o600 })
    return join(folder, name)
  }
  const port = await freePort()
  const config = path(
    'config.json',
    JSON.stringify({
      pebble: {
        listenAddress: `${HOST}:${port}`,
        managementListenAddress: `${HOST}:${await freePort()}`,
        certificate: path('certificate.pem', certificate),
        privateKey: path('key.pem', key),
        httpPort,
        tlsPort: 1,
        ocspResponderURL: '',
        externalAccountBindingRequired: false,
      },
    }),
  )
  const daemon = spawn('pebble', ['-config', config, '-dnsserver', dns, '-strict'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH!,
      PEBBLE_VA_NOSLEEP: '1',
      PEBBLE_WFE_NONCEREJECT: String(noncesRefused),
    },
  })
  let said = ''
  for (const stream of [daemon.stdout, daemon.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (said = (said + chunk).slice(-20_000)))
  const ended = once(daemon, 'exit')
  const stop = async () => {
    daemon.kill('SIGKILL')
    await ended
    rmSync(folder, { recursive: true, force: true })
  }
  for (const end = clock.monotonic() + COMING_MS; !said.includes('Listening on'); await clock.sleep(20))
    if (clock.monotonic() > end || daemon.exitCode !== null) {
      await stop()
      throw new Error(`pebble does not start: ${said}`)
    }
  return {
    directory: `https://localhost:${port}/dir`,
    trust: certificate,
    trustFile: join(folder, 'certificate.pem'),
    stop,
  }
}
