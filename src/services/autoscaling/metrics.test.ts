import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GROUP_METRICS, groupPoints } from './metrics.ts'

const AT = Date.UTC(2026, 0, 1)
const group = { name: 'web', minSize: 1, maxSize: 9, desiredCapacity: 4 }
const members = (...states: string[]) => states.map((lifecycleState) => ({ lifecycleState }))
const values = (enabled: string[], ...states: string[]) =>
  Object.fromEntries(
    groupPoints(group, members(...states), enabled, AT).map(({ metricName, value }) => [metricName, value]),
  )

describe('sizes of a group', () => {
  it('are told of the metrics that are enabled, and of no others', () => {
    assert.deepEqual(groupPoints(group, [], [], AT), [])
    assert.deepEqual(groupPoints(group, members('InService'), ['GroupInServiceInstances', 'Nonsense'], AT), [
      {
        ...{ namespace: 'AWS/AutoScaling', metricName: 'GroupInServiceInstances', unit: 'None', at: AT },
        ...{ dimensions: { AutoScalingGroupName: 'web' }, value: 1 },
      },
    ])
  })

  const none = { InService: 0, Pending: 0, Standby: 0, Terminating: 0, Total: 0 }
  const cases: [states: string[], counts: Partial<typeof none>][] = [
    [[], {}],
    [['InService', 'InService'], { InService: 2, Total: 2 }],
    [['Pending', 'Pending:Wait', 'Pending:Proceed'], { Pending: 3, Total: 3 }],
    [['Terminating', 'Terminating:Wait'], { Terminating: 2, Total: 2 }],
    [['Standby', 'EnteringStandby', 'InService'], { InService: 1, Standby: 2, Total: 1 }],
    [['Detaching'], {}],
  ]
  for (const [states, counts] of cases)
    it(`count members that are ${states.join(', ') || 'none'}`, () => {
      const all = { ...none, ...counts }
      assert.deepEqual(values([...GROUP_METRICS], ...states), {
        ...{ GroupMinSize: 1, GroupMaxSize: 9, GroupDesiredCapacity: 4 },
        ...Object.fromEntries(
          Object.entries(all).flatMap(([state, count]) => [
            [`Group${state}Instances`, count],
            [`Group${state}Capacity`, count],
          ]),
        ),
      })
    })
})
