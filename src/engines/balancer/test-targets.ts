// Web servers for tests, run as a process of their own inside a namespace: told on stdin what each address does, one
// JSON line each, and answering `done` on stdout. Every answer says who gave it and which headers came.
import { createHash } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { createInterface } from 'node:readline'
import { systemClock } from '../../kernel/clock.ts'

/** `null` status: nothing listens. `checkStatus`: what health checks get, when it is not the same. */
export type TargetOrder = {
  address: string
  port: number
  name: string
  status: number | null
  checkStatus?: number
  delayMs?: number
  checkDelayMs?: number
  /** It takes connections and answers nobody, checks neither: as a process that is stopped. */
  hangs?: boolean
  /** Key and certificate in PEM: it speaks HTTPS. */
  tls?: { key: string; cert: string }
}

type Listening = { server: Server; order: TargetOrder; requests: number }
const targets = new Map<string, Listening>()

if (import.meta.main)
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as TargetOrder | { count: string }
    if ('count' in order) process.stdout.write(`${targets.get(order.count)?.requests ?? 0}\n`)
    else {
      await obey(order)
      process.stdout.write('done\n')
    }
  }

async function obey(order: TargetOrder) {
  const key = `${order.address}:${order.port}`
  const before = targets.get(key)
  if (order.status === null) {
    before?.server.closeAllConnections()
    if (before) await new Promise((resolve) => before.server.close(resolve))
    targets.delete(key)
    return
  }
  if (before) return void (before.order = order)
  const target: Listening = { server: makeServer(key, order.tls), order, requests: 0 }
  targets.set(key, target)
  await new Promise<void>((resolve) => target.server.listen(order.port, order.address, resolve))
}

function makeServer(key: string, tls: TargetOrder['tls']): Server {
  const answer: RequestListener = async (request, response) => {
    const target = targets.get(key)
    if (!target) return void request.destroy()
    const { order } = target
    if (order.hangs) return
    const isCheck = request.headers['user-agent']?.startsWith('ELB-HealthChecker') ?? false
    if (!isCheck) target.requests++
    const delayMs = isCheck ? order.checkDelayMs : order.delayMs
    if (delayMs) await systemClock.sleep(delayMs)
    response.statusCode = (isCheck ? order.checkStatus : undefined) ?? order.status ?? 500
    response.setHeader('x-served-by', order.name)
    const cookie = request.headers['x-sets-cookie']
    if (cookie) response.setHeader('set-cookie', cookie)
    const from = request.socket.remoteAddress
    let bodyBytes = 0
    try {
      for await (const chunk of request) bodyBytes += (chunk as Buffer).length
    } catch {
      return // who asked has gone
    }
    const { url, headers } = request
    response.end(JSON.stringify({ name: order.name, from, url, headers, bodyBytes }))
  }
  const server: Server = tls ? createSecureServer(tls, answer) : createServer(answer)
  server.on('upgrade', (request, socket) => {
    // RFC 6455 §4.2.2; HAProxy looks at it.
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    const accept = createHash('sha1').update(key).digest('base64')
    const head = ['HTTP/1.1 101 Switching Protocols', 'Upgrade: websocket', 'Connection: Upgrade']
    socket.write(`${[...head, `Sec-WebSocket-Accept: ${accept}`].join('\r\n')}\r\n\r\n`)
    socket.pipe(socket)
    socket.on('error', () => undefined)
  })
  server.keepAliveTimeout = 75_000
  return server
}
