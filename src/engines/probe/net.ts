// Probes by sockets of this machine. Route 53: a connection within 4 seconds and a status within 2 more; of TCP alone 10 seconds.
import { request as requestHttp, STATUS_CODES, type IncomingMessage } from 'node:http'
import { request as requestHttps } from 'node:https'
import { BlockList, connect, isIP } from 'node:net'
import { lookup } from 'node:dns/promises'
import { type Clock } from '../../kernel/clock.ts'
import { reasonOf } from '../../kernel/errors.ts'
import type { Probe, ProbeEngine, ProbeResult } from './engine.ts'

const TCP_MS = 10_000
const HTTP_MS = 6_000
/** AWS: "the string must appear entirely in the first 5,120 bytes". */
const SEARCHED_BYTES = 5_120

export const makeNetProbes = (clock: Clock): ProbeEngine => ({
  async probe(probe) {
    const over = new AbortController()
    const limit = probe.protocol === 'TCP' ? TCP_MS : HTTP_MS
    const silence = clock
      .sleep(limit, over.signal)
      .then((): ProbeResult =>
        failed('The health checker could not establish a connection within the timeout limit.'),
      )
      .catch((): ProbeResult => failed('it was not waited for'))
    try {
      return await Promise.race([reach(probe, over.signal), silence])
    } catch (error) {
      return failed(reasonOf(error))
    } finally {
      over.abort()
    }
  },
})

async function reach(probe: Probe, signal: AbortSignal): Promise<ProbeResult> {
  const address = isIP(probe.host) ? probe.host : (await lookup(probe.host, { family: 4 })).address
  if (!probe.isOwn && OWN.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4'))
    return failed(`${address} is an address of the machine itself`)
  return probe.protocol === 'TCP' ? dial(address, probe, signal) : ask(address, probe, signal)
}

/** Where others trust who is local: what this machine asks of itself, and of who tells it secrets. */
const OWN = new BlockList()
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
] as const) {
  OWN.addSubnet(net, prefix, 'ipv4')
  OWN.addSubnet(`::ffff:${net}`, 96 + prefix, 'ipv6')
  OWN.addSubnet(`::${net}`, 96 + prefix, 'ipv6')
}
OWN.addSubnet('::', 127, 'ipv6')
OWN.addSubnet('fe80::', 10, 'ipv6')

const failed = (why: string): ProbeResult => ({ ok: false, told: `Failure: ${why}` })

const dial = (host: string, { port }: Probe, signal: AbortSignal) =>
  new Promise<ProbeResult>((answer) => {
    const socket = connect({ host, port, signal })
    socket.on('error', (error) => answer(failed(error.message)))
    socket.on('connect', () => {
      socket.destroy()
      answer({ ok: true, told: 'Success: TCP connection established' })
    })
  })

function ask(address: string, probe: Probe, signal: AbortSignal): Promise<ProbeResult> {
  const { protocol, port, path, hostHeader, sni, searchFor } = probe
  const options = {
    ...{ host: address, port, path, signal, agent: false as const },
    headers: {
      'user-agent': 'Amazon-Route53-Health-Check-Service (Polebean)',
      ...(hostHeader === null ? {} : { host: hostHeader }),
    },
  }
  return new Promise((answer) => {
    const judge = (response: IncomingMessage) => {
      const { statusCode: status = 0, statusMessage } = response
      const told = `HTTP Status Code ${status}, ${statusMessage || (STATUS_CODES[status] ?? '')}`
      if (status < 200 || status >= 400) return end(failed(told), response)
      if (searchFor === null) return end({ ok: true, told: `Success: ${told}` }, response)
      const chunks: Buffer[] = []
      let bytes = 0
      const look = () => {
        const text = Buffer.concat(chunks).subarray(0, SEARCHED_BYTES).toString('latin1')
        const has = text.includes(Buffer.from(searchFor).toString('latin1'))
        end(
          has ? { ok: true, told: `Success: ${told}` } : failed(`${told}. Search string was not found.`),
          response,
        )
      }
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes >= SEARCHED_BYTES) look()
      })
      response.on('end', look)
      response.on('error', (error) => answer(failed(error.message)))
    }
    const end = (result: ProbeResult, response: IncomingMessage) => {
      answer(result)
      response.destroy()
    }
    const call =
      protocol === 'HTTP'
        ? requestHttp(options, judge)
        : requestHttps(
            {
              ...options,
              rejectUnauthorized: false,
              ...(sni && hostHeader !== null ? { servername: hostHeader } : {}),
            },
            judge,
          )
    call.on('error', (error) => answer(failed(error.message)))
    call.end()
  })
}
