// What scales an environment's group: policies, alarms and scheduled actions, made, changed and removed with its settings.
import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { makeBench, type Bench } from '../test-bench.ts'

let bench: Bench
beforeEach(() => {
  bench = makeBench()
  bench.version('v1')
})
afterEach(() => bench.end())

const TRIGGER = 'aws:autoscaling:trigger'
const TRACKING = 'polebean:autoscaling:targettracking'
const TYPE = 'aws:elasticbeanstalk:environment'
type Given = { Namespace: string; OptionName: string; Value: string; ResourceName?: string }
const all = (Namespace: string, values: Record<string, string>, ResourceName?: string): Given[] =>
  Object.entries(values).map(([OptionName, Value]) => ({
    ...{ Namespace, OptionName, Value },
    ...(ResourceName && { ResourceName }),
  }))
const created = async (...OptionSettings: Given[]) => {
  bench.create({ OptionSettings })
  await bench.until('Ready')
}
const update = async (OptionSettings: Given[], more: object = {}) => {
  bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', OptionSettings, ...more })
  await bench.until('Ready')
  assert.deepEqual(bench.texts({ Severity: 'ERROR' }), [])
}
const kindOf = (name: string) => /AWSEB[A-Za-z]+(?=-[A-Z0-9]{12}$)/.exec(name)?.[0]
const policies = () => [...bench.world.policies.keys()].map(kindOf)
const alarms = () => [...bench.world.alarms.keys()].map(kindOf)
const alarm = (kind: string) =>
  [...bench.world.alarms.values()].find(({ AlarmName }) => AlarmName?.includes(kind))
const tracking = all(TRACKING, { Metric: 'CPUUtilization', TargetValue: '50' })
const TWO = ['AWSEBAutoScalingScaleDownPolicy', 'AWSEBAutoScalingScaleUpPolicy']
const ALARMS = ['AWSEBCloudwatchAlarmLow', 'AWSEBCloudwatchAlarmHigh']
const told = (from: number) =>
  bench
    .texts()
    .slice(from)
    .flatMap((text) => /INFO ((?:Created|Deleted) .*(?:policy|alarm)) named/.exec(text)?.[1] ?? [])

describe('the trigger of an environment', () => {
  it('is two policies, each with an alarm, as AWS makes them', async () => {
    await created()
    const [down, up] = [...bench.world.policies]
    const [group] = bench.world.groups.keys()
    assert.deepEqual(policies(), TWO)
    const common = {
      ...{ AutoScalingGroupName: group, PolicyType: 'SimpleScaling', AdjustmentType: 'ChangeInCapacity' },
    }
    const withoutName = ({ PolicyName: _name, ...policy }: Record<string, unknown>) => policy
    assert.deepEqual(withoutName({ ...down![1] }), { ...common, ScalingAdjustment: -1 })
    assert.deepEqual(withoutName({ ...up![1] }), { ...common, ScalingAdjustment: 1 })
    assert.deepEqual(alarms(), ALARMS)
    const { AlarmName: _name, ...high } = alarm('AlarmHigh')!
    assert.deepEqual(high, {
      AlarmDescription: 'ElasticBeanstalk Default Scale Up alarm',
      ...{ Namespace: 'AWS/EC2', MetricName: 'NetworkOut', Statistic: 'Average' },
      Dimensions: [{ Name: 'AutoScalingGroupName', Value: group }],
      ...{
        Period: 300,
        EvaluationPeriods: 1,
        ComparisonOperator: 'GreaterThanThreshold',
        Threshold: 6_000_000,
      },
      AlarmActions: [up![0]],
    })
    const low = alarm('AlarmLow')!
    assert.deepEqual(
      [low.ComparisonOperator, low.Threshold, low.AlarmActions],
      ['LessThanThreshold', 2_000_000, [down![0]]],
    )
  })

  it('changes in place, and instances stay', async () => {
    await created()
    const names = [[...bench.world.policies.keys()], [...bench.world.alarms.keys()]]
    const instances = bench.world.instances().map(({ id }) => id)
    const from = bench.texts().length
    await update(
      all(TRIGGER, {
        ...{ MeasureName: 'CPUUtilization', Period: '1', EvaluationPeriods: '2' },
        ...{ UpperThreshold: '80', LowerThreshold: '20', UpperBreachScaleIncrement: '3' },
      }),
    )
    assert.deepEqual([[...bench.world.policies.keys()], [...bench.world.alarms.keys()]], names)
    assert.deepEqual(told(from), [])
    const { MetricName, Period, EvaluationPeriods, Threshold } = alarm('AlarmHigh')!
    assert.deepEqual([MetricName, Period, EvaluationPeriods, Threshold], ['CPUUtilization', 60, 2, 80])
    const up = [...bench.world.policies.values()].find(
      (one) => 'PolicyName' in one && one.PolicyName?.includes('Up'),
    )
    assert.equal(up && 'ScalingAdjustment' in up && up.ScalingAdjustment, 3)
    assert.deepEqual(
      bench.world.instances().map(({ id }) => id),
      instances,
    )
  })

  it('has alarms about the load balancer once that is there', async () => {
    await created(...all(TRIGGER, { MeasureName: 'RequestCount', Statistic: 'Sum' }))
    assert.deepEqual(alarms(), ALARMS)
    const { Namespace, Dimensions } = alarm('AlarmLow')!
    assert.equal(Namespace, 'AWS/ApplicationELB')
    assert.match(Dimensions?.[0]?.Value ?? '', /^app\/awseb-AWSEB-[A-Z0-9]{13}\/1$/)
    await update(all(TRIGGER, { MeasureName: 'HealthyHostCount', Statistic: 'Average' }))
    assert.deepEqual(
      alarm('AlarmLow')?.Dimensions?.map(({ Name }) => Name),
      ['TargetGroup', 'LoadBalancer'],
    )
  })

  it('is made anew where somebody deleted part of it, by any update', async () => {
    await created()
    bench.world.alarms.delete(alarm('AlarmHigh')?.AlarmName ?? '')
    bench.world.policies.delete([...bench.world.policies.keys()][0]!)
    const from = bench.texts().length
    bench.version('v2')
    await update([], { VersionLabel: 'v2' })
    assert.deepEqual([policies().sort(), alarms().sort()], [TWO, ALARMS.toSorted()])
    assert.deepEqual(told(from), ['Created Auto Scaling group policy', 'Created CloudWatch alarm'])
    const arns = [...bench.world.policies.keys()]
    for (const { AlarmActions = [] } of bench.world.alarms.values())
      assert.ok(arns.includes(AlarmActions[0]!))
  })

  it('is made anew with a group that somebody deleted', async () => {
    await created()
    const [before] = bench.world.groups.keys()
    bench.world.groups.clear()
    bench.world.policies.clear()
    bench.version('v2')
    await update([], { VersionLabel: 'v2' })
    const [group] = bench.world.groups.keys()
    assert.notEqual(group, before)
    assert.deepEqual(
      [...bench.world.policies.values()].map(({ AutoScalingGroupName }) => AutoScalingGroupName),
      [group, group],
    )
    assert.deepEqual(
      [...bench.world.alarms.values()].map(({ Dimensions }) => Dimensions?.[0]?.Value),
      [group, group],
    )
  })

  it('goes where a single instance comes, and comes back', async () => {
    await created()
    const from = bench.texts().length
    await update(all(TYPE, { EnvironmentType: 'SingleInstance' }))
    assert.deepEqual([policies(), alarms()], [[], []])
    assert.deepEqual(told(from), [
      ...['Deleted CloudWatch alarm', 'Deleted CloudWatch alarm'],
      ...['Deleted Auto Scaling group policy', 'Deleted Auto Scaling group policy'],
    ])
    await update(all(TYPE, { EnvironmentType: 'LoadBalanced' }))
    assert.deepEqual([policies(), alarms()], [TWO, ALARMS])
  })

  it('is as before when the load balancer that was to come is not healthy', async () => {
    await created(...all(TYPE, { EnvironmentType: 'SingleInstance' }))
    bench.world.checks = () => 'Health checks failed'
    bench.api.updateEnvironment(bench.context(), {
      ...{ EnvironmentName: 'shop-prod', OptionSettings: all(TYPE, { EnvironmentType: 'LoadBalanced' }) },
    })
    await bench.until('Ready')
    assert.deepEqual([policies(), alarms()], [[], []])
  })

  it('goes with an environment whose policies and alarms somebody deleted', async () => {
    await created()
    bench.world.alarms.clear()
    bench.world.policies.clear()
    bench.api.terminateEnvironment(bench.context(), { EnvironmentName: 'shop-prod' })
    await bench.until('Terminated')
    assert.deepEqual(bench.texts({ Severity: 'ERROR' }), [])
  })
})

describe('tracking of a target in seconds', () => {
  const put = () => [...bench.world.policies.values()][0]

  it('is one policy, whose alarms are not the environment’s', async () => {
    await created(...tracking)
    assert.deepEqual([policies(), alarms()], [['AWSEBAutoScalingTargetTrackingPolicy'], []])
    const [group] = bench.world.groups.keys()
    assert.deepEqual(put(), {
      AutoScalingGroupName: group,
      metric: {
        ...{ namespace: 'AWS/EC2', metricName: 'CPUUtilization', statistic: 'Average' },
        dimensions: { AutoScalingGroupName: group },
      },
      ...{ targetValue: 50, seconds: 2, scaleInSeconds: 30, warmupSeconds: 5, scalesIn: true },
    })
    const { EnvironmentResources } = bench.api.describeEnvironmentResources(bench.context(), {
      EnvironmentName: 'shop-prod',
    })
    assert.deepEqual(
      EnvironmentResources?.Triggers?.map(({ Name }) => Name),
      [...bench.world.policies.keys()],
    )
  })

  it('counts requests a minute to each instance, in the length of its periods', async () => {
    await created(...all(TRACKING, { Metric: 'RequestCountPerTarget', TargetValue: '600', Seconds: '5' }))
    const policy = put()
    assert.ok(policy && 'metric' in policy)
    assert.equal(policy.targetValue, 50)
    assert.match(policy.metric.dimensions['TargetGroup'] ?? '', /^targetgroup\/awseb-AWSEB-/)
    assert.match(policy.metric.dimensions['LoadBalancer'] ?? '', /^app\/awseb-AWSEB-/)
  })

  it('takes the place of the trigger, and gives it back', async () => {
    await created()
    const from = bench.texts().length
    await update(tracking)
    assert.deepEqual([policies(), alarms()], [['AWSEBAutoScalingTargetTrackingPolicy'], []])
    await update([], {
      OptionsToRemove: tracking.map(({ Namespace, OptionName }) => ({ Namespace, OptionName })),
    })
    assert.deepEqual([policies(), alarms()], [TWO, ALARMS])
    const [gone, came] = ['Deleted', 'Created'].map((word) => [
      `${word} CloudWatch alarm`,
      `${word} Auto Scaling group policy`,
    ]) as [[string, string], [string, string]]
    assert.deepEqual(told(from), [
      ...[gone[0], gone[0], gone[1], gone[1], came[1]],
      ...[gone[1], came[1], came[1], came[0], came[0]],
    ])
  })
})

describe('scheduled actions of an environment', () => {
  const ACTION = 'aws:autoscaling:scheduledaction'
  const morning = all(ACTION, { Recurrence: '0 8 * * MON-FRI', MinSize: '3', MaxSize: '6' }, 'morning')
  const at = (ms: number) => new Date(bench.clock.now() + ms).toISOString()
  const names = () => [...bench.world.scheduledActions.keys()].sort()

  it('are put on its group, changed, suspended and taken away; a user’s own stay', async () => {
    await created(...morning)
    const [group] = bench.world.groups.keys()
    assert.deepEqual(bench.world.scheduledActions.get('morning'), {
      ...{ AutoScalingGroupName: group, ScheduledActionName: 'morning' },
      ...{ Recurrence: '0 8 * * MON-FRI', MinSize: 3, MaxSize: 6 },
    })
    bench.world.scheduledActions.set('mine', { AutoScalingGroupName: group, ScheduledActionName: 'mine' })
    await update([
      ...all(ACTION, { MinSize: '2' }, 'morning'),
      ...all(ACTION, { StartTime: at(3_600_000), DesiredCapacity: '4' }, 'campaign'),
    ])
    assert.equal(bench.world.scheduledActions.get('morning')?.MinSize, 2)
    assert.deepEqual(names(), ['campaign', 'mine', 'morning'])
    await update(all(ACTION, { Suspend: 'true' }, 'morning'))
    assert.deepEqual(names(), ['campaign', 'mine'])
    bench.world.scheduledActions.delete('campaign')
    await update(all(ACTION, { Suspend: 'false' }, 'morning'), {
      OptionsToRemove: ['StartTime', 'DesiredCapacity'].map((OptionName) => ({
        ...{ Namespace: ACTION, OptionName, ResourceName: 'campaign' },
      })),
    })
    assert.deepEqual(names(), ['mine', 'morning'])
    await update(all(TYPE, { EnvironmentType: 'SingleInstance' }))
    assert.deepEqual(names(), ['mine'])
  })

  it('are put again where somebody deleted them, are left alone where not, and may exchange their times', async () => {
    const [a, b] = [at(3_600_000), at(7_200_000)]
    const two = (first: string, second: string) => [
      ...all(ACTION, { StartTime: first, MinSize: '2' }, 'first'),
      ...all(ACTION, { StartTime: second, MinSize: '3' }, 'second'),
    ]
    await created(...morning, ...two(a, b))
    bench.world.scheduledActions.delete('first')
    const left = bench.world.scheduledActions.get('morning')
    await update(two(b, a))
    assert.deepEqual(names(), ['first', 'morning', 'second'])
    const starts = ['first', 'second'].map((name) => bench.world.scheduledActions.get(name)?.StartTime)
    assert.deepEqual(
      starts.map((start) => (start as Date).toISOString()),
      [b, a],
    )
    assert.equal(bench.world.scheduledActions.get('morning'), left)
  })

  it('whose time is over stay with the settings, which is said once', async () => {
    await created(
      ...all(ACTION, { StartTime: at(-60_000), MinSize: '2' }, 'yesterday'),
      ...all(ACTION, { StartTime: at(-60_000 * 60), Recurrence: '0 1 * * *', MinSize: '2' }, 'since'),
    )
    await update(all('aws:autoscaling:asg', { MaxSize: '5' }))
    assert.deepEqual(names(), ['since'])
    assert.equal(bench.world.scheduledActions.get('since')?.StartTime, undefined)
    assert.deepEqual(bench.texts({ Severity: 'WARN' }), [
      "WARN The time of the scheduled action 'yesterday' is over: it does not run.",
    ])
  })

  it('keep what they did to the group until its own settings change', async () => {
    await created(...morning)
    const [group] = bench.world.groups.values()
    Object.assign(group!, { min: 3, max: 6, desired: 3 })
    await update(all('aws:elasticbeanstalk:application:environment', { GREETING: 'hello' }))
    assert.deepEqual([group?.min, group?.max], [3, 6])
    await update(all('aws:autoscaling:asg', { MaxSize: '5' }))
    assert.deepEqual([group?.min, group?.max], [1, 5])
  })
})

describe('the health check of the group', () => {
  it('asks ec2, or the load balancer when it is told so', async () => {
    await created()
    const [group] = bench.world.groups.values()
    assert.deepEqual(group?.healthCheck, { type: 'EC2', graceSeconds: 0 })
    await update(all('polebean:autoscaling:healthcheck', { HealthCheckType: 'ELB' }))
    assert.deepEqual(group?.healthCheck, { type: 'ELB', graceSeconds: 300 })
  })
})
