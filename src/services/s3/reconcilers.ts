// Sweeps bodies that no row names: of objects deleted or overwritten, of finished uploads, of writes that a crash broke off.
import type { Reconciler } from '../../control/reconciler.ts'
import type { S3 } from './bodies.ts'
import { limits } from './limits.ts'
import { planSweep, type SweepAction } from './plan.ts'
import { discardBody } from './store.ts'

export function makeBodiesReconciler(s3: S3): Reconciler {
  const { store, clock, objects, bodiesUnderWay } = s3
  const lanes = s3.makeLanes('s3.bodies', 4)

  const perform = (action: SweepAction) => {
    const { bodyId } = action
    if (action.what === 'note-garbage') return discardBody(s3, bodyId)
    if (action.what === 'forget-garbage') return void store.remove('s3_garbage', { bodyId })
    const remove = async () => {
      await objects.remove(bodyId)
      store.remove('s3_garbage', { bodyId })
    }
    lanes.submit([{ what: 'remove body', lane: `body/${bodyId}`, timeoutMs: 30_000, perform: remove }])
  }

  return {
    name: 's3.bodies',
    everyMs: 60_000,
    // Not woken by its tables: garbage is never due at once.
    wakes: [],
    async reconcile() {
      const bodies = await objects.list()
      // Under way before rows: a body that gets its row in between is in one of them.
      const underWay = new Set(bodiesUnderWay)
      const referenced = new Set(
        store
          .all<{ bodyId: string }>('select body_id from s3_object union all select body_id from s3_part')
          .map(({ bodyId }) => bodyId),
      )
      const garbage = store.all<{ bodyId: string; since: number }>('select * from s3_garbage')
      const actions = planSweep({
        bodies,
        referenced,
        garbage,
        underWay,
        now: clock.now(),
        graceMs: limits.bodyGraceMs,
      })
      for (const action of actions) perform(action)
      return {
        bodies: bodies.length,
        referenced: referenced.size,
        garbage: garbage.length,
        failures: lanes.failures(),
      }
    },
  }
}
