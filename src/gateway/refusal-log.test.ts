import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../kernel/clock.ts'
import { makeLog } from '../kernel/log.ts'
import { send } from './testing/send.ts'
import { makeStubGateway } from './testing/stub-gateway.ts'

describe('signatures that are refused', () => {
  let passed = 0
  const clock = { ...systemClock, monotonic: () => passed }
  const lines: Record<string, unknown>[] = []
  const log = makeLog(clock, (line) => void lines.push(JSON.parse(line) as Record<string, unknown>))
  const { gateway } = makeStubGateway({ clock, log })
  const wrong = { accessKeyId: 'PBAKTESTTESTTESTTEST', secretAccessKey: 'wrong' }
  const unknown = { accessKeyId: 'a-secret-by-mistake', secretAccessKey: 'wrong' }
  const said = () => lines.splice(0).map(({ message, code, from, count }) => ({ message, code, from, count }))

  it('are a line a minute, however many, each with the answer that AWS has', async () => {
    const body = 'Action=DescribeEnvironments'
    const headers = { 'x-forwarded-for': '203.0.113.9' }
    const message = 'refused a signature'
    for (let each = 0; each < 50; each++) {
      assert.equal((await send(gateway, { body, headers, credentials: wrong })).code, 'SignatureDoesNotMatch')
      assert.equal(
        (await send(gateway, { body, headers, credentials: unknown })).code,
        'InvalidClientTokenId',
      )
    }
    assert.deepEqual(said(), [{ message, code: 'SignatureDoesNotMatch', from: '203.0.113.9', count: 1 }])
    passed = 60_000
    assert.equal((await send(gateway, { body, credentials: unknown })).code, 'InvalidClientTokenId')
    assert.deepEqual(said(), [{ message, code: 'InvalidClientTokenId', from: 'this machine', count: 100 }])
  })
  it('are something else than requests that are refused for what they ask', async () => {
    passed = 120_000
    assert.equal((await send(gateway, { body: 'Action=Nonsense' })).code, 'InvalidAction')
    assert.deepEqual(said(), [])
  })
  it('say of an address no more than one takes', async () => {
    passed = 180_000
    const headers = { 'x-forwarded-for': '1'.repeat(10_000) }
    await send(gateway, { body: 'Action=DescribeEnvironments', headers, credentials: wrong })
    assert.deepEqual(said()[0]?.from, '1'.repeat(45))
  })
})
