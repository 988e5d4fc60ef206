// The API at a TLS name: a HAProxy of its own in front of the API's loopback port, under the home's supervisor. Apart from
// the balancer, so that a certificate never waits for a load balancer, nor the other way round, and the process that faces
// the users of environments does not hold the API's key. It goes on while the control plane is dead, and answers 503 then.
import { join } from 'node:path'
import type { Clock } from '../../kernel/clock.ts'
import { EngineError } from '../../kernel/errors.ts'
import type { Home } from '../../kernel/home.ts'
import type { Log } from '../../kernel/log.ts'
import { makeHaproxyProcess } from '../balancer/haproxy-process.ts'
import { hasIpv6Loopback, takenBinds } from '../balancer/host-ports.ts'
import { userIfAny } from '../balancer/user.ts'
import type { Supervisor } from '../supervisor/engine.ts'
import { readCertificate } from './certificate.ts'
import { renderTls } from './config.ts'

export type TlsWish = {
  name: string
  /** Path. */
  certificate: string
  /** None: loopback. */
  addresses: readonly string[]
  port: number
}

export type ApiTls = {
  /**
   * Makes HAProxy follow the wish and the file as it is now; null ends it. Answers when the certificate ends. Throws a sentence
   * about what is in the way; what was in force stays.
   */
  ensure(wish: TlsWish | null): Promise<{ endsAt: number } | null>
}

type Deps = {
  clock: Clock
  log: Log
  home: Pick<Home, 'dir' | 'runDir' | 'ports'>
  supervisor: Supervisor
}

const DAEMON = 'api-tls'
const FILES_MAX = 4_500

export function makeApiTls({ clock, log, home, supervisor }: Deps): ApiTls {
  const dir = join(home.runDir, DAEMON)
  const haproxy = makeHaproxyProcess({
    ...{ name: DAEMON, clock, log, supervisor, dir, filesMax: FILES_MAX, namespace: null },
    logDir: join(home.dir, 'log', DAEMON),
    wrap: (argv) => argv,
  })
  const user = userIfAny('haproxy')

  const follow = async ({ name, certificate, addresses, port }: TlsWish) => {
    const { pem, endsAt } = readCertificate(certificate, name)
    const binds = bindsOf(addresses, port)
    const model = { name, binds, apiPort: home.ports.api, pem }
    const { frame, files } = renderTls(model, { dir, user })
    const following = await haproxy.settled()
    if (following?.frame === frame) return { endsAt }
    const taken = await takenBinds(binds, haproxy.isOurs)
    for (const [bind, why] of taken) throw new EngineError(`the API cannot be at ${bind}: it ${why}`)
    await haproxy.check((folder) => renderTls(model, { dir: folder, user }).files)
    if (following) await haproxy.reload(files, frame)
    else {
      haproxy.write(files)
      await haproxy.start(frame)
    }
    haproxy.prune(files)
    log.info('the API answers by TLS', { name, binds, until: new Date(endsAt).toISOString() })
    return { endsAt }
  }

  return {
    async ensure(wish) {
      if (wish) return follow(wish)
      if ((await supervisor.list()).some((one) => one.name === DAEMON)) await supervisor.remove(DAEMON)
      return null
    },
  }
}

export function bindsOf(addresses: readonly string[], port: number): string[] {
  const wanted = addresses.length > 0 ? addresses : hasIpv6Loopback() ? ['127.0.0.1', '::1'] : ['127.0.0.1']
  return wanted.map((address) => (address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`))
}
