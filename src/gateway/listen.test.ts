import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import { signRequest } from './sigv4.ts'
import { credentials, makeStubGateway, region } from './testing/stub-gateway.ts'

const stub = makeStubGateway({
  extra: [{ path: '/healthz', answer: () => ({ status: 200, headers: {}, body: 'ok\n' }) }],
})
let listening: Awaited<ReturnType<typeof stub.listen>>
before(async () => {
  listening = await stub.listen()
})
after(() => listening.close())

type Sent = {
  method: string
  path: string
  service?: string
  headers?: Record<string, string>
  body?: string
  secret?: string
}

function headersOf({
  method,
  path,
  service = 's3',
  headers = {},
  body = '',
  secret,
}: Sent): Record<string, string> {
  const key = secret === undefined ? credentials : { ...credentials, secretAccessKey: secret }
  return signRequest({
    method,
    path,
    headers: { host: `127.0.0.1:${listening.port}`, ...headers },
    service,
    region,
    credentials: key,
    at: systemClock.now(),
    payloadHash: createHash('sha256').update(body).digest('hex'),
  })
}

async function send(sent: Sent): Promise<{ response: IncomingMessage; body: string }> {
  const request = httpRequest({
    port: listening.port,
    host: '127.0.0.1',
    method: sent.method,
    path: sent.path,
    headers: headersOf(sent),
    agent: false,
  })
  request.end(sent.body)
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  return {
    response,
    body: Buffer.concat(await Array.fromAsync(response as AsyncIterable<Buffer>)).toString(),
  }
}

const readBody = async (input: Record<string, unknown>) =>
  Buffer.concat(await Array.fromAsync(input.Body as AsyncIterable<Uint8Array>))

describe('the listening gateway', () => {
  it('streams an object in and out', async () => {
    let stored = Buffer.alloc(0)
    stub.answer(async (input) => {
      stored = await readBody(input)
      return { ETag: '"e"' }
    })
    const body = 'x'.repeat(3_000_000)
    const put = await send({ method: 'PUT', path: '/b/k', body })
    assert.deepEqual(
      [put.response.statusCode, put.response.headers.etag, stored.length],
      [200, '"e"', body.length],
    )
    stub.answer({
      Body: Readable.from([stored.subarray(0, 10), stored.subarray(10)]),
      ContentLength: stored.length,
      ContentRange: 'bytes 0-2/9',
      $status: 206,
    })
    const get = await send({ method: 'GET', path: '/b/k' })
    assert.deepEqual(
      [get.response.statusCode, get.response.headers['content-length'], get.body.length],
      [206, '3000000', 3_000_000],
    )
    assert.equal(get.response.headers['content-range'], 'bytes 0-2/9')
    assert.ok(
      get.response.headers.date &&
        get.response.headers['x-amz-request-id'] &&
        get.response.headers['x-amz-id-2'],
    )
  })

  it('answers HEAD with the length of what it does not send', async () => {
    stub.answer({ ContentLength: 12345, ETag: '"e"' })
    const { response, body } = await send({ method: 'HEAD', path: '/b/k' })
    assert.deepEqual([response.statusCode, response.headers['content-length'], body], [200, '12345', ''])
  })

  it('answers what is no request with a date, an id and an error in a shape that clients read', async () => {
    for (const [bytes, status, code] of [
      ['GET / HTTP/9.9\r\n\r\n', 400, 'BadRequest'],
      ['POST / HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\n\r\n', 400, 'BadRequest'],
      [`GET / HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(70_000)}\r\n\r\n`, 431, 'RequestHeaderSectionTooLarge'],
      ['GET / HTTP/1.1\r\nconnection: close\r\n\r\n', 403, 'AccessDenied'],
      ['GET / HTTP/1.1\r\nhost: a\r\nexpect: magic\r\nconnection: close\r\n\r\n', 403, 'AccessDenied'],
    ] as const) {
      const got = await exchange(bytes)
      assert.match(got, new RegExp(`^HTTP/1\\.1 ${status} \\w`), got)
      assert.match(got, /\r\nDate: \w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT\r\n/i)
      assert.match(got, /\r\nx-amzn?-Request-?Id: [0-9a-f-]{36}\r\n/i)
      assert.match(got, new RegExp(`<Code>${code}</Code>`))
      const [, head = '', body = ''] = /^([^]*?)\r\n\r\n([^]*)$/.exec(got) ?? []
      assert.equal(Number(/content-length: (\d+)/i.exec(head)?.[1]), body.length)
    }
  })

  it('answers 204 and 304 without a body', async () => {
    stub.answer({})
    const removed = await send({ method: 'DELETE', path: '/b/k' })
    assert.deepEqual(
      [removed.response.statusCode, removed.response.headers['content-length'], removed.body],
      [204, undefined, ''],
    )
  })

  it('cuts the connection when the body of an answer fails', async () => {
    stub.answer({
      Body: Readable.from(
        (async function* () {
          yield 'begin'
          throw new Error('disk')
        })(),
      ),
      ContentLength: 100,
    })
    await assert.rejects(send({ method: 'GET', path: '/b/k' }), /aborted|hang up/)
  })

  it('ends the body of an answer when the client goes away', async () => {
    const body = Readable.from(
      (async function* () {
        for (;;) yield Buffer.alloc(100_000)
      })(),
    )
    stub.answer({ Body: body })
    const request = httpRequest({
      port: listening.port,
      host: '127.0.0.1',
      path: '/b/k',
      headers: headersOf({ method: 'GET', path: '/b/k' }),
      agent: false,
    }).end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.destroy()
    await new Promise((resolve) => body.on('close', resolve))
  })

  it('fails the body of a request whose client goes away, so that nothing is stored', async () => {
    const failed = new Promise((resolve) =>
      stub.answer(async (input) =>
        readBody(input)
          .then(
            () => resolve('stored'),
            () => resolve('failed'),
          )
          .then(() => ({})),
      ),
    )
    const headers = headersOf({ method: 'PUT', path: '/b/k', body: 'abc' })
    const request = httpRequest({
      port: listening.port,
      host: '127.0.0.1',
      method: 'PUT',
      path: '/b/k',
      headers: { ...headers, 'content-length': '1000' },
      agent: false,
    })
    request.on('error', () => undefined)
    request.write('abc', () => setImmediate(() => request.destroy()))
    assert.equal(await failed, 'failed')
  })

  it('counts a client that goes away in mid-upload as refused, not as a bug of ours', async () => {
    stub.answer(async (input) => {
      await readBody(input)
    })
    const before = stub.gateway.counters()
    const headers = headersOf({ method: 'PUT', path: '/b/k', body: 'abc' })
    const path = { port: listening.port, host: '127.0.0.1', method: 'PUT', path: '/b/k', agent: false }
    const request = httpRequest({ ...path, headers: { ...headers, 'content-length': '1000' } })
    request.on('error', () => undefined)
    request.write('abc', () => setImmediate(() => request.destroy()))
    let after = before
    while (after.refused + after.bugs === before.refused + before.bugs) {
      await new Promise((resolve) => setImmediate(resolve))
      after = stub.gateway.counters()
    }
    assert.deepEqual([after.refused - before.refused, after.bugs - before.bugs], [1, 0])
  })

  it('asks for a body that waits for 100 Continue only when the request is good', async () => {
    stub.answer(async (input) => readBody(input).then(() => ({})))
    const good = await expectContinue({ method: 'PUT', path: '/b/k', body: 'abc' }, 'close')
    assert.match(good, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/)
    // It is the server that ends this one: what would come next could be the body or a request.
    const bad = await expectContinue(
      { method: 'PUT', path: '/b/k', body: 'abc', secret: 'wrong' },
      'keep-alive',
    )
    assert.match(bad, /^HTTP\/1.1 403 Forbidden/)
    assert.match(bad, /connection: close/i)
  })

  it('refuses bodies above 1 MiB and headers above 32 KiB', async () => {
    const large = await send({
      method: 'POST',
      path: '/',
      service: 'sts',
      body: `Action=GetCallerIdentity&A=${'a'.repeat(1 << 20)}`,
    })
    assert.equal(large.response.statusCode, 413)
    const long = await send({ method: 'GET', path: '/b/k', headers: { 'x-amz-meta-a': 'a'.repeat(40_000) } })
    assert.equal(long.response.statusCode, 431)
  })

  it('keeps a connection for many requests', async () => {
    stub.answer({})
    const body = 'Action=GetCallerIdentity&Version=2011-06-15'
    const headers = Object.entries(headersOf({ method: 'POST', path: '/', service: 'sts', body })).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    const one = `POST / HTTP/1.1\r\n${headers.join('')}content-length: ${body.length}\r\n\r\n${body}`
    const last = one.replace('\r\ncontent-length', '\r\nconnection: close\r\ncontent-length')
    const got = await exchange(one + one + last)
    assert.equal(got.match(/HTTP\/1.1 200 OK/g)?.length, 3)
  })

  it('answers routes of our own unsigned', async () => {
    const got = await exchange('GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    assert.match(got, /^HTTP\/1.1 200 OK[^]*\r\n\r\nok\n$/)
    assert.match(
      await exchange('POST /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'),
      /^HTTP\/1.1 403/,
    )
  })
})

describe('closing', () => {
  it('waits for the requests under way and not for idle connections', async () => {
    const own = makeStubGateway()
    const { port, close } = await own.listen()
    let go = () => {}
    const asked = new Promise<void>((resolve) =>
      own.answer(async () => {
        resolve()
        await new Promise<void>((end) => (go = end))
        return {}
      }),
    )
    const headers = headersOf({ method: 'GET', path: '/b' })
    const request = httpRequest({
      port,
      host: '127.0.0.1',
      path: '/b',
      headers,
      agent: new Agent({ keepAlive: true }),
    }).end()
    await asked
    const closed = close()
    go()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume()
    assert.equal(response.statusCode, 200)
    await closed
  })
})

async function expectContinue(sent: Sent, connection: 'close' | 'keep-alive'): Promise<string> {
  const headers = Object.entries(headersOf(sent)).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `${sent.method} ${sent.path} HTTP/1.1\r\n${headers.join('')}expect: 100-continue\r\nconnection: ${connection}\r\ncontent-length: ${sent.body!.length}\r\n\r\n`
  return exchange(head, (got, write) => got.endsWith('100 Continue\r\n\r\n') && write(sent.body!))
}

function exchange(
  bytes: string,
  react: (got: string, write: (more: string) => void) => unknown = () => undefined,
): Promise<string> {
  return new Promise((resolve, reject) => {
    let got = ''
    const socket = connect(listening.port, '127.0.0.1', () => socket.write(bytes))
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString('latin1')
      react(got, (more) => socket.write(more))
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(got))
  })
}
