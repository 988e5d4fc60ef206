// elasticbeanstalk.room: sees whether the disk is nearly full, and holds the budgets of what is rows: logs of instances
// that are gone, and events; and keeps the database's reserve. Layers are held by elasticbeanstalk.layers, daemons' logs by svlogd, bodies by s3.bodies.
import type { Reconciler } from '../../../control/reconciler.ts'
import { budgetsOf, type Parts } from '../parts.ts'
import { planLow, roomRow } from './low.ts'

const EVERY_MS = 2_000
const BUDGETS_EVERY_MS = 60_000

export function makeRoomReconciler(parts: Parts): Reconciler {
  const { store, clock, room, cloud, events } = parts
  let heldAt: number | undefined
  return {
    name: 'elasticbeanstalk.room',
    everyMs: EVERY_MS,
    wakes: [],
    // eslint-disable-next-line -- asking for the room is a single call of the kernel
    async reconcile() {
      const space = room.space()
      const changed = planLow(roomRow(store), space, clock.now())
      if (changed) store.put('home_room', changed)
      if (heldAt === undefined || clock.monotonic() - heldAt >= BUDGETS_EVERY_MS) {
        const budgets = budgetsOf(parts)
        store.transaction(() => {
          cloud.ec2.removeKeptLogs(budgets.logs)
          events.pruneEnvironments(budgets.events)
        })
        if (!roomRow(store)?.low) store.reserve()
        heldAt = clock.monotonic()
      }
      return { ...space, low: roomRow(store)?.low === 1 }
    },
  }
}
