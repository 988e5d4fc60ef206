// What the control plane reads while nothing happens grows with the environments, not with their square: the budget is
// 200 environments for a twentieth of a core (design §9). Rows are counted, since time depends on the machine.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { call } from './client.ts'
import { Life } from './life.ts'
import { creating, prepare } from './shop.ts'
import { makeWorld } from './world.ts'

const IDLE_MS = 60_000

async function rowsReadIdle(environments: number): Promise<number> {
  const world = makeWorld(1)
  const { store } = world
  let rows = 0
  world.store = {
    ...store,
    all<T>(sql: string, params?: Record<string, unknown>) {
      const found = store.all<T>(sql, params)
      rows += found.length
      return found
    },
  }
  const life = new Life(world)
  await prepare(world, life)
  for (let index = 0; index < environments; index++) {
    const name = `env-${index}`
    const input = { EnvironmentName: name, ...creating(name, 1) }
    assert.equal((await call(world, life, 'CreateEnvironment', input)).status, 200)
  }
  const ready = `select 1 from environment where status = 'Ready'`
  await world.clock.runUntil(() => store.all(ready).length === environments, 30 * 60_000)
  await world.clock.run(5 * 60_000)
  rows = 0
  await world.clock.run(IDLE_MS)
  life.die()
  return rows
}

describe('an idle control plane', () => {
  it('reads four times as much with four times the environments', async () => {
    const [few, many] = [await rowsReadIdle(5), await rowsReadIdle(20)]
    assert.ok(few > 0)
    assert.ok(many <= 4.2 * few, `${few} rows with 5 environments, ${many} with 20`)
  })
})
