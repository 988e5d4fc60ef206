// Asks for a name at this machine as its visitors do, until it is answered as it is to be.
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkServerIdentity, connect } from 'node:tls'
import { Failure } from '../failure.ts'

const HOST = '127.0.0.1'
const AGAIN_AFTER_MS = 100
const ANSWER_MS = 5_000
const SERVED_MS = 30_000

/** @throws Failure what is seen instead, after half a minute. */
export async function untilShown(name: string, port: number): Promise<void> {
  await untilNothing(() => problemShown(name, port), `${name} at port ${port}`)
}

export async function untilRedirects(name: string, port: number): Promise<void> {
  await untilNothing(async () => {
    const location = await locationAt(name, port)
    // An application may lead elsewhere by itself.
    return location?.startsWith(`https://${name}`) ? '' : 'HTTP does not lead to HTTPS'
  }, `${name} at port ${port}`)
}

async function untilNothing(look: () => Promise<string>, what: string): Promise<void> {
  for (const end = performance.now() + SERVED_MS; ; await sleep(AGAIN_AFTER_MS)) {
    const problem = await look()
    if (problem === '') return
    if (performance.now() > end) throw new Failure(`${what}: ${problem}`)
  }
}

/** The certificate that is shown there; by whom it is trusted is not asked. */
const problemShown = (servername: string, port: number): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect({ host: HOST, port, servername, rejectUnauthorized: false, timeout: ANSWER_MS })
    const end = (problem: string) => {
      socket.destroy()
      resolve(problem)
    }
    socket.on('secureConnect', () =>
      end(checkServerIdentity(servername, socket.getPeerCertificate())?.message ?? ''),
    )
    socket.on('error', (error) => end(error.message))
    socket.on('timeout', () => end(`no answer within ${ANSWER_MS} ms`))
  })

const locationAt = (host: string, port: number): Promise<string | undefined> =>
  new Promise((resolve) => {
    const where = { host: HOST, port, headers: { host }, timeout: ANSWER_MS, agent: false }
    const call = request(where, (response) => {
      response.resume()
      resolve(response.headers.location)
    })
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(undefined))
    call.end()
  })
