// A user's user: asks each environment that says it is well for a page, now and then. While there is trouble a colour
// may lag behind; it must not lie for long.
import { BROKEN, isUnchecked } from './invariants/health.ts'
import type { World } from './world.ts'

/** Seen by a health check within its thresholds (5 × 15 s) or, where the balancer cannot be seen, after 60 s of that; told by
 *  calls that may each take 20 s and be lost; and by the next look at health. In 3,000 seeds it took 152 s at most. */
const GRACE_MS = 180_000
/** Rare enough that its own requests never count for health (6 a minute do). */
const EVERY_MS = 20_000

export type Visitor = {
  /** Sentences about environments that said `Ready` and `Green` for the whole grace, and answered no 200. */
  visit(): string[]
  /** The control plane died: nobody can colour anything. */
  forget(): void
}

export function makeVisitor(world: World): Visitor {
  const failing = new Map<string, number>()
  let visitedAt = -EVERY_MS
  return {
    forget: () => failing.clear(),
    visit() {
      const now = world.clock.monotonic()
      if (now - visitedAt < EVERY_MS) return []
      // The machine slept: so did whoever counts failures.
      if (now - visitedAt > 2 * EVERY_MS) failing.clear()
      visitedAt = now
      const well = world.store.all<{ id: string; cnamePrefix: string; resources: string }>(
        `select id, cname_prefix, resources from environment where status = 'Ready' and health = 'Green'`,
      )
      for (const id of failing.keys()) if (!well.some((one) => one.id === id)) failing.delete(id)
      return well.flatMap(({ id, cnamePrefix, resources }) => {
        const status = world.request(cnamePrefix)
        // As on AWS nobody checks an instance behind an elastic address: it is well for as long as nobody can say otherwise.
        const isUnseen = status === BROKEN || isLost(world, id) || world.compute.blind
        const isExcused = isUnchecked({ resources }) && isUnseen
        if (status === 200 || isExcused) {
          failing.delete(id)
          return []
        }
        const since = failing.get(id) ?? now
        failing.set(id, since)
        return now - since > GRACE_MS
          ? [`${cnamePrefix} has been Green and answered ${status} for ${(now - since) / 1000} s`]
          : []
      })
    },
  }
}

/** Whether the engine knows nothing of any instance of an environment. */
const isLost = (world: World, environmentId: string): boolean =>
  world.store
    .all<{ instanceId: string }>(
      'select instance_id from environment_instance where environment_id = :environmentId',
      { environmentId },
    )
    .every(({ instanceId }) => world.compute.lost.has(instanceId))
