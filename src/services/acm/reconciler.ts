// acm.certificates: certificates that were asked for are ordered, shown to be ours, fetched, and renewed while a listener has them.
// What an order has reached is in its row, so whoever died goes on; the challenges in it are answered by the balancer and the name
// server, which read them from there.
import type { LaneAction } from '../../control/lanes.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import type { AcmDeps } from './deps.ts'
import { makeProgress } from './progress.ts'
import { type OrderRow, ordersOf } from './store.ts'

const NAME = 'acm.certificates'
const AT_ONCE_MAX = 4
const EVERY_MS = 60_000
const SOON_MS = 50
/** Of one step: a handful of calls. */
const STEP_MS = 120_000

export function makeCertificatesReconciler(deps: AcmDeps): Reconciler {
  const { store, clock } = deps
  const lanes = deps.makeLanes(NAME, AT_ONCE_MAX)
  const progress = makeProgress(deps)
  let everyMs = EVERY_MS
  return {
    name: NAME,
    get everyMs() {
      return everyMs
    },
    wakes: ['acm_order', 'elbv2_listener'],
    async reconcile() {
      const now = clock.now()
      const open = store.transaction(() => ordersOf(store).filter((row) => progress.isWanted(row)))
      const due = open.filter(({ nextAt }) => nextAt <= now)
      lanes.submit(due.map(actionOf))
      const next = Math.min(...open.map(({ nextAt }) => nextAt - now), EVERY_MS)
      everyMs = Math.max(SOON_MS, next)
      return { open: open.length, due: due.length }
    },
  }

  function actionOf({ arn }: OrderRow): LaneAction {
    return {
      ...{ what: 'certificate', lane: `certificate/${arn}`, timeoutMs: STEP_MS },
      perform: () => progress.step(arn),
    }
  }
}
