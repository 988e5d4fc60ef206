// The control plane's end of the door: HTTP on a socket of the file system that only root and HAProxy reach.
import { chmodSync, mkdirSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import type { Log } from '../../kernel/log.ts'
import { SOURCE_HEADER } from './config.ts'
import type { MetadataAnswer, MetadataRequest } from './engine.ts'
import { errorPage } from './error-page.ts'

type Answering = (request: MetadataRequest) => MetadataAnswer

/** Answers at `path` until it is closed. A socket that a former process left there is replaced. */
export async function listen(
  { clock, log }: { clock: Clock; log: Log },
  path: string,
  answer: Answering,
): Promise<{ close(): Promise<void> }> {
  const server = createServer({ keepAlive: false }, (incoming, outgoing) => {
    incoming.resume() // HAProxy lets no body through
    try {
      send(outgoing, answer(requestOf(incoming)), incoming.method === 'HEAD', clock.now())
    } catch (error) {
      log.error('a question for metadata failed', { error })
      send(outgoing, { status: 500 }, false, clock.now())
    }
  })
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 })
  rmSync(path, { force: true })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(path, resolve))
  chmodSync(path, 0o666) // HAProxy has dropped root; the folder above lets nobody else in
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function requestOf({ method = '', url = '', headers }: IncomingMessage): MetadataRequest {
  const single = Object.entries(headers).map(([name, value]) => [name, [value].flat().join(', ')] as const)
  return {
    source: [headers[SOURCE_HEADER]].flat()[0] ?? '',
    method,
    path: url.split('?')[0]!,
    headers: Object.fromEntries(single),
  }
}

function send(outgoing: ServerResponse, answer: MetadataAnswer, isHead: boolean, now: number): void {
  const body = Buffer.from(answer.body ?? (answer.status >= 400 ? errorPage(answer.status) : ''))
  outgoing.writeHead(answer.status, {
    'Content-Type': answer.body === undefined ? 'text/html' : 'text/plain',
    ...answer.headers,
    'Accept-Ranges': 'none',
    'Content-Length': body.length,
    'Last-Modified': new Date(now).toUTCString(),
    Server: 'EC2ws',
  })
  outgoing.end(isHead ? undefined : body)
}
