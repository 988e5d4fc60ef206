// A backup is the database and the bodies that it names; a restored home has nothing else: no instances, no layers, no
// balancer. Taken at any moment, it must come to rest, with the instances that it had.
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrations } from '../src/control-plane.ts'
import { logEventsMigrations } from '../src/services/logs/events/file.ts'
import { NAMED_BODIES } from '../src/services/s3/store.ts'
import { openStore } from '../src/store/store.ts'
import { column } from './invariants/rows.ts'
import type { World } from './world.ts'

/** The store syncs each transaction: on a disk that would take longer than all the rest. */
const MEMORY = '/dev/shm'

export type Backup = {
  folder: string
  bodies: Map<string, Buffer>
  takenOut: Set<string>
  detached: Set<string>
}

export function takeBackup(world: World): Backup {
  const folder = mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'pbs-'))
  world.store.snapshot(join(folder, 'polebean.db'))
  const named = column(world, NAMED_BODIES)
  return {
    folder,
    bodies: new Map([...world.bodies].filter(([id]) => named.includes(id))),
    takenOut: new Set(world.takenOut),
    detached: new Set(world.detached),
  }
}

/** Another machine takes over. The life that there was must be dead. */
export function restoreBackup(world: World, { folder, bodies, takenOut, detached }: Backup): void {
  world.store.close()
  world.store = openStore(join(folder, 'polebean.db'), migrations)
  // They are in no backup.
  world.logEvents.close()
  world.logEvents = openStore(':memory:', logEventsMigrations)
  world.forget.push(() => rmSync(folder, { recursive: true, force: true }))
  replace(world.bodies, bodies)
  world.takenOut.clear()
  for (const id of takenOut) world.takenOut.add(id)
  world.detached.clear()
  for (const id of detached) world.detached.add(id)
  world.strangers.clear()
  // Neither the engine's counters nor what was told of them since the backup are there any more.
  for (const id of world.starved) world.killsLost.add(id)
  const { compute } = world
  for (const things of [compute.instances, compute.layers, compute.lost]) things.clear()
  compute.blind = false
  world.layersLost = true
  world.balancer.replace()
  // What was sent since the backup is known to nobody.
  world.visits.clear()
  world.logs.acknowledged.clear()
}

function replace<K, V>(all: Map<K, V>, by: Map<K, V>): void {
  all.clear()
  for (const [key, value] of by) all.set(key, value)
}
