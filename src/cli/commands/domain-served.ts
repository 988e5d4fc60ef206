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

/** `wanted`: whether it leads to HTTPS. */
export async function untilRedirects(name: string, port: number, wanted: boolean): Promise<void> {
  await untilNothing(async () => {
    const status = await statusAt(name, port)
    return (status === 301) === wanted ? '' : `HTTP ${status}`
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

/** 0 = nobody answers. */
const statusAt = (host: string, port: number): Promise<number> =>
  new Promise((resolve) => {
    const call = request(
      { host: HOST, port, headers: { host }, timeout: ANSWER_MS, agent: false },
      (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      },
    )
    call.on('timeout', () => call.destroy())
    call.on('error', () => resolve(0))
    call.end()
  })
