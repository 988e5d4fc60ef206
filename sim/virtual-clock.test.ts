import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { VirtualClock } from './virtual-clock.ts'

describe('VirtualClock', () => {
  it('wakes sleepers at their own time, in order, and those that they start too', async () => {
    const clock = new VirtualClock()
    const seen: string[] = []
    const note = (name: string) => seen.push(`${name}@${clock.monotonic()}`)
    void clock.sleep(30).then(() => note('c'))
    void clock.sleep(10).then(async () => {
      note('a')
      await clock.sleep(10)
      note('b')
    })
    await clock.run(100)
    assert.deepEqual(seen, ['a@10', 'b@20', 'c@30'])
    assert.equal(clock.monotonic(), 100)
  })
  it('rejects a sleep whose signal is aborted, and forgets it', async () => {
    const clock = new VirtualClock()
    const abort = new AbortController()
    const sleep = clock.sleep(10, abort.signal)
    abort.abort(new Error('enough'))
    await assert.rejects(sleep, /enough/)
    await clock.run(20)
  })
  it('moves the wall clock without moving timers', async () => {
    const clock = new VirtualClock()
    const before = clock.now()
    clock.setWall(3_600_000)
    assert.equal(clock.now() - before, 3_600_000)
    assert.equal(clock.monotonic(), 0)
  })
})
