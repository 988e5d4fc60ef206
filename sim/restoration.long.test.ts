import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { call } from './client.ts'
import { column } from './invariants/rows.ts'
import { Life } from './life.ts'
import { comeToRest } from './play.ts'
import { restoreBackup, takeBackup } from './restoration.ts'
import { creating, prepare } from './shop.ts'
import { endWorld, makeWorld, type World } from './world.ts'

const MINUTE_MS = 60_000

describe('a restored home', () => {
  for (const [what, trouble] of [
    ['whose dependencies cannot be built for 40 minutes', 'brokenBuilder'],
    ['whose builds fail for 40 minutes', 'failingBuilds'],
  ] as const)
    it(`${what} has the same instances afterwards`, async () => {
      const world = makeWorld(11)
      let life = new Life(world)
      await prepare(world, life)
      await call(world, life, 'CreateEnvironment', {
        EnvironmentName: 'shop-prod',
        ...creating('shop-prod', 3),
      })
      await world.clock.run(5 * MINUTE_MS)
      const before = running(world)
      assert.equal(before.length, 3)
      const backup = takeBackup(world)
      life.die()

      restoreBackup(world, backup)
      world.trouble[trouble] = true
      life = new Life(world)
      await world.clock.run(40 * MINUTE_MS)
      assert.deepEqual(running(world), [])
      world.trouble[trouble] = false
      assert.deepEqual(await comeToRest(world), [])
      assert.deepEqual(running(world), before)
      assert.equal(world.request('shop-prod'), 200)
      life.die()
      endWorld(world)
    })
})

const running = (world: World) => {
  const there = [...world.compute.instances.values()].filter(({ state }) => state === 'running')
  const rows = column(world, `select id from ec2_instance where state = 'running'`)
  return there
    .map(({ spec }) => spec.id)
    .filter((id) => rows.includes(id))
    .sort()
}
