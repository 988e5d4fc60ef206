import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from '../../sim/virtual-clock.ts'
import { silentLog } from '../kernel/log.ts'
import { openStore, type Store } from '../store/store.ts'
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

/** No page can be added to the database any more: SQLite answers SQLITE_FULL, as on a full disk. */
function fill({ store }: ReturnType<typeof world>): void {
  const { pageCount } = store.get<{ pageCount: number }>('pragma page_count')!
  store.get(`pragma max_page_count = ${pageCount}`)
  const text = 'x'.repeat(500)
  assert.throws(() => {
    for (let n = 0; ; n++) store.insert('thing', { id: `fill-${n}`, state: text })
  }, /database or disk is full/)
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

describe('a full disk', () => {
  it('ends no process: a lane backs off in memory, and in its row when there is room again', async () => {
    const w = world()
    const lanes = makeLanes(w, 10, () => undefined)
    fill(w)
    let ran = 0
    const action = {
      what: 'launch',
      lane: `instance/${'i'.repeat(10_000)}`,
      timeoutMs: 1_000,
      perform: async () => {
        ran++
        if (ran < 5) throw new Error('no')
      },
    }
    for (let second = 0; second < 3; second++) {
      lanes.submit([action])
      await w.clock.run(200)
    }
    assert.equal(ran, 2, 'it backed off')
    assert.deepEqual(
      lanes.failures().map(({ failures }) => failures),
      [2],
    )
    w.store.get('pragma max_page_count = 1000000')
    await w.clock.run(1_000)
    lanes.submit([action])
    await w.clock.run(10)
    assert.equal(w.store.get<{ failures: number }>('select failures from lane_backoff')!.failures, 3)
  })
  it('lets a success be a success though its back-off cannot be removed', async () => {
    const w = world()
    const store: Store = { ...w.store, remove: () => assert.fail('database or disk is full') }
    w.store.insert('lane_backoff', { lane: 'a', failures: 1, nextAt: 0, reason: '' })
    const lanes = makeLanes({ ...w, store }, 10, () => undefined)
    let ran = 0
    lanes.submit([{ what: 'stop', lane: 'a', timeoutMs: 1_000, perform: async () => void ran++ }])
    await w.clock.run(10)
    assert.equal(ran, 1)
    assert.equal(lanes.failures()[0]!.failures, 1)
  })
  it('is a failure of the pass to the driver and to workflows, which go on when there is room', async () => {
    const w = world()
    const step = 'a step with a name so long that its row needs pages of its own'.repeat(1_000)
    const definition: Workflow<never> = { kind: 'test', version: 1, run: (each) => each.do(step, () => 1) }
    const workflows = makeWorkflows({ ...w, newId: () => 'run' }, () => [definition])
    workflows.start('test', 'subject', {})
    fill(w)
    const driver = startDriver(w, [workflows.reconciler])
    await w.clock.run(3_000)
    const [status] = driver.status()
    assert.match(JSON.stringify(status), /disk is full/)
    assert.equal(workflows.active('subject')[0]!.state, 'running', 'nothing was decided')
    w.store.get('pragma max_page_count = 1000000')
    await w.clock.run(3_000)
    assert.deepEqual(workflows.active('subject'), [])
    w.abort.abort()
  })
  it('does not make the heartbeat forget a jump that it could not write down', async () => {
    const w = world()
    let failing = true
    const shifted: number[] = []
    const shiftDeadlines = (ms: number) => (failing ? assert.fail('disk is full') : void shifted.push(ms))
    const heartbeat = makeHeartbeat({ ...w, shiftDeadlines })
    heartbeat.look()
    w.clock.setWall(3_600_000)
    assert.throws(() => heartbeat.look(), /disk is full/)
    failing = false
    heartbeat.look()
    heartbeat.look()
    assert.deepEqual(shifted, [3_600_000])
  })
})

describe('growth', () => {
  it('forgets the back-off of lanes that nobody tried for a day', async () => {
    const w = world()
    const lanes = makeLanes(w, 10, () => undefined)
    const failing = (lane: string) => ({
      what: 'launch',
      lane,
      timeoutMs: 1_000,
      perform: () => Promise.reject(new Error('no')),
    })
    lanes.submit([failing('gone')])
    await w.clock.run(25 * 3600_000)
    lanes.submit([failing('other')])
    await w.clock.run(1_000)
    assert.deepEqual(
      lanes.failures().map(({ lane }) => lane),
      ['other'],
    )
  })
  it('forgets runs, and their steps, six weeks after they ended', async () => {
    const w = world()
    let n = 0
    const definition: Workflow<never> = { kind: 'test', version: 1, run: (step) => step.do('one', () => 1) }
    const workflows = makeWorkflows({ ...w, newId: () => `run-${++n}` }, () => [definition])
    const pass = () => workflows.reconciler.reconcile(w.signal)
    workflows.start('test', 'subject', {})
    await pass()
    await w.clock.run(41 * 24 * 3600_000)
    workflows.start('test', 'subject', {})
    await pass()
    assert.equal(w.store.all('select 1 from workflow_step').length, 2)
    await w.clock.run(2 * 24 * 3600_000)
    await pass()
    assert.deepEqual(w.store.all('select run_id from workflow_step'), [{ runId: 'run-2' }])
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
  it('undoes a run that another version of its workflow began', async () => {
    const undone: string[] = []
    const definition: Workflow<never> = {
      kind: 'test',
      version: 1,
      run(step) {
        step.do(
          'first',
          () => 1,
          (output) => undone.push(`first ${output}`),
        )
        step.until('never', () => undefined, { timeoutMs: 60_000 })
      },
      failed: (_params, failure) => undone.push(failure),
    }
    const w = begin(definition)
    w.workflows.start('test', 'subject', {})
    await w.pass()
    definition.version = 2
    await w.pass()
    const failure = 'this run was begun by version 1 of the workflow; it is undone'
    assert.deepEqual(undone, ['first 1', failure])
    assert.deepEqual(w.run(), { state: 'failed', failure })
  })
  it('undoes it also when all of its steps were done', async () => {
    const undone: string[] = []
    const definition: Workflow<never> = {
      kind: 'test',
      version: 1,
      run(step) {
        step.do(
          'first',
          () => 1,
          () => undone.push('first'),
        )
      },
    }
    const w = begin(definition)
    w.workflows.start('test', 'subject', {})
    w.store.insert('workflow_step', {
      runId: 'run-1',
      name: 'first',
      state: 'done',
      output: '1',
      startedAt: 0,
    })
    definition.version = 2
    await w.pass()
    assert.deepEqual(undone, ['first'])
    assert.equal(w.run()!.state, 'failed')
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
