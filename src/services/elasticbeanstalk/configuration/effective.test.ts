import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { namespaces } from '../options/catalogue.ts'
import type { Option } from '../options/option.ts'
import { resolveConfiguration } from './resolve.ts'

/** A valid value other than the default, for options whose type does not tell one. */
const SAMPLES: Record<string, string> = {
  InstanceType: 't3.large',
  InstanceTypes: 't3.large',
  'Application Healthcheck URL': '/health',
  HealthCheckPath: '/health',
  MatcherHTTPCode: '200-399',
  WSGIPath: 'shop:app',
  ProxyServer: 'none',
  HealthCheckTimeout: '7',
}

const IMPACTS = {
  NoInterruption: { impact: 'in-place', restartsApplication: false },
  RestartApplicationServer: { impact: 'in-place', restartsApplication: true },
  RestartEnvironment: { impact: 'replace', restartsApplication: false },
  Unknown: { impact: 'in-place', restartsApplication: false },
}

const otherValue = (option: Option): string => {
  const sample = SAMPLES[option.name]
  if (sample !== undefined) return sample
  if (option.type === 'Boolean') return option.default === 'true' ? 'false' : 'true'
  assert.ok(option.number, `a sample for ${option.name}`)
  return String(Number(option.default ?? option.min) + 1)
}

describe('an option that the tables call effective', () => {
  for (const { name, options, platform = 'python' } of namespaces)
    for (const option of options) {
      if (option.effect.kind !== 'effective') continue
      // Of one value there is nothing to carry out.
      if ((option.effect.only ?? option.values ?? ['', '']).length === 1) continue
      it(`changes the configuration: ${name} ${option.name}, ${option.severity}`, () => {
        const given = [{ Namespace: name, OptionName: option.name, Value: otherValue(option) }]
        const { change } = resolveConfiguration({ platform, stored: [], given })
        assert.deepEqual(change, { ...IMPACTS[option.severity], options: [`${name}:${option.name}`] })
      })
    }
})
