// Messages of WebSockets, there and back, on 16 connections, one at a time on each; beside HAProxy and nginx by hand in the balancer's
// namespace, dialling the same instance. HAProxy by hand listens on the host, as ours does; nginx cannot, and has its clients inside. Clients and contestants share this machine.
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runProgram, type TestHome } from '../test/support/home.ts'
import { inTurns, median, ratioOf, type Figure } from './measure.ts'
import { addressesOf, handWrittenHaproxy, handWrittenNginx, startPeers } from './peers.ts'

const NAME = 'bench-echo'
const ROUNDS = 5
const SECONDS = 4
const CONNECTIONS = 16
const PORTS = { haproxy: 9_021, nginx: 9_022 } as const
/** A text frame of 64 bytes, masked (RFC 6455 §5.2); what comes back is the same bytes. */
const FRAME = Buffer.concat([Buffer.from([0x81, 0x80 | 64]), Buffer.alloc(4), Buffer.alloc(64, 'x')])

/** Sends back what it is sent, after the handshake. */
const SERVER = `
const { createHash } = require('node:crypto')
const server = require('node:http').createServer((request, response) => response.end('ok'))
server.on('upgrade', (request, socket) => {
  const key = request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
  const accept = createHash('sha1').update(key).digest('base64')
  socket.setNoDelay(true)
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n')
  socket.on('error', () => undefined).pipe(socket)
})
server.listen(process.env.PORT, '127.0.0.1')
`

export async function websockets(home: TestHome): Promise<Figure[]> {
  const { id, region, domain, ports } = home.settings()
  const host = `${NAME}.${region}.${domain}`
  const folder = mkdtempSync(join(tmpdir(), 'pbbench-'))
  mkdirSync(join(folder, 'app'))
  writeFileSync(join(folder, 'app/server.js'), SERVER)
  writeFileSync(join(folder, 'app/package.json'), '{"name":"echo","scripts":{"start":"node server.js"}}')
  await home.polebean(['up', join(folder, 'app'), '--name', NAME])
  const addresses = await addressesOf(home, NAME)
  writeFileSync(
    join(folder, 'haproxy.cfg'),
    handWrittenHaproxy(addresses, [`127.0.0.1:${PORTS.haproxy} namespace pb-${id}-host`]),
  )
  writeFileSync(
    join(folder, 'nginx.conf'),
    handWrittenNginx(addresses, folder, [`${PORTS.nginx}`], ['keepalive_requests 1000000'], true),
  )
  const peers = startPeers(id, folder)
  try {
    await sleep(1_000)
    const values = await inTurns(ROUNDS, {
      polebean: () => echoes([], ports.http, host),
      haproxy: () => echoes([], PORTS.haproxy, host),
      nginx: () => echoes(peers.inside, PORTS.nginx, host),
    })
    return (['haproxy', 'nginx'] as const).map((name) => ({
      what: 'WebSocket, 64 bytes there and back',
      value: `${median(values.polebean!).toFixed(0)} messages/s`,
      against: `${name} by hand: ${median(values[name]!).toFixed(0)}`,
      ratio: ratioOf(values.polebean!, values[name]!).toFixed(2),
      ...{ budget: '', met: '' },
    }))
  } finally {
    peers.stop()
    await sleep(300)
    await home.aws(['elasticbeanstalk', 'terminate-environment', '--environment-name', NAME])
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Messages a second, by a process of its own where `prefix` puts it. */
async function echoes(prefix: string[], port: number, host: string): Promise<number> {
  const own = [process.execPath, import.meta.filename, String(port), host]
  const { status, stdout, stderr } = await runProgram([...prefix, ...own])
  if (status !== 0) throw new Error(`${stderr}${stdout}`)
  return Number(stdout)
}

async function measure(port: number, host: string): Promise<number> {
  let messages = 0
  const sockets = await Promise.all(Array.from({ length: CONNECTIONS }, () => shaken(port, host)))
  const startedAt = performance.now()
  for (const socket of sockets) {
    let left = FRAME.length
    socket.on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left > 0) return
      left = FRAME.length
      messages++
      socket.write(FRAME)
    })
    socket.write(FRAME)
  }
  await sleep(SECONDS * 1_000)
  const seconds = (performance.now() - startedAt) / 1_000
  for (const socket of sockets) socket.destroy()
  return messages / seconds
}

const shaken = (port: number, host: string) =>
  new Promise<Socket>((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').setNoDelay(true)
    const key = randomBytes(16).toString('base64')
    socket.write(
      `GET / HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
    )
    socket.on('error', reject)
    socket.once('data', (head: Buffer) => {
      if (/^HTTP\/1\.1 101 [^]*\r\n\r\n$/.test(head.toString('latin1'))) resolve(socket)
      else reject(new Error(head.toString('latin1').slice(0, 200)))
    })
  })

if (process.argv[1] === import.meta.filename)
  console.log(await measure(Number(process.argv[2]), process.argv[3] ?? ''))
