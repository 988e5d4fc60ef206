import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { PutScalingPolicyType } from '@aws-sdk/client-auto-scaling'
import type { AlarmAction } from '../cloud.ts'
import { makeTestGroup, NAME, type TestGroup } from './test-group.ts'

let test: TestGroup
const put = (input: Partial<PutScalingPolicyType>) =>
  test.world.autoscaling.putScalingPolicy(test.context, {
    AutoScalingGroupName: NAME,
    PolicyName: 'p',
    ...input,
  })
const ring = (PolicyARN: string | undefined, more: Partial<AlarmAction> = {}) =>
  test.world.autoscaling.alarmAction(test.context, {
    policyArn: PolicyARN ?? '',
    alarmName: 'busy',
    alarmArn: 'arn:busy',
    state: 'ALARM',
    at: test.clock.now(),
    value: 80,
    threshold: 50,
    ...more,
  })
const busy = {
  ...{ AlarmName: 'busy', Namespace: 'AWS/EC2', MetricName: 'CPUUtilization', Period: 60 },
  ...{ EvaluationPeriods: 1, Threshold: 50, Statistic: 'Average' as const },
  ComparisonOperator: 'GreaterThanThreshold' as const,
}
/** Of the moment just past. */
const measure = (namespace: string, metricName: string, value: number) =>
  test.world.cloudwatch.record(test.context, [
    { ...{ namespace, metricName, dimensions: {}, unit: 'None', value }, at: test.clock.now() - 1000 },
  ])
const allAlarms = () => test.world.cloudwatch.describeAlarms(test.context, {}).MetricAlarms ?? []
const alarmOf = (name: string | undefined) => allAlarms().find(({ AlarmName }) => AlarmName === name)!
const simple = { AdjustmentType: 'ChangeInCapacity', ScalingAdjustment: 1 }
const stepped = {
  PolicyType: 'StepScaling',
  AdjustmentType: 'ChangeInCapacity',
  StepAdjustments: [
    { MetricIntervalLowerBound: 0, MetricIntervalUpperBound: 20, ScalingAdjustment: 1 },
    { MetricIntervalLowerBound: 20, ScalingAdjustment: 3 },
  ],
}
const tracking = (TargetValue = 50, more: object = {}) => ({
  PolicyType: 'TargetTrackingScaling',
  TargetTrackingConfiguration: {
    PredefinedMetricSpecification: { PredefinedMetricType: 'ASGAverageCPUUtilization' as const },
    TargetValue,
    ...more,
  },
})

describe('a simple policy', () => {
  beforeEach(async () => {
    test = makeTestGroup({ MinSize: 1, MaxSize: 4, DesiredCapacity: 1 }, { DefaultCooldown: 10 })
    await test.settle(1)
    await test.clock.run(11_000)
  })
  afterEach(() => test.world.end())

  it('changes the capacity when its alarm rings, with the cause as AWS words it', async () => {
    const { PolicyARN, Alarms } = put(simple)
    assert.match(
      PolicyARN!,
      /^arn:aws:autoscaling:us-west-2:000000000000:scalingPolicy:[0-9a-f-]{36}:autoScalingGroupName\/web:policyName\/p$/,
    )
    assert.deepEqual(Alarms, [])
    assert.equal(ring(PolicyARN).changed, true)
    await test.settle(2)
    assert.match(
      test.activities()[0]!.Cause!,
      /^At \S+Z a monitor alarm busy in state ALARM triggered policy p changing the desired capacity from 1 to 2\.  At \S+Z an instance was started in response to a difference between desired and actual capacity, increasing the capacity from 1 to 2\.$/,
    )
  })
  it('waits for its cooldown, which begins when the launch has ended', async () => {
    const { PolicyARN } = put({ ...simple, Cooldown: 30 })
    ring(PolicyARN)
    assert.equal(ring(PolicyARN).changed, false)
    await test.settle(2)
    await test.clock.run(28_000)
    assert.match(ring(PolicyARN).reason, /cooldown/)
    await test.clock.run(3_000)
    assert.equal(ring(PolicyARN).changed, true)
    assert.equal(test.desired(), 3)
  })
  it('is executed by hand, and heeds the cooldown only when it is asked to', async () => {
    put(simple)
    const execute = (HonorCooldown: boolean) =>
      test.world.autoscaling.executePolicy(test.context, {
        ...{ AutoScalingGroupName: NAME, PolicyName: 'p', HonorCooldown },
      })
    execute(true)
    assert.throws(() => execute(true), { code: 'ScalingActivityInProgress' })
    execute(false)
    assert.equal(test.desired(), 3)
    assert.throws(
      () =>
        test.world.autoscaling.setDesiredCapacity(test.context, {
          ...{ AutoScalingGroupName: NAME, DesiredCapacity: 1, HonorCooldown: true },
        }),
      { code: 'ScalingActivityInProgress' },
    )
    await test.settle(3)
    assert.match(
      test.activities()[0]!.Cause!,
      /a user request executed policy p changing the desired capacity from 2 to 3\./,
    )
  })
  it('does nothing while AlarmNotification is suspended, or it is disabled, or gone', () => {
    const { PolicyARN } = put(simple)
    const processes = { AutoScalingGroupName: NAME, ScalingProcesses: ['AlarmNotification'] }
    test.world.autoscaling.suspendProcesses(test.context, processes)
    assert.equal(ring(PolicyARN).changed, false)
    test.world.autoscaling.resumeProcesses(test.context, processes)
    put({ ...simple, Enabled: false })
    assert.equal(ring(PolicyARN).changed, false)
    put(simple)
    assert.equal(ring(PolicyARN).changed, true)
    test.world.autoscaling.deletePolicy(test.context, { AutoScalingGroupName: NAME, PolicyName: 'p' })
    assert.match(ring(PolicyARN).reason, /no scaling policy/)
  })
  it('never leaves the bounds', () => {
    assert.equal(ring(put({ ...simple, ScalingAdjustment: 100 }).PolicyARN).changed, true)
    assert.equal(test.desired(), 4)
    const down = put({ ...simple, PolicyName: 'down', ScalingAdjustment: -100 })
    test.world.store.run('update autoscaling_group set cooldown_from = null')
    ring(down.PolicyARN)
    assert.equal(test.desired(), 1)
  })
  it('names the alarms that call it', () => {
    const { PolicyARN } = put(simple)
    test.world.cloudwatch.putMetricAlarm(test.context, { ...busy, AlarmActions: [PolicyARN!] })
    const [policy] = test.world.autoscaling.describePolicies(test.context, {}).ScalingPolicies!
    assert.deepEqual(policy!.Alarms, [
      { AlarmName: 'busy', AlarmARN: 'arn:aws:cloudwatch:us-west-2:000000000000:alarm:busy' },
    ])
    assert.equal(policy!.PolicyType, 'SimpleScaling')
    assert.equal(policy!.Cooldown, undefined)
  })
})

describe('a step policy', () => {
  beforeEach(async () => {
    test = makeTestGroup({ MinSize: 1, MaxSize: 9, DesiredCapacity: 1 }, { DefaultInstanceWarmup: 10 })
    await test.settle(1)
    await test.clock.run(11_000)
  })
  afterEach(() => test.world.end())

  it('adds what its step says, and no more while that is warming', async () => {
    const { PolicyARN } = put(stepped)
    ring(PolicyARN, { value: 60 })
    assert.equal(test.desired(), 2)
    await test.settle(2)
    assert.equal(ring(PolicyARN, { value: 60 }).changed, false)
    ring(PolicyARN, { value: 75 })
    assert.equal(test.desired(), 4, '3 more than the one that is warm')
    await test.settle(4)
    await test.clock.run(11_000)
    ring(PolicyARN, { value: 60 })
    assert.equal(test.desired(), 5)
  })
  it('says why it does nothing', () => {
    const { PolicyARN } = put(stepped)
    assert.match(ring(PolicyARN, { value: 40 }).reason, /^No step adjustment found/)
    assert.match(ring(PolicyARN, { value: null }).reason, /no metric value/)
    const execute = (more: object) =>
      test.world.autoscaling.executePolicy(test.context, {
        ...{ AutoScalingGroupName: NAME, PolicyName: 'p', ...more },
      })
    assert.throws(() => execute({}), /MetricValue and BreachThreshold/)
    assert.throws(
      () => execute({ MetricValue: 1, BreachThreshold: 5 }),
      /^ValidationError: No step adjustment/,
    )
    execute({ MetricValue: 59, BreachThreshold: 50 })
    assert.equal(test.desired(), 2)
  })
  it('looks at the largest point of the period when it is told to', () => {
    const { PolicyARN } = put({ ...stepped, MetricAggregationType: 'Maximum' })
    test.world.cloudwatch.putMetricAlarm(test.context, busy)
    measure('AWS/EC2', 'CPUUtilization', 99)
    ring(PolicyARN, { value: 60 })
    assert.equal(test.desired(), 4)
  })
})

describe('a target tracking policy', () => {
  beforeEach(async () => {
    test = makeTestGroup({ MinSize: 1, MaxSize: 9, DesiredCapacity: 4 }, { DefaultInstanceWarmup: 10 })
    await test.settle(4)
    await test.clock.run(71_000)
  })
  afterEach(() => test.world.end())

  it('makes its two alarms as AWS does, changes them, and takes them away', () => {
    const { PolicyARN, Alarms } = put(tracking())
    const [high, low] = Alarms!.map(({ AlarmName }) => alarmOf(AlarmName))
    assert.match(high!.AlarmName!, /^TargetTracking-web-AlarmHigh-[0-9a-f-]{36}$/)
    assert.match(low!.AlarmName!, /^TargetTracking-web-AlarmLow-[0-9a-f-]{36}$/)
    const { Threshold, Period, EvaluationPeriods, ComparisonOperator, Dimensions, AlarmActions } = high!
    assert.deepEqual(
      { Threshold, Period, EvaluationPeriods, ComparisonOperator, Dimensions, AlarmActions },
      {
        ...{ Threshold: 50, Period: 60, EvaluationPeriods: 3, ComparisonOperator: 'GreaterThanThreshold' },
        Dimensions: [{ Name: 'AutoScalingGroupName', Value: NAME }],
        AlarmActions: [PolicyARN],
      },
    )
    assert.deepEqual([low!.Threshold, low!.EvaluationPeriods], [45, 15])
    put(tracking(80, { DisableScaleIn: true }))
    assert.deepEqual(
      allAlarms().map(({ AlarmName }) => AlarmName),
      [high!.AlarmName],
    )
    assert.equal(allAlarms()[0]!.Threshold, 80)
    test.world.autoscaling.deleteAutoScalingGroup(test.context, {
      AutoScalingGroupName: NAME,
      ForceDelete: true,
    })
    assert.deepEqual(allAlarms(), [])
    assert.deepEqual(test.world.store.all('select * from autoscaling_policy'), [])
  })
  it('scales out by what the metric says, and in by half of what is too much', async () => {
    const { PolicyARN, Alarms } = put(tracking())
    const [high, low] = Alarms!.map(({ AlarmName }) => AlarmName!)
    ring(PolicyARN, { alarmName: high!, value: 75 })
    assert.equal(test.desired(), 6)
    ring(PolicyARN, { alarmName: high!, value: 75 })
    assert.equal(test.desired(), 6, 'what is on its way counts')
    await test.settle(6)
    assert.equal(ring(PolicyARN, { alarmName: low!, value: 5, threshold: 45 }).changed, false, 'warming')
    await test.clock.run(71_000)
    ring(PolicyARN, { alarmName: low!, value: 5, threshold: 45 })
    assert.equal(test.desired(), 3)
    await test.clock.run(40_000)
    assert.match(ring(PolicyARN, { alarmName: low!, value: 5 }).reason, /still holds/)
    assert.match(
      test.activities()[0]!.Cause!,
      /a monitor alarm TargetTracking-web-AlarmLow-\S+ in state ALARM triggered policy p changing the desired capacity from 6 to 3\./,
    )
  })
  it('scales in only when all policies of the group are ready to', () => {
    const { PolicyARN, Alarms } = put(tracking())
    const low = Alarms![1]!.AlarmName!
    const network = {
      PolicyType: 'TargetTrackingScaling',
      TargetTrackingConfiguration: {
        CustomizedMetricSpecification: {
          ...{ Namespace: 'Shop', MetricName: 'Orders', Statistic: 'Average' as const, Period: 10 },
        },
        TargetValue: 100,
      },
    }
    const other = put({ ...network, PolicyName: 'orders' }).Alarms![1]!.AlarmName!
    const inward = () => ring(PolicyARN, { alarmName: low, value: 5, threshold: 45 })
    assert.match(inward().reason, /not all target tracking policies/)
    test.world.cloudwatch.setAlarmState(test.context, {
      ...{ AlarmName: other, StateValue: 'ALARM', StateReason: 'to see' },
    })
    assert.equal(inward().changed, false, 'nothing is read of the other')
    measure('Shop', 'Orders', 60)
    inward()
    assert.equal(test.desired(), 3, 'the other needs 3 of 4')
  })
})

describe('a policy that cannot be', () => {
  beforeEach(() => {
    test = makeTestGroup({ MinSize: 0, MaxSize: 9 })
  })
  afterEach(() => test.world.end())
  const steps = (...bounds: [number | undefined, number | undefined][]) => ({
    ...stepped,
    StepAdjustments: bounds.map(([lower, upper]) => ({
      ...(lower !== undefined && { MetricIntervalLowerBound: lower }),
      ...(upper !== undefined && { MetricIntervalUpperBound: upper }),
      ScalingAdjustment: 1,
    })),
  })
  const custom = (more: object) => ({
    PolicyType: 'TargetTrackingScaling',
    TargetTrackingConfiguration: { TargetValue: 5, CustomizedMetricSpecification: more },
  })
  const cases: [Partial<PutScalingPolicyType>, RegExp][] = [
    [{ ScalingAdjustment: 1 }, /You must specify an AdjustmentType for policy type: SimpleScaling/],
    [
      { AdjustmentType: 'ChangeInCapacity' },
      /Scaling increment must be specified for a SimpleScaling policy/,
    ],
    [
      { ...simple, EstimatedInstanceWarmup: 3 },
      /EstimatedInstanceWarmup is not supported for a SimpleScaling policy/,
    ],
    [{ ...stepped, ScalingAdjustment: 1 }, /ScalingAdjustment is not supported for a StepScaling policy/],
    [{ ...stepped, AdjustmentType: 'Much' }, /Member must satisfy enum value set/],
    [{ ...stepped, MinAdjustmentMagnitude: 2 }, /MinAdjustmentMagnitude/],
    [{ ...tracking(), Cooldown: 1 }, /Cooldown are not supported for a TargetTracking policy/],
    [{ PolicyType: 'TargetTrackingScaling' }, /You should provide a TargetTrackingConfiguration/],
    [{ PolicyType: 'PredictiveScaling' }, /PredictiveScalingConfiguration is not supported by Polebean/],
    [tracking(0), /target value 0/],
    [tracking(Number.NaN), /target value NaN/],
    [
      { ...stepped, StepAdjustments: [{ ScalingAdjustment: 1 }] },
      /Both lower and upper bounds of a StepAdjustment cannot be left unspecified/,
    ],
    [steps([2, 1]), /LowerBound must be less than the UpperBound for StepAdjustment/],
    [steps([0, 1], [2, undefined]), /StepAdjustment intervals cannot have gaps between them/],
    [steps([0, 2], [1, undefined]), /StepAdjustment intervals cannot overlap/],
    [steps([0, undefined], [1, undefined]), /At most one StepAdjustment may have an unspecified upper bound/],
    [
      steps([1, 2]),
      /There must be a StepAdjustment with an unspecified upper bound \(i\.e\., upper bound is null\)/,
    ],
    [steps([-2, -1]), /There must be a StepAdjustment with an unspecified lower bound/],
    [custom({ Namespace: 'a', MetricName: 'b' }), /Statistic must be specified/],
    [
      custom({ Namespace: 'a', MetricName: 'b', Statistic: 'Sum', Period: 300 }),
      /A metric period greater than 60 isn't supported/,
    ],
    [custom({ Metrics: [{ Id: 'm' }] }), /Metrics is not supported by Polebean/],
    [
      {
        PolicyType: 'TargetTrackingScaling',
        TargetTrackingConfiguration: {
          PredefinedMetricSpecification: { PredefinedMetricType: 'ALBRequestCountPerTarget' },
          TargetValue: 5,
        },
      },
      /Resource label should be specified for predefined metric type ALBRequestCountPerTarget/,
    ],
    [
      tracking(5, { CustomizedMetricSpecification: {} }),
      /You should provide either a CustomizedMetricSpecification or/,
    ],
  ]
  it('is refused as AWS words it', () => {
    for (const [input, message] of cases)
      assert.throws(() => put(input), { code: 'ValidationError', message })
    assert.throws(() => put({ ...simple, AutoScalingGroupName: 'none' }), /AutoScalingGroup name not found/)
    assert.deepEqual(test.world.autoscaling.describePolicies(test.context, {}).ScalingPolicies, [])
    assert.deepEqual(allAlarms(), [])
  })
  it('takes the label of a target group that is attached', () => {
    const suffix = test.targetGroupArn.slice(test.targetGroupArn.indexOf('targetgroup/'))
    const label = (ResourceLabel: string) =>
      put({
        PolicyType: 'TargetTrackingScaling',
        TargetTrackingConfiguration: {
          PredefinedMetricSpecification: { PredefinedMetricType: 'ALBRequestCountPerTarget', ResourceLabel },
          TargetValue: 1_000,
        },
      })
    assert.throws(() => label(`app/web/1234/targetgroup/other/1`), /not attached/)
    assert.throws(() => label('app/web'), /must be app/)
    const { Alarms } = label(`app/web/1234/${suffix}`)
    const { MetricName, Statistic, Dimensions } = alarmOf(Alarms![0]!.AlarmName)
    assert.deepEqual(
      { MetricName, Statistic, Dimensions },
      {
        ...{ MetricName: 'RequestCountPerTarget', Statistic: 'Sum' },
        Dimensions: [
          { Name: 'TargetGroup', Value: suffix },
          { Name: 'LoadBalancer', Value: 'app/web/1234' },
        ],
      },
    )
  })
})
