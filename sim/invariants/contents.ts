// At rest: layers and bodies against their rows.
import { layersAtRest } from './layers.ts'
import type { World } from '../world.ts'
import { column, liveInstances } from './rows.ts'

export function contents(world: World): string[] {
  return [...layersAtRest(world), ...bodies(world), ...backOff(world)]
}

// The other way round, a row without its body, is never right: see safety. After a clock was set back garbage is kept
// for longer.
function bodies(world: World): string[] {
  const named = column(
    world,
    'select body_id from s3_object union select body_id from s3_part union select body_id from s3_garbage',
  )
  const since = world.clock.now() - GARBAGE_MS
  return [
    ...[...world.bodies.keys()]
      .filter((id) => !named.includes(id))
      .map((id) => `body ${id} belongs to no object`),
    ...world.store
      .all<{ bodyId: string }>('select body_id from s3_garbage where since < :since', { since })
      .map(({ bodyId }) => `garbage ${bodyId} is not swept`),
  ]
}

/** More than s3's grace and its period. */
const GARBAGE_MS = 5 * 60_000

// What still backs off at rest cannot be helped, or is gone: the last call about it failed after its row went.
function backOff(world: World): string[] {
  const there = [...liveInstances(world).map(({ id }) => id), ...world.bodies.keys()]
  const isGone = (lane: string) => /^(instance|body)\//.test(lane) && !there.some((id) => lane.includes(id))
  // A clock that was set back makes the grace of a body longer.
  const resting = world.store
    .all<{ bodyId: string }>('select body_id from s3_garbage where since > :since', {
      since: world.clock.now() - GARBAGE_MS,
    })
    .map(({ bodyId }) => `body/${bodyId}`)
  const helpless = [...world.trouble.doomed].map((id) => `instance/${id}`)
  return column(world, 'select lane from lane_backoff')
    .filter((lane) => !helpless.includes(lane) && !resting.includes(lane) && !isGone(lane))
    .map((lane) => `${lane} is still backing off`)
}
