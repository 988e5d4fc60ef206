import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import { signRequest } from './sigv4.ts'
import { send } from './testing/send.ts'
import { credentials, makeStubGateway, region } from './testing/stub-gateway.ts'

describe('routes of our own', () => {
  const answer = () => ({ status: 200, headers: {}, body: 'the answer' })
  const { gateway } = makeStubGateway({
    extra: [
      { path: '/open', answer },
      { path: '/own/secret', signed: true, answer },
    ],
  })
  const unsigned = (url: string) =>
    gateway.handle({ method: 'GET', url, rawHeaders: ['host', 'localhost:4000'], body: Buffer.alloc(0) })

  it('answer who has no key only where that is meant', async () => {
    assert.equal((await unsigned('/open')).body, 'the answer')
    assert.equal((await unsigned('/own/secret')).status, 403)
  })
  it('answer who signs with the key, and nobody who does not have it', async () => {
    const path = '/own/secret'
    assert.equal((await send(gateway, { method: 'GET', path })).body, 'the answer')
    const forged = signRequest({
      method: 'GET',
      path,
      headers: { host: 'localhost:4000' },
      payloadHash: createHash('sha256').digest('hex'),
      service: 'elasticbeanstalk',
      region,
      credentials: { ...credentials, secretAccessKey: 'another' },
      at: systemClock.now(),
    })
    const rawHeaders = Object.entries(forged).flat()
    const refused = await gateway.handle({ method: 'GET', url: path, rawHeaders, body: Buffer.alloc(0) })
    assert.equal(refused.status, 403)
  })
  it('leave the paths of S3 to S3', async () => {
    const got = await send(gateway, { method: 'GET', path: '/own/secret', service: 's3' })
    assert.notEqual(got.body, 'the answer')
  })
})
