import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Clock } from '../../kernel/clock.ts'
import { describeSupervisor } from './conformance.ts'
import { makeFakeSupervisorWorld } from './fake.ts'

describeSupervisor('fake supervisor', async () => {
  const clock = steppingClock()
  const world = makeFakeSupervisorWorld(clock)
  return {
    clock,
    engine: world.engine,
    service: (name, mark = '') => ({ name, argv: ['sleep', '1000'], env: { MARK: mark }, filesMax: null }),
    kill: world.kill,
    close: async () => undefined,
  }
})

describe('fake supervisor with faults', () => {
  it('has the effect or has it not, as the fault says', async () => {
    const world = makeFakeSupervisorWorld(steppingClock())
    const engine = world.engine()
    const service = { name: 'one', argv: ['true'], env: {}, filesMax: null }
    world.fault = () => 'error before'
    await assert.rejects(engine.ensure(service), /error before/)
    assert.equal(world.service('one'), undefined)
    world.fault = () => 'error after'
    await assert.rejects(engine.ensure(service), /error after/)
    assert.deepEqual(world.service('one'), service)
    world.fault = () => 'cannot see'
    await assert.rejects(engine.list(), /cannot see/)
  })
})

function steppingClock(): Clock {
  let at = 1_000_000
  return { now: () => at, monotonic: () => at, sleep: async (ms) => void (at += ms) }
}
