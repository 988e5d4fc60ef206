import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { request, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { systemClock as clock } from '../../kernel/clock.ts'
import { silentLog as log } from '../../kernel/log.ts'
import type { MetadataAnswer, MetadataRequest } from './engine.ts'
import { errorPage } from './error-page.ts'
import { listen } from './listener.ts'

const dir = mkdtempSync(join(tmpdir(), 'metadata-'))
const socketPath = join(dir, 'empty', 'server.sock')
const asked: MetadataRequest[] = []
let answer: () => MetadataAnswer
let close: () => Promise<void>
const open = async () => {
  const listening = await listen({ clock, log }, socketPath, (question) => {
    asked.push(question)
    return answer()
  })
  close = listening.close
}
before(open)
after(async () => {
  await close()
  rmSync(dir, { recursive: true })
})

const ask = async (path: string, headers: Record<string, string | string[]> = {}, method = 'GET') => {
  const call = request({ socketPath, path, method, headers, agent: false }).end()
  const [response] = (await once(call, 'response')) as [
    AsyncIterable<Buffer> & { statusCode: number; headers: IncomingHttpHeaders },
  ]
  const body = Buffer.concat(await Array.fromAsync(response))
  return { status: response.statusCode, headers: response.headers, body: body.toString() }
}

describe('the end of the door in the control plane', () => {
  it('hands a question on, and its answer back', async () => {
    answer = () => ({ status: 200, body: 'i-1', headers: { 'X-More': 'yes' } })
    const headers = { 'x-polebean-source': '10.0.0.16', 'X-Forwarded-For': ['1.2.3.4', '5.6.7.8'] }
    const { status, headers: said, body } = await ask('/latest/meta-data/instance-id?a=b', headers, 'PUT')
    const { source, method, path, headers: heard } = asked.at(-1)!
    assert.deepEqual([source, method, path], ['10.0.0.16', 'PUT', '/latest/meta-data/instance-id'])
    assert.equal(heard['x-forwarded-for'], '1.2.3.4, 5.6.7.8')
    assert.deepEqual(
      [status, body, said['content-type'], said['content-length'], said.server, said['x-more']],
      [200, 'i-1', 'text/plain', '3', 'EC2ws', 'yes'],
    )
    await ask('/')
    assert.equal(asked.at(-1)!.source, '', 'a question past HAProxy is nobody’s')
  })

  it('has raw bytes, AWS’s error pages, and no body for HEAD', async () => {
    const bytes = Buffer.from([0x23, 0x21, 0xc3, 0xbc])
    answer = () => ({ status: 200, body: bytes, headers: { 'Content-Type': 'application/octet-stream' } })
    const raw = await ask('/latest/user-data')
    assert.deepEqual([raw.headers['content-type'], raw.body], ['application/octet-stream', bytes.toString()])
    const head = await ask('/latest/user-data', {}, 'HEAD')
    assert.deepEqual([head.headers['content-length'], head.body], ['4', ''])
    answer = () => ({ status: 404 })
    const missing = await ask('/latest/nothing')
    assert.deepEqual(
      [missing.status, missing.headers['content-type'], missing.body],
      [404, 'text/html', errorPage(404)],
    )
    answer = () => {
      throw new Error('of a test')
    }
    assert.equal((await ask('/')).status, 500)
  })

  it('takes the place of a former process, and is reached by a HAProxy that has dropped root', async () => {
    const { close: closeFormer } = { close }
    await open()
    answer = () => ({ status: 200, body: 'new' })
    assert.equal((await ask('/')).body, 'new')
    assert.equal(statSync(socketPath).mode & 0o777, 0o666)
    await closeFormer()
  })
})
