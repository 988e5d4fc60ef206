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
  EC2KeyName: 'mine',
  SecurityGroups: 'sg-1, web',
  SSHSourceRestriction: 'tcp, 22, 22, 192.0.2.0/24',
  ManagedSecurityGroup: 'sg-1',
  EnvironmentType: 'SingleInstance',
}

const IMPACTS = {
  NoInterruption: { impact: 'in-place', restartsApplication: false },
  RestartApplicationServer: { impact: 'in-place', restartsApplication: true },
  RestartEnvironment: { impact: 'replace', restartsApplication: false },
  Unknown: { impact: 'in-place', restartsApplication: false },
}

/** What AWS's severity makes worse than it is: instances stay. */
const EXCEPTIONS: Record<string, typeof IMPACTS.NoInterruption> = {
  SSHSourceRestriction: IMPACTS.NoInterruption,
  EnvironmentType: IMPACTS.NoInterruption,
}

/** Settings that an option does not go without. */
const WITH: Record<string, [optionName: string, value: string]> = {
  DisableDefaultEC2SecurityGroup: ['SecurityGroups', 'sg-1'],
  StickinessLBCookieDuration: ['StickinessEnabled', 'true'],
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
        const [optionName, value] = WITH[option.name] ?? []
        const stored = optionName ? [{ namespace: name, optionName, resourceName: null, value: value! }] : []
        const { change } = resolveConfiguration({ platform, stored, given })
        const expected = EXCEPTIONS[option.name] ?? IMPACTS[option.severity]
        assert.deepEqual(change, { ...expected, options: [`${name}:${option.name}`] })
      })
    }
})
