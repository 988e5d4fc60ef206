import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../../kernel/clock.ts'
import { computeConformance, instanceId, software } from './conformance.ts'
import { makeFakeCompute } from './fake.ts'
import { killInstance, makeFakeWorld, rebootMachine, rotateInside, writeInside } from './fake-world.ts'

const world = makeFakeWorld()
const make = () =>
  makeFakeCompute({
    world,
    clock: systemClock,
    buildProgram: ({ argv }) =>
      argv[0] === 'cp'
        ? { exit: 0, output: '', files: { text: 'built\n' } }
        : { exit: 3, output: 'no such package\n' },
  })
let compute = make()

computeConformance({
  engine: () => compute,
  restart: () => void (compute = make()),
  kill: async (id) => killInstance(world, id, systemClock.now()),
  reboot: async () => rebootMachine(world, systemClock.now()),
  write: async (id, path, text) => assert.ok(writeInside(world, id, path, text)),
  rotate: async (id, path) => rotateInside(world, id, path),
  until: async (probe) => assert.ok(await probe()),
})

describe('the fake compute engine', () => {
  const spec = (number: number) => ({
    id: instanceId(number),
    platform: { name: 'python-3.11', version: '1' },
    software: software(1),
    ...{
      diskBytes: 2 ** 30,
      cpu: 1,
      memoryBytes: 2 ** 30,
      pids: 100,
      zone: 'a',
      requestedAddress: '10.99.1.1',
      tags: {},
    },
  })

  it('fails before or after the effect as it is told', async () => {
    const own = makeFakeWorld()
    let fail: 'before' | 'after' = 'before'
    const engine = makeFakeCompute({
      world: own,
      clock: systemClock,
      fault: ({ method }) => (method === 'launch' ? { fail } : undefined),
    })
    await assert.rejects(engine.launch(spec(1)), { name: 'EngineError' })
    assert.equal((await engine.list())[0]?.state, 'stopped')
    fail = 'after'
    await assert.rejects(engine.launch(spec(1)), { name: 'EngineError' })
    assert.equal((await engine.list())[0]?.state, 'running')
  })

  it('shows an instance as pending while its launch takes time', async () => {
    const slept = Promise.withResolvers<void>()
    const clock = { ...systemClock, sleep: () => slept.promise }
    const engine = makeFakeCompute({
      world: makeFakeWorld(),
      clock,
      fault: ({ method }) => (method === 'launch' ? { latencyMs: 1_000 } : undefined),
    })
    const launched = engine.launch(spec(1))
    assert.equal((await engine.list())[0]?.state, 'pending')
    slept.resolve()
    await launched
    assert.equal((await engine.list())[0]?.state, 'running')
  })

  it('answers what a program inside is said to answer', async () => {
    const program = () => ({ exit: 1, output: 'ModuleNotFoundError', truncated: false })
    const engine = makeFakeCompute({ world: makeFakeWorld(), clock: systemClock, program })
    await engine.launch(spec(1))
    const result = await engine.exec(instanceId(1), ['check'], { timeoutMs: 1_000, outputBytesMax: 6 })
    assert.deepEqual(result, { exit: 1, output: 'Module', truncated: true })
  })

  it('shows an instance of a lost node as unknown', async () => {
    const own = makeFakeWorld()
    const engine = makeFakeCompute({ world: own, clock: systemClock })
    await engine.launch(spec(1))
    own.lost.add(instanceId(1))
    assert.equal((await engine.list())[0]?.state, 'unknown')
    own.blind = true
    await assert.rejects(engine.list(), { name: 'EngineError' })
  })
})
