import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from '../../sim/virtual-clock.ts'
import { silentLog } from '../kernel/log.ts'
import { openStore } from '../store/store.ts'
import { startDriver } from './driver.ts'
import { heartbeatMigration, makeHeartbeat } from './heartbeat.ts'
import { lanesMigration, makeLanes } from './lanes.ts'
import { makeWorkflows, workflowsMigration, type Workflow } from './workflows.ts'

function world() {
  const clock = new VirtualClock()
  const store = openStore(':memory:', [
    workflowsMigration,
    lanesMigration,
    heartbeatMigration,
    { id: 'test', sql: 'create table thing (id text primary key, state text not null) strict' },
  ])
  const abort = new AbortController()
  return { clock, store, log: silentLog, signal: abort.signal, abort }
}

describe('startDriver', () => {
  it('runs a reconciler at once, by its period, and when a table that it names changes', async () => {
    const w = world()
    let passes = 0
    const reconcile = async () => ({ passes: ++passes })
    const driver = startDriver(w, [{ name: 'test', everyMs: 10_000, wakes: ['thing'], reconcile }])
    await w.clock.run(0)
    assert.equal(passes, 1)
    await w.clock.run(10_000)
    assert.equal(passes, 2)
    w.store.insert('thing', { id: 'a', state: 'x' })
    await w.clock.run(1)
    assert.equal(passes, 3)
    w.abort.abort()
    await driver.ended
  })
  it('keeps a failure as status and tries again, though not at once', async () => {
    const w = world()
    let passes = 0
    const reconcile = async () => {
      passes++
      w.store.put('thing', { id: 'a', state: String(passes) })
      throw new Error('the engine is away')
    }
    const driver = startDriver(w, [{ name: 'test', everyMs: 10_000, wakes: ['thing'], reconcile }])
    await w.clock.run(3_500)
    assert.equal(passes, 4)
    assert.equal(driver.status()[0]!.lastError, 'the engine is away')
    w.abort.abort()
  })
})

describe('makeLanes', () => {
  it('backs off the lane that fails and delays no other', async () => {
    const w = world()
    const lanes = makeLanes(w, 10, () => undefined)
    const ran: string[] = []
    const act = (lane: string, fails: boolean) => ({
      what: 'launch',
      lane,
      timeoutMs: 1_000,
      perform: async () => {
        ran.push(lane)
        if (fails) throw new Error('no')
      },
    })
    for (let second = 0; second < 4; second++) {
      lanes.submit([act('bad', true), act('good', false)])
      await w.clock.run(100)
    }
    assert.deepEqual(ran.filter((lane) => lane === 'good').length, 4)
    assert.deepEqual(ran.filter((lane) => lane === 'bad').length, 2)
    assert.equal(lanes.failures()[0]!.reason, 'launch: no')
  })
  it('never runs two actions of one lane at once, and gives up on one that hangs', async () => {
    const w = world()
    const lanes = makeLanes(w, 10, () => undefined)
    const hang = {
      what: 'stop',
      lane: 'a',
      timeoutMs: 500,
      perform: () => new Promise<void>(() => undefined),
    }
    assert.equal(lanes.submit([hang, hang]), 1)
    await w.clock.run(600)
    assert.equal(lanes.busy('a'), false)
    assert.match(lanes.failures()[0]!.reason, /not within 500 ms/)
  })
})

describe('makeWorkflows', () => {
  const begin = (definition: Workflow<never>) => {
    const w = world()
    let n = 0
    const workflows = makeWorkflows({ ...w, newId: () => `run-${++n}` }, () => [definition])
    const pass = () => workflows.reconciler.reconcile(w.signal)
    const run = () =>
      w.store.get<{ state: string; failure: string | null }>('select state, failure from workflow_run')
    return { ...w, workflows, pass, run }
  }
  it('runs each step once, waits on rows, and goes on where it was', async () => {
    const done: string[] = []
    const w = begin({
      kind: 'test',
      version: 1,
      run(step) {
        step.do('make', () => done.push('make'))
        step.until('ready', () => w.store.get('select 1 from thing where id = :id', { id: 'a' }) && true, {
          timeoutMs: 60_000,
        })
        step.do('use', () => done.push('use'))
      },
    })
    w.workflows.start('test', 'subject', {})
    await w.pass()
    await w.pass()
    assert.deepEqual(done, ['make'])
    w.store.insert('thing', { id: 'a', state: 'x' })
    await w.pass()
    assert.deepEqual(done, ['make', 'use'])
    assert.equal(w.run()!.state, 'done')
  })
  it('undoes what was done, last first, when a wait is over its time', async () => {
    const undone: string[] = []
    const w = begin({
      kind: 'test',
      version: 1,
      run(step) {
        step.do(
          'first',
          () => 1,
          () => undone.push('first'),
        )
        step.do(
          'second',
          () => 2,
          () => undone.push('second'),
        )
        step.until('never', () => undefined, { timeoutMs: 5_000 })
      },
      failed: (_params, failure) => w.store.insert('thing', { id: 'failure', state: failure }),
    })
    w.workflows.start('test', 'subject', {})
    await w.pass()
    await w.clock.run(5_000)
    await w.pass()
    assert.deepEqual(undone, ['second', 'first'])
    assert.deepEqual(w.run(), { state: 'failed', failure: 'never: not within 5 seconds' })
    assert.equal(
      w.store.get<{ state: string }>('select state from thing')!.state,
      'never: not within 5 seconds',
    )
  })
  it('saves a step and its effect together or not at all', async () => {
    const w = begin({
      kind: 'test',
      version: 1,
      run(step) {
        step.do('half', () => {
          w.store.insert('thing', { id: 'a', state: 'x' })
          throw new Error('bug')
        })
      },
    })
    w.workflows.start('test', 'subject', {})
    await w.pass()
    assert.deepEqual(w.store.all('select * from thing'), [])
    assert.equal(w.run()!.state, 'failed')
  })
  it('moves waiting deadlines by the time that the machine slept', async () => {
    const w = begin({
      kind: 'test',
      version: 1,
      run: (step) => void step.until('never', () => undefined, { timeoutMs: 5_000 }),
    })
    w.workflows.start('test', 'subject', {})
    await w.pass()
    const heartbeat = makeHeartbeat({ ...w, shiftDeadlines: w.workflows.shiftDeadlines })
    await heartbeat.reconcile(w.signal)
    w.clock.setWall(3_600_000)
    await w.clock.run(4_000)
    await heartbeat.reconcile(w.signal)
    await w.pass()
    assert.equal(w.run()!.state, 'running')
    await w.clock.run(7_000)
    await w.pass()
    assert.equal(w.run()!.state, 'failed')
  })
})
