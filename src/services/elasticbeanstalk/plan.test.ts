import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planMembership, planSoftware } from './plan.ts'

const instance = (instanceId: string, deploymentId: number | null) => ({ instanceId, deploymentId })

describe('planMembership', () => {
  it('compares the group with what is known', () => {
    const plan = planMembership(['i-2', 'i-3'], [{ instanceId: 'i-1' }, { instanceId: 'i-2' }])
    assert.deepEqual(plan, { added: ['i-3'], removed: ['i-1'] })
  })
})

describe('planSoftware', () => {
  const instances = [
    instance('i-new', null),
    instance('i-old', 1),
    instance('i-same', 2),
    instance('i-failed', 3),
  ]

  it('brings a ready environment to its target, and leaves alone what a failed deployment left', () => {
    assert.deepEqual(planSoftware({ status: 'Ready', targetDeploymentId: 2 }, instances), ['i-new', 'i-old'])
  })

  it('only serves those who await software while an update is under way', () => {
    assert.deepEqual(planSoftware({ status: 'Updating', targetDeploymentId: 2 }, instances), ['i-new'])
  })

  it('gives nothing before there is something to give, or to what is going away', () => {
    assert.deepEqual(planSoftware({ status: 'Launching', targetDeploymentId: 0 }, instances), [])
    assert.deepEqual(planSoftware({ status: 'Terminating', targetDeploymentId: 2 }, instances), [])
  })
})
