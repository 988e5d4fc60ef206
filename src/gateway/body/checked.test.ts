// aws-chunked bodies as the AWS SDK's and botocore's wire formats have them, made by hand; and the checks of content.
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { Readable } from 'node:stream'
import type { Clock } from '../../kernel/clock.ts'
import { amzDateOf, EMPTY_SHA256, scopeText, signingKey } from '../sigv4/canonical.ts'
import { signRequest } from '../sigv4.ts'
import { credentials, makeStubGateway, region } from '../testing/stub-gateway.ts'
import { makeChecksum, type ChecksumName } from '../../kernel/checksums.ts'

const NOW = Date.UTC(2026, 10, 23, 12)
const clock: Clock = { now: () => NOW, monotonic: () => 0, sleep: () => Promise.resolve() }
const stub = makeStubGateway({ clock })
const scope = { date: '20261123', region, service: 's3' }
const key = signingKey(credentials.secretAccessKey, scope)
const content = Buffer.from('0123456789'.repeat(20_000))

type Made = { headers: Record<string, string>; body: Buffer }

function request(
  payloadHash: string,
  headers: Record<string, string> = {},
  path = '/bucket/key',
): Record<string, string> {
  return signRequest({
    method: 'PUT',
    path,
    headers: { host: 'localhost', ...headers },
    payloadHash,
    service: 's3',
    region,
    credentials,
    at: NOW,
  })
}

const checksum = (name: ChecksumName, of: Buffer = content) => {
  const made = makeChecksum(name)
  for (let at = 0; at < of.length; at += 1000) made.update(of.subarray(at, at + 1000))
  return made.digest().toString('base64')
}

type Chunked = {
  chunkBytes?: number
  trailer?: [string, string]
  tamper?(signature: string, index: number): string
}

function chunkedSigned({
  chunkBytes = 65_536,
  trailer,
  tamper = (signature) => signature,
}: Chunked = {}): Made {
  const payloadHash = `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${trailer ? '-TRAILER' : ''}`
  const headers = request(payloadHash, {
    'content-encoding': 'aws-chunked',
    'x-amz-decoded-content-length': String(content.length),
    ...(trailer && { 'x-amz-trailer': trailer[0] }),
  })
  let previous = /Signature=(\w+)/.exec(headers.authorization!)![1]!
  const sign = (kind: string, ...lines: string[]) => {
    const text = [`AWS4-HMAC-SHA256-${kind}`, amzDateOf(NOW), scopeText(scope), previous, ...lines].join('\n')
    previous = createHmac('sha256', key).update(text).digest('hex')
    return previous
  }
  const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex')
  const pieces: (Buffer | string)[] = []
  for (let at = 0, index = 0; at <= content.length; at += chunkBytes, index++) {
    const chunk = content.subarray(at, at + chunkBytes)
    pieces.push(
      `${chunk.length.toString(16)};chunk-signature=${tamper(sign('PAYLOAD', EMPTY_SHA256, sha256(chunk)), index)}\r\n`,
      chunk,
      '\r\n',
    )
    if (chunk.length > 0 && at + chunkBytes >= content.length) at = content.length - chunkBytes
  }
  if (trailer) {
    pieces.pop()
    pieces.push(`${trailer.join(':')}\r\n`)
    pieces.push(`x-amz-trailer-signature:${sign('TRAILER', sha256(`${trailer.join(':')}\n`))}\r\n\r\n`)
  }
  return { headers, body: Buffer.concat(pieces.map((piece) => Buffer.from(piece))) }
}

function chunkedUnsigned(trailer: [string, string]): Made {
  const headers = request('STREAMING-UNSIGNED-PAYLOAD-TRAILER', {
    'content-encoding': 'aws-chunked,gzip',
    'x-amz-decoded-content-length': String(content.length),
    'x-amz-trailer': trailer[0],
  })
  const body = Buffer.concat([
    Buffer.from(`${(100).toString(16)}\r\n`),
    content.subarray(0, 100),
    Buffer.from(`\r\n${(content.length - 100).toString(16).toUpperCase()}\r\n`),
    content.subarray(100),
    Buffer.from(`\r\n0\r\n${trailer.join(':')}\r\n\r\n`),
  ])
  return { headers, body }
}

async function put(
  { headers, body }: Made,
  pieceBytes = 7001,
): Promise<{ status: number; code: string; received: Buffer; input: Record<string, unknown> }> {
  let received = Buffer.alloc(0)
  let stored = false
  stub.answer(async (input) => {
    received = Buffer.concat(await Array.fromAsync(input.Body as AsyncIterable<Uint8Array>))
    stored = true
    return {}
  })
  const pieces = Array.from({ length: Math.ceil(body.length / pieceBytes) }, (_none, index) =>
    body.subarray(index * pieceBytes, (index + 1) * pieceBytes),
  )
  const answer = await stub.gateway.handle({
    method: 'PUT',
    url: '/bucket/key',
    rawHeaders: Object.entries(headers).flat(),
    body: Readable.from(pieces),
  })
  const code = /<Code>(.*?)<\/Code>/.exec(typeof answer.body === 'string' ? answer.body : '')?.[1] ?? ''
  assert.equal(stored, answer.status === 200)
  return { status: answer.status, code, received, input: stub.asked()?.input ?? {} }
}

const changedAt = (made: Made, at: number): Made => {
  const body = Buffer.from(made.body)
  body[at] = body[at]! ^ 1
  return { ...made, body }
}

describe('a body in aws-chunked form', () => {
  for (const [name, make] of Object.entries<() => Made>({
    'signed chunks': () => chunkedSigned(),
    'signed chunks and a signed trailer': () =>
      chunkedSigned({ trailer: ['x-amz-checksum-crc32c', checksum('crc32c')] }),
    'one signed chunk': () => chunkedSigned({ chunkBytes: content.length }),
    'unsigned chunks and a trailer': () =>
      chunkedUnsigned(['x-amz-checksum-crc64nvme', checksum('crc64nvme')]),
  }))
    it(`is decoded: ${name}`, async () => {
      for (const pieceBytes of [1 << 20, 7001, 13]) {
        const { status, received, code } = await put(make(), pieceBytes)
        assert.equal(status, 200, code)
        assert.ok(received.equals(content))
      }
    })

  it('is told to the operation as if it had come plain, with the checksum of its trailer', async () => {
    const { input } = await put(chunkedUnsigned(['x-amz-checksum-crc32', checksum('crc32')]))
    assert.equal(input.ContentLength, content.length)
    assert.equal(input.ContentEncoding, 'gzip')
    assert.equal(input.ChecksumCRC32, checksum('crc32'))
    assert.equal((await put(chunkedSigned())).input.ContentEncoding, undefined)
  })

  it('is refused when a byte, a chunk signature or the order of chunks was changed', async () => {
    assert.equal((await put(changedAt(chunkedSigned(), 200))).code, 'SignatureDoesNotMatch')
    assert.equal((await put(changedAt(chunkedSigned(), 150_000))).code, 'SignatureDoesNotMatch')
    const tamper = (index: number) =>
      chunkedSigned({ tamper: (signature, at) => (at === index ? '0'.repeat(64) : signature) })
    for (const index of [0, 1, 3]) assert.equal((await put(tamper(index))).code, 'SignatureDoesNotMatch')
    assert.equal((await put(tamper(4))).code, 'SignatureDoesNotMatch', 'the last, empty chunk')
  })

  it('is refused when its trailer is wrong, unsigned or missing', async () => {
    assert.equal(
      (await put(chunkedUnsigned(['x-amz-checksum-crc32', checksum('crc32', content.subarray(1))]))).code,
      'BadDigest',
    )
    const signed = chunkedSigned({ trailer: ['x-amz-checksum-sha256', checksum('sha256')] })
    assert.equal((await put(changedAt(signed, signed.body.length - 10))).code, 'SignatureDoesNotMatch')
    const without = chunkedUnsigned(['x-amz-checksum-crc32', checksum('crc32')])
    const end = without.body.lastIndexOf('x-amz-checksum')
    const cut = { ...without, body: Buffer.concat([without.body.subarray(0, end), Buffer.from('\r\n')]) }
    assert.equal((await put(cut)).code, 'MalformedTrailerError')
  })

  it('is refused when it ends early, is not chunked at all or has another length than announced', async () => {
    const whole = chunkedSigned()
    assert.equal((await put({ ...whole, body: whole.body.subarray(0, 100_000) })).code, 'IncompleteBody')
    assert.equal((await put({ ...whole, body: content })).code, 'InvalidRequest')
    const headers = request('STREAMING-AWS4-HMAC-SHA256-PAYLOAD', { 'x-amz-decoded-content-length': '7' })
    assert.equal(
      (await put({ ...whole, headers })).code,
      'SignatureDoesNotMatch',
      'the chain starts at the request',
    )
    const unsigned = chunkedUnsigned(['x-amz-checksum-crc32', checksum('crc32')])
    const short = request('STREAMING-UNSIGNED-PAYLOAD-TRAILER', {
      'x-amz-decoded-content-length': '7',
      'x-amz-trailer': 'x-amz-checksum-crc32',
    })
    assert.equal((await put({ ...unsigned, headers: short })).code, 'IncompleteBody')
  })
})

describe('a plain body', () => {
  const sha256Hex = createHash('sha256').update(content).digest('hex')

  it('is held to the hash that was signed', async () => {
    assert.equal((await put({ headers: request(sha256Hex), body: content })).status, 200)
    assert.equal(
      (await put(changedAt({ headers: request(sha256Hex), body: content }, 5))).code,
      'XAmzContentSHA256Mismatch',
    )
    assert.equal((await put({ headers: request('UNSIGNED-PAYLOAD'), body: content })).status, 200)
  })

  it('is refused with a hash that it could not be held to', async () => {
    const other = createHash('sha256').update('another body').digest('hex')
    for (const hash of ['not-a-hash', '', 'unsigned-payload', sha256Hex.slice(1), `${sha256Hex}0`])
      assert.equal((await put({ headers: request(hash), body: content })).code, 'InvalidArgument', hash)
    const upper = await put({ headers: request(other.toUpperCase()), body: content })
    assert.equal(upper.code, 'XAmzContentSHA256Mismatch')
    assert.equal(
      (await put({ headers: request('STREAMING-NOTHING-KNOWN'), body: content })).code,
      'InvalidRequest',
    )
  })

  it('is held to Content-MD5 and to each checksum in its headers', async () => {
    for (const [header, name] of [
      ['content-md5', 'md5'],
      ['x-amz-checksum-crc32', 'crc32'],
      ['x-amz-checksum-crc32c', 'crc32c'],
      ['x-amz-checksum-crc64nvme', 'crc64nvme'],
      ['x-amz-checksum-sha1', 'sha1'],
      ['x-amz-checksum-sha256', 'sha256'],
    ] as const) {
      const headers = request(sha256Hex, { [header]: checksum(name) })
      assert.equal((await put({ headers, body: content })).status, 200, name)
      const wrong = request(sha256Hex, { [header]: checksum(name, content.subarray(1)) })
      assert.equal((await put({ headers: wrong, body: content })).code, 'BadDigest', name)
    }
  })
})
