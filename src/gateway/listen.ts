// node:http around the gateway's handler.
import { createServer, STATUS_CODES, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable, type Duplex } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../kernel/clock.ts'
import type { DeclaredError } from '../kernel/errors.ts'
import type { Answer } from './protocols/protocol.ts'
import type { GatewayRequest } from './request.ts'
import { refuseUnreadable } from './unreadable.ts'

export type Listening = {
  port: number
  /** Stops accepting, lets the requests under way end for at most 3 s, then cuts them. */
  close(): Promise<void>
}

/** `take`: the connection is its from now on. */
export type Upgrading = { protocol: string; take(stream: Duplex): void } | { refused: Answer }

type Handle = (request: GatewayRequest) => Promise<Answer>
/** Makes the answer to what is no request at all. */
type Refuse = (refusal: DeclaredError) => Answer

const CLOSE_GRACE_MS = 3_000

export function listen(
  {
    handle,
    upgrade,
    refuse,
  }: { handle: Handle; upgrade: (request: GatewayRequest) => Upgrading; refuse: Refuse },
  address: { host: string; port: number },
  limits: { headerBytesMax: number },
  clock: Clock,
): Promise<Listening> {
  const server = createServer({
    maxHeaderSize: limits.headerBytesMax,
    headersTimeout: 10_000,
    // A 512 MiB bundle over a slow link.
    requestTimeout: 900_000,
    keepAliveTimeout: 60_000,
    noDelay: true,
    // Without a host there is no valid signature, which the handler says better.
    requireHostHeader: false,
    // Clients offer HTTP/2 and the like by the way; only ours means it.
    shouldUpgradeCallback: ({ url = '' }) => url.startsWith('/polebean/'),
  })
  server.timeout = 300_000
  server.maxConnections = 2048
  const serving = new WeakSet<Duplex>()
  const serveOne = (request: IncomingMessage, response: ServerResponse, expects?: Expectation) => {
    const { socket } = request
    serving.add(socket)
    void serve(handle, request, response, expects).finally(() => serving.delete(socket))
  }
  const taken = new Set<Duplex>()
  server.on('upgrade', (request, stream, first) => {
    taken.add(stream)
    stream.on('close', () => taken.delete(stream))
    serveUpgrade(upgrade, request, stream, first)
  })
  server.on('request', serveOne)
  server.on('checkExpectation', serveOne)
  server.on('clientError', (error, socket) => {
    // Behind a request that is being answered a second answer would be read as part of the first.
    if (serving.has(socket)) socket.destroy()
    else refuseUnreadable(error, socket, refuse)
  })
  server.on('checkContinue', (request, response) => {
    let told = false
    const tell = () => {
      if (!told) response.writeContinue()
      told = true
    }
    serveOne(request, response, { tell, wasTold: () => told })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...address, backlog: 1024 }, () => {
      server.off('error', reject)
      const { port } = server.address() as AddressInfo
      resolve({ port, close: () => close(server, taken, clock) })
    })
  })
}

async function close(server: Server, taken: ReadonlySet<Duplex>, clock: Clock): Promise<void> {
  const over = new AbortController()
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection that ends its last request would stay open, idle, until its keep-alive is over.
  server.keepAliveTimeout = 1
  server.closeIdleConnections()
  const cut = clock.sleep(CLOSE_GRACE_MS, over.signal).then(() => {
    server.closeAllConnections()
    for (const stream of taken) stream.destroy()
  })
  cut.catch(() => undefined)
  await closed
  over.abort()
}

function serveUpgrade(
  upgrade: (request: GatewayRequest) => Upgrading,
  { method = 'GET', url = '/', rawHeaders, socket }: IncomingMessage,
  stream: Duplex,
  first: Buffer,
): void {
  stream.on('error', () => stream.destroy()) // the client went away
  const answer = upgrade({ method, url, rawHeaders, body: new Uint8Array() })
  if ('refused' in answer) {
    const { status, headers, body } = answer.refused
    const text = typeof body === 'string' ? body : ''
    const all = { ...headers, 'content-length': String(Buffer.byteLength(text)), connection: 'close' }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
    stream.end([`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, ...lines, '', text].join('\r\n'))
    return
  }
  socket.setTimeout(0)
  if (first.length > 0) stream.unshift(first)
  stream.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${answer.protocol}\r\n\r\n`,
  )
  answer.take(stream)
}

type Expectation = { tell: () => void; wasTold: () => boolean }

async function serve(
  handle: Handle,
  request: IncomingMessage,
  response: ServerResponse,
  expects: Expectation | undefined,
): Promise<void> {
  const answer = await handle({
    method: request.method ?? 'GET',
    url: request.url ?? '/',
    rawHeaders: request.rawHeaders,
    body: request,
    ...(expects && { continue: expects.tell }),
  })
  if (response.destroyed) return discard(answer)
  response.sendDate = false
  const { headers, body } = answer
  // Refused before the body was asked for: the client may or may not send it, so the connection cannot go on.
  if (expects && !expects.wasTold()) headers.Connection = 'close'
  if (body instanceof Readable) {
    response.writeHead(answer.status, headers)
    if (request.method === 'HEAD') {
      discard(answer)
      response.end()
      return
    }
    // The status is out: all that is left to say of a failure is to cut the connection, which pipeline does.
    await pipeline(body, response).catch(() => undefined)
    return
  }
  const bytes = body === undefined ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.length
  // HeadObject states the length of a body that is not sent.
  if (answer.status !== 204 && answer.status !== 304) headers['content-length'] ??= String(bytes)
  response.writeHead(answer.status, headers)
  // Text goes out in one write with the headers; a Buffer would need two.
  response.end(request.method === 'HEAD' ? undefined : body)
}

function discard({ body }: Answer): void {
  if (body instanceof Readable) body.destroy()
}
