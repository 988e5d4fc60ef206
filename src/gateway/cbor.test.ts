// What the SDK's own round trips do not show: rubbish, bombs, errors in each protocol of what was a query service.
import assert from 'node:assert/strict'
import { gzipSync } from 'node:zlib'
import { describe, it } from 'node:test'
import { decode, encode } from 'cborg'
import { DeclaredError } from '../kernel/errors.ts'
import { send } from './testing/send.ts'
import { makeStubGateway } from './testing/stub-gateway.ts'

const TARGET = 'GraniteServiceVersion20100801'
const path = (operation: string) => `/service/${TARGET}/operation/${operation}`

const ask = (body: Uint8Array | string, headers: Record<string, string>, url = path('ListMetrics')) => {
  const stub = makeStubGateway()
  stub.answer({ Metrics: [{ MetricName: 'CPUUtilization' }] })
  return send(stub.gateway, { service: 'monitoring', path: url, headers, body })
}
const cbor = { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' }

describe('CBOR', () => {
  it('is answered in CBOR', async () => {
    const { status, headers, bytes } = await ask(encode({ Namespace: 'A' }), cbor)
    assert.equal(status, 200)
    assert.equal(headers['smithy-protocol'], 'rpc-v2-cbor')
    assert.deepEqual(decode(bytes), { Metrics: [{ MetricName: 'CPUUtilization' }] })
  })
  for (const [what, bytes] of Object.entries({
    'half a map': encode({ Namespace: 'A' }).subarray(0, 5),
    'a text': encode('A'),
    'lists in lists, deeper than a stack': Buffer.alloc(500_000, 0x81),
    'a member of another kind': encode({ Namespace: 7 }),
    'a moment that is none': encode({ Dimensions: 'x' }),
  }))
    it(`refuses ${what}`, async () => {
      const { status, headers, bytes: body } = await ask(bytes, cbor)
      assert.equal(status, 400)
      assert.equal((decode(body) as { __type: string }).__type, 'SerializationException')
      assert.match(headers['x-amzn-query-error'] ?? '', /^SerializationException;Sender$/)
    })
  it('knows operations by their path, and no other service', async () => {
    for (const [url, code] of [
      [path('NoSuch'), 'UnknownOperationException'],
      [path('PutDashboard'), 'UnsupportedOperation'],
      ['/service/Other/operation/ListMetrics', 'UnknownOperationException'],
      ['/', 'UnknownOperationException'],
    ] as const) {
      const { bytes } = await ask(encode({}), cbor, url)
      assert.equal((decode(bytes) as { __type: string }).__type, code)
    }
  })
  it('is not what a service speaks that never was a query service', async () => {
    const stub = makeStubGateway()
    const { status } = await send(stub.gateway, {
      ...{ service: 'logs', path: '/service/Logs_20140328/operation/DescribeLogGroups' },
      ...{ headers: cbor, body: encode({}) },
    })
    assert.equal(status, 400)
  })
})

describe('errors of what was a query service', () => {
  const refusing = () => {
    const stub = makeStubGateway()
    stub.answer(() => {
      throw new DeclaredError('ResourceNotFound', 'Unknown alarm')
    })
    return stub.gateway
  }
  it('have the shape of JSON, and the code of query in a header', async () => {
    const { status, headers, body } = await send(refusing(), {
      ...{ service: 'monitoring', body: '{}' },
      headers: { 'x-amz-target': `${TARGET}.DescribeAlarms`, 'content-type': 'application/x-amz-json-1.0' },
    })
    assert.equal(status, 404)
    assert.equal(headers['x-amzn-query-error'], 'ResourceNotFound;Sender')
    assert.equal(headers['Content-Type'], 'application/x-amz-json-1.0')
    assert.equal((JSON.parse(body) as { __type: string }).__type, 'ResourceNotFound')
  })
  it('are XML to who asks by query', async () => {
    const { body } = await send(refusing(), {
      ...{ service: 'monitoring' },
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Action=DescribeAlarms&Version=2010-08-01',
    })
    assert.match(body, /<Code>ResourceNotFound<\/Code>/)
  })
})

describe('compressed bodies', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded', 'content-encoding': 'gzip' }
  it('are unpacked', async () => {
    const { status } = await ask(gzipSync('Action=ListMetrics&Version=2010-08-01'), form, '/')
    assert.equal(status, 200)
  })
  it('are refused when they are none, or bombs', async () => {
    assert.equal((await ask('Action=ListMetrics', form, '/')).status, 400)
    assert.equal((await ask(gzipSync(Buffer.alloc(50_000_000)), form, '/')).status, 413)
  })
})
