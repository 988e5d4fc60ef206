// acm.certificates: certificates that were asked for are ordered, shown to be ours, fetched, and renewed while a listener has them.
// What an order has reached is in its row, so whoever died goes on; the challenges in it are answered by the balancer and the name
// server, which read them from there.
import type { LaneAction, Lanes } from '../../control/lanes.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import { systemContext } from '../service.ts'
import type { AcmDeps } from './deps.ts'
import { isLocal } from './names.ts'
import { makeProgress } from './progress.ts'
import { namesOfOrder, type OrderRow, ordersOf } from './store.ts'

const NAME = 'acm.certificates'
/** Most of a step is waiting for others. */
const AT_ONCE_MAX = 16
/** Of the home's own authority: nobody is waited for. */
const OWN_AT_ONCE_MAX = 2
const EVERY_MS = 60_000
const SOON_MS = 50
/** Of one step: a handful of calls. */
const STEP_MS = 120_000

export function makeCertificatesReconciler(deps: AcmDeps): Reconciler {
  const { store, clock, cloud } = deps
  const lanes = { own: deps.makeLanes(NAME, OWN_AT_ONCE_MAX), others: deps.makeLanes(NAME, AT_ONCE_MAX) }
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
      const open = store.transaction(wantedOrders)
      const due = open.filter(({ nextAt }) => nextAt <= now).sort((a, b) => a.nextAt - b.nextAt)
      const own = due.filter((row) => namesOfOrder(row).every(isLocal))
      submit(lanes.own, own)
      submit(
        lanes.others,
        due.filter((row) => !own.includes(row)),
      )
      // Those that are due are under way, or have their turn when another one ends.
      const later = open.filter(({ nextAt }) => nextAt > now).map(({ nextAt }) => nextAt - now)
      everyMs = Math.max(SOON_MS, Math.min(EVERY_MS, ...later))
      return { open: open.length, due: due.length }
    },
  }

  function submit(to: Lanes, rows: OrderRow[]) {
    to.submit(rows.map(actionOf))
  }

  /** One that is issued is renewed while somebody uses it, as on AWS; one whose renewal fails and that nobody uses is left alone. */
  function wantedOrders(): OrderRow[] {
    const used = new Map<string, ReadonlySet<string>>()
    const isUsed = ({ arn, account, region }: OrderRow) => {
      const key = `${account} ${region}`
      const all =
        used.get(key) ?? cloud.elasticloadbalancingv2.certificatesInUse(systemContext(account, region, ''))
      used.set(key, all)
      return all.has(arn)
    }
    return ordersOf(store).filter((row) => {
      if (row.stage === 'timed out') return false
      if (row.stage === 'issued') return isUsed(row)
      return row.failures === 0 || !isIssued(row) || isUsed(row)
    })
  }

  function isIssued({ arn }: OrderRow): boolean {
    return (
      store.get(`select 1 from acm_certificate where arn = :arn and certificate <> ''`, { arn }) !== undefined
    )
  }

  function actionOf({ arn }: OrderRow): LaneAction {
    return {
      ...{ what: 'certificate', lane: `certificate/${arn}`, timeoutMs: STEP_MS },
      perform: () => progress.step(arn),
    }
  }
}
