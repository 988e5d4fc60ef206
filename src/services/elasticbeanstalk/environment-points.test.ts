import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { environmentPoints, type EnabledMetrics, type MeasuredEnvironment } from './environment-points.ts'

const AT = Date.UTC(2026, 0, 1)
const NONE: EnabledMetrics = { environment: [], instance: [] }
const requests = {
  ...{ total: 100, status2xx: 90, status3xx: 4, status4xx: 3, status5xx: 3 },
  latencySeconds: (percent: number) => percent,
}
const environment = (over: Partial<MeasuredEnvironment> = {}): MeasuredEnvironment => ({
  ...{ name: 'shop', healthStatus: 'Ok', requests, instances: [], ...over },
})
const shown = (one: MeasuredEnvironment, enabled: EnabledMetrics) =>
  Object.fromEntries(
    environmentPoints(one, enabled, AT).map(({ metricName, dimensions, unit, value }) => [
      `${metricName} ${Object.values(dimensions).join(',')} ${unit}`,
      value,
    ]),
  )

describe('EnvironmentHealth', () => {
  const cases: [status: string, value: number | undefined][] = [
    ...([
      ['Ok', 0],
      ['Info', 1],
      ['Unknown', 5],
      ['NoData', 10],
    ] as [string, number][]),
    ...([
      ['Warning', 15],
      ['Degraded', 20],
      ['Severe', 25],
    ] as [string, number][]),
    ['Pending', undefined],
  ]
  for (const [healthStatus, value] of cases)
    it(`is ${value ?? 'not told'} while it is ${healthStatus}`, () =>
      assert.deepEqual(
        environmentPoints(environment({ healthStatus }), NONE, AT),
        value === undefined
          ? []
          : [
              {
                ...{
                  namespace: 'AWS/ElasticBeanstalk',
                  metricName: 'EnvironmentHealth',
                  unit: 'None',
                  at: AT,
                },
                ...{ dimensions: { EnvironmentName: 'shop' }, value },
              },
            ],
      ))
})

describe('metrics that are enabled', () => {
  const instances = [
    {
      ...{ id: 'i-1', healthStatus: 'Ok', requests, load: { oneMinute: 0.5, fiveMinutes: 0.25 } },
      ...{ cpu: { User: 10, System: 5, Idle: 85 }, rootFilesystemUtil: 42 },
    },
    { id: 'i-2', healthStatus: 'Severe', requests: undefined },
    { id: 'i-3', healthStatus: 'Ok', requests: undefined },
  ]
  const cases: [what: string, enabled: Partial<EnabledMetrics>, values: Record<string, number>][] = [
    [
      'instances by their health',
      { environment: ['InstancesOk', 'InstancesSevere', 'InstancesNoData'] },
      { 'InstancesOk shop Count': 2, 'InstancesSevere shop Count': 1, 'InstancesNoData shop Count': 0 },
    ],
    [
      'requests of the environment',
      {
        environment: [
          'ApplicationRequestsTotal',
          ...[2, 3, 4, 5].map((status) => `ApplicationRequests${status}xx`),
          ...['ApplicationLatencyP10', 'ApplicationLatencyP99.9'],
        ],
      },
      {
        ...{ 'ApplicationRequestsTotal shop Count': 100, 'ApplicationRequests2xx shop Count': 90 },
        ...{ 'ApplicationRequests3xx shop Count': 4, 'ApplicationRequests4xx shop Count': 3 },
        ...{ 'ApplicationRequests5xx shop Count': 3, 'ApplicationLatencyP10 shop Seconds': 10 },
        'ApplicationLatencyP99.9 shop Seconds': 99.9,
      },
    ],
    [
      'of instances what is known of them',
      {
        instance: [
          ...['InstanceHealth', 'ApplicationRequestsTotal', 'LoadAverage1min', 'LoadAverage5min'],
          ...['CPUUser', 'CPUIdle', 'CPUIowait', 'RootFilesystemUtil'],
        ],
      },
      {
        'InstanceHealth i-1,shop None': 0,
        'ApplicationRequestsTotal i-1,shop Count': 100,
        'LoadAverage1min i-1,shop None': 0.5,
        'LoadAverage5min i-1,shop None': 0.25,
        'CPUUser i-1,shop Percent': 10,
        'CPUIdle i-1,shop Percent': 85,
        'RootFilesystemUtil i-1,shop Percent': 42,
        'InstanceHealth i-2,shop None': 25,
        'InstanceHealth i-3,shop None': 0,
      },
    ],
    ['nothing of the environment that instances alone have', { environment: ['CPUUser'] }, {}],
  ]
  for (const [what, enabled, values] of cases)
    it(what, () => {
      const { 'EnvironmentHealth shop None': health, ...all } = shown(environment({ instances }), {
        ...NONE,
        ...enabled,
      })
      assert.equal(health, 0)
      assert.deepEqual(all, values)
    })

  it('have no latency of nobody', () => {
    const none = { ...requests, total: 0, latencySeconds: () => undefined }
    const enabled = { ...NONE, environment: ['ApplicationLatencyP50', 'ApplicationRequestsTotal'] }
    assert.deepEqual(shown(environment({ requests: none }), enabled), {
      ...{ 'EnvironmentHealth shop None': 0, 'ApplicationRequestsTotal shop Count': 0 },
    })
  })
})
