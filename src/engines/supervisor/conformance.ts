// What every supervisor must keep (the contract of engine.ts), run on the fake always and on runit where it is root.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import type { Clock } from '../../kernel/clock.ts'
import type { Service, Supervisor } from './engine.ts'

export type SupervisorHarness = {
  clock: Clock
  /** A supervisor as a control plane that starts now makes it, in the same world. */
  engine(): Supervisor
  /** A daemon that runs until it is told to end. `mark` makes it another one. */
  service(name: string, mark?: string): Service
  /** Kills the daemon itself, as `kill -9` does. */
  kill(name: string, pid: number): void
  close(): Promise<void>
}

export function describeSupervisor(title: string, open: () => Promise<SupervisorHarness>): void {
  describe(title, () => {
    let world: SupervisorHarness
    let engine: Supervisor
    before(async () => {
      world = await open()
      engine = world.engine()
    })
    after(() => world.close())

    const find = async (name: string) => (await engine.list()).find((service) => service.name === name)
    const running = async (name: string, but?: number | null) => {
      for (let waitedMs = 0; waitedMs < 4_000; waitedMs += 20) {
        const found = await find(name)
        if (found?.running && found.pid !== but) return found
        await world.clock.sleep(20)
      }
      throw new Error(`${name} does not run`)
    }

    it('starts a service and lists it', async () => {
      assert.deepEqual(await engine.list(), [])
      await engine.ensure(world.service('one'))
      const one = await running('one')
      assert.equal(typeof one.pid, 'number')
    })

    it('leaves an unchanged service alone and restarts a changed one', async () => {
      const { pid } = await running('one')
      await engine.ensure(world.service('one'))
      assert.equal((await running('one')).pid, pid)
      await engine.ensure(world.service('one', 'changed'))
      assert.notEqual((await running('one')).pid, pid)
    })

    it('brings a killed daemon back by itself', async () => {
      const { pid } = await running('one')
      world.kill('one', pid ?? 0)
      assert.notEqual((await running('one', pid)).pid, pid)
    })

    it('is found again by the next control plane', async () => {
      const { pid } = await running('one')
      engine = world.engine()
      await engine.ensure(world.service('one', 'changed'))
      assert.equal((await running('one')).pid, pid)
    })

    it('keeps several services, and removes one without touching the others', async () => {
      const { pid } = await running('one')
      await engine.ensure(world.service('two'))
      await running('two')
      await engine.remove('two')
      assert.equal(await find('two'), undefined)
      assert.equal((await running('one')).pid, pid)
      await engine.remove('two') // quiet
    })

    it('stops a service until it is wanted again', async () => {
      const { pid } = await running('one')
      await engine.stop('one')
      assert.notEqual((await find('one'))?.running, true)
      await engine.stop('one') // quiet
      await engine.stop('nobody')
      await engine.ensure(world.service('one', 'changed'))
      assert.notEqual((await running('one')).pid, pid)
    })

    it('refuses a name or variable that is none, and a signal to nobody', async () => {
      await assert.rejects(engine.ensure(world.service('../up')), /not a service name/)
      await assert.rejects(
        engine.ensure({ ...world.service('three'), env: { 'A B': '' } }),
        /environment variable/,
      )
      await assert.rejects(engine.signal('nobody', 'HUP'), /does not run/)
      assert.equal(await find('three'), undefined)
    })

    it('ends everything at shutdown, and can start again', async () => {
      await engine.shutdown()
      assert.deepEqual(await engine.list(), [])
      await engine.shutdown() // quiet
      await engine.ensure(world.service('one'))
      await running('one')
    })
  })
}
