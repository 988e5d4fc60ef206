import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { findOption, namespaces } from './catalogue.ts'
import { checkValue, isDefault, normalised } from './check-value.ts'
import type { Option } from './option.ts'

const every = namespaces.flatMap((namespace) => namespace.options.map((option) => ({ namespace, option })))

const found = (namespace: string, name: string): Option => {
  const option = findOption('python', namespace, name)?.option
  assert.ok(option, `${namespace} ${name}`)
  return option
}

describe('the tables of options', () => {
  it('have defaults that pass their own rules', () => {
    for (const { namespace, option } of every) {
      if (option.default === undefined || option.default === '') continue
      const complaint = checkValue({ ...option, default: undefined } as Option, option.default)
      assert.equal(complaint, undefined, `${namespace.name} ${option.name} = ${option.default}`)
    }
  })

  it('allow each default under their own effect', () => {
    for (const { namespace, option } of every) {
      if (
        option.effect.kind === 'refused' ||
        option.effect.only === undefined ||
        option.default === undefined
      )
        continue
      const allowed = option.effect.only.map((value) => normalised(option, value))
      assert.ok(allowed.includes(normalised(option, option.default)), `${namespace.name} ${option.name}`)
    }
  })

  it('name each namespace and each option once', () => {
    const names = namespaces.map(({ name, named = '', platform = '' }) => `${name} ${named} ${platform}`)
    assert.deepEqual(names, [...new Set(names)])
    for (const { name, options } of namespaces) {
      const optionNames = options.map((option) => option.name)
      assert.deepEqual(optionNames, [...new Set(optionNames)], name)
    }
  })

  it('give a reason of one sentence for everything that is accepted without effect', () => {
    for (const { namespace, option } of every) {
      if (option.effect.kind !== 'accepted') continue
      assert.match(option.effect.reason, /^[A-Z].*\.$/, `${namespace.name} ${option.name}`)
    }
  })

  it('have a valid pattern wherever they have one', () => {
    for (const { option } of every) if (option.regex !== undefined) new RegExp(option.regex, 'u')
  })
})

describe('finding an option', () => {
  const cases: [platform: string, namespace: string, name: string, result: string | undefined][] = [
    ['python', 'aws:autoscaling:asg', 'MinSize', 'aws:autoscaling:asg'],
    ['python', 'AWS:AutoScaling:ASG', 'MinSize', 'aws:autoscaling:asg'],
    ['python', 'aws:autoscaling:asg', 'minsize', undefined],
    ['python', 'aws:autoscaling:asg', 'MinSiz', undefined],
    ['python', 'foo:bar', 'X', undefined],
    ['python', 'aws:elbv2:listener:443', 'Protocol', 'aws:elbv2:listener:443'],
    ['python', 'aws:elbv2:listener:https', 'Protocol', undefined],
    [
      'python',
      'aws:elasticbeanstalk:environment:process:default',
      'Port',
      'aws:elasticbeanstalk:environment:process:default',
    ],
    [
      'python',
      'aws:elasticbeanstalk:environment:process:Api',
      'Port',
      'aws:elasticbeanstalk:environment:process:Api',
    ],
    ['python', 'aws:elasticbeanstalk:container:python', 'WSGIPath', 'aws:elasticbeanstalk:container:python'],
    ['nodejs', 'aws:elasticbeanstalk:container:python', 'WSGIPath', undefined],
    ['python', 'aws:elasticbeanstalk:container:nodejs:staticfiles', '/public', undefined],
    [
      'python',
      'aws:elasticbeanstalk:application:environment',
      'constructor',
      'aws:elasticbeanstalk:application:environment',
    ],
    ['python', 'aws:elasticbeanstalk:eks', 'memory', undefined],
  ]
  for (const [platform, namespace, name, result] of cases)
    it(`${result ? 'finds' : 'does not know'} ${namespace} ${name} on ${platform}`, () => {
      assert.equal(findOption(platform, namespace, name)?.namespaceName, result)
    })
})

describe('checking one value', () => {
  // The texts marked so in the reference are recorded rejections of AWS.
  const cases: [namespace: string, name: string, value: string, complaint: string | undefined][] = [
    ['aws:autoscaling:asg', 'MinSize', '0', undefined],
    ['aws:autoscaling:asg', 'MinSize', '10000', undefined],
    ['aws:autoscaling:asg', 'MinSize', '10001', 'Value exceeds maximum allowed value: 10000'],
    ['aws:autoscaling:asg', 'MinSize', '-1', 'Value is less than minimum allowed value: 0'],
    ['aws:autoscaling:asg', 'MinSize', 'two', 'Value is not a number: two'],
    ['aws:autoscaling:asg', 'MinSize', '', 'Value is not a number: '],
    ['aws:autoscaling:asg', 'MinSize', '1e3', 'Value is not a number: 1e3'],
    ['aws:autoscaling:asg', 'Cooldown', '10001', 'Value exceeds maximum allowed value: 10000'],
    ['aws:elasticbeanstalk:command', 'Timeout', '0', 'Value is less than minimum allowed value: 1'],
    ['aws:elasticbeanstalk:command', 'Timeout', '3600', undefined],
    ['aws:elasticbeanstalk:command', 'Timeout', '3601', 'Value exceeds maximum allowed value: 3600'],
    ['aws:elasticbeanstalk:command', 'IgnoreHealthCheck', 'yes', 'Not a Boolean: yes'],
    ['aws:elasticbeanstalk:command', 'IgnoreHealthCheck', 'TRUE', undefined],
    ['aws:elasticbeanstalk:command', 'DeploymentPolicy', 'rolling', undefined],
    [
      'aws:elasticbeanstalk:xray',
      'XRayEnabled',
      'yes',
      'Value is not one of the allowed values: [true, false]',
    ],
    [
      'aws:autoscaling:launchconfiguration',
      'RootVolumeSize',
      '7',
      'Value is less than minimum allowed value: 8',
    ],
    ['aws:autoscaling:launchconfiguration', 'RootVolumeType', 'gp3', undefined],
    [
      'aws:autoscaling:launchconfiguration',
      'RootVolumeType',
      'GP2',
      "'GP2' is not a valid volume type. Must be 'standard', 'gp2' or 'io1'.",
    ],
    ['aws:autoscaling:launchconfiguration', 'MonitoringInterval', '7 minute', undefined],
    [
      'aws:autoscaling:launchconfiguration',
      'InstanceType',
      'large',
      "Value does not satisfy regex: '^[a-z][a-z0-9-]*\\.[a-z0-9-]+$'",
    ],
    ['aws:ec2:instances', 'InstanceTypes', 't3.micro, t3.small', undefined],
    [
      'aws:ec2:instances',
      'InstanceTypes',
      't3.micro,t3.micro',
      'Specify a comma-separated list of 1 to 40 unique instance types',
    ],
    [
      'aws:ec2:instances',
      'InstanceTypes',
      ' , ',
      'Specify a comma-separated list of 1 to 40 unique instance types',
    ],
    ['aws:elb:listener', 'InstanceProtocol', 'http', 'Unsupported instance protocol: http'],
    [
      'aws:elasticbeanstalk:environment:proxy',
      'ProxyServer',
      'caddy',
      'Value is not one of the allowed values: [nginx, apache, none]',
    ],
    [
      'aws:elasticbeanstalk:environment:process:default',
      'HealthCheckPath',
      'health',
      "Value does not satisfy regex: '^/[!-~]*$'",
    ],
    [
      'aws:elasticbeanstalk:environment:process:default',
      'HealthCheckPath',
      '/a\nb',
      "Value does not satisfy regex: '^/[!-~]*$'",
    ],
    ['aws:elasticbeanstalk:environment:process:default', 'MatcherHTTPCode', '200-399', undefined],
    [
      'aws:elasticbeanstalk:cloudwatch:logs',
      'RetentionInDays',
      '8',
      'Value is not one of the allowed values: [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653]',
    ],
    ['aws:elasticbeanstalk:managedactions', 'PreferredStartTime', 'tue:09:00', undefined],
    [
      'aws:elasticbeanstalk:managedactions',
      'PreferredStartTime',
      'Tue:9:00x',
      "Value does not satisfy regex: '^([Ss][Uu][Nn]|[Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]):([01]\\d|2[0-3]):[0-5]\\d$'",
    ],
    ['aws:elasticbeanstalk:healthreporting:system', 'ConfigDocument', '{', 'Value is not valid JSON.'],
    [
      'aws:elasticbeanstalk:healthreporting:system',
      'SystemType',
      'none',
      'Value is not one of the allowed values: [basic, enhanced]',
    ],
    ['aws:autoscaling:launchconfiguration', 'SecurityGroups', 'sg-1,sg-2', undefined],
  ]
  for (const [namespace, name, value, complaint] of cases)
    it(`answers ${complaint ?? 'nothing'} for ${name}=${JSON.stringify(value)}`, () => {
      assert.equal(checkValue(found(namespace, name), value), complaint)
    })

  it('takes a value of other spelling but the same meaning for the default', () => {
    assert.ok(isDefault(found('aws:elasticbeanstalk:command', 'DeploymentPolicy'), 'allatonce'))
    assert.ok(isDefault(found('aws:autoscaling:asg', 'MinSize'), '01'))
    const document = found('aws:elasticbeanstalk:healthreporting:system', 'ConfigDocument')
    assert.ok(isDefault(document, JSON.stringify(JSON.parse(document.default ?? ''), null, 2)))
  })
})
