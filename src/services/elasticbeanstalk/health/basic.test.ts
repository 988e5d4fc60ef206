import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { assessBasic, basicText, isWorseColour } from './basic.ts'
import type { InstanceFacts } from './facts.ts'

const instance = (state: string): InstanceFacts => ({
  ...{ id: 'i-1', state: 'Deployed', ageMs: 0, withoutElbMs: 0, silentMs: 0, updated: false, wrong: null },
  ...{ requests: null, completed: null, before: '', target: { state, reason: '' } },
  system: { cpu: 100, ioWait: null, memory: 100, rootFilesystem: 100 },
})
const [well, ill] = [instance('healthy'), instance('unhealthy')]
const group = { minSize: 1, desired: 1 }
const ready = { status: 'Ready' as const, group, hasFront: true, instances: [well] }

describe('basic health', () => {
  const cases: [string, Partial<Parameters<typeof assessBasic>[0]>, string, boolean][] = [
    ['is Green when the load balancer finds all healthy, whatever they are short of', {}, 'Green', false],
    ['is Grey while it is updated', { status: 'Updating', instances: [ill] }, 'Grey', false],
    ['is Yellow when one of two is not', { instances: [well, ill] }, 'Yellow', false],
    ['is Red when none is', { instances: [ill, ill] }, 'Red', true],
    ['is Red without instances', { instances: [] }, 'Red', false],
    [
      'is Green without instances that nobody wants',
      { instances: [], group: { minSize: 0, desired: 0 } },
      'Green',
      false,
    ],
    ['is Red without its group', { group: null }, 'Red', false],
    ['is Red without what leads there', { hasFront: false }, 'Red', false],
  ]
  for (const [what, facts, colour, hasNone] of cases)
    it(what, () => assert.deepEqual(assessBasic({ ...ready, ...facts }), { colour, hasNone }))

  it('is told in the words that old clients look for', () => {
    assert.equal(basicText('Grey', 'Green'), 'Environment health has been set to GREEN')
    assert.equal(basicText('Grey', 'Red'), 'Environment health has been set to RED')
    assert.equal(basicText('Yellow', 'Red'), 'Environment health has transitioned from YELLOW to RED')
    assert.deepEqual([basicText('Green', 'Green'), basicText('Green', 'Grey')], [null, null])
    assert.deepEqual(
      [isWorseColour('Green', 'Red'), isWorseColour('Red', 'Yellow'), isWorseColour('Grey', 'Green')],
      [true, false, false],
    )
  })
})
