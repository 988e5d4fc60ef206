// The reconciler of the API's TLS name: it follows the settings and the certificate's file, and says in time when that ends.
import type { Config } from './config/settings.ts'
import type { Reconciler } from './control/reconciler.ts'
import type { ApiTls, TlsWish } from './engines/api-tls/api-tls.ts'
import type { Clock } from './kernel/clock.ts'
import type { Log } from './kernel/log.ts'

const LOOK_MS = 5_000
const DAY_MS = 86_400_000
export const WARN_DAYS = 21

type Deps = { clock: Clock; log: Log; tls: ApiTls; config(): Config }

export function makeApiTlsReconciler({ clock, log, tls, config }: Deps): Reconciler {
  let warnedOn = Number.NaN
  return {
    name: 'api.tls',
    everyMs: LOOK_MS,
    wakes: [],
    async reconcile() {
      const wish = wishOf(config())
      const state = await tls.ensure(wish)
      if (!wish || !state) return {}
      const days = Math.floor((state.endsAt - clock.now()) / DAY_MS)
      const today = Math.floor(clock.now() / DAY_MS)
      if (days < WARN_DAYS && warnedOn !== today) {
        warnedOn = today
        const until = new Date(state.endsAt).toISOString()
        log.warn(days < 0 ? "the API's certificate has ended" : "the API's certificate ends soon", {
          until,
          file: wish.certificate,
        })
      }
      return { name: wish.name, certificateDays: days }
    },
  }
}

export const wishOf = ({ api: { name, certificate, addresses, tlsPort } }: Config): TlsWish | null =>
  name === null || certificate === null ? null : { name, certificate, addresses, port: tlsPort }
