// Asks an environment as its visitors do: by the public listener and its name.
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Api } from './client.ts'
import type { Environment } from './environments.ts'

/** `byBalancer`: the load balancer itself answered, since it has nobody to ask. */
export type Reply =
  | { kind: 'answer'; status: number; byBalancer: boolean; saw: string }
  | { kind: 'silence'; saw: string }

const ANSWER_WITHIN_MS = 10_000
const AGAIN_AFTER_MS = 250

// By address and Host header: whether the name resolves on this machine is the resolver's matter, not the environment's.
export const reach = ({ home }: Api, { cname }: Environment, path: string): Promise<Reply> =>
  new Promise((resolve) => {
    const where = { host: '127.0.0.1', port: home.ports.http, path, headers: { host: cname } }
    const call = request({ ...where, timeout: ANSWER_WITHIN_MS }, (response) => {
      response.resume()
      const status = response.statusCode ?? 0
      const byBalancer = response.headers.server === 'awselb/2.0'
      resolve({ kind: 'answer', status, byBalancer, saw: `HTTP ${status}` })
    })
    call.on('timeout', () => call.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} seconds`)))
    call.on('error', (error) => resolve({ kind: 'silence', saw: error.message }))
    call.end()
  })

/** The first answer of the application, or what was seen instead when `withinMs` is over. */
export async function reachApplication(api: Api, environment: Environment, withinMs: number): Promise<Reply> {
  for (const end = performance.now() + withinMs; ; await sleep(AGAIN_AFTER_MS)) {
    const reply = await reach(api, environment, '/')
    if ((reply.kind === 'answer' && !reply.byBalancer) || performance.now() > end) return reply
  }
}
