import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planMemory, type MemoryRow } from './memory.ts'

const MIB = 2 ** 20
const seen = (usedMiB: number | undefined, oomKills = 0) => ({
  id: 'i-1',
  ...(usedMiB === undefined ? {} : { usedBytes: usedMiB * MIB }),
  limitBytes: 1024 * MIB,
  oomKills,
  oomProcess: oomKills > 0 ? 'python3' : '',
  oomOfMachine: false,
})
const row = (usedMiB: number | null, oomKills = 0): MemoryRow => ({
  instanceId: 'i-1',
  usedBytes: usedMiB === null ? null : usedMiB * MIB,
  oomKills,
  oomProcess: oomKills > 0 ? 'python3' : '',
  oomOfMachine: 0,
  oomAt: oomKills > 0 ? 5 : null,
})

describe('the plan of memory rows', () => {
  it('writes what is new, and what moved', () => {
    assert.deepEqual(planMemory([seen(40)], [], 9), [row(40)])
    assert.deepEqual(planMemory([seen(60)], [row(40)], 9), [row(60)])
    assert.deepEqual(planMemory([seen(undefined)], [row(40)], 9), [row(null)])
  })
  it('writes nothing for what wavers', () => {
    assert.deepEqual(planMemory([seen(50)], [row(40)], 9), [])
    assert.deepEqual(planMemory([seen(880)], [row(820)], 9), [], 'less than a tenth')
    assert.deepEqual(planMemory([seen(undefined)], [], 9), [])
  })
  it('notes kills with their time, once', () => {
    const [told] = planMemory([seen(40, 2)], [row(40)], 9)
    assert.deepEqual(told, { ...row(40, 2), oomAt: 9 })
    assert.deepEqual(planMemory([seen(40, 2)], [told!], 10), [])
  })
  it('does not take a count that shrinks for kills', () =>
    assert.deepEqual(planMemory([seen(40, 1)], [row(40, 2)], 9), []))
})
