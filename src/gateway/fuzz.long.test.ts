// Rubbish of all kinds, half of it correctly signed so that it comes far: never a 5xx, never a throw, never a hang.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { describe, it } from 'node:test'
import { seededRandom } from '../kernel/random.ts'
import { modelOf } from './models.ts'
import { send, type Sent } from './testing/send.ts'
import { allServices, makeStubGateway } from './testing/stub-gateway.ts'

const SEED = 20261123
const random = seededRandom(SEED)
const below = (max: number) => Math.floor(random.next() * max)
const pick = <T>(from: readonly T[]): T => from[below(from.length)]!
const some = <T>(max: number, make: () => T): T[] => Array.from({ length: below(max) }, make)

const bits = [
  '',
  '&',
  '=',
  '.',
  '%',
  '%zz',
  '%00',
  '+',
  '/',
  '//',
  '..',
  '?',
  '#',
  ';',
  '<',
  '>',
  '<a>',
  '</a>',
  '"',
  "'",
  '\\',
  '\0',
  '\r\n',
  ' ',
  'ü',
  '日本',
  '\ud800',
  'member',
  'entry',
  '1',
  '0',
  '-1',
  '99999999999',
  '1e999',
  'NaN',
  'true',
  '__proto__',
  'constructor',
  'toString',
  'null',
  '2026-11-23T00:00:00Z',
  'a'.repeat(3000),
  '<!DOCTYPE a [<!ENTITY b "c">]>',
  '&amp;',
  '&#0;',
  '{}',
  '[]',
]
const text = () => some(6, () => pick(bits)).join('')

const members = (service: (typeof allServices)[number], action: string) =>
  modelOf(service)
    .operation(action)
    ?.input?.members.map((member) => member.queryName) ?? ['Name']

function queryRequest(): Sent {
  const service = pick(allServices.filter((name) => name !== 's3'))
  const action = below(8) === 0 ? text() : pick(modelOf(service).operationNames)
  const names = members(service, action)
  const parameter = () => {
    const path = [
      names.length > 0 ? pick(names) : 'x',
      ...some(5, () => pick(['member', 'entry', '1', '2', 'Key', 'key', 'value', text()])),
    ]
    const value = below(2) === 0 ? encodeURIComponent(text().toWellFormed()) : text()
    return `${path.join('.')}=${value}`
  }
  const body = [`Action=${action}`, ...some(8, parameter), ...(below(10) === 0 ? [text()] : [])].join('&')
  return { service: service === 'elasticloadbalancingv2' ? 'elasticloadbalancing' : service, body }
}

function jsonRequest(): Sent {
  const model = modelOf('acm')
  const name = pick(model.operationNames)
  const names = model.operation(name)?.input?.members.map((member) => member.name) ?? ['Name']
  const value = (): unknown =>
    pick([text(), below(9), null, true, [], [text()], {}, { [pick(names)]: text() }, '2026-11-23', 1e300])
  const input = Object.fromEntries(some(5, () => [below(8) === 0 ? text() : pick(names), value()]))
  const body = JSON.stringify(input)
  return {
    service: pick(['acm', 'acm', 'ec2']),
    headers: {
      'x-amz-target': pick([`CertificateManager.${name}`, name, text().replace(/[^ -~]/g, '?'), '']),
    },
    body: pick([body, body, body.slice(below(9)), text()]),
  }
}

function s3Request(): Sent {
  const query = some(
    4,
    () =>
      `${pick(['acl', 'uploads', 'uploadId', 'partNumber', 'delete', 'list-type', 'max-keys', 'x-id', text()])}=${encodeURIComponent(text().toWellFormed())}`,
  )
  const path = `/${some(4, () => encodeURIComponent(text().toWellFormed())).join('/')}${query.length > 0 ? `?${query.join('&')}` : ''}`
  const header = (): [string, string] => [
    pick([
      'x-amz-meta-a',
      'range',
      'if-modified-since',
      'x-amz-checksum-crc32',
      'content-md5',
      'x-amz-trailer',
      'content-encoding',
      'x-amz-acl',
      'x-amz-copy-source',
      'x-amz-object-lock-retain-until-date',
      'x-amz-decoded-content-length',
    ]),
    text()
      .replace(/[^\t\u0020-\u007e]/g, '?')
      .slice(0, 500),
  ]
  const xml = `<Delete>${some(5, () => `<${pick(['Object', 'Key', 'Part', 'Quiet', text()])}>${text()}`).join('')}</Delete>`
  return {
    service: 's3',
    method: pick(['GET', 'PUT', 'POST', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH']),
    path,
    headers: Object.fromEntries(some(4, header)),
    body: pick(['', text(), xml]),
  }
}

describe('rubbish', () => {
  it(`is answered below 500, 2,000 times (seed ${SEED})`, async () => {
    const stub = makeStubGateway()
    stub.answer(async (input) => {
      if (input.Body) await Array.fromAsync(input.Body as AsyncIterable<Uint8Array>)
      return {}
    })
    for (let round = 0; round < 2000; round++) {
      const sent = pick([queryRequest, jsonRequest, s3Request])()
      if (sent.service !== 's3') stub.answer({})
      else
        stub.answer(async (input) =>
          input.Body ? Array.fromAsync(input.Body as AsyncIterable<Uint8Array>).then(() => ({})) : {},
        )
      const answer = await send(stub.gateway, sent)
      assert.ok(
        answer.status < 500,
        `round ${round}: ${answer.status} ${answer.body} for ${JSON.stringify(sent)}`,
      )
    }
    assert.equal(stub.gateway.counters().bugs, 0)
  })

  it('in headers and URLs is answered below 500, unsigned or with a damaged signature', async () => {
    const stub = makeStubGateway()
    for (let round = 0; round < 1000; round++) {
      const authorization = `AWS4-HMAC-SHA256 Credential=${pick(['PBAKTESTTESTTESTTEST', text()])}/${pick(['20261123', text()])}/us-west-2/${pick(['s3', 'ec2', text()])}/aws4_request, SignedHeaders=${text()}, Signature=${text()}`
      const rawHeaders = [
        'host',
        text(),
        'authorization',
        pick([authorization, text()]),
        'x-amz-date',
        pick(['20261123T120000Z', text()]),
        'x-amz-content-sha256',
        text(),
      ]
      const url = `/${text()}?${pick(['X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=', ''])}${text()}`
      const answer = await stub.gateway.handle({
        method: pick(['GET', 'POST', 'X']),
        url,
        rawHeaders: rawHeaders.slice(below(4) * 2),
        body: Buffer.from(text()),
      })
      assert.ok(answer.status >= 400 && answer.status < 500, `round ${round}: ${answer.status} for ${url}`)
    }
    assert.equal(stub.gateway.counters().bugs, 0)
  })

  it('on the socket leaves the server answering', async () => {
    const stub = makeStubGateway()
    const { port, close } = await stub.listen()
    const rubbish = [
      '\0\0\0',
      'GET',
      'GET / HTTP/9.9\r\n\r\n',
      'POST / HTTP/1.1\r\ncontent-length: -5\r\n\r\n',
      `GET /${'a'.repeat(70_000)} HTTP/1.1\r\n\r\n`,
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
      'CONNECT a:1 HTTP/1.1\r\n\r\n',
      'GET * HTTP/1.1\r\nhost: a\r\n\r\n',
      'GET http://a/b HTTP/1.1\r\nhost: a\r\n\r\n',
      'GET / HTTP/1.1\r\nhost: a\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n',
    ]
    await Promise.all(rubbish.map((bytes) => exchange(port, bytes)))
    assert.match(
      await exchange(port, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n'),
      /^HTTP\/1.1 403 Forbidden/,
    )
    await close()
  })
})

function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let got = ''
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes))
    socket.on('data', (chunk: Buffer) => (got += chunk.toString('latin1')))
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(got))
  })
}
