import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import type { Clock } from '../../kernel/clock.ts'
import { makeLog } from '../../kernel/log.ts'
import { makeFakeSupervisorWorld } from '../supervisor/fake.ts'
import { makeHaproxyProcess } from './haproxy-process.ts'

describe('a reload that HAProxy cannot do', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pbh-'))
  after(() => rmSync(dir, { recursive: true }))
  const logDir = join(dir, 'log')
  mkdirSync(logDir)
  const says = (line: string) =>
    appendFileSync(join(logDir, 'current'), `2026-11-24_00:21:07.40350 ${line}\n`)
  // Whoever waits has waited.
  let passed = 0
  const clock: Clock = {
    now: () => passed,
    monotonic: () => passed,
    sleep: async (ms) => void (passed += ms),
  }
  const world = makeFakeSupervisorWorld(clock)
  const supervisor = world.engine()
  const said: { message: string; daemon: string }[] = []
  const log = makeLog(clock, (line) => void said.push(JSON.parse(line) as (typeof said)[number]))
  const process = makeHaproxyProcess({
    ...{ clock, log, supervisor, dir, logDir, filesMax: 100, namespace: null },
    wrap: (argv) => argv,
  })
  before(() => supervisor.ensure({ name: 'haproxy', argv: ['haproxy'], env: {}, filesMax: null }))
  const reload = (signals: number) => {
    world.signals.length = 0
    let calls = 0
    world.fault = (call) => {
      if (call !== 'signal') return undefined
      if (++calls === 1) says('[ALERT] (12) : parsing [haproxy.cfg:3]: no.')
      return calls > signals ? 'error before' : undefined
    }
    return assert.rejects(process.reload(new Map([['haproxy.cfg', 'new\n']]), 'f'), /HAProxy: \[ALERT\]/)
  }

  it('is none of those of which only a client says so, or that a target group is empty', async () => {
    world.fault = (call) => {
      if (call === 'signal')
        for (const line of [
          'request 1 "GET /[ALERT] HTTP/1.1"',
          "[ALERT] (9) : backend 'b' has no server available!",
        ])
          says(line)
      return undefined
    }
    await assert.rejects(process.reload(new Map(), 'f'), /does not follow its configuration within/)
  })
  it('is taken back: the files of before are there, and it is told so', async () => {
    process.write(new Map([['haproxy.cfg', 'former\n']]))
    await reload(2)
    assert.equal(readFileSync(join(dir, 'haproxy.cfg'), 'utf8'), 'former\n')
    assert.equal(world.signals.length, 2)
    assert.deepEqual(said, [])
  })
  it('is told so later when it cannot be told now, which the log says once', async () => {
    await reload(1)
    assert.equal(readFileSync(join(dir, 'haproxy.cfg'), 'utf8'), 'former\n')
    assert.equal(world.signals.length, 1)
    assert.deepEqual(
      said.map(({ message, daemon }) => [daemon, message]),
      [['haproxy', 'HAProxy could not be told to follow its former configuration; it is tried again']],
    )
    await process.settled()
    assert.equal(said.length, 1)
    world.fault = () => undefined
    await process.settled()
    await process.settled()
    assert.equal(world.signals.length, 2, 'once is enough')
  })
})
