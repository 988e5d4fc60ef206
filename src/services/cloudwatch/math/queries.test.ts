import assert from 'node:assert/strict'
import type { MetricDataQuery, MetricStat } from '@aws-sdk/client-cloudwatch'
import { describe, it } from 'node:test'
import { START } from './math-fixture.ts'
import { planQueries, watchedOf } from './queries.ts'
import { evaluateQueries } from './run.ts'
import type { Rules } from './validate.ts'

const RULES: Rules = { use: 'data', accountId: '000000000000', isStatistic: (text) => text === 'Sum' }
const ALARM: Rules = { ...RULES, use: 'alarm' }
const PLACE = { accountId: '000000000000', region: 'eu-central-1' }

const stat = (more: Partial<MetricStat> = {}): MetricStat => ({
  Metric: {
    Namespace: 'AWS/ApplicationELB',
    MetricName: 'RequestCount',
    Dimensions: [{ Name: 'LoadBalancer', Value: 'app/a/1' }],
  },
  Period: 60,
  Stat: 'Sum',
  ...more,
})
const metric = (Id: string, more: Partial<MetricDataQuery> = {}): MetricDataQuery => ({
  Id,
  MetricStat: stat(),
  ...more,
})
const math = (Id: string, Expression: string, more: Partial<MetricDataQuery> = {}): MetricDataQuery => ({
  Id,
  Expression,
  ...more,
})
const hidden = { ReturnData: false }
const many = (count: number, one: (id: string) => MetricDataQuery) =>
  Array.from({ length: count }, (_one, index) => one(`q${index}`))

describe('queries of GetMetricData that are refused', () => {
  const at = 'MetricDataQueries.member.1'
  const both = (member: string) =>
    `The parameters ${at}.${member} and ${at}.MetricStat are mutually exclusive and you have specified both.\n`
  const cases: [queries: MetricDataQuery[], message: string][] = [
    [[], 'The parameter MetricDataQueries is required.\n'],
    [many(501, metric), 'The collection MetricDataQueries must not have a size greater than 500.\n'],
    [[metric('')], `The parameter ${at}.Id is required.\n`],
    ...['M1', '1m', '_m', 'm-1', 'm 1'].map((id): [MetricDataQuery[], string] => [
      [metric(id)],
      `The value ${id} for parameter ${at}.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.\n`,
    ]),
    [[metric('m1'), metric('m1')], 'The values for parameter id in MetricDataQueries are not unique.'],
    [[{ Id: 'm1' }], `The parameter ${at}.MetricStat is required.\n`],
    [[metric('m1', { Expression: 'm2' })], both('Expression')],
    [[metric('m1', { Period: 60 })], both('Period')],
    [
      [metric('m1', { MetricStat: stat({ Metric: {} }) })],
      `The parameter ${at}.MetricStat.Metric.Namespace is required.\nThe parameter ${at}.MetricStat.Metric.MetricName is required.\n`,
    ],
    [
      [metric('m1', { MetricStat: stat({ Period: undefined, Stat: 'p101' }) })],
      `The parameter ${at}.MetricStat.Period is required.\nThe value for parameter ${at}.MetricStat.Stat is not a valid statistic.\n`,
    ],
    ...[0, -60, 2, 15, 61, 0.5, NaN].map((Period): [MetricDataQuery[], string] => [
      [metric('m1', { MetricStat: stat({ Period }) })],
      `The parameter ${at}.MetricStat.Period must be 1, 5, 10, 20, 30 or a multiple of 60\n`,
    ]),
    [[math('e1', 'm9')], "Error in expression 'e1': ID 'm9' not found"],
    [[math('e1', 'e1 + 1')], "Error in expression 'e1': Circular dependency"],
    [
      [math('e1', 'e2 + 1'), math('e2', 'e3'), math('e3', 'e1'), metric('m1')],
      "Error in expression 'e1': Circular dependency",
    ],
    [
      [math('e1', 'AVG(m1)'), metric('m1')],
      "Error in expression 'e1': The result must be a time series or an array of time series",
    ],
    [
      [metric('m1', { AccountId: '111111111111' })],
      'An AccountId other than your own is not supported by Polebean.',
    ],
    [
      [metric('m1', { Label: 'at ${MAX_TIME}' })],
      'The dynamic label ${MAX_TIME} is not supported by Polebean.',
    ],
  ]
  for (const [queries, message] of cases)
    it(message.slice(0, 90), () =>
      assert.throws(() => planQueries(queries, RULES), { name: 'ValidationError', message }),
    )
})

describe('the queries of an alarm', () => {
  const cases: [queries: MetricDataQuery[], message: string][] = [
    [[], 'Invalid metrics list'],
    [[metric('M1')], 'Invalid metrics list'],
    [[metric('m1'), metric('m1', hidden)], 'Invalid metrics list'],
    [[metric('m1', { MetricStat: stat({ Stat: 'Median' }) })], 'Invalid metrics list'],
    [
      [metric('m1', { Expression: 'm2' })],
      'The parameters MetricDataQuery Expression and MetricStat are mutually exclusive and you have specified both.',
    ],
    [[{ Id: 'm1' }], 'Period must not be null'],
    [[math('e1', 'TIME_SERIES(1)')], 'Period must not be null'],
    [
      [metric('m1', { MetricStat: stat({ Period: 45 }) })],
      'Period must be 1, 5, 10, 20, 30 or a multiple of 60',
    ],
    [many(11, (id) => metric(id)), 'Too many metrics in alarm, maximum is 10'],
    [many(11, (id) => math(id, 'm1')), 'Too many expressions in alarm, maximum is 10'],
    [
      [metric('m1'), metric('m2', { MetricStat: stat({ Period: 300 }) })],
      'All metrics in the alarm should have the same period',
    ],
    [
      [metric('m1', hidden), math('e1', 'm1', { Period: 300 })],
      'All metrics in the alarm should have the same period',
    ],
    [[math('e1', "SEARCH('{AWS/EC2}', 'Sum')")], 'SEARCH is not supported on Metric Alarms.'],
    [[metric('m1', hidden)], 'Exactly one element of the metrics list should return data.'],
    [[metric('m1'), metric('m2')], 'Exactly one element of the metrics list should return data.'],
    [
      [math('e1', 'METRICS()'), metric('m1', hidden)],
      'Metrics expression that return multi time series are only allowed for MetricsInsights expression with an ORDER BY clause',
    ],
  ]
  for (const [queries, message] of cases)
    it(`refused: ${message}`, () => assert.throws(() => planQueries(queries, ALARM), { message }))

  const watched = (queries: MetricDataQuery[]) => watchedOf(planQueries(queries, ALARM))
  const tenSeconds = { MetricStat: stat({ Period: 10 }) }
  it('watch one result, whose period is that of the metrics', () => {
    assert.deepEqual(watched([metric('m1', tenSeconds)]), { id: 'm1', periodSeconds: 10 })
    const queries = [
      math('e1', 'e2 * 100'),
      math('e2', 'm1', hidden),
      metric('m1', { ...tenSeconds, ...hidden }),
    ]
    assert.deepEqual(watched(queries), { id: 'e1', periodSeconds: 10 })
    assert.deepEqual(watched([math('e1', 'TIME_SERIES(1)', { Period: 300 })]), {
      id: 'e1',
      periodSeconds: 300,
    })
    assert.equal(watched([...many(10, (id) => metric(id, hidden)), math('e1', 'AVG(METRICS())')]).id, 'e1')
  })
})

describe('results of queries', () => {
  const range = { startMs: START, endMs: START + 180_000, originMs: 0 }
  /** Each metric: 1, 2, 3 times its period's minutes. */
  const read = ({ Period = 60 }: MetricStat) =>
    [1, 2, 3]
      .map((value) => ({ at: START + (value - 1) * Period * 1000, value: (value * Period) / 60 }))
      .filter(({ at }) => at < range.endMs)
  const run = (queries: MetricDataQuery[]) => evaluateQueries(planQueries(queries, RULES), range, PLACE, read)
  const told = (queries: MetricDataQuery[]) =>
    [...run(queries)].map(([id, { isReturned, series }]) => [
      id,
      isReturned,
      ...series.map(({ label, points }) => `${label}: ${points.map(({ value }) => value).join(' ')}`),
    ])

  it('come in the order of the request, whatever needs what', () =>
    assert.deepEqual(
      told([
        math('e1', 'm1 - e2', { Label: 'above average' }),
        math('e2', 'AVG(m1)', hidden),
        metric('m1', hidden),
        math('e3', '-e1'),
      ]),
      [
        ['e1', true, 'above average: -1 0 1'],
        ['e2', false],
        ['m1', false, 'RequestCount: 1 2 3'],
        ['e3', true, 'e3: 1 0 -1'],
      ],
    ))

  it('of an array have the label of the expression and of the metric', () =>
    assert.deepEqual(
      told([
        metric('m1', { Label: 'Errors' }),
        math('e1', 'METRICS() * 2'),
        math('e2', 'FILL(METRICS(), 0)', { Label: 'Filled With 0:' }),
        math('e3', 'METRICS()', { Label: '' }),
      ]),
      [
        ['m1', true, 'Errors: 1 2 3'],
        ['e1', true, 'e1 Errors: 2 4 6'],
        ['e2', true, 'Filled With 0: Errors: 1 2 3'],
        ['e3', true, 'Errors: 1 2 3'],
      ],
    ))

  it('have the period that they are of, and of a scalar the one asked for', () => {
    const slow = { MetricStat: stat({ Period: 120 }) }
    const periods = (queries: MetricDataQuery[]) =>
      [...run(queries).values()].map(({ series }) => [series[0]?.periodSeconds, series[0]?.points.length])
    assert.deepEqual(periods([metric('m1', slow), math('e1', 'm1 + TIME_SERIES(1)', { Period: 60 })]), [
      [120, 2],
      [60, 3],
    ])
    assert.deepEqual(periods([metric('m1', slow), math('e1', 'TIME_SERIES(1)'), metric('m2')]), [
      [120, 2],
      [60, 3],
      [60, 3],
    ])
    assert.deepEqual(periods([math('e1', 'TIME_SERIES(1)')]), [[60, 3]])
  })

  const labels: [asked: string, label: string][] = [
    ['', ''],
    ['${LABEL}!', 'RequestCount!'],
    ['[max: ${MAX}]', '[max: 3]'],
    ['${MIN} ${AVG} ${SUM} ${DATAPOINT_COUNT}', '1 2 6 3'],
    ['${FIRST} ${LAST} ${FIRST_LAST_RANGE} ${MIN_MAX_RANGE}', '1 3 2 2'],
    ["${PROP('Dim.LoadBalancer')} ${PROP('Dim.Other')}", "app/a/1 ${PROP('Dim.Other')}"],
    ["${PROP('Namespace')} ${PROP('MetricName')} ${PROP('Stat')}", 'AWS/ApplicationELB RequestCount Sum'],
    ["${PROP('Period')} ${PROP('Region')} ${PROP('AccountId')}", '60 eu-central-1 000000000000'],
    ['${OTHER} ${toString} $& ${PROP}', '${OTHER} ${toString} $& ${PROP}'],
  ]
  for (const [Label, label] of labels)
    it(`have the label ${Label}`, () =>
      assert.equal(run([metric('m1', { Label })]).get('m1')?.series[0]?.label, label))

  it('are not made of more points than one answer may have', () => {
    const long = { ...range, endMs: START + 366 * 86_400_000 }
    const plan = planQueries([metric('m1'), math('e1', 'm1')], RULES)
    assert.throws(() => evaluateQueries(plan, long, PLACE, read), {
      message: 'You have requested up to 527040 datapoints, which exceeds the limit of 100800.',
    })
  })

  it('of 499 expressions upon each other are evaluated', () => {
    const chain = Array.from({ length: 499 }, (_one, index) =>
      math(`e${index}`, index === 498 ? 'm1' : `e${index + 1} + 1`),
    )
    assert.equal(run([...chain, metric('m1')]).get('e0')?.series[0]?.points[0]?.value, 499)
  })
})
