import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeSystemFigures, utilisation } from './system-figures.ts'

const sample = (at: number, cpuUserSeconds: number, cpuSystemSeconds: number, boot = 'b1') => ({
  ...{ id: 'i-1', boot, at, cpuUserSeconds, cpuSystemSeconds },
})
const use = (user: number, system: number) => ({ user, system, nice: undefined, ioWait: undefined })

const figuresAt = () => {
  const clock = { now: 0, monotonic: () => clock.now }
  return { clock, figures: makeSystemFigures(clock) }
}

describe('processor figures', () => {
  it('are differences within one boot', () => {
    const { figures } = figuresAt()
    figures.see([sample(1_000, 5, 1)])
    assert.equal(figures.cpu('i-1'), undefined)
    figures.see([sample(11_000, 10, 2)])
    assert.deepEqual(figures.cpu('i-1'), use(0.5, 0.1))
    figures.see([sample(21_000, 0.1, 0, 'b2')])
    assert.equal(figures.cpu('i-1'), undefined)
  })

  it('of a minute are there when it is over', () => {
    const { figures } = figuresAt()
    for (const at of [0, 10, 20, 30, 40, 50]) figures.see([sample(at * 1000, at, 0)])
    assert.equal(figures.cpuOfMinute('i-1'), undefined)
    figures.see([sample(60_000, 50, 0)])
    assert.deepEqual([figures.cpuOfMinute('i-1')?.user, figures.cpu('i-1')?.user], [50 / 60, 0])
  })

  it('are nothing when the machine does not tell the kinds apart', () => {
    const { figures } = figuresAt()
    figures.see([{ id: 'i-1', boot: 'b1', at: 0, cpuSeconds: 1 }])
    figures.see([{ id: 'i-1', boot: 'b1', at: 10_000, cpuSeconds: 2 }])
    assert.equal(figures.cpu('i-1'), undefined)
  })

  it('are shown as percents of all processors of the instance', () => {
    assert.deepEqual(utilisation(use(0.5, 0.1), 2), { User: 25, System: 5, Idle: 70 })
    assert.deepEqual(utilisation(use(2.01, 0), 2), { User: 100, System: 0, Idle: 0 })
    assert.deepEqual([utilisation(undefined, 2), utilisation(use(1, 0), undefined)], [{}, {}])
    assert.deepEqual(utilisation({ user: 0.5, system: 0.1, nice: 0.1, ioWait: 0.2 }, 1), {
      ...{ User: 40, Nice: 10, System: 10, Idle: 20, IOWait: 20 },
    })
  })
})

describe('load', () => {
  it('nears what runs, faster over one minute than over fifteen', () => {
    const { figures } = figuresAt()
    figures.see([{ ...sample(0, 0, 0), runnable: 0 }])
    for (let at = 10_000; at <= 60_000; at += 10_000) figures.see([{ ...sample(at, 0, 0), runnable: 4 }])
    const [one, five, fifteen] = figures.load('i-1')!.map((load) => Math.round(load * 100) / 100)
    assert.deepEqual([one, five, fifteen], [2.53, 0.73, 0.26])
  })

  it('is nothing where tasks cannot be counted', () => {
    const { figures } = figuresAt()
    figures.see([sample(0, 0, 0)])
    assert.equal(figures.load('i-1'), undefined)
  })
})

it('an instance was last seen when its figures came, or never since we began', () => {
  const { figures, clock } = figuresAt()
  clock.now = 5_000
  figures.see([sample(0, 0, 0)])
  clock.now = 9_000
  figures.see([])
  assert.deepEqual([figures.seenAt('i-1'), figures.seenAt('i-2')], [5_000, 0])
})

it('what its type gives an instance is asked once', () => {
  const { figures } = figuresAt()
  const shape = { vcpus: 2, memoryBytes: 1 }
  let asked = 0
  const ask = () => {
    asked++
    return shape
  }
  figures.see([sample(0, 0, 0)])
  assert.deepEqual([figures.shape('i-1', ask), figures.shape('i-1', ask)], [shape, shape])
  assert.equal(asked, 1)
  assert.equal(figures.shape('i-2', ask), undefined)
})
