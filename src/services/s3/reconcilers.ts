// Sweeps bodies that no row names: of objects deleted or overwritten, of finished uploads, of writes that a crash broke off.
import type { LaneAction } from '../../control/lanes.ts'
import type { Reconciler } from '../../control/reconciler.ts'
import { withTimeout } from '../../kernel/clock.ts'
import type { S3 } from './bodies.ts'
import { limits } from './limits.ts'
import { planSweep } from './plan.ts'
import { discardBody, NAMED_BODIES } from './store.ts'

export function makeBodiesReconciler(s3: S3): Reconciler {
  const { store, clock, objects, bodiesUnderWay } = s3
  const lanes = s3.makeLanes('s3.bodies', 32)

  const removal = (bodyId: string): LaneAction => ({
    what: 'remove body',
    lane: laneOf(bodyId),
    timeoutMs: 30_000,
    async perform() {
      await objects.remove(bodyId)
      store.remove('s3_garbage', { bodyId })
    },
  })

  return {
    name: 's3.bodies',
    everyMs: 60_000,
    // Not woken by its tables: garbage is never due at once.
    wakes: [],
    async reconcile() {
      const bodies = await withTimeout(clock, LOOK_TIMEOUT_MS, 'objects.list', () => objects.list())
      // Under way before rows: a body that gets its row in between is in one of them.
      const underWay = new Set(bodiesUnderWay)
      const referenced = new Set(store.all<{ bodyId: string }>(NAMED_BODIES).map(({ bodyId }) => bodyId))
      const garbage = store.all<{ bodyId: string; since: number }>('select * from s3_garbage')
      const actions = planSweep({
        bodies,
        referenced,
        garbage,
        underWay,
        now: clock.now(),
        graceMs: limits.bodyGraceMs,
      })
      store.transaction(() => {
        for (const { what, bodyId } of actions) {
          if (what === 'note-garbage') discardBody(s3, bodyId)
          if (what !== 'forget-garbage') continue
          store.remove('s3_garbage', { bodyId })
          lanes.forget(laneOf(bodyId)) // it was removed, though the answer was lost
        }
      })
      lanes.submit(actions.filter(({ what }) => what === 'remove-body').map(({ bodyId }) => removal(bodyId)))
      return {
        bodies: bodies.length,
        referenced: referenced.size,
        garbage: garbage.length,
        failures: lanes.failures(),
      }
    },
  }
}

const LOOK_TIMEOUT_MS = 60_000
const laneOf = (bodyId: string) => `body/${bodyId}`
