import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { metricOf } from './measures.ts'
import { resolveConfiguration, type ResolveInput } from './resolve.ts'

const TRIGGER = 'aws:autoscaling:trigger'
const TRACKING = 'polebean:autoscaling:targettracking'
const HEALTH_CHECK = 'polebean:autoscaling:healthcheck'
const ACTION = 'aws:autoscaling:scheduledaction'

type Given = NonNullable<ResolveInput['given']>
const all = (Namespace: string, values: Record<string, string>, ResourceName?: string): Given =>
  Object.entries(values).map(([OptionName, Value]) => ({
    ...{ Namespace, OptionName, Value },
    ...(ResourceName && { ResourceName }),
  }))
const resolve = (...given: Given[]) =>
  resolveConfiguration({ platform: 'python', stored: null, given: given.flat() })
const single = all('aws:elasticbeanstalk:environment', { EnvironmentType: 'SingleInstance' })
const classic = all('aws:elasticbeanstalk:environment', { LoadBalancerType: 'classic' })

describe('the trigger', () => {
  const periods: [name: string, given: Record<string, string>, periodSeconds: number, periods: number][] = [
    ['are AWS’s by default', {}, 300, 1],
    ['are as many as are given', { Period: '1', EvaluationPeriods: '3' }, 60, 3],
    ['come to the duration, when that is given alone', { Period: '1', BreachDuration: '5' }, 60, 5],
    ['come to no less than the duration', { Period: '2', BreachDuration: '5' }, 120, 3],
    ['are one at least', { Period: '10', BreachDuration: '5' }, 600, 1],
    [
      'hold over the duration, when both are given',
      { Period: '2', BreachDuration: '5', EvaluationPeriods: '1' },
      120,
      1,
    ],
    ['are one of another length', { Period: '1' }, 60, 1],
  ]
  for (const [name, given, periodSeconds, count] of periods)
    it(`has periods that ${name}`, () => {
      const { scaling } = resolve(all(TRIGGER, given)).configuration
      assert.ok(scaling?.by === 'trigger')
      assert.deepEqual([scaling.periodSeconds, scaling.periods], [periodSeconds, count])
    })

  it('has thresholds, increments and measures in AWS’s spelling', () => {
    const { scaling } = resolve(
      all(TRIGGER, {
        ...{
          MeasureName: 'cpuutilization',
          Statistic: 'maximum',
          UpperThreshold: '80',
          LowerThreshold: '20',
        },
        ...{ UpperBreachScaleIncrement: '2', LowerBreachScaleIncrement: '-2' },
      }),
    ).configuration
    assert.deepEqual(scaling, {
      ...{ by: 'trigger', measure: 'CPUUtilization', statistic: 'Maximum', periodSeconds: 300, periods: 1 },
      ...{ upper: { threshold: 80, change: 2 }, lower: { threshold: 20, change: -2 } },
    })
  })

  it('has thresholds of parts of a second', () => {
    const { scaling } = resolve(
      all(TRIGGER, { MeasureName: 'Latency', UpperThreshold: '0.5', LowerThreshold: '0.125' }),
    ).configuration
    assert.ok(scaling?.by === 'trigger')
    assert.deepEqual([scaling.upper.threshold, scaling.lower.threshold], [0.5, 0.125])
  })

  it('is not there for a single instance', () => {
    const { scaling, scheduledActions, healthCheck } = resolve(
      single,
      all(TRIGGER, { Period: '1' }),
      all(TRACKING, { Metric: 'CPUUtilization', TargetValue: '50' }),
      all(ACTION, { Recurrence: '0 1 * * *', MinSize: '2' }, 'nightly'),
      all(HEALTH_CHECK, { HealthCheckType: 'ELB' }),
    ).configuration
    assert.deepEqual([scaling, scheduledActions], [null, []])
    assert.deepEqual(healthCheck, { type: 'EC2', graceSeconds: 0 })
  })

  it('says which unit it does not look at, and nothing of its own', () => {
    const told = (unit: string) =>
      resolve(
        all(TRIGGER, {
          MeasureName: 'CPUUtilization',
          Unit: unit,
          UpperThreshold: '80',
          LowerThreshold: '20',
        }),
      ).withoutEffect.map(({ optionName }) => optionName)
    assert.deepEqual(told('percent'), [])
    assert.deepEqual(told('Count'), ['Unit'])
  })
})

describe('what a measure is in CloudWatch', () => {
  const measured = {
    groupName: 'group',
    loadBalancerArn: 'arn:aws:elasticloadbalancing:us-west-2:000000000000:loadbalancer/app/lb/1a',
    targetGroupArn: 'arn:aws:elasticloadbalancing:us-west-2:000000000000:targetgroup/tg/2b',
    isShared: false,
  }
  const GROUP = 'AutoScalingGroupName=group'
  const LB = 'LoadBalancer=app/lb/1a'
  const TG = 'TargetGroup=targetgroup/tg/2b'
  const cases: [measure: string, more: object, expected: string | null][] = [
    ['NetworkOut', {}, `AWS/EC2 NetworkOut ${GROUP}`],
    ['DiskReadOps', { loadBalancerArn: '' }, `AWS/EC2 DiskReadOps ${GROUP}`],
    ['RequestCount', {}, `AWS/ApplicationELB RequestCount ${LB}`],
    ['RequestCount', { isShared: true }, `AWS/ApplicationELB RequestCount ${TG},${LB}`],
    ['RequestCount', { loadBalancerArn: '' }, null],
    ['Latency', {}, `AWS/ApplicationELB TargetResponseTime ${LB}`],
    ['TargetResponseTime', {}, `AWS/ApplicationELB TargetResponseTime ${LB}`],
    ['HealthyHostCount', {}, `AWS/ApplicationELB HealthyHostCount ${TG},${LB}`],
    ['UnHealthyHostCount', {}, `AWS/ApplicationELB UnHealthyHostCount ${TG},${LB}`],
    ['Latency', { classicName: 'old' }, 'AWS/ELB Latency LoadBalancerName=old'],
    ['TargetResponseTime', { classicName: 'old' }, 'AWS/ELB Latency LoadBalancerName=old'],
    ['HealthyHostCount', { classicName: 'old' }, 'AWS/ELB HealthyHostCount LoadBalancerName=old'],
    ['CPUUtilization', { classicName: 'old' }, `AWS/EC2 CPUUtilization ${GROUP}`],
  ]
  for (const [measure, more, expected] of cases)
    it(`${measure} ${JSON.stringify(more)}: ${expected}`, () => {
      const metric = metricOf(measure, { ...measured, ...more })
      const shown =
        metric &&
        `${metric.Namespace} ${metric.MetricName} ${metric.Dimensions.map(({ Name, Value }) => `${Name}=${Value}`).join()}`
      assert.equal(shown, expected)
    })
})

describe('tracking of a target', () => {
  it('takes the place of the trigger, in seconds', () => {
    const { configuration, withoutEffect } = resolve(
      all(TRACKING, { Metric: 'RequestCountPerTarget', TargetValue: '600', DisableScaleIn: 'true' }),
      all(TRIGGER, { Period: '1' }),
    )
    assert.deepEqual(configuration.scaling, {
      ...{ by: 'tracking', metric: 'RequestCountPerTarget', target: 600 },
      ...{ seconds: 2, scaleInSeconds: 30, warmupSeconds: 5, scalesIn: false },
    })
    assert.deepEqual(
      withoutEffect.map(({ optionName }) => optionName),
      ['Period'],
    )
  })
})

describe('the health check of a group', () => {
  it('asks the load balancer after 300 seconds, or those that are given', () => {
    const check = (values: Record<string, string>) =>
      resolve(all(HEALTH_CHECK, values)).configuration.healthCheck
    assert.deepEqual(check({ HealthCheckType: 'elb' }), { type: 'ELB', graceSeconds: 300 })
    assert.deepEqual(check({ HealthCheckType: 'ELB', GracePeriod: '10' }), { type: 'ELB', graceSeconds: 10 })
    assert.deepEqual(check({ GracePeriod: '60' }), { type: 'EC2', graceSeconds: 60 })
  })
})

describe('scheduled actions', () => {
  it('are read by their names, in UTC unless they say a zone, without those that are suspended', () => {
    const { scheduledActions } = resolve(
      all(
        ACTION,
        {
          ...{ StartTime: '2030-04-28T04:07:2Z', EndTime: '2030-05-01T00:00+02:00' },
          ...{ Recurrence: '0 0 * * *', MaxSize: '5' },
        },
        'once',
      ),
      all(ACTION, { Recurrence: '30 6 * * MON-FRI', MinSize: '0', DesiredCapacity: '1' }, 'daily'),
      all(ACTION, { Recurrence: '30 6 * * 2', MinSize: '0', Suspend: 'TRUE' }, 'resting'),
    ).configuration
    const none = { startAt: null, endAt: null, recurrence: null, minSize: null, maxSize: null }
    assert.deepEqual(scheduledActions, [
      { ...none, name: 'daily', recurrence: '30 6 * * MON-FRI', minSize: 0, desiredCapacity: 1 },
      {
        ...{ ...none, name: 'once', recurrence: '0 0 * * *', maxSize: 5, desiredCapacity: null },
        ...{ startAt: Date.UTC(2030, 3, 28, 4, 7, 2), endAt: Date.UTC(2030, 3, 30, 22) },
      },
    ])
  })
})

describe('a wrong setting of scaling', () => {
  const hourly = { Recurrence: '0 * * * *', MinSize: '1' }
  const nightly = (values: Record<string, string>) => all(ACTION, values, 'nightly')
  const tracked = { Metric: 'CPUUtilization', TargetValue: '50' }
  const cases: [name: string, given: Given, message: RegExp][] = [
    [
      'an unknown measure',
      all(TRIGGER, { MeasureName: 'Mood' }),
      /'Mood' .*not one of the allowed values: \[CPU/,
    ],
    ['a period of no time', all(TRIGGER, { Period: '0' }), /Value is less than minimum allowed value: 1$/],
    [
      'an upper threshold below the default lower one',
      all(TRIGGER, { MeasureName: 'CPUUtilization', UpperThreshold: '80' }),
      /'80' \(Namespace: 'aws:autoscaling:trigger', OptionName: 'UpperThreshold'\): .*lower one, 2000000$/,
    ],
    [
      'more than a day',
      all(TRIGGER, { Period: '600', EvaluationPeriods: '3' }),
      /Metrics cannot be checked across more than a day/,
    ],
    [
      'an increment beyond all groups',
      all(TRIGGER, { UpperBreachScaleIncrement: '10001' }),
      /'10001' .*at most\.$/,
    ],
    [
      'an increment of half an instance',
      all(TRIGGER, { UpperBreachScaleIncrement: '0.5' }),
      /not a number: 0\.5/,
    ],
    [
      'a target without a metric',
      all(TRACKING, { TargetValue: '50' }),
      /OptionName: 'Metric'\): Specify the metric/,
    ],
    [
      'a metric without a target',
      all(TRACKING, { Metric: 'CPUUtilization' }),
      /OptionName: 'TargetValue'\): Specify/,
    ],
    ['120 percent', all(TRACKING, { ...tracked, TargetValue: '120' }), /percentage, 100 at most/],
    [
      'a target of nothing',
      all(TRACKING, { ...tracked, TargetValue: '0' }),
      /less than minimum allowed value: 0\.001/,
    ],
    [
      'a minute and a second',
      all(TRACKING, { ...tracked, Seconds: '61' }),
      /exceeds maximum allowed value: 60/,
    ],
    [
      'scaling in within less than a period',
      all(TRACKING, { ...tracked, Seconds: '10', ScaleInSeconds: '5' }),
      /OptionName: 'ScaleInSeconds'\): It is not less than Seconds, 10/,
    ],
    [
      'requests of instances that a classic load balancer does not count',
      [...classic, ...all(TRACKING, { ...tracked, Metric: 'RequestCountPerTarget' })],
      /Track CPUUtilization/,
    ],
    ['cron nonsense', nightly({ Recurrence: 'every night', MinSize: '1' }), /'every night' .*five fields/],
    ['a cron of six fields', nightly({ Recurrence: '0 0 9 * * *', MinSize: '1' }), /five fields/],
    ['a minute that no hour has', nightly({ Recurrence: '61 * * * *', MinSize: '1' }), /five fields/],
    ['a day that no year has', nightly({ Recurrence: '0 0 31 2 *', MinSize: '1' }), /time never comes/],
    [
      'an end of what happens once',
      nightly({ StartTime: '2030-02-02T00:00:00Z', EndTime: '2030-02-03T00:00:00Z', MinSize: '1' }),
      /An EndTime is the end of a Recurrence/,
    ],
    ['a nickname of cron', nightly({ Recurrence: '@daily', MinSize: '1' }), /five fields/],
    ['no time at all', nightly({ MinSize: '1' }), /a StartTime, a Recurrence or both/],
    ['no size at all', nightly({ Recurrence: '0 1 * * *' }), /sets MinSize, MaxSize or DesiredCapacity/],
    [
      'a time in words',
      nightly({ StartTime: 'tomorrow', MinSize: '1' }),
      /'tomorrow' .*does not satisfy regex/,
    ],
    [
      'the 31st of February',
      nightly({ StartTime: '2030-02-31T00:00:00Z', MinSize: '1' }),
      /There is no such time/,
    ],
    [
      'an end before its start',
      nightly({ StartTime: '2030-02-02T00:00:00Z', EndTime: '2030-02-01T00:00:00Z', ...hourly }),
      /EndTime must be later than StartTime/,
    ],
    [
      'MinSize above MaxSize',
      nightly({ Recurrence: '0 1 * * *', MinSize: '3', MaxSize: '2' }),
      /'3' .*MinSize is greater than MaxSize/,
    ],
    [
      'a desired capacity beyond MaxSize',
      nightly({ Recurrence: '0 1 * * *', DesiredCapacity: '3', MaxSize: '2' }),
      /DesiredCapacity is greater than MaxSize/,
    ],
    [
      'a name with a blank',
      all(ACTION, { Recurrence: '0 1 * * *', MinSize: '1' }, 'by night'),
      /letters and digits/,
    ],
    [
      'one start of two actions',
      [
        ...all(ACTION, { StartTime: '2030-02-02T00:00:00Z', MinSize: '1' }, 'a'),
        ...all(ACTION, { StartTime: '2030-02-02T01:00:00+01:00', MinSize: '1' }, 'b'),
      ],
      /Two scheduled actions have the same StartTime/,
    ],
    [
      'the 121st action',
      Array.from({ length: 121 }, (_unused, index) =>
        all(ACTION, { Recurrence: '0 1 * * *', MinSize: '1' }, `a${index}`),
      ).flat(),
      /at most 120 scheduled actions/,
    ],
  ]
  for (const [name, given, message] of cases)
    it(`(${name}) is refused`, () => {
      assert.throws(() => resolve(given), { name: 'ConfigurationValidationException', message })
    })
})
