// Requests are signed by the AWS SDK's own signer; ours must agree, and refuse whatever was changed afterwards.
import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { HttpRequest } from '@smithy/core/protocols'
import { SignatureV4 } from '@smithy/signature-v4'
import type { Clock } from '../../kernel/clock.ts'
import { credentials, makeStubGateway, region } from '../testing/stub-gateway.ts'
import { signRequest } from '../sigv4.ts'
import { presign } from './presign.ts'

class Sha256 {
  #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash =
      secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string | Uint8Array)
  }
  update(data: string | Uint8Array) {
    this.#hash.update(data)
  }
  digest() {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }
  reset() {}
}

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0)
const clock: Clock = { now: () => NOW, monotonic: () => 0, sleep: () => Promise.resolve() }
const stub = makeStubGateway({ clock })
const FORM = 'application/x-www-form-urlencoded; charset=utf-8'

type Sent = { method: string; url: string; headers: Record<string, string>; body: string }
type Options = {
  service?: string
  signedAtMs?: number
  secret?: string
  keyId?: string
  uriEscapePath?: boolean
}

async function signed(request: Partial<Sent> = {}, options: Options = {}): Promise<Sent> {
  const { service = 'elasticbeanstalk', signedAtMs = NOW } = options
  const signer = new SignatureV4({
    service,
    region,
    sha256: Sha256,
    credentials: {
      accessKeyId: options.keyId ?? credentials.accessKeyId,
      secretAccessKey: options.secret ?? credentials.secretAccessKey,
    },
    uriEscapePath: service !== 's3',
    applyChecksum: service === 's3',
  })
  const sent = {
    method: 'POST',
    url: '/',
    body: 'Action=DescribeEnvironments&Version=2010-12-01',
    ...request,
  }
  const url = new URL(`http://localhost${sent.url}`)
  const http = new HttpRequest({
    method: sent.method,
    path: sent.url.split('?')[0]!,
    query: Object.fromEntries(url.searchParams),
    headers: {
      host: 'localhost:4000',
      ...(sent.method === 'POST' && { 'content-type': FORM }),
      ...request.headers,
    },
    body: sent.body,
  })
  const done = await signer.sign(http, { signingDate: new Date(signedAtMs) })
  return { ...sent, headers: done.headers as Record<string, string> }
}

async function send(
  sent: Sent,
): Promise<{ status: number; code: string; body: string; headers: Record<string, string> }> {
  stub.answer({})
  const answer = await stub.gateway.handle({
    method: sent.method,
    url: sent.url,
    rawHeaders: Object.entries(sent.headers).flat(),
    body: Buffer.from(sent.body),
  })
  const body = typeof answer.body === 'string' ? answer.body : ''
  return {
    status: answer.status,
    code: /<Code>(.*?)<\/Code>/.exec(body)?.[1] ?? '',
    body,
    headers: answer.headers,
  }
}

const changed = (sent: Sent, headers: Record<string, string>): Sent => ({
  ...sent,
  headers: { ...sent.headers, ...headers },
})

describe('a signed request', () => {
  it('is answered when the SDK signed it', async () => {
    assert.equal((await send(await signed())).status, 200)
  })

  it('is answered when our own signer signed it', async () => {
    const body = 'Action=DescribeEnvironments'
    const payloadHash = createHash('sha256').update(body).digest('hex')
    const headers = signRequest({
      method: 'POST',
      path: '/',
      headers: { host: 'localhost', 'content-type': FORM },
      payloadHash,
      service: 'elasticbeanstalk',
      region,
      credentials,
      at: NOW,
    })
    assert.equal((await send({ method: 'POST', url: '/', headers, body })).status, 200)
  })

  it('may carry a signed hash of its body on every service, as the EB CLI does', async () => {
    const body = 'Action=DescribeEnvironments'
    const hash = createHash('sha256').update(body).digest('hex')
    const sent = await signed({ body, headers: { 'x-amz-content-sha256': hash } })
    assert.match(
      sent.headers.authorization!,
      /SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date/,
    )
    assert.equal((await send(sent)).status, 200)
    assert.equal((await send({ ...sent, body: 'Action=DescribeEvents' })).code, 'SignatureDoesNotMatch')
  })

  it('may have header values with spaces inside and around', async () => {
    const sent = await signed({ headers: { 'x-amz-meta-a': '  two   words  ' } })
    assert.equal((await send(sent)).status, 200)
  })

  it('keeps S3 paths as they are and encodes them once', async () => {
    const sent = await signed(
      { method: 'GET', url: '/bucket/a/../b//c%20d%2Be%28f%29%27%C3%BC', body: '' },
      { service: 's3' },
    )
    const answer = await send(sent)
    assert.equal(answer.status, 200, answer.body)
    assert.deepEqual(stub.asked()?.input, { Bucket: 'bucket', Key: "a/../b//c d+e(f)'ü" })
    // Another client may leave as they are what the signature wants encoded.
    assert.equal((await send({ ...sent, url: "/bucket/a/../b//c%20d+e(f)'%c3%bc" })).status, 200)
  })

  it('signs the query whatever its order and encoding', async () => {
    const sent = await signed(
      { method: 'GET', url: '/bucket?prefix=a%20b%2Fc&list-type=2&delimiter=%2F&marker=', body: '' },
      { service: 's3' },
    )
    assert.equal((await send(sent)).status, 200)
    assert.equal(
      (await send({ ...sent, url: '/bucket?list-type=2&prefix=a+b/c&marker&delimiter=/' })).status,
      200,
    )
    assert.equal(
      (await send({ ...sent, url: '/bucket?list-type=2&prefix=other&marker&delimiter=/' })).code,
      'SignatureDoesNotMatch',
    )
  })
})

describe('a request that was changed after signing', () => {
  for (const [what, change] of Object.entries<(sent: Sent) => Sent>({
    'its method': (sent) => ({ ...sent, method: 'GET' }),
    'its path': (sent) => ({ ...sent, url: '/other' }),
    'its query': (sent) => ({ ...sent, url: '/?Action=DescribeEvents' }),
    'its body': (sent) => ({ ...sent, body: `${sent.body}&IncludeDeleted=true` }),
    'a signed header': (sent) => changed(sent, { 'content-type': 'text/plain' }),
    'its host': (sent) => changed(sent, { host: 'other:4000' }),
    'its signature': (sent) =>
      changed(sent, {
        authorization: sent.headers.authorization!.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      }),
    'its signature, shortened': (sent) =>
      changed(sent, { authorization: sent.headers.authorization!.slice(0, -1) }),
    'its scope': (sent) =>
      changed(sent, {
        authorization: sent.headers.authorization!.replace('/elasticbeanstalk/', '/autoscaling/'),
      }),
    'its date': (sent) => changed(sent, { 'x-amz-date': '20261123T120001Z' }),
    'the list of signed headers': (sent) =>
      changed(sent, { authorization: sent.headers.authorization!.replace('content-type;', '') }),
  }))
    it(`is refused: ${what}`, async () => {
      const sent = await signed()
      assert.equal((await send(sent)).status, 200)
      const answer = await send(change(sent))
      assert.equal(answer.code, 'SignatureDoesNotMatch')
      assert.equal(answer.status, 403)
      assert.equal(stub.asked(), undefined)
    })

  it('is refused on S3 when a header was added that grants something', async () => {
    const sent = await signed({ method: 'PUT', url: '/bucket/key', body: 'x' }, { service: 's3' })
    assert.equal((await send(sent)).status, 200)
    assert.match(
      (await send(changed(sent, { 'x-amz-acl': 'public-read-write' }))).body,
      /headers present in the request which were not signed/,
    )
  })
})

describe('a request with the wrong key, time or none', () => {
  it('is MissingAuthenticationToken unsigned', async () => {
    const answer = await send({
      method: 'POST',
      url: '/',
      headers: { host: 'localhost', 'content-type': FORM },
      body: 'Action=ListUsers',
    })
    assert.deepEqual([answer.status, answer.code], [403, 'MissingAuthenticationToken'])
  })
  it('is AccessDenied unsigned on S3', async () => {
    const answer = await send({ method: 'GET', url: '/bucket/key', headers: { host: 'localhost' }, body: '' })
    assert.deepEqual([answer.status, answer.code], [403, 'AccessDenied'])
  })
  it('is InvalidClientTokenId with an unknown key, InvalidAccessKeyId on S3', async () => {
    assert.equal(
      (await send(await signed({}, { keyId: 'AKIAIOSFODNN7EXAMPLE' }))).code,
      'InvalidClientTokenId',
    )
    const s3 = await send(
      await signed({ method: 'GET', url: '/b', body: '' }, { service: 's3', keyId: 'AKIAIOSFODNN7EXAMPLE' }),
    )
    assert.deepEqual([s3.status, s3.code], [403, 'InvalidAccessKeyId'])
  })
  it('is InvalidClientTokenId with a session token, since we issued none', async () => {
    assert.equal(
      (await send(await signed({ headers: { 'x-amz-security-token': 'FwoG' } }))).code,
      'InvalidClientTokenId',
    )
  })
  it('is SignatureDoesNotMatch with a wrong secret', async () => {
    assert.equal((await send(await signed({}, { secret: 'other' }))).code, 'SignatureDoesNotMatch')
  })
  it('is AuthFailure on EC2, whichever of key, secret, token and body is wrong', async () => {
    const body = 'Action=DescribeVpcs'
    const hash = createHash('sha256').update(body).digest('hex')
    const hashed = await signed({ body, headers: { 'x-amz-content-sha256': hash } }, { service: 'ec2' })
    assert.equal((await send(hashed)).status, 200)
    for (const wrong of [
      await signed({}, { service: 'ec2', keyId: 'AKIAIOSFODNN7EXAMPLE' }),
      await signed({}, { service: 'ec2', secret: 'other' }),
      await signed({ headers: { 'x-amz-security-token': 'FwoG' } }, { service: 'ec2' }),
      { ...hashed, body: 'Action=DescribeSubnets' },
    ]) {
      const answer = await send(wrong)
      assert.deepEqual([answer.status, answer.code], [401, 'AuthFailure'])
      assert.match(
        answer.body,
        /<Response><Errors><Error>.*<Message>AWS was not able to validate the provided access credentials</,
      )
    }
  })
  it('is refused more than five minutes early or late', async () => {
    for (const minutes of [-4.9, 4.9])
      assert.equal((await send(await signed({}, { signedAtMs: NOW + minutes * 60_000 }))).status, 200)
    for (const minutes of [-5.1, 5.1]) {
      const signedAtMs = NOW + minutes * 60_000
      const answer = await send(await signed({}, { signedAtMs }))
      assert.deepEqual([answer.status, answer.code], [400, 'RequestExpired'])
      const s3 = await send(
        await signed({ method: 'GET', url: '/b', body: '' }, { service: 's3', signedAtMs }),
      )
      assert.deepEqual([s3.status, s3.code], [403, 'RequestTimeTooSkewed'])
    }
  })
  it('is IncompleteSignature when parts of the header are missing', async () => {
    const sent = await signed()
    const whole = sent.headers.authorization!
    for (const authorization of [
      '',
      'Bearer abc',
      'AWS4-HMAC-SHA256',
      'AWS4-HMAC-SHA256 Credential=a/b',
      whole.replace('Credential=', 'C='),
      whole.replace('/aws4_request', ''),
      whole.replace('Signature=', 'S='),
      whole.replace('SignedHeaders=', 'H='),
    ])
      assert.equal((await send(changed(sent, { authorization }))).code, 'IncompleteSignature', authorization)
    assert.equal((await send(changed(sent, { 'x-amz-date': 'yesterday' }))).code, 'IncompleteSignature')
  })
})

describe('a presigned request', () => {
  const url = (options: Partial<Parameters<typeof presign>[0]> = {}) =>
    presign({
      endpoint: 'http://localhost:4000',
      path: '/bucket/a%20b',
      region,
      credentials,
      at: NOW,
      expiresSeconds: 60,
      ...options,
    })
  const get = (whole: string, method = 'GET') =>
    send({
      method,
      url: whole.slice('http://localhost:4000'.length),
      headers: { host: 'localhost:4000' },
      body: '',
    })

  it('is answered until it expires', async () => {
    assert.equal((await get(url())).status, 200)
    assert.deepEqual(stub.asked()?.input, { Bucket: 'bucket', Key: 'a b' })
    assert.equal((await get(url({ at: NOW - 60_000 }))).status, 200)
    const late = await get(url({ at: NOW - 61_000 }))
    assert.deepEqual([late.status, late.code], [403, 'AccessDenied'])
    assert.match(late.body, /Request has expired/)
  })
  it('is refused before its time, for more than a week and for another method, path or query', async () => {
    assert.match((await get(url({ at: NOW + 600_000 }))).body, /not yet valid/)
    assert.equal((await get(url({ expiresSeconds: 604_801 }))).code, 'AuthorizationQueryParametersError')
    assert.equal((await get(url({ expiresSeconds: 604_800 }))).status, 200)
    assert.equal((await get(url(), 'DELETE')).code, 'SignatureDoesNotMatch')
    assert.equal((await get(url().replace('a%20b', 'c'))).code, 'SignatureDoesNotMatch')
    assert.equal((await get(url().replace('Expires=60', 'Expires=6000'))).code, 'SignatureDoesNotMatch')
    assert.equal((await get(`${url()}&response-content-type=text%2Fhtml`)).code, 'SignatureDoesNotMatch')
  })
  it('is answered when the SDK presigned it', async () => {
    const { getSignedUrl } = await import('@aws-sdk/s3-request-presigner')
    const { GetObjectCommand, S3Client } = await import('@aws-sdk/client-s3')
    const client = new S3Client({
      endpoint: 'http://localhost:4000',
      region,
      credentials,
      forcePathStyle: true,
    })
    const made = await getSignedUrl(client, new GetObjectCommand({ Bucket: 'bucket', Key: 'ü/+' }), {
      expiresIn: 100,
      signingDate: new Date(NOW),
    })
    const answer = await get(made)
    assert.equal(answer.status, 200, answer.body)
    assert.deepEqual(stub.asked()?.input, { Bucket: 'bucket', Key: 'ü/+', ChecksumMode: 'ENABLED' })
  })
})

// Made by botocore 1.43 (`signature_version='s3'`) with its clock at NOW, for 60 seconds.
const VERSION_2 = [
  '/bucket/a%20b/%C3%BC%2B?AWSAccessKeyId=PBAKTESTTESTTESTTEST&Signature=E%2FYIXuPRV862zQUc20Y9%2Fp%2B2ohI%3D&Expires=1795435260',
  '/bucket/a%20b/%C3%BC%2B?response-content-type=text%2Fhtml%3B%20x&versionId=v1&AWSAccessKeyId=PBAKTESTTESTTESTTEST&Signature=8KlZh9EZpWMWhg%2FEG7HsUYFSn6U%3D&Expires=1795435260',
] as const

describe('a URL presigned by version 2', () => {
  const get = (url: string, method = 'GET', headers: Record<string, string> = {}) =>
    send({ method, url, headers: { host: 'localhost:4000', ...headers }, body: '' })

  it('is answered when botocore signed it', async () => {
    const [plain, chosen] = VERSION_2
    assert.equal((await get(plain)).status, 200)
    assert.deepEqual(stub.asked()?.input, { Bucket: 'bucket', Key: 'a b/ü+' })
    assert.equal((await get(chosen)).status, 200)
    assert.equal(stub.asked()?.input.ResponseContentType, 'text/html; x')
  })
  it('is refused when anything was changed', async () => {
    const [plain, chosen] = VERSION_2
    const changes: [string, string, string?, Record<string, string>?][] = [
      ['another key', plain.replace('a%20b', 'c')],
      ['a longer life', plain.replace('Expires=1795435260', 'Expires=1795435261')],
      ['another method', plain, 'DELETE'],
      ['an upload', plain, 'PUT'],
      ['an operation of its own', `${plain}&acl`],
      ['another content type', chosen.replace('html', 'plain')],
      ['a header that grants', plain, 'GET', { 'x-amz-acl': 'public-read' }],
    ]
    for (const [what, url, method, headers] of changes) {
      const { status, code } = await get(url, method, headers)
      assert.deepEqual([status, code], [403, 'SignatureDoesNotMatch'], what)
    }
  })
  it('is refused when it is over, or of no key of ours', async () => {
    const [plain] = VERSION_2
    assert.match((await get(plain.replace('1795435260', '1795434000'))).body, /Request has expired/)
    assert.equal((await get(plain.replace('PBAK', 'PBAX'))).code, 'InvalidAccessKeyId')
  })
})
