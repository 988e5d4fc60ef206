import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'
import type { Api } from './client.ts'
import type { Environment } from './environments.ts'
import { reachApplication } from './reach.ts'

const environment = { cname: 'shop.us-west-2.elasticbeanstalk.localhost' } as Environment

/** A public listener that answers in turn, its last answer for good; '' is a balancer without anybody to ask. */
async function listening(answers: string[]): Promise<{ api: Api; server: Server; hosts: string[] }> {
  const hosts: string[] = []
  const server = createServer((request, response) => {
    hosts.push(request.headers.host ?? '')
    const answer = answers.length > 1 ? answers.shift()! : answers[0]!
    if (answer === '') response.writeHead(503, { server: 'awselb/2.0' }).end()
    else response.writeHead(Number(answer)).end()
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  return { api: { home: { ports: { http: port } } } as Api, server, hosts }
}

describe('reachApplication', () => {
  it('waits while only the balancer answers, and takes what the application says', async () => {
    const { api, server, hosts } = await listening(['', '', '404'])
    const reply = await reachApplication(api, environment, 60_000)
    server.close()
    assert.deepEqual(reply, { kind: 'answer', status: 404, byBalancer: false, saw: 'HTTP 404' })
    assert.deepEqual(
      hosts,
      Array.from({ length: 3 }, () => environment.cname),
    )
  })
  it('tells what it saw when the application does not answer in time', async () => {
    const { api, server } = await listening([''])
    assert.equal((await reachApplication(api, environment, 0)).saw, 'HTTP 503')
    await new Promise((done) => server.close(done))
    const reply = await reachApplication(api, environment, 0)
    assert.equal(reply.kind, 'silence')
    assert.match(reply.saw, /ECONNREFUSED|hang up/) // of a new connection, or of the one that was kept
  })
})
