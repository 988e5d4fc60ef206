// The plan of members on their way in, aside and out, and of those that are replaced.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { planGroup, type GroupAction, type GroupView, type MemberView } from './plan.ts'
import type { RefreshView } from './replacement.ts'
import type { GroupRow } from './store.ts'
import { groupRow, memberView } from './test-views.ts'

const NOW = 1_000_000_000
const HOUR_MS = 3_600_000
const group = (more: Partial<GroupRow> = {}) => groupRow({ desiredCapacity: 1, ...more })
const member = memberView
const waiting = (state: 'Pending:Wait' | 'Terminating:Wait', ...results: ('CONTINUE' | 'ABANDON' | null)[]) =>
  member('1', {
    lifecycleState: state,
    registered: [],
    targetStates: [],
    inServiceAt: null,
    waits: results.map((result, index) => ({
      ...{ token: `t${index}`, deadline: NOW + 1, result, defaultResult: 'ABANDON' as const },
    })),
  })
const refreshing = (
  more: Partial<RefreshView> = {},
  preferences: RefreshView['preferences'] = {},
): GroupView => ({
  hooks: [],
  refresh: {
    ...{ status: 'InProgress', startedAt: 500, progressAt: NOW, instances: 2, toUpdate: 2, rollbackAt: null },
    ...more,
    preferences: { MinHealthyPercentage: 50, MaxHealthyPercentage: 100, InstanceWarmup: 10, ...preferences },
  },
})
const fresh = (id: string, more: Partial<MemberView> = {}) =>
  member(id, { createdAt: 600, inServiceAt: NOW - 10_000, isCurrent: true, ...more })
const old = (id: string, more: Partial<MemberView> = {}) =>
  member(id, { createdAt: 1, isCurrent: false, ...more })

describe('the plan of a member', () => {
  const hooked: GroupView = { hooks: ['launching', 'terminating'], refresh: null }
  const cases: [name: string, MemberView, GroupAction[], GroupView?, Partial<GroupRow>?][] = [
    [
      'lets one wait for a hook when it runs',
      member('1', { lifecycleState: 'Pending', registered: [], inServiceAt: null }),
      [{ do: 'wait', id: '1', transition: 'launching' }],
      hooked,
    ],
    ['waits for all of them', waiting('Pending:Wait', 'CONTINUE', null), [], hooked],
    [
      'goes on when all say so',
      waiting('Pending:Wait', 'CONTINUE', 'CONTINUE'),
      [{ do: 'proceed', id: '1' }],
      hooked,
    ],
    [
      'lets one go that one abandons',
      waiting('Pending:Wait', null, 'ABANDON'),
      [{ do: 'abandon', id: '1' }],
      hooked,
    ],
    ['goes on when its hooks are gone', waiting('Pending:Wait'), [{ do: 'proceed', id: '1' }], hooked],
    [
      'then serves',
      member('1', { lifecycleState: 'Pending:Proceed', registered: [], inServiceAt: null }),
      [
        { do: 'in-service', id: '1' },
        { do: 'register', id: '1', targetGroup: 'tg' },
      ],
      hooked,
    ],
    [
      'ends a wait whose time is over',
      {
        ...waiting('Pending:Wait', null),
        waits: [{ token: 't', deadline: NOW, result: null, defaultResult: 'CONTINUE' }],
      },
      [{ do: 'time-out', id: '1', token: 't' }],
      hooked,
    ],
    [
      'replaces one that dies while it waits',
      { ...waiting('Pending:Wait', null), ec2State: 'terminated' },
      [
        { do: 'replace', id: '1', check: 'EC2' },
        { do: 'launch', count: 1 },
      ],
      hooked,
    ],
    [
      'drains first, then waits for a hook',
      member('1', { lifecycleState: 'Terminating', targetStates: ['draining'] }),
      [],
      hooked,
      { desiredCapacity: 0 },
    ],
    [
      'waits for a hook when it has drained',
      member('1', { lifecycleState: 'Terminating', targetStates: [] }),
      [{ do: 'wait', id: '1', transition: 'terminating' }],
      hooked,
      { desiredCapacity: 0 },
    ],
    ['waits before it ends one', waiting('Terminating:Wait', null), [], hooked, { desiredCapacity: 0 }],
    [
      'ends it whatever the word is',
      waiting('Terminating:Wait', null, 'ABANDON'),
      [{ do: 'proceed', id: '1' }],
      hooked,
      { desiredCapacity: 0 },
    ],
    [
      'and then at once',
      member('1', { lifecycleState: 'Terminating:Proceed', targetStates: [] }),
      [{ do: 'terminate', id: '1' }],
      hooked,
      { desiredCapacity: 0 },
    ],
    [
      'waits for nobody when the group is forced to go',
      waiting('Terminating:Wait', null),
      [{ do: 'terminate', id: '1' }],
      hooked,
      { desiredCapacity: 0, deleting: 1, forceDelete: 1 },
    ],
    [
      'waits with standby while it drains',
      member('1', { lifecycleState: 'EnteringStandby', targetStates: ['draining'] }),
      [],
      undefined,
      { desiredCapacity: 0 },
    ],
    [
      'has it stand by then',
      member('1', { lifecycleState: 'EnteringStandby', targetStates: [] }),
      [{ do: 'stand-by', id: '1' }],
      undefined,
      { desiredCapacity: 0 },
    ],
    [
      'leaves who stands by alone, whatever its health',
      member('1', {
        lifecycleState: 'Standby',
        registered: [],
        healthStatus: 'Unhealthy',
        ec2State: 'stopped',
      }),
      [{ do: 'launch', count: 1 }],
    ],
    [
      'lets go of who is detached',
      member('1', { lifecycleState: 'Detaching', targetStates: [] }),
      [{ do: 'let-go', id: '1' }],
      undefined,
      { desiredCapacity: 0 },
    ],
    [
      'takes who stands by with its group',
      member('1', { lifecycleState: 'Standby', registered: [] }),
      [{ do: 'scale-in', id: '1' }],
      undefined,
      { desiredCapacity: 0, deleting: 1 },
    ],
  ]
  for (const [name, one, actions, view, row] of cases)
    it(name, () => assert.deepEqual(planGroup(group(row), [one], NOW, view), actions))
})

describe('the plan of a replacement', () => {
  const retire = (id: string, because: 'refresh' | 'rollback' | 'lifetime' = 'refresh'): GroupAction => ({
    ...{ do: 'retire', id, because },
  })
  const progress = (
    toUpdate: number,
    status: 'InProgress' | 'RollbackInProgress' = 'InProgress',
  ): GroupAction => ({
    do: 'refresh',
    set: { status, toUpdate, progressAt: NOW },
  })
  const cases: [name: string, Partial<GroupRow>, MemberView[], GroupAction[], GroupView][] = [
    [
      'takes as many as may miss',
      { desiredCapacity: 4 },
      [old('1'), old('2'), old('3'), old('4')],
      [retire('1'), retire('2'), { do: 'launch', count: 2 }],
      refreshing({ instances: 4, toUpdate: 4 }),
    ],
    [
      'waits for the new ones to be warm',
      { desiredCapacity: 2 },
      [old('1'), fresh('2', { inServiceAt: NOW - 9_999 })],
      [progress(1)],
      refreshing(),
    ],
    [
      'and goes on then',
      { desiredCapacity: 2 },
      [old('1'), fresh('2')],
      [retire('1'), { do: 'launch', count: 1 }],
      refreshing({ toUpdate: 1 }),
    ],
    [
      'waits for the load balancer to find the new ones healthy',
      { desiredCapacity: 2 },
      [old('1'), fresh('2', { targetStates: ['initial'] })],
      [],
      refreshing({ toUpdate: 1 }),
    ],
    [
      'launches first when all must stay healthy',
      { desiredCapacity: 2 },
      [old('1'), old('2')],
      [{ do: 'launch', count: 1, because: 'refresh' }],
      refreshing({}, { MinHealthyPercentage: 100 }),
    ],
    [
      'but never beyond the largest size: one goes first',
      { desiredCapacity: 2, maxSize: 2 },
      [old('1'), old('2')],
      [retire('1'), { do: 'launch', count: 1 }],
      refreshing({}, { MinHealthyPercentage: 100 }),
    ],
    [
      'one alone goes when no more fit',
      { desiredCapacity: 1, maxSize: 1 },
      [old('1')],
      [retire('1'), { do: 'launch', count: 1 }],
      refreshing({ toUpdate: 1 }, { MinHealthyPercentage: 90 }),
    ],
    [
      'ends when all are new',
      { desiredCapacity: 2 },
      [fresh('1'), fresh('2')],
      [{ do: 'refresh', set: { status: 'Successful', toUpdate: 0 } }],
      refreshing({ toUpdate: 0 }),
    ],
    [
      'skips who matches',
      { desiredCapacity: 2 },
      [old('1', { isCurrent: true }), fresh('2')],
      [{ do: 'refresh', set: { status: 'Successful', toUpdate: 0 } }],
      refreshing({}, { SkipMatching: true }),
    ],
    [
      'waits for protected ones',
      { desiredCapacity: 1 },
      [old('1', { protected: 1 })],
      [],
      refreshing({ toUpdate: 1 }, { MinHealthyPercentage: 0 }),
    ],
    [
      'or ignores them',
      { desiredCapacity: 1 },
      [old('1', { protected: 1 })],
      [{ do: 'refresh', set: { status: 'Successful', toUpdate: 0 } }],
      refreshing({ toUpdate: 1 }, { ScaleInProtectedInstances: 'Ignore' }),
    ],
    [
      'fails when nothing moves for an hour',
      { desiredCapacity: 1 },
      [old('1', { protected: 1 })],
      [
        {
          do: 'refresh',
          set: {
            status: 'Failed',
            statusReason: 'Instances were not replaced, or not healthy, within an hour.',
          },
        },
      ],
      refreshing({ toUpdate: 1, progressAt: NOW - HOUR_MS }),
    ],
    [
      'is cancelled and leaves the others',
      { desiredCapacity: 2 },
      [old('1'), old('2')],
      [{ do: 'refresh', set: { status: 'Cancelled' } }],
      refreshing({ status: 'Cancelling' }),
    ],
    [
      'goes back by replacing the new ones',
      { desiredCapacity: 2 },
      [old('1'), fresh('2')],
      [retire('2', 'rollback'), { do: 'launch', count: 1 }, progress(1, 'RollbackInProgress')],
      refreshing({ status: 'RollbackInProgress', rollbackAt: 700 }),
    ],
    [
      'rests while InstanceRefresh is suspended',
      { desiredCapacity: 1, suspended: '["InstanceRefresh"]' },
      [old('1')],
      [],
      refreshing(),
    ],
    [
      'rests while Launch is suspended',
      { desiredCapacity: 1, suspended: '["Launch"]' },
      [old('1')],
      [],
      refreshing({ toUpdate: 1 }),
    ],
    [
      'launches for one that got too old',
      { desiredCapacity: 1, maxInstanceLifetime: 86_400 },
      [old('1', { createdAt: NOW - 86_400_001 })],
      [{ do: 'launch', count: 1, because: 'lifetime' }],
      { hooks: [], refresh: null },
    ],
    [
      'and takes it when the new one serves',
      { desiredCapacity: 1, maxInstanceLifetime: 86_400 },
      [old('1', { createdAt: NOW - 86_400_001 }), fresh('2', { createdAt: NOW - 100 })],
      [retire('1', 'lifetime')],
      { hooks: [], refresh: null },
    ],
  ]
  for (const [name, row, members, actions, view] of cases)
    it(name, () => assert.deepEqual(planGroup(group(row), members, NOW, view), actions))
})
