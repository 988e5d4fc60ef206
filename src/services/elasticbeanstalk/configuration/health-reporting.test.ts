import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_THRESHOLDS } from '../health/thresholds.ts'
import { documentComplaint, ENVIRONMENT_METRICS, INSTANCE_METRICS } from './health-document.ts'
import { HEALTH, THRESHOLDS } from './health-reporting.ts'
import { resolveConfiguration } from './resolve.ts'

const resolve = (values: Record<string, string>, Namespace = THRESHOLDS) =>
  resolveConfiguration({
    platform: 'python',
    stored: null,
    given: Object.entries(values).map(([OptionName, Value]) => ({ Namespace, OptionName, Value })),
  }).configuration.health
const withDocument = (document: object) =>
  resolve({ ConfigDocument: JSON.stringify({ Version: 1, ...document }) }, HEALTH)

describe('the document of health', () => {
  const refused: [unknown, string][] = [
    ['{', 'Value is not valid JSON.'],
    [[], 'The document is not an object.'],
    [null, 'The document is not an object.'],
    [{}, 'Version is missing. It takes: 1.'],
    [{ Version: 2 }, 'Version is 2. It takes: 1.'],
    [{ Version: '1' }, 'Version is "1". It takes: 1.'],
    [{ Version: 1, Rule: {} }, 'Rule is not known. The document takes: Version, CloudWatchMetrics, Rules.'],
    [{ Version: 1, Rules: [] }, 'Rules is not an object.'],
    [
      { Version: 1, Rules: { Environment: { ELB: { ELBRequests5xx: {} } } } },
      'Rules.Environment.ELB.ELBRequests5xx is not known. Rules.Environment.ELB takes: ELBRequests4xx.',
    ],
    [
      { Version: 1, Rules: { Environment: { Application: { ApplicationRequests4xx: { Enabled: 'no' } } } } },
      'Rules.Environment.Application.ApplicationRequests4xx.Enabled is "no". It takes: true, false.',
    ],
    [
      { Version: 1, CloudWatchMetrics: { Environment: { InstancesOk: 30 } } },
      'CloudWatchMetrics.Environment.InstancesOk is 30. It takes: 60, null.',
    ],
  ]
  for (const [document, complaint] of refused)
    it(`is refused: ${complaint}`, () =>
      assert.equal(
        documentComplaint(typeof document === 'string' ? document : JSON.stringify(document)),
        complaint,
      ))

  it('names metrics that there are', () => {
    const complaint = documentComplaint('{"Version":1,"CloudWatchMetrics":{"Instance":{"InstancesOk":60}}}')
    assert.match(complaint ?? '', /^CloudWatchMetrics\.Instance\.InstancesOk is not known\. /)
    assert.deepEqual([ENVIRONMENT_METRICS.length, INSTANCE_METRICS.length], [21, 24])
  })

  it('is refused in the words that are AWS’s where AWS has some', () => {
    const message = (Value: string) => {
      try {
        resolve({ ConfigDocument: Value }, HEALTH)
        return ''
      } catch (error) {
        return (error as Error).message
      }
    }
    const option = `(Namespace: '${HEALTH}', OptionName: 'ConfigDocument')`
    const head = 'Configuration validation exception: Invalid option value:'
    assert.equal(message('{"Version":2}'), `${head} '{"Version":2}' ${option}: Version is 2. It takes: 1.`)
    const long = '{"Version":1}'.padEnd(32_001)
    assert.equal(message(long), `${head} '${long}' ${option}: Value exceeds maximum allowed length: 32000`)
  })

  it('switches rules, and says which metrics are published', () => {
    const { rules, metrics } = withDocument({
      Rules: {
        Environment: {
          Application: { ApplicationRequests4xx: { Enabled: false } },
          ELB: { ELBRequests4xx: { Enabled: true } },
        },
      },
      CloudWatchMetrics: {
        Environment: { InstancesOk: 60, 'ApplicationLatencyP99.9': 60, InstancesInfo: null },
        Instance: { RootFilesystemUtil: 60 },
      },
    })
    assert.deepEqual(rules, { application4xx: false, balancer4xx: true })
    assert.deepEqual(metrics, {
      environment: ['ApplicationLatencyP99.9', 'InstancesOk'],
      instance: ['RootFilesystemUtil'],
    })
  })
})

describe('thresholds of health', () => {
  it('are what options say, and the defaults else', () => {
    const { thresholds } = resolve({
      Application5xxWarning: '2.5',
      CPUWarning: '80',
      RequestsPerMinuteLeast: '60',
    })
    assert.deepEqual(thresholds, {
      ...DEFAULT_THRESHOLDS,
      application5xx: { Warning: 2.5, Degraded: 10, Severe: 30 },
      cpuWarning: 80,
      requestsPerMinuteLeast: 60,
    })
  })

  it('that are not given give way to those that are', () => {
    assert.deepEqual(resolve({ Application4xxWarning: '100' }).thresholds.application4xx, {
      ...{ Warning: 100, Degraded: 100, Severe: 100 },
    })
    assert.deepEqual(resolve({ Application5xxSevere: '0.5' }).thresholds.application5xx, {
      ...{ Warning: 0.5, Degraded: 0.5, Severe: 0.5 },
    })
    assert.deepEqual(resolve({ MemoryDegraded: '90' }).thresholds.memory, { Warning: 90, Degraded: 90 })
  })

  const refused: [Record<string, string>, RegExp][] = [
    [
      { Application5xxWarning: '40', Application5xxSevere: '30' },
      /'40' \(Namespace: 'polebean:healthreporting', OptionName: 'Application5xxWarning'\): Application5xxWarning is greater than Application5xxSevere$/,
    ],
    [
      { RootFilesystemWarning: '95', RootFilesystemDegraded: '94' },
      /is greater than RootFilesystemDegraded$/,
    ],
    [{ CPUWarning: '101' }, /Value exceeds maximum allowed value: 100$/],
    [{ Application4xxWarning: '0' }, /Value is less than minimum allowed value: 0\.1$/],
    [{ CPUWarning: 'high' }, /Value is not a number: high$/],
    [{ LatencyWarning: '1' }, /Unknown configuration setting\.$/],
  ]
  for (const [values, message] of refused)
    it(`are refused: ${JSON.stringify(values)}`, () => assert.throws(() => resolve(values), { message }))
})
