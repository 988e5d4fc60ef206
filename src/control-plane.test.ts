import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Life } from '../sim/life.ts'
import { makeWorld } from '../sim/world.ts'

it('every reconciler is woken by tables that there are', (t) => {
  const world = makeWorld(1)
  const life = new Life(world)
  t.after(() => {
    life.die()
    world.store.close()
  })
  const tables = world.store
    .all<{ name: string }>(`select name from sqlite_master where type = 'table'`)
    .map(({ name }) => name)
  const reconcilers = Object.values(life.plane.services).flatMap((service) => service.reconcilers)
  assert.ok(reconcilers.length > 5)
  const wrong = [life.plane.workflows.reconciler, ...reconcilers].flatMap(({ name, wakes }) =>
    wakes.filter((table) => table !== '*' && !tables.includes(table)).map((table) => `${name}: ${table}`),
  )
  assert.deepEqual(wrong, [])
})
