// The API at its TLS name: whether it answers there, and for how long its certificate is good.
import { request } from 'node:https'
import type { TLSSocket } from 'node:tls'
import { WARN_DAYS, wishOf } from '../../api-tls.ts'
import { readConfig } from '../../config/file.ts'
import type { Config } from '../../config/settings.ts'
import { systemClock } from '../../kernel/clock.ts'
import { reasonOf } from '../../kernel/errors.ts'
import type { Check } from '../requirements.ts'

const REQUEST_MS = 5_000
const DAY_MS = 86_400_000

/** None when no name is configured. */
export async function checkTls(homeDir: string, homeId: string): Promise<Check[]> {
  const name = 'API by TLS'
  try {
    const config = readConfig(homeDir)
    const wish = wishOf(config)
    if (!wish) return checkHalf(config)
    const host = wish.addresses.find((one) => one !== '0.0.0.0' && one !== '::') ?? '127.0.0.1'
    const { body, endsAt } = await ask(host, wish.port, wish.name)
    const where = `https://${wish.name}:${wish.port} (${host})`
    if (body.trim() !== homeId) return [{ name, ok: false, saw: `${where}: something else answers` }]
    const days = Math.floor((endsAt - systemClock.now()) / DAY_MS)
    const until = new Date(endsAt).toISOString().slice(0, 10)
    if (days >= WARN_DAYS) return [{ name, ok: true, saw: `${where}, certificate until ${until}` }]
    const when = days < 0 ? `ended on ${until}` : `ends on ${until}, in ${days} days`
    return [
      { name, ok: false, saw: `${where}: the certificate ${when}; put another into ${wish.certificate}` },
    ]
  } catch (error) {
    return [{ name, ok: false, saw: reasonOf(error) }]
  }
}

function checkHalf({ api }: Config): Check[] {
  if (api.name === null && api.certificate === null) return []
  const [there, lacks] = api.name === null ? ['certificate', 'name'] : ['name', 'certificate']
  return [
    {
      name: 'API by TLS',
      ok: false,
      saw: `no: api.${there} is set and api.${lacks} is not; polebean config set api.${lacks} VALUE`,
    },
  ]
}

function ask(host: string, port: number, name: string): Promise<{ body: string; endsAt: number }> {
  return new Promise((resolve, reject) => {
    const call = request(
      // Whether a client trusts it is for the client to say: it may have a CA of its own.
      { host, port, servername: name, path: '/healthz', headers: { host: name }, rejectUnauthorized: false },
      (response) => {
        const { valid_to: until } = (response.socket as TLSSocket).getPeerCertificate()
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        response.on('end', () => resolve({ body, endsAt: Date.parse(until) }))
      },
    )
    call.setTimeout(REQUEST_MS, () => call.destroy(new Error(`no answer within ${REQUEST_MS / 1000} s`)))
    call.on('error', (error) =>
      reject(new Error(`https://${name}:${port} (${host}): ${error.message}; see HOME/log/server/current`)),
    )
    call.end()
  })
}
