// Single stories that seeds tell too seldom.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Status } from '../src/control/status.ts'
import { call, putObject, send } from './client.ts'
import { Life } from './life.ts'
import { comeToRest } from './play.ts'
import { BUCKET, bundleOf, creating, keyOf, prepare } from './shop.ts'
import { makeWorld } from './world.ts'

describe('the status of the control plane', () => {
  it('shows reconcilers, operations under way and the object that fails', async () => {
    const world = makeWorld(1)
    const life = new Life(world)
    await prepare(world, life)
    world.trouble.weather = { ...world.trouble.weather, doomedInstances: 1 }
    await call(world, life, 'CreateEnvironment', {
      EnvironmentName: 'shop-prod',
      ...creating('shop-prod', 1),
    })
    await world.clock.runUntil(() => world.store.all('select 1 from lane_backoff').length > 0, 60_000)
    const { text } = await send(world, life, 'elasticbeanstalk', 'GET', '/polebean/status', {}, '')
    const { reconcilers, failing, workflows } = JSON.parse(text) as Status
    assert.ok(reconcilers.length > 8)
    assert.deepEqual(
      reconcilers.filter(({ lastError }) => lastError !== null),
      [],
    )
    const [id] = world.trouble.doomed
    const failure = failing.find(({ lane }) => lane === `instance/${id}`)
    assert.match(failure?.reason ?? '', /^launch: /)
    assert.deepEqual(
      workflows.map(({ kind }) => kind),
      ['elasticbeanstalk.create-environment'],
    )
    life.die()
  })
  it('is told in an event once, when the engine cannot build', async () => {
    const world = makeWorld(1)
    const life = new Life(world)
    await prepare(world, life)
    world.trouble.brokenBuilder = true
    await call(world, life, 'CreateEnvironment', {
      EnvironmentName: 'shop-prod',
      ...creating('shop-prod', 1),
    })
    await world.clock.run(10 * 60_000)
    const told = world.store.all<{ message: string }>(
      `select message from event where severity = 'WARN' and message like 'The build of bundle-%'`,
    )
    assert.equal(told.length, 1)
    assert.match(told[0]!.message, /could not be run 5 times in a row and is tried again: build .*: failed$/)
    world.trouble.brokenBuilder = false
    await world.clock.run(2 * 60_000)
    assert.ok(world.store.get(`select 1 from event where message like 'Successfully launched environment%'`))
    life.die()
  })
})

describe('a build', () => {
  it('unpacks the bundle where it lies now, when the same was uploaded again while it waited', async () => {
    const world = makeWorld(1)
    const life = new Life(world)
    await prepare(world, life)
    world.trouble.brokenBuilder = true
    await call(world, life, 'CreateEnvironment', {
      EnvironmentName: 'shop-prod',
      ...creating('shop-prod', 1),
    })
    await world.clock.run(10_000)
    const before = [...world.bodies.keys()]
    void putObject(world, life, BUCKET, keyOf('v1'), bundleOf('v1'))
    await world.clock.run(5 * 60_000)
    assert.ok(
      before.some((id) => !world.bodies.has(id)),
      'the body of before was swept',
    )
    world.trouble.brokenBuilder = false
    assert.deepEqual(await comeToRest(world), [])
    assert.ok(world.store.get(`select 1 from event where message like 'Successfully launched environment%'`))
    life.die()
  })
})
