import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { LifecycleState } from '../lifecycle.ts'
import { simpleCapacity } from './adjust.ts'
import { capacityOf, isCooling, warmupSeconds } from './cooldown.ts'

const NOW = 1_000_000_000
const member = (lifecycleState: LifecycleState, secondsAgo = 1_000) => ({
  lifecycleState,
  inServiceAt: lifecycleState === 'Pending' ? null : NOW - secondsAgo * 1000,
})
const group = (fromSecondsAgo: number | null, cooldownSeconds: number | null = null) => ({
  defaultCooldown: 300,
  cooldownSeconds,
  cooldownFrom: fromSecondsAgo === null ? null : NOW - fromSecondsAgo * 1000,
})

describe('a cooldown', () => {
  const serving = [member('InService')]
  const cases: [string, boolean, boolean][] = [
    ['none before anything happened', isCooling(group(null), serving, NOW), false],
    ['lasts as the group says', isCooling(group(299), serving, NOW), true],
    ['and ends', isCooling(group(300), serving, NOW), false],
    ["or as the policy's", isCooling(group(20, 20), serving, NOW), false],
    ['lasts while a member is launched', isCooling(group(400), [member('Pending')], NOW), true],
    ['or waits for its hook', isCooling(group(400), [member('Pending:Wait')], NOW), true],
    ['or is terminated', isCooling(group(400), [member('Terminating')], NOW), true],
    ['but not while one stands by', isCooling(group(400), [member('Standby')], NOW), false],
    ['a clock set back by a day ends it', isCooling(group(-86_400), serving, NOW), false],
  ]
  for (const [why, got, wanted] of cases) it(why, () => assert.equal(got, wanted))

  it('is respected: no two changes are nearer to each other, however often a policy is executed', () => {
    const events = fc.array(fc.record({ afterMs: fc.nat(400_000), by: fc.constantFrom(-1, 1, 2) }), {
      maxLength: 40,
    })
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 600 }), (asked, cooldownSeconds) => {
        let now = NOW
        let row = { defaultCooldown: 300, cooldownSeconds, cooldownFrom: null as number | null }
        let desired = 3
        const changes: number[] = []
        for (const { afterMs, by } of asked) {
          now += afterMs
          const members = Array.from({ length: desired }, () => member('InService'))
          if (isCooling(row, members, now)) continue
          const capacity = capacityOf({ minSize: 1, maxSize: 9, desiredCapacity: desired }, members, 0, now)
          const next = simpleCapacity(capacity, { type: 'ChangeInCapacity', by, minMagnitude: null })
          if (next === desired) continue
          desired = next
          row = { ...row, cooldownFrom: now }
          changes.push(now)
        }
        for (const [index, at] of changes.entries())
          assert.ok(index === 0 || at - changes[index - 1]! >= cooldownSeconds * 1000)
      }),
    )
  })
})

describe('warming members', () => {
  const sizes = { minSize: 0, maxSize: 9, desiredCapacity: 3 }
  it('are counted as not warm until they have served for long enough', () => {
    const members = [member('InService'), member('InService', 10), member('Terminating')]
    const { warm, serving, isWarming } = capacityOf(sizes, members, 60_000, NOW)
    assert.deepEqual({ warm, serving, isWarming }, { warm: 1, serving: 3, isWarming: true })
  })
  it('are all there is in a new group', () => {
    const { warm, isWarming } = capacityOf(sizes, [member('InService', 1), member('Pending')], 60_000, NOW)
    assert.deepEqual({ warm, isWarming }, { warm: 1, isWarming: true })
  })
  it('warm up as the policy says, else the group, else for its cooldown', () => {
    const plain = { defaultInstanceWarmup: null, defaultCooldown: 300 }
    assert.equal(warmupSeconds(plain, null), 300)
    assert.equal(warmupSeconds({ ...plain, defaultInstanceWarmup: 0 }, null), 0)
    assert.equal(warmupSeconds({ ...plain, defaultInstanceWarmup: 60 }, 10), 10)
  })
})
