// Waits for a first 200, as a client would see it.
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

const ASK_EVERY_MS = 10
const WITHIN_MS = 120_000

/** Epoch milliseconds of the first 200 from 127.0.0.1:`port`; `from` tells which of several answerers must be seen. Throws
 *  when it takes longer than two minutes. */
export async function firstAnswer(
  port: number,
  host: string,
  from: (body: string) => boolean = () => true,
): Promise<number> {
  const end = Date.now() + WITHIN_MS
  while (Date.now() < end) {
    const body = await ask(port, host)
    if (body !== undefined && from(body)) return Date.now()
    await sleep(ASK_EVERY_MS)
  }
  throw new Error(`${host} (port ${port}) did not answer 200 within ${WITHIN_MS / 1000} s`)
}

/** The body of a 200, else undefined. */
const ask = (port: number, host: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, path: '/', headers: { host }, agent: false }
    const call = request(options, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => (body += text))
      response.on('end', () => resolve(response.statusCode === 200 ? body : undefined))
    })
    call.on('error', () => resolve(undefined))
    call.end()
  })
