import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planGroup, subnetForNext, type GroupAction, type MemberView } from './plan.ts'
import type { GroupRow } from './store.ts'
import { groupRow, memberView } from './test-views.ts'

const NOW = 1_000_000_000

const [group, member] = [groupRow, memberView]
const leaving = (id: string, more: Partial<MemberView> = {}) =>
  member(id, { lifecycleState: 'Terminating', ...more })
const pending = (id: string, more: Partial<MemberView> = {}) =>
  member(id, { lifecycleState: 'Pending', registered: [], ec2State: 'pending', inServiceAt: null, ...more })

describe('the plan of one group', () => {
  const cases: [name: string, group: GroupRow, members: MemberView[], actions: GroupAction[]][] = [
    ['launches what is missing', group(), [], [{ do: 'launch', count: 2 }]],
    ['has nothing to do when all serve', group(), [member('1'), member('2')], []],
    ['waits for what is pending', group(), [member('1'), pending('2')], []],
    [
      'takes a running one into service and registers it',
      group(),
      [member('1'), pending('2', { ec2State: 'running' })],
      [
        { do: 'in-service', id: '2' },
        { do: 'register', id: '2', targetGroup: 'tg' },
      ],
    ],
    [
      'deregisters from a target group that was detached',
      group({ targetGroups: '[]' }),
      [member('1'), member('2')],
      [
        { do: 'deregister', id: '1', targetGroup: 'tg' },
        { do: 'deregister', id: '2', targetGroup: 'tg' },
      ],
    ],
    [
      'replaces a terminated one',
      group(),
      [member('1'), member('2', { ec2State: 'terminated' })],
      [
        { do: 'replace', id: '2', check: 'EC2' },
        { do: 'launch', count: 1 },
      ],
    ],
    [
      'replaces one that ec2 does not know',
      group(),
      [member('1'), member('2', { ec2State: null })],
      [
        { do: 'replace', id: '2', check: 'EC2' },
        { do: 'launch', count: 1 },
      ],
    ],
    [
      'replaces a stopped one',
      group(),
      [member('1'), member('2', { ec2State: 'stopped' })],
      [
        { do: 'replace', id: '2', check: 'EC2' },
        { do: 'launch', count: 1 },
      ],
    ],
    [
      'replaces one that somebody says is unhealthy',
      group(),
      [member('1'), member('2', { healthStatus: 'Unhealthy' })],
      [
        { do: 'replace', id: '2', check: 'user' },
        { do: 'launch', count: 1 },
      ],
    ],
    [
      'keeps what only the balancer finds unhealthy',
      group(),
      [member('1'), member('2', { targetStates: ['unhealthy'] })],
      [],
    ],
    [
      'replaces it with health check ELB',
      group({ healthCheckType: 'ELB' }),
      [member('1'), member('2', { targetStates: ['unhealthy'] })],
      [
        { do: 'replace', id: '2', check: 'ELB' },
        { do: 'launch', count: 1 },
      ],
    ],
    [
      'gives it grace',
      group({ healthCheckType: 'ELB', healthCheckGraceSeconds: 60 }),
      [member('1'), member('2', { targetStates: ['unhealthy'], inServiceAt: NOW - 59_000 })],
      [],
    ],
    [
      'takes the oldest of the fullest zone out',
      group({ desiredCapacity: 2 }),
      [
        member('1', { createdAt: 1, zone: 'b' }),
        member('2', { createdAt: 3 }),
        member('3', { createdAt: 2 }),
      ],
      [{ do: 'scale-in', id: '3' }],
    ],
    [
      'takes the oldest launch configuration first',
      group({ desiredCapacity: 1 }),
      [
        member('1', { createdAt: 1, launchConfigurationAt: 2 }),
        member('2', { createdAt: 2, launchConfigurationAt: 1 }),
      ],
      [{ do: 'scale-in', id: '2' }],
    ],
    [
      'takes the newest when told',
      group({ desiredCapacity: 1, terminationPolicies: '["NewestInstance"]' }),
      [member('1'), member('2', { createdAt: 2 })],
      [{ do: 'scale-in', id: '2' }],
    ],
    [
      'keeps who serves, and not who is unhealthy, until one that stays does',
      group({ desiredCapacity: 1 }),
      [
        member('1'),
        member('2', { createdAt: 2, targetStates: ['unhealthy'] }),
        member('3', { createdAt: 3, inServiceAt: NOW, targetStates: ['initial'] }),
      ],
      [{ do: 'scale-in', id: '2' }],
    ],
    [
      'does not wait for ever',
      group({ desiredCapacity: 1 }),
      [member('1'), member('2', { createdAt: 2, inServiceAt: NOW - 16 * 60_000, targetStates: ['initial'] })],
      [{ do: 'scale-in', id: '1' }],
    ],
    [
      'keeps one that serves until one that stays does',
      group({ desiredCapacity: 1 }),
      [
        member('1'),
        member('2', { createdAt: 2 }),
        member('3', { createdAt: 3, inServiceAt: NOW, targetStates: ['initial'] }),
      ],
      [{ do: 'scale-in', id: '1' }],
    ],
    [
      'keeps one that serves until one that stays is registered',
      group({ desiredCapacity: 1 }),
      [member('1'), member('2', { createdAt: 2, inServiceAt: NOW, registered: [], targetStates: [] })],
      [{ do: 'register', id: '2', targetGroup: 'tg' }],
    ],
    [
      'does not wait for one that nobody registers',
      group({ desiredCapacity: 1, suspended: '["AddToLoadBalancer"]' }),
      [member('1'), member('2', { createdAt: 2, registered: [], targetStates: [] })],
      [{ do: 'scale-in', id: '1' }],
    ],
    [
      'does not wait for one that is found unhealthy',
      group({ desiredCapacity: 1 }),
      [member('1'), member('2', { createdAt: 2, targetStates: ['unhealthy'] })],
      [{ do: 'scale-in', id: '1' }],
    ],
    [
      'does not keep one that does not serve yet itself',
      group({ desiredCapacity: 1 }),
      [member('1', { targetStates: ['initial'] }), member('2', { createdAt: 2, targetStates: ['initial'] })],
      [{ do: 'scale-in', id: '1' }],
    ],
    [
      'leaves protected ones',
      group({ desiredCapacity: 0 }),
      [member('1', { protected: 1 }), member('2')],
      [{ do: 'scale-in', id: '2' }],
    ],
    [
      'waits while one drains',
      group({ desiredCapacity: 0 }),
      [leaving('1', { targetStates: ['draining'] })],
      [],
    ],
    [
      'ends one that has drained',
      group({ desiredCapacity: 0 }),
      [leaving('1', { targetStates: [] })],
      [{ do: 'terminate', id: '1' }],
    ],
    [
      'does not wait for the drain of one that is dead',
      group({ desiredCapacity: 0 }),
      [leaving('1', { targetStates: ['draining'], ec2State: 'stopped' })],
      [{ do: 'terminate', id: '1' }],
    ],
    [
      'does not wait when the group is forced to go',
      group({ deleting: 1, forceDelete: 1, desiredCapacity: 0 }),
      [leaving('1', { targetStates: ['draining'] })],
      [{ do: 'terminate', id: '1' }],
    ],
    [
      'asks ec2 once',
      group({ desiredCapacity: 0 }),
      [leaving('1', { terminateSent: 1, ec2State: 'shutting-down' })],
      [],
    ],
    [
      'forgets one that is terminated',
      group({ desiredCapacity: 0 }),
      [leaving('1', { terminateSent: 1, ec2State: 'terminated' })],
      [{ do: 'forget', id: '1' }],
    ],
    [
      'takes all out, protected ones too, when it goes',
      group({ deleting: 1, desiredCapacity: 0 }),
      [member('1', { protected: 1 }), pending('2')],
      [
        { do: 'scale-in', id: '1' },
        { do: 'scale-in', id: '2' },
      ],
    ],
    ['goes when nobody is left', group({ deleting: 1, desiredCapacity: 0 }), [], [{ do: 'remove-group' }]],
    [
      'does not go before',
      group({ deleting: 1, desiredCapacity: 0 }),
      [leaving('1', { terminateSent: 1, ec2State: 'shutting-down' })],
      [],
    ],
    ['waits after a failed launch', group({ launchRetryAt: NOW + 5_000 }), [], []],
    ['tries again then', group({ launchRetryAt: NOW }), [], [{ do: 'launch', count: 2 }]],
    [
      'is not frozen by a clock that was set back',
      group({ launchRetryAt: NOW + 3_600_000 }),
      [],
      [{ do: 'launch', count: 2 }],
    ],
    ['launches nothing while Launch is suspended', group({ suspended: '["Launch"]' }), [], []],
    [
      'replaces nothing while ReplaceUnhealthy is suspended',
      group({ suspended: '["ReplaceUnhealthy"]' }),
      [member('1'), member('2', { ec2State: 'stopped' })],
      [],
    ],
    ['launches a limited number at once', group({ desiredCapacity: 100 }), [], [{ do: 'launch', count: 20 }]],
  ]
  for (const [name, row, members, actions] of cases)
    it(name, () => assert.deepEqual(planGroup(row, members, NOW), actions))

  it('launches into the emptiest zone', () => {
    const subnets = [
      { id: 's-a', zone: 'a' },
      { id: 's-b', zone: 'b' },
    ]
    assert.equal(subnetForNext(subnets, []), 's-a')
    assert.equal(subnetForNext(subnets, ['a']), 's-b')
    assert.equal(subnetForNext(subnets, ['a', 'b', 'b']), 's-a')
  })
})
