import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeTestGroup, NAME, type TestGroup } from './test-group.ts'

let test: TestGroup
const ofGroup = { AutoScalingGroupName: NAME }
const service = () => test.world.autoscaling

describe('members that stand by, come and go', () => {
  beforeEach(async () => {
    test = makeTestGroup({ MinSize: 1, MaxSize: 3, DesiredCapacity: 2 })
    await test.settle(2)
  })
  afterEach(() => test.world.end())

  it('enter standby and return, and are no targets meanwhile', async () => {
    const [first] = test.inService()
    const move = { ...ofGroup, InstanceIds: [first!] }
    const { Activities } = service().enterStandby(test.context, {
      ...move,
      ShouldDecrementDesiredCapacity: true,
    })
    assert.equal(Activities![0]!.Description, `Moving EC2 instance to Standby: ${first}`)
    assert.match(
      Activities![0]!.Cause!,
      new RegExp(
        `^At \\S+Z instance ${first} was moved to standby in response to a user request, shrinking the capacity from 2 to 1\\.$`,
      ),
    )
    await test.clock.run(1_000)
    assert.deepEqual(test.inState('Standby'), [first])
    assert.equal(test.desired(), 1)
    assert.ok(!test.targets().includes(first!))
    await test.clock.run(20_000)
    assert.equal(test.members().length, 2, 'it is kept, and nobody takes its place')
    const { Activities: back } = service().exitStandby(test.context, move)
    assert.match(
      back![0]!.Cause!,
      /was moved out of standby in response to a user request, increasing the capacity from 1 to 2\.$/,
    )
    await test.settle(2)
    assert.ok(test.targets().includes(first!))
    assert.equal(test.desired(), 2)
  })
  it('are replaced in standby when the capacity stays', async () => {
    const [first] = test.inService()
    const move = { ...ofGroup, InstanceIds: [first!] }
    service().enterStandby(test.context, { ...move, ShouldDecrementDesiredCapacity: false })
    await test.settle(2)
    assert.equal(test.members().length, 3)
    service().exitStandby(test.context, move)
    assert.equal(test.desired(), 3)
    await test.settle(3)
    assert.throws(() => service().exitStandby(test.context, move), /is not in Standby/)
  })
  it('are held by the sizes of the group', async () => {
    const InstanceIds = test.inService()
    assert.throws(
      () =>
        service().enterStandby(test.context, {
          ...ofGroup,
          InstanceIds,
          ShouldDecrementDesiredCapacity: true,
        }),
      {
        message:
          'AutoScalingGroup web has min-size=1, max-size=3, and desired-size=2. To place into standby 2 instances, please update the AutoScalingGroup sizes appropriately.',
      },
    )
    assert.throws(
      () =>
        service().enterStandby(test.context, {
          ...ofGroup,
          InstanceIds: ['i-0'],
          ShouldDecrementDesiredCapacity: true,
        }),
      /The instance i-0 is not part of Auto Scaling group web\./,
    )
  })
  it('are detached, run on, and are attached again', async () => {
    const [first] = test.inService()
    const move = { ...ofGroup, InstanceIds: [first!] }
    const { Activities } = service().detachInstances(test.context, {
      ...move,
      ShouldDecrementDesiredCapacity: true,
    })
    assert.match(
      Activities![0]!.Cause!,
      /was detached in response to a user request, shrinking the capacity from 2 to 1\.$/,
    )
    await test.clock.run(10_000)
    assert.equal(test.members().length, 1)
    assert.ok(!test.targets().includes(first!))
    const found = () =>
      test.world.ec2.describeInstances(test.context, { InstanceIds: [first!] }).Reservations![0]!
        .Instances![0]!
    assert.equal(found().State!.Name, 'running')
    assert.deepEqual(found().Tags, [])
    service().attachInstances(test.context, move)
    assert.equal(test.desired(), 2)
    await test.settle(2)
    assert.ok(test.targets().includes(first!))
    assert.equal(found().Tags![0]!.Key, 'aws:autoscaling:groupName')
    assert.throws(() => service().attachInstances(test.context, move), /already part of an AutoScalingGroup/)
  })
  it('go with their group, also those that stand by', async () => {
    const [first] = test.inService()
    service().enterStandby(test.context, {
      ...ofGroup,
      InstanceIds: [first!],
      ShouldDecrementDesiredCapacity: true,
    })
    service().deleteAutoScalingGroup(test.context, { ...ofGroup, ForceDelete: true })
    await test.clock.run(30_000)
    assert.equal(test.group(), undefined)
    assert.equal(test.world.compute.world.instances.size, 0)
  })
  it('are forgotten in standby when they end there', async () => {
    const [first] = test.inService()
    service().enterStandby(test.context, {
      ...ofGroup,
      InstanceIds: [first!],
      ShouldDecrementDesiredCapacity: true,
    })
    await test.clock.run(1_000)
    test.world.ec2.terminateInstances(test.context, { InstanceIds: [first!] })
    await test.clock.run(30_000)
    assert.equal(test.members().length, 1)
    assert.equal(test.desired(), 1)
  })
})

describe('lifecycle hooks', () => {
  const hook = (name: string, LifecycleTransition: string, more: object = {}) => ({
    ...{ LifecycleHookName: name, LifecycleTransition },
    ...more,
  })
  const LAUNCHING = 'autoscaling:EC2_INSTANCE_LAUNCHING'
  const TERMINATING = 'autoscaling:EC2_INSTANCE_TERMINATING'
  const make = (hooks: object[], DesiredCapacity = 1) => {
    test = makeTestGroup(
      { MinSize: 0, MaxSize: 3, DesiredCapacity },
      { LifecycleHookSpecificationList: hooks },
    )
  }
  afterEach(() => test.world.end())
  const word = (LifecycleHookName: string, LifecycleActionResult: string, InstanceId: string) =>
    service().completeLifecycleAction(test.context, {
      ...{ ...ofGroup, LifecycleHookName, LifecycleActionResult, InstanceId },
    })
  const waiting = (state = 'Pending:Wait') =>
    test.clock.runUntil(() => test.inState(state).length === 1, 20_000)

  it('hold a member back until all of them let it in', async () => {
    make([hook('a', LAUNCHING), hook('b', LAUNCHING)])
    await waiting()
    const [id] = test.inState('Pending:Wait')
    assert.deepEqual(test.targets(), [])
    assert.equal(test.activities()[0]!.StatusCode, 'MidLifecycleAction')
    word('a', 'CONTINUE', id!)
    await test.clock.run(10_000)
    assert.deepEqual(test.inService(), [])
    word('b', 'CONTINUE', id!)
    await test.settle(1)
    assert.deepEqual(test.inService(), [id])
    assert.equal(test.activities()[0]!.StatusCode, 'Successful')
    assert.throws(() => word('b', 'CONTINUE', id!), {
      message: `No active Lifecycle Action found with instance ID ${id}`,
    })
  })
  it('let a member go that is abandoned, and another one takes its place', async () => {
    make([hook('a', LAUNCHING)])
    await waiting()
    const [id] = test.inState('Pending:Wait')
    word('a', 'ABANDON', id!)
    await test.clock.run(3_000)
    const cancelled = test.activities().find((one) => one.StatusCode === 'Cancelled')
    assert.match(
      cancelled!.StatusMessage!,
      /^Instance failed to complete user's Lifecycle Action: Lifecycle Action with token [0-9a-f-]{36} was abandoned: Lifecycle Action Completed with ABANDON Result$/,
    )
    await test.clock.runUntil(() => test.inState('Pending:Wait').some((one) => one !== id), 30_000)
  })
  it('end by themselves, unless a heartbeat comes', async () => {
    make([hook('a', LAUNCHING, { HeartbeatTimeout: 30, DefaultResult: 'CONTINUE' })])
    await waiting()
    const [id] = test.inState('Pending:Wait')
    await test.clock.run(25_000)
    service().recordLifecycleActionHeartbeat(test.context, {
      ...ofGroup,
      LifecycleHookName: 'a',
      InstanceId: id,
    })
    await test.clock.run(25_000)
    assert.deepEqual(test.inState('Pending:Wait'), [id])
    await test.clock.run(10_000)
    assert.deepEqual(test.inService(), [id])
  })
  it('hold a member that is to end until they let it go', async () => {
    make([hook('a', TERMINATING, { HeartbeatTimeout: 60 })])
    await test.settle(1)
    service().setDesiredCapacity(test.context, { ...ofGroup, DesiredCapacity: 0 })
    await waiting('Terminating:Wait')
    await test.clock.run(20_000)
    const [id] = test.inState('Terminating:Wait')
    assert.equal(test.world.compute.world.instances.size, 1)
    word('a', 'CONTINUE', id!)
    await test.clock.run(15_000)
    assert.equal(test.members().length, 0)
    assert.equal(test.world.compute.world.instances.size, 0)
    assert.deepEqual(test.world.store.all('select * from autoscaling_lifecycle_action'), [])
  })
  it('that are deleted let go of who waits for them', async () => {
    make([hook('a', TERMINATING)])
    await test.settle(1)
    service().setDesiredCapacity(test.context, { ...ofGroup, DesiredCapacity: 0 })
    await waiting('Terminating:Wait')
    service().deleteLifecycleHook(test.context, { ...ofGroup, LifecycleHookName: 'a' })
    await test.clock.run(15_000)
    assert.equal(test.members().length, 0)
  })
  it('do not wait longer because the machine slept', async () => {
    make([hook('a', LAUNCHING, { HeartbeatTimeout: 30, DefaultResult: 'CONTINUE' })])
    await waiting()
    const before = test.world.store.get<{ deadline: number }>(
      'select deadline from autoscaling_lifecycle_action',
    )!
    service().shiftDeadlines(5_000)
    const after = test.world.store.get<{ deadline: number }>(
      'select deadline from autoscaling_lifecycle_action',
    )!
    assert.equal(after.deadline - before.deadline, 5_000)
  })
  it('are refused when they would notify somebody, and as AWS words it', () => {
    make([], 0)
    const put = (more: object) =>
      service().putLifecycleHook(test.context, {
        ...ofGroup,
        LifecycleHookName: 'a',
        LifecycleTransition: LAUNCHING,
        ...more,
      })
    const target = { NotificationTargetARN: 'arn:aws:sns:us-west-2:1:t', RoleARN: 'arn:r' }
    assert.throws(
      () => put(target),
      /NotificationTargetARN is not supported by Polebean|RoleARN is not supported/,
    )
    assert.throws(() => put({ RoleARN: 'arn:r' }), /'NotificationTargetARN' parameter required/)
    assert.throws(() => put({ HeartbeatTimeout: 10 }), /HeartbeatTimeout must be between 30 and 7200 seconds/)
    assert.throws(() => put({ DefaultResult: 'MAYBE' }), /'DefaultResult' must be one of: CONTINUE, ABANDON/)
    put({ HeartbeatTimeout: 60 })
    put({ DefaultResult: 'CONTINUE' })
    assert.deepEqual(service().describeLifecycleHooks(test.context, ofGroup).LifecycleHooks, [
      {
        ...{ LifecycleHookName: 'a', AutoScalingGroupName: NAME, LifecycleTransition: LAUNCHING },
        ...{ HeartbeatTimeout: 60, GlobalTimeout: 6_000, DefaultResult: 'CONTINUE' },
      },
    ])
  })
})

describe('an instance refresh', () => {
  beforeEach(async () => {
    test = makeTestGroup({ MinSize: 1, MaxSize: 4, DesiredCapacity: 3 })
    await test.settle(3)
    await test.clock.run(1_000)
  })
  afterEach(() => test.world.end())
  const start = (Preferences: object, more: object = {}) =>
    service().startInstanceRefresh(test.context, { ...ofGroup, Preferences, ...more })
  const refresh = () => service().describeInstanceRefreshes(test.context, ofGroup).InstanceRefreshes![0]!
  const ended = () => test.clock.runUntil(() => refresh().EndTime !== undefined, 10 * 60_000)
  const typesOf = () =>
    test.world.ec2
      .describeInstances(test.context, { InstanceIds: test.inService() })
      .Reservations!.flatMap(({ Instances }) => Instances!.map((one) => one.InstanceType))

  it('replaces all members, some at a time, and never has fewer serve than it may', async () => {
    const before = test.inService()
    const { InstanceRefreshId } = start({ MinHealthyPercentage: 60, InstanceWarmup: 5 })
    assert.throws(() => start({}), { code: 'InstanceRefreshInProgress' })
    let least = 3
    await test.clock.runUntil(() => {
      least = Math.min(least, test.inService().length)
      return refresh().EndTime !== undefined
    }, 10 * 60_000)
    assert.equal(refresh().Status, 'Successful')
    assert.equal(refresh().InstanceRefreshId, InstanceRefreshId)
    assert.equal(refresh().PercentageComplete, 100)
    assert.equal(least, 2)
    assert.equal(test.inService().length, 3)
    assert.ok(test.inService().every((id) => !before.includes(id)))
    assert.ok(
      test
        .activities()
        .some((one) => /an instance was launched in response to an instance refresh\.$/.test(one.Cause!)),
    )
  })
  it('launches first where the largest size has room, and never beyond it', async () => {
    let [least, most] = [3, 3]
    start({ MinHealthyPercentage: 100, MaxHealthyPercentage: 150, InstanceWarmup: 0 })
    await test.clock.runUntil(() => {
      least = Math.min(least, test.inService().length)
      most = Math.max(
        most,
        test.members().filter((one) => !one.LifecycleState!.startsWith('Terminating')).length,
      )
      return refresh().EndTime !== undefined
    }, 10 * 60_000)
    assert.deepEqual([least, most], [3, 4])
    assert.equal(test.inService().length, 3)
  })
  it('brings a template, and goes back to the former one', async () => {
    const LaunchTemplate = { LaunchTemplateId: test.template('t3.nano'), Version: '1' }
    const DesiredConfiguration = { LaunchTemplate }
    start({ MinHealthyPercentage: 0, InstanceWarmup: 0 }, { DesiredConfiguration })
    await ended()
    assert.deepEqual(new Set(typesOf()), new Set(['t3.nano']))
    assert.equal(test.group()!.LaunchTemplate!.LaunchTemplateId, LaunchTemplate.LaunchTemplateId)
    await test.clock.run(1_000)
    const small = { LaunchTemplate: { LaunchTemplateId: test.template('t3.small'), Version: '1' } }
    start({ MinHealthyPercentage: 90, InstanceWarmup: 5 }, { DesiredConfiguration: small })
    await test.clock.runUntil(() => typesOf().includes('t3.small'), 60_000)
    assert.throws(() => service().updateAutoScalingGroup(test.context, { ...ofGroup, ...small }), {
      code: 'InstanceRefreshInProgress',
    })
    service().rollbackInstanceRefresh(test.context, ofGroup)
    await ended()
    assert.equal(refresh().Status, 'RollbackSuccessful')
    assert.deepEqual(new Set(typesOf()), new Set(['t3.nano']))
    assert.equal(test.group()!.LaunchTemplate!.LaunchTemplateId, LaunchTemplate.LaunchTemplateId)
  })
  it('skips who is as wanted already, and is cancelled', async () => {
    const before = test.inService()
    start({ SkipMatching: true })
    await ended()
    assert.deepEqual(test.inService(), before)
    start({ InstanceWarmup: 1_000 })
    await test.clock.run(20_000)
    service().cancelInstanceRefresh(test.context, ofGroup)
    await test.clock.run(30_000)
    assert.equal(refresh().Status, 'Cancelled')
    assert.equal(test.inService().length, 3)
    assert.equal(test.inService().filter((id) => before.includes(id)).length, 2)
    assert.throws(() => service().cancelInstanceRefresh(test.context, ofGroup), {
      code: 'ActiveInstanceRefreshNotFound',
    })
  })
  it('waits for who is protected, for an hour', async () => {
    service().setInstanceProtection(test.context, {
      ...{ ...ofGroup, InstanceIds: test.inService().slice(0, 1), ProtectedFromScaleIn: true },
    })
    start({ MinHealthyPercentage: 0, InstanceWarmup: 0 })
    await test.clock.run(60_000)
    assert.equal(refresh().InstancesToUpdate, 1)
    test.world.store.run('update autoscaling_refresh set progress_at = progress_at - 3600000')
    await test.clock.run(10_000)
    assert.equal(refresh().Status, 'Failed')
  })
  it('replaces who got too old, one at a time', async () => {
    const before = test.inService()
    assert.throws(
      () => service().updateAutoScalingGroup(test.context, { ...ofGroup, MaxInstanceLifetime: 60 }),
      /maxInstanceLifetime must be between 86400 and 31536000 seconds \(inclusive\)/,
    )
    service().updateAutoScalingGroup(test.context, { ...ofGroup, MaxInstanceLifetime: 86_400 })
    test.world.store.run('update autoscaling_instance set created_at = created_at - 86500000')
    await test.clock.runUntil(
      () => test.inService().length === 3 && test.inService().every((id) => !before.includes(id)),
      60_000,
    )
    await test.clock.run(20_000)
    assert.equal(test.members().length, 3)
  })
  it('tells which metrics are collected', () => {
    service().enableMetricsCollection(test.context, {
      ...ofGroup,
      Granularity: '1Minute',
      Metrics: ['GroupMinSize'],
    })
    assert.deepEqual(test.group()!.EnabledMetrics, [{ Metric: 'GroupMinSize', Granularity: '1Minute' }])
    service().enableMetricsCollection(test.context, { ...ofGroup, Granularity: '1Minute' })
    assert.equal(test.group()!.EnabledMetrics!.length, 13)
    service().disableMetricsCollection(test.context, ofGroup)
    assert.deepEqual(test.group()!.EnabledMetrics, [])
    assert.throws(
      () => service().enableMetricsCollection(test.context, { ...ofGroup, Granularity: '5Minute' }),
      /Valid metrics granularity type is: \[1Minute\]\./,
    )
  })
})
