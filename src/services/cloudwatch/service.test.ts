// Metrics and alarms by their operations, on the virtual clock.
import assert from 'node:assert/strict'
import { after, describe, it } from 'node:test'
import type { Dimension, MetricDatum, PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch'
import { makeServicesWorld } from '../testing/services-world.ts'

const worlds: { end(): void }[] = []
after(() => {
  for (const world of worlds) world.end()
})

function makeWorld() {
  const world = makeServicesWorld(1, undefined, { measures: true })
  worlds.push(world)
  const { clock, context } = world
  const put = (...data: Partial<MetricDatum>[]) =>
    world.cloudwatch.putMetricData(context, {
      Namespace: 'Shop',
      MetricData: data.map((datum) => ({ MetricName: 'orders', ...datum })),
    })
  const alarm = (more: Partial<PutMetricAlarmInput> = {}) =>
    world.cloudwatch.putMetricAlarm(context, {
      ...{ AlarmName: 'busy', Namespace: 'Shop', MetricName: 'orders', Statistic: 'Average' },
      ...{ Period: 60, EvaluationPeriods: 1, Threshold: 5, ComparisonOperator: 'GreaterThanThreshold' },
      ...more,
    })
  const described = (name = 'busy') =>
    world.cloudwatch.describeAlarms(context, { AlarmNames: [name] }).MetricAlarms?.[0]
  const state = () => described()?.StateValue
  const statistics = (more: object = {}) =>
    world.cloudwatch.getMetricStatistics(context, {
      ...{ Namespace: 'Shop', MetricName: 'orders', Statistics: ['Sum', 'SampleCount'], Period: 60 },
      ...{ StartTime: new Date(clock.now() - 600_000), EndTime: new Date(clock.now() + 1000) },
      ...more,
    }).Datapoints
  return { world, clock, context, put, alarm, described, state, statistics, cloudwatch: world.cloudwatch }
}

const code = (expected: string, message?: RegExp) => (error: Error & { code?: string }) => {
  assert.equal(error.code, expected, error.message)
  if (message) assert.match(error.message, message)
  return true
}

describe('PutMetricData', () => {
  it('is seen at once, by name, dimension and unit', () => {
    const { put, statistics, cloudwatch, context } = makeWorld()
    put({ Value: 3 }, { Value: 4 }, { Value: 9, Dimensions: [{ Name: 'Region', Value: 'a' }] })
    assert.deepEqual(
      statistics()?.map(({ Sum, SampleCount, Unit }) => [Sum, SampleCount, Unit]),
      [[7, 2, 'None']],
    )
    const { Metrics } = cloudwatch.listMetrics(context, { Namespace: 'Shop' })
    assert.deepEqual(
      Metrics?.map(({ Dimensions }) => Dimensions),
      [[{ Name: 'Region', Value: 'a' }], []],
    )
    assert.equal(cloudwatch.listMetrics(context, { Dimensions: [{ Name: 'Region' }] }).Metrics?.length, 1)
    assert.equal(
      cloudwatch.listMetrics(context, { Dimensions: [{ Name: 'Region', Value: 'b' }] }).Metrics?.length,
      0,
    )
  })
  it('takes dimensions of any name', () => {
    const { put, statistics } = makeWorld()
    const Dimensions = [{ Name: '__proto__', Value: 'a' }]
    put({ Value: 1, Dimensions })
    assert.equal(statistics({ Dimensions })?.[0]?.Sum, 1)
    assert.deepEqual(statistics(), [])
  })
  it('takes values with counts and statistic sets', () => {
    const { put, statistics } = makeWorld()
    put({ Values: [1, 2, 100], Counts: [8, 1, 1] })
    const [point] = statistics({ Statistics: undefined, ExtendedStatistics: ['p50', 'p90', 'p99'] }) ?? []
    assert.deepEqual(point?.ExtendedStatistics, { p50: 1, p90: 2, p99: 100 })
    put({ StatisticValues: { SampleCount: 10, Sum: 50, Minimum: 1, Maximum: 9 } })
    assert.deepEqual(
      statistics()?.map(({ Sum, SampleCount }) => [Sum, SampleCount]),
      [[160, 20]],
    )
    assert.deepEqual(
      statistics({ Statistics: undefined, ExtendedStatistics: ['p50'] })?.[0]?.ExtendedStatistics,
      undefined,
    )
  })

  const many = (count: number): Dimension[] =>
    Array.from({ length: count }, (_none, index) => ({ Name: `d${index}`, Value: 'v' }))
  const bad: [what: string, datum: Partial<MetricDatum>, code: string, message: RegExp][] = [
    [
      '31 dimensions',
      { Value: 1, Dimensions: many(31) },
      'InvalidParameterValue',
      /must not have a size greater than 30/,
    ],
    [
      'NaN',
      { Value: Number.NaN },
      'InvalidParameterValue',
      /The value NaN for parameter MetricData.member.2.Value is invalid/,
    ],
    ['infinity', { Value: Infinity }, 'InvalidParameterValue', /Infinity/],
    ['a number beyond all measure', { Value: 1e300 }, 'InvalidParameterValue', /is invalid/],
    [
      'a point from last year',
      { Value: 1, Timestamp: new Date(Date.UTC(2024, 11, 1)) },
      'InvalidParameterValue',
      /two weeks in the past/,
    ],
    [
      'a point to come',
      { Value: 1, Timestamp: new Date(Date.UTC(2027, 0, 1)) },
      'InvalidParameterValue',
      /within two hours/,
    ],
    [
      'a moment that is none',
      { Value: 1, Timestamp: new Date(Number.NaN) },
      'InvalidParameterValue',
      /two weeks/,
    ],
    [
      'a unit of our own',
      { Value: 1, Unit: 'Apples' as never },
      'InvalidParameterValue',
      /must be a value in the set \[Seconds/,
    ],
    ['two kinds of values', { Value: 1, Values: [1] }, 'InvalidParameterCombination', /mutually exclusive/],
    ['no value', {}, 'InvalidParameterValue', /At least one of/],
    ['fewer counts than values', { Values: [1, 2], Counts: [1] }, 'InvalidParameterValue', /same size/],
    ['a count below nothing', { Values: [1], Counts: [-1] }, 'InvalidParameterValue', /Counts.member.1/],
    [
      'a set whose least is its most',
      { StatisticValues: { SampleCount: 1, Sum: 1, Minimum: 2, Maximum: 1 } },
      'InvalidParameterValue',
      /less than or equal/,
    ],
    ['an empty name', { MetricName: '', Value: 1 }, 'InvalidParameterValue', /MetricName is required/],
    ['a name with a newline', { MetricName: 'a\nb', Value: 1 }, 'InvalidParameterValue', /printable/],
    [
      'an empty dimension',
      { Value: 1, Dimensions: [{ Name: 'a', Value: '' }] },
      'InvalidParameterValue',
      /Value is required/,
    ],
    [
      'a dimension twice',
      { Value: 1, Dimensions: [...many(1), ...many(1)] },
      'InvalidParameterValue',
      /more than once/,
    ],
    ['a resolution of seven', { Value: 1, StorageResolution: 7 }, 'InvalidParameterValue', /1 or 60/],
  ]
  for (const [what, datum, expected, message] of bad)
    it(`refuses ${what}, and all that came with it`, () => {
      const { put, statistics } = makeWorld()
      assert.throws(() => put({ Value: 1 }, datum), code(expected, message))
      assert.deepEqual(statistics(), [])
    })
  it("refuses AWS's own namespaces, and 1,001 data", () => {
    const { cloudwatch, context, put } = makeWorld()
    assert.throws(
      () =>
        cloudwatch.putMetricData(context, {
          Namespace: 'AWS/EC2',
          MetricData: [{ MetricName: 'a', Value: 1 }],
        }),
      code('InvalidParameterValue', /AWS\/EC2 for parameter Namespace/),
    )
    assert.throws(
      () => put(...Array.from({ length: 1001 }, () => ({ Value: 1 }))),
      code('InvalidParameterValue', /1000/),
    )
  })
})

describe('GetMetricStatistics', () => {
  const bad: [what: string, more: object, code: string, message: RegExp][] = [
    ['a period of 61', { Period: 61 }, 'InvalidParameterValue', /multiple of 60/],
    ['a period of nothing', { Period: 0 }, 'InvalidParameterValue', /Period/],
    ['an end before the start', { EndTime: new Date(0) }, 'InvalidParameterValue', /StartTime must be less/],
    ['no statistic', { Statistics: [] }, 'InvalidParameterCombination', /Must specify/],
    ['both kinds', { ExtendedStatistics: ['p50'] }, 'InvalidParameterCombination', /mutually exclusive/],
    ['an unknown one', { Statistics: ['Median'] }, 'InvalidParameterValue', /set \[SampleCount/],
    [
      'a trimmed mean',
      { Statistics: undefined, ExtendedStatistics: ['tm99'] },
      'InvalidParameterValue',
      /tm99/,
    ],
    [
      '1,441 datapoints',
      { Period: 1, StartTime: new Date(Date.UTC(2026, 0, 1) - 1441 * 1000) },
      'InvalidParameterCombination',
      /1,440/,
    ],
  ]
  for (const [what, more, expected, message] of bad)
    it(`refuses ${what}`, () => assert.throws(() => makeWorld().statistics(more), code(expected, message)))
})

describe('GetMetricData', () => {
  it('answers metrics and math, in pages', () => {
    const { put, cloudwatch, context, clock } = makeWorld()
    const at = (minutes: number) => new Date(clock.now() - minutes * 60_000)
    for (const minutes of [1, 2, 3]) put({ Value: minutes, Timestamp: at(minutes) })
    const stat = { Metric: { Namespace: 'Shop', MetricName: 'orders' }, Period: 60, Stat: 'Sum' }
    const query = (more: object) =>
      cloudwatch.getMetricData(context, {
        MetricDataQueries: [
          { Id: 'm1', MetricStat: stat, ReturnData: false },
          { Id: 'e1', Expression: 'm1 * 2' },
        ],
        ...{ StartTime: at(10), EndTime: at(0), ...more },
      })
    const { MetricDataResults } = query({})
    assert.deepEqual(
      MetricDataResults?.map(({ Id, Values }) => [Id, Values]),
      [['e1', [2, 4, 6]]],
    )
    const first = query({ MaxDatapoints: 2, ScanBy: 'TimestampAscending' })
    assert.deepEqual(
      first.MetricDataResults?.map(({ Values, StatusCode }) => [Values, StatusCode]),
      [[[6, 4], 'PartialData']],
    )
    const rest = query({ MaxDatapoints: 2, ScanBy: 'TimestampAscending', NextToken: first.NextToken })
    assert.deepEqual([rest.MetricDataResults?.[0]?.Values, rest.NextToken], [[2], undefined])
    assert.throws(() => query({ NextToken: 'rubbish' }), code('ValidationError'))
  })
})

describe('alarms', () => {
  it('follow their metric, and tell why', async () => {
    const { clock, put, alarm, state, described, cloudwatch, context } = makeWorld()
    alarm()
    assert.equal(state(), 'INSUFFICIENT_DATA')
    put({ Value: 10 })
    await clock.run(70_000)
    assert.equal(state(), 'ALARM')
    assert.match(
      described()?.StateReason ?? '',
      /^Threshold Crossed: 1 out of the last 1 datapoint \[10 \(.*\)\] was greater than the threshold \(5\.0\)/,
    )
    put({ Value: 1 })
    await clock.run(65_000)
    assert.equal(state(), 'OK')
    await clock.run(600_000)
    assert.equal(state(), 'INSUFFICIENT_DATA')
    const { AlarmHistoryItems = [] } = cloudwatch.describeAlarmHistory(context, { AlarmName: 'busy' })
    assert.deepEqual(
      AlarmHistoryItems.map(({ HistorySummary }) => HistorySummary),
      [
        'Alarm updated from OK to INSUFFICIENT_DATA',
        'Alarm updated from ALARM to OK',
        'Alarm updated from INSUFFICIENT_DATA to ALARM',
        'Alarm "busy" created',
      ],
    )
  })
  it('of a period of one second change within two', async () => {
    const { clock, put, alarm, state } = makeWorld()
    alarm({ Period: 1 })
    put({ Value: 1 })
    await clock.run(2_000)
    assert.equal(state(), 'OK')
    put({ Value: 10 })
    await clock.run(2_000)
    assert.equal(state(), 'ALARM')
  })
  it('take more than one period, and math', async () => {
    const { clock, put, alarm, state, described } = makeWorld()
    const metric = { Namespace: 'Shop', MetricName: 'orders' }
    alarm({
      ...{ Namespace: undefined, MetricName: undefined, Statistic: undefined, Period: undefined },
      ...{ EvaluationPeriods: 3, DatapointsToAlarm: 2 },
      Metrics: [
        { Id: 'm1', MetricStat: { Metric: metric, Period: 60, Stat: 'Sum' }, ReturnData: false },
        { Id: 'e1', Expression: 'm1 / 2' },
      ],
    })
    for (const value of [4, 12, 4, 12]) {
      put({ Value: value })
      await clock.run(60_000)
    }
    await clock.run(10_000)
    assert.equal(state(), 'ALARM')
    assert.match(described()?.StateReason ?? '', /2 out of the last 3 datapoints \[6/)
  })
  it('are set by hand until they are evaluated again', async () => {
    const { clock, put, alarm, state, cloudwatch, context } = makeWorld()
    alarm()
    put({ Value: 1 })
    await clock.run(70_000)
    cloudwatch.setAlarmState(context, { AlarmName: 'busy', StateValue: 'ALARM', StateReason: 'to try' })
    assert.equal(state(), 'ALARM')
    put({ Value: 1 })
    await clock.run(70_000)
    assert.equal(state(), 'OK')
  })
  it('are found by name, prefix, state, action and metric; are tagged; go all or none', () => {
    const { alarm, cloudwatch, context, described } = makeWorld()
    alarm({ Tags: [{ Key: 'a', Value: 'b' }] })
    alarm({ AlarmName: 'other', Dimensions: [{ Name: 'x', Value: 'y' }] })
    const names = (input: object) =>
      cloudwatch.describeAlarms(context, input).MetricAlarms?.map(({ AlarmName }) => AlarmName)
    assert.deepEqual(names({}), ['busy', 'other'])
    assert.deepEqual(names({ AlarmNamePrefix: 'o' }), ['other'])
    assert.deepEqual(names({ StateValue: 'OK' }), [])
    assert.deepEqual(names({ AlarmTypes: ['CompositeAlarm'] }), [])
    const { MetricAlarms } = cloudwatch.describeAlarmsForMetric(context, {
      ...{ Namespace: 'Shop', MetricName: 'orders', Dimensions: [{ Name: 'x', Value: 'y' }] },
    })
    assert.deepEqual(
      MetricAlarms?.map(({ AlarmName }) => AlarmName),
      ['other'],
    )
    const ResourceARN = described()?.AlarmArn
    assert.deepEqual(cloudwatch.listTagsForResource(context, { ResourceARN }).Tags, [
      { Key: 'a', Value: 'b' },
    ])
    assert.throws(
      () => cloudwatch.deleteAlarms(context, { AlarmNames: ['busy', 'none'] }),
      code('ResourceNotFound'),
    )
    assert.deepEqual(names({}), ['busy', 'other'])
    cloudwatch.deleteAlarms(context, { AlarmNames: ['busy', 'other'] })
    assert.deepEqual(names({}), [])
  })
  it('change in place, and keep their state', () => {
    const { alarm, described, cloudwatch, context } = makeWorld()
    alarm()
    cloudwatch.setAlarmState(context, { AlarmName: 'busy', StateValue: 'OK', StateReason: 'x' })
    alarm({ Threshold: 7, ActionsEnabled: false })
    assert.deepEqual(
      [described()?.Threshold, described()?.StateValue, described()?.ActionsEnabled],
      [7, 'OK', false],
    )
    cloudwatch.enableAlarmActions(context, { AlarmNames: ['busy', 'none'] })
    assert.equal(described()?.ActionsEnabled, true)
  })

  const bad: [what: string, more: Partial<PutMetricAlarmInput>, message: RegExp][] = [
    ['no evaluation periods', { EvaluationPeriods: 0 }, /Value '0' at 'evaluationPeriods'/],
    ['a period of 61', { Period: 61 }, /multiple of 60/],
    ['a day and more', { Period: 3540, EvaluationPeriods: 30 }, /more than a day/],
    ['more datapoints than periods', { DatapointsToAlarm: 2 }, /less than or equal to EvaluationPeriods/],
    ['an unknown comparison', { ComparisonOperator: 'Like' as never }, /comparisonOperator/],
    [
      'a band',
      { ComparisonOperator: 'GreaterThanUpperThreshold', ThresholdMetricId: 'e1' },
      /ThresholdMetricId/,
    ],
    ['an unknown treatment', { TreatMissingData: 'guess' }, /TreatMissingData/],
    ['no threshold', { Threshold: undefined }, /Threshold/],
    ['two statistics', { ExtendedStatistic: 'p90' }, /mutually exclusive/],
    ['an action that is no ARN', { AlarmActions: ['mail me'] }, /Invalid arn syntax/],
    [
      'an action of another service',
      { AlarmActions: ['arn:aws:sns:us-west-2:000000000000:t'] },
      /not supported by Polebean/,
    ],
    [
      '31 dimensions',
      { Dimensions: Array.from({ length: 31 }, (_none, index) => ({ Name: `d${index}`, Value: 'v' })) },
      /greater than 30/,
    ],
    ['math of nothing', { Metrics: [{ Id: 'e1', Expression: 'm1 +' }] }, /mutually exclusive/],
  ]
  for (const [what, more, message] of bad)
    it(`refuse ${what}`, () => {
      const { alarm, described } = makeWorld()
      assert.throws(() => alarm(more), message)
      assert.equal(described(), undefined)
    })
})

describe('what this machine measures', () => {
  it('is told under names that nobody else may use, and asked for as a figure', () => {
    const { world, cloudwatch, context, clock } = makeWorld()
    const metric = { namespace: 'AWS/EC2', metricName: 'CPUUtilization', dimensions: { InstanceId: 'i-1' } }
    const now = clock.now()
    world.cloudwatch.record(context, [
      { ...metric, unit: 'Percent', at: now, value: 40 },
      { ...metric, unit: 'Percent', at: now + 1000, value: 60 },
    ])
    const figure = (more: object) =>
      cloudwatch.figure(context, { ...metric, statistic: 'Average', from: now, to: now + 2000, ...more })
    assert.equal(figure({}), 50)
    assert.equal(figure({ statistic: 'SampleCount' }), 2)
    assert.equal(figure({ to: now + 1000 }), 40)
    assert.equal(figure({ dimensions: {} }), undefined)
  })
  it('is read by Prometheus', async () => {
    const { world, context, clock } = makeWorld()
    const base = { namespace: 'AWS/ApplicationELB', metricName: 'RequestCount', unit: 'Count' } as const
    world.cloudwatch.record(context, [
      { ...base, dimensions: { LoadBalancer: 'app/a"b/1' }, at: clock.now(), value: 3 },
    ])
    await clock.run(65_000)
    const text = world.cloudwatch.prometheus(context)
    assert.match(text, /^# TYPE aws_applicationelb_request_count_sum gauge$/m)
    assert.match(
      text,
      /^aws_applicationelb_request_count_sum\{load_balancer="app\/a\\"b\/1",unit="Count"\} 3 \d{13}$/m,
    )
  })
})
