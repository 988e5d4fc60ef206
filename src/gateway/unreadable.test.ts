import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { it } from 'node:test'
import { refuseUnreadable } from './unreadable.ts'

it('a request that does not come in time is told so', async () => {
  const socket = new PassThrough()
  refuseUnreadable(
    Object.assign(new Error('late'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }),
    socket,
    (refusal) => ({
      status: refusal.httpStatus,
      headers: { Date: 'now' },
      body: `ü ${refusal.code}`,
    }),
  )
  assert.equal(
    await text(socket),
    'HTTP/1.1 408 Request Timeout\r\nDate: now\r\nConnection: close\r\nContent-Length: 17\r\n\r\nü RequestTimeout',
  )
})

it('a connection that is gone is told nothing', () => {
  const socket = new PassThrough()
  refuseUnreadable(Object.assign(new Error('gone'), { code: 'ECONNRESET' }), socket, () => assert.fail())
  assert.ok(socket.destroyed)
})
