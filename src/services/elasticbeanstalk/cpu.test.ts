import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeCpuFigures, utilisation } from './cpu.ts'

const sample = (at: number, cpuUserSeconds: number, cpuSystemSeconds: number, boot = 'b1') => ({
  ...{ id: 'i-1', boot, at, cpuUserSeconds, cpuSystemSeconds },
})

describe('processor figures', () => {
  it('are differences within one boot', () => {
    const figures = makeCpuFigures()
    figures.see([sample(1_000, 5, 1)])
    assert.equal(figures.of('i-1'), undefined)
    figures.see([sample(11_000, 10, 2)])
    assert.deepEqual(figures.of('i-1'), { user: 0.5, system: 0.1 })
    figures.see([sample(21_000, 0.1, 0, 'b2')])
    assert.equal(figures.of('i-1'), undefined)
    figures.see([])
    figures.see([sample(41_000, 10, 2, 'b2')])
    assert.equal(figures.of('i-1'), undefined, 'what was before it went is forgotten')
  })

  it('are nothing when the machine does not tell the kinds apart', () => {
    const figures = makeCpuFigures()
    figures.see([{ id: 'i-1', boot: 'b1', at: 0, cpuSeconds: 1 }])
    figures.see([{ id: 'i-1', boot: 'b1', at: 10_000, cpuSeconds: 2 }])
    assert.equal(figures.of('i-1'), undefined)
  })

  it('are shown as percents of all processors of the instance', () => {
    assert.deepEqual(utilisation({ user: 0.5, system: 0.1 }, 2), { User: 25, System: 5, Idle: 70 })
    assert.deepEqual(utilisation({ user: 2.01, system: 0 }, 2), { User: 100, System: 0, Idle: 0 })
    assert.deepEqual([utilisation(undefined, 2), utilisation({ user: 1, system: 0 }, undefined)], [{}, {}])
  })
})
