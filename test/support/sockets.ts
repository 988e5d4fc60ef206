// Clients by WebSocket: a message there and back, again and again, on a connection that stays.
import { request } from 'node:http'
import type { Socket } from 'node:net'

/** A text frame of 64 bytes, masked with nothing (RFC 6455 §5.2); what comes back has two bytes before them. */
const FRAME = Buffer.concat([Buffer.from([0x81, 0x80 | 64]), Buffer.alloc(4), Buffer.alloc(64, 'x')])
const ANSWER_BYTES = 2 + 64
const EVERY_MS = 100
const AGAIN_MS = 200

/** One whose instance goes away connects again. A message that crosses the end of its connection is sent once more on the next one, since
 *  WebSocket has no word for what was received; one that is not answered then has failed. */
export function startSockets(port: number, host: string, path: string, count: number) {
  const failed: string[] = []
  let answered = 0
  let connections = 0
  let crossed = 0
  let isOver = false
  const open = () =>
    new Promise<Socket>((resolve, reject) => {
      const call = request({
        ...{ host: '127.0.0.1', port, path, agent: false, timeout: 10_000 },
        headers: {
          ...{ host, connection: 'Upgrade', upgrade: 'websocket' },
          ...{ 'sec-websocket-version': '13', 'sec-websocket-key': Buffer.alloc(16, 'k').toString('base64') },
        },
      })
      call.on('upgrade', (_response, socket) => resolve(socket as Socket))
      call.on('response', (response) => reject(new Error(`HTTP ${response.statusCode}`)))
      call.on('timeout', () => call.destroy(new Error('no answer to the handshake')))
      call.on('error', reject)
      call.end()
    })
  const echo = (socket: Socket) =>
    new Promise<void>((resolve, reject) => {
      let bytes = 0
      const end = (error?: Error) => {
        socket.off('data', data).off('close', closed).off('error', end)
        if (error) reject(error)
        else resolve()
      }
      const closed = () => end(new Error('closed before the answer'))
      const data = (chunk: Buffer) => {
        bytes += chunk.length
        if (bytes >= ANSWER_BYTES) end()
      }
      socket.on('data', data).on('close', closed).on('error', end)
      socket.write(FRAME)
    })
  const pause = (ms: number) => new Promise((done) => setTimeout(done, ms))
  const client = async () => {
    let tries = 0
    while (!isOver) {
      const socket = await open().catch((error: Error) => void failed.push(error.message))
      if (!socket) {
        await pause(AGAIN_MS)
        continue
      }
      connections++
      let isClosed = false
      socket.on('error', () => undefined).on('close', () => (isClosed = true))
      // A close between two messages is a server that goes, as it may.
      while (!isOver && !isClosed) {
        await echo(socket).then(
          () => {
            answered++
            tries = 0
          },
          (error: Error) => {
            if (++tries > 1) failed.push(error.message)
            else crossed++
          },
        )
        await pause(EVERY_MS)
        if (socket.readableEnded) break
      }
      socket.destroy()
    }
  }
  const clients = Array.from({ length: count }, client)
  return {
    async stop() {
      isOver = true
      await Promise.all(clients)
      return { answered, connections, crossed, failed }
    },
  }
}
