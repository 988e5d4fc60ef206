import assert from 'node:assert/strict'
import { it } from 'node:test'
import { Life } from '../sim/life.ts'
import { endWorld, makeWorld } from '../sim/world.ts'

it('every reconciler is woken by tables that there are', (t) => {
  const world = makeWorld(1)
  const life = new Life(world)
  t.after(() => {
    life.die()
    endWorld(world)
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

it('metrics are told to who asks this machine by its own name', (t) => {
  const world = makeWorld(1)
  const life = new Life(world)
  t.after(() => {
    life.die()
    endWorld(world)
  })
  const [route] = life.plane.openRoutes
  const statusOf = async (endpoint: string) =>
    (await route!.answer({ path: '/metrics', query: new Map(), endpoint })).status
  return Promise.all(
    [
      ['http://127.0.0.1:4777', 200],
      ['http://localhost', 200],
      ['http://[::1]:4777', 200],
      ['https://127.0.0.1:4777', 403],
      ['http://rebound.example:4777', 403],
      ['http://127.0.0.1.example', 403],
    ].map(async ([endpoint, status]) =>
      assert.equal(await statusOf(String(endpoint)), status, String(endpoint)),
    ),
  ).then(() => undefined)
})
