import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DEFAULT_THRESHOLDS } from '../health/thresholds.ts'
import { configurationOf, resolveConfiguration, shownSettings, validateConfiguration } from './resolve.ts'
import type { ResolveInput, Setting } from './resolve.ts'

const ASG = 'aws:autoscaling:asg'
const LAUNCH = 'aws:autoscaling:launchconfiguration'
const ENV = 'aws:elasticbeanstalk:application:environment'
const COMMAND = 'aws:elasticbeanstalk:command'
const ENVIRONMENT = 'aws:elasticbeanstalk:environment'
const PROCESS = 'aws:elasticbeanstalk:environment:process:default'

const option = (Namespace: string, OptionName: string, Value?: string, ResourceName?: string) => ({
  Namespace,
  OptionName,
  ...(Value === undefined ? {} : { Value }),
  ...(ResourceName === undefined ? {} : { ResourceName }),
})

const setting = (namespace: string, optionName: string, value: string): Setting => ({
  namespace,
  optionName,
  resourceName: null,
  value,
})

const resolve = (input: Partial<ResolveInput>) =>
  resolveConfiguration({ platform: 'python', stored: null, ...input })

/** What `eb create` always sends. */
const EB_CREATE = [
  option('aws:elasticbeanstalk:healthreporting:system', 'SystemType', 'enhanced'),
  option(COMMAND, 'BatchSize', '30'),
  option(COMMAND, 'BatchSizeType', 'Percentage'),
  option('aws:elb:policies', 'ConnectionDrainingEnabled', 'true'),
  option('aws:elb:loadbalancer', 'CrossZone', 'true'),
  option('aws:autoscaling:updatepolicy:rollingupdate', 'RollingUpdateEnabled', 'true'),
  option('aws:autoscaling:updatepolicy:rollingupdate', 'RollingUpdateType', 'Health'),
  option(LAUNCH, 'IamInstanceProfile', 'aws-elasticbeanstalk-ec2-role'),
  option(ENVIRONMENT, 'ServiceRole', 'aws-elasticbeanstalk-service-role'),
  option(ENVIRONMENT, 'LoadBalancerType', 'application'),
]

describe('a configuration of nothing but defaults', () => {
  it('is what the tables say', () => {
    assert.deepEqual(resolve({}).configuration, {
      loadBalanced: true,
      minSize: 1,
      maxSize: 4,
      cooldownSeconds: 360,
      healthCheck: { type: 'EC2', graceSeconds: 0 },
      scaling: {
        ...{ by: 'trigger', measure: 'NetworkOut', statistic: 'Average', periodSeconds: 300, periods: 1 },
        ...{ upper: { threshold: 6_000_000, change: 1 }, lower: { threshold: 2_000_000, change: -1 } },
      },
      scheduledActions: [],
      instanceType: 't3.micro',
      rootVolumeGiB: 8,
      disableImdsV1: true,
      securityGroups: [],
      disableDefaultSecurityGroup: false,
      keyName: '',
      sshSource: { protocol: 'tcp', fromPort: 22, toPort: 22, source: '0.0.0.0/0' },
      loadBalancerSecurityGroups: [],
      managedSecurityGroup: '',
      env: {},
      processes: [
        {
          ...{ name: 'default', port: 80, protocol: 'HTTP' },
          healthCheck: {
            ...{ path: '/', intervalSeconds: 15, timeoutSeconds: 5, matcher: '200' },
            ...{ healthyThreshold: 3, unhealthyThreshold: 5 },
          },
          ...{ deregistrationDelaySeconds: 20, stickinessSeconds: null },
        },
      ],
      idleTimeoutSeconds: 60,
      ...{ queueSeconds: 0, errorPage: '', domains: [], accessLogs: null, listeners: [] },
      ...{ classic: null, sharedLoadBalancer: '', defaultListener: { defaultProcess: 'default', rules: [] } },
      cutOnRevoke: false,
      commandTimeoutSeconds: 600,
      ignoreHealthCheck: false,
      health: {
        ...{ system: 'enhanced', successThreshold: 'Ok', thresholds: DEFAULT_THRESHOLDS },
        rules: { application4xx: true, balancer4xx: true },
        metrics: { environment: [], instance: [] },
      },
      proxyServer: 'nginx',
      staticFiles: { '/static': 'static' },
      python: { wsgiPath: 'application', numProcesses: 1, numThreads: 15 },
      logStreaming: { enabled: false, deleteOnTerminate: false, retentionDays: 7 },
      healthStreaming: { enabled: false, deleteOnTerminate: false, retentionDays: 7 },
    })
  })

  it('has no static files of its own on Node.js', () => {
    assert.deepEqual(configurationOf('nodejs', []).staticFiles, {})
  })
})

describe('given settings', () => {
  const fields: [name: string, given: ReturnType<typeof option>[], expected: object][] = [
    ['sizes', [option(ASG, 'MinSize', '2'), option(ASG, 'MaxSize', '6')], { minSize: 2, maxSize: 6 }],
    [
      'the last of a repeated option',
      [option(ASG, 'MaxSize', '3'), option(ASG, 'MaxSize', '5')],
      { maxSize: 5 },
    ],
    ['namespaces in any case', [option('AWS:AutoScaling:Asg', 'MaxSize', '5')], { maxSize: 5 }],
    ['logical names of resources', [option(ASG, 'MaxSize', '5', 'AWSEBAutoScalingGroup')], { maxSize: 5 }],
    [
      'security groups, with blanks around them',
      [option(LAUNCH, 'SecurityGroups', 'sg-1, web,')],
      { securityGroups: ['sg-1', 'web'] },
    ],
    [
      "where SSH comes from, with blanks as in AWS's guide",
      [option(LAUNCH, 'SSHSourceRestriction', 'TCP, 22, 23, sg-1')],
      { sshSource: { protocol: 'tcp', fromPort: 22, toPort: 23, source: 'sg-1' } },
    ],
    [
      'the first of several instance types',
      [option('aws:ec2:instances', 'InstanceTypes', 't3.small, t3.large')],
      { instanceType: 't3.small' },
    ],
    ['one instance type', [option(LAUNCH, 'InstanceType', 't3.medium')], { instanceType: 't3.medium' }],
    ['a root volume', [option(LAUNCH, 'RootVolumeSize', '20')], { rootVolumeGiB: 20 }],
    ['metadata without tokens', [option(LAUNCH, 'DisableIMDSv1', 'False')], { disableImdsV1: false }],
    ['properties', [option(ENV, 'B', '2'), option(ENV, 'A', 'x = "y"')], { env: { B: '2', A: 'x = "y"' } }],
    ['a command timeout', [option(COMMAND, 'Timeout', '90')], { commandTimeoutSeconds: 90 }],
    [
      'no proxy',
      [option('aws:elasticbeanstalk:environment:proxy', 'ProxyServer', 'NONE')],
      { proxyServer: 'none' },
    ],
    ['the cut of connections', [option('polebean:firewall', 'CutOnRevoke', 'true')], { cutOnRevoke: true }],
    ['an idle timeout', [option('aws:elbv2:loadbalancer', 'IdleTimeout', '10')], { idleTimeoutSeconds: 10 }],
    ['booleans in any case', [option(COMMAND, 'IgnoreHealthCheck', 'True')], { ignoreHealthCheck: true }],
    [
      'static files',
      [option('aws:elasticbeanstalk:environment:proxy:staticfiles', '/img/', 'assets/img/')],
      { staticFiles: { '/static': 'static', '/img': 'assets/img' } },
    ],
  ]
  for (const [name, given, expected] of fields)
    it(`carry ${name}`, () => {
      const { configuration } = resolve({ given })
      assert.deepEqual({ ...configuration, ...expected }, configuration)
    })

  it('keep a property that has the name of a member of every object', () => {
    const { configuration } = resolve({ given: [option(ENV, '__proto__', 'x')] })
    assert.deepEqual(Object.entries(configuration.env), [['__proto__', 'x']])
  })

  it('take the health check from the URL, and rather from the process', () => {
    const url = option('aws:elasticbeanstalk:application', 'Application Healthcheck URL', 'HTTP:80/ping')
    assert.equal(resolve({ given: [url] }).configuration.processes[0]?.healthCheck.path, '/ping')
    const both = [url, option(PROCESS, 'HealthCheckPath', '/health')]
    assert.equal(resolve({ given: both }).configuration.processes[0]?.healthCheck.path, '/health')
  })

  it('are kept verbatim', () => {
    const { stored } = resolve({
      given: [option(COMMAND, 'IgnoreHealthCheck', 'TRUE'), option(COMMAND, 'DeploymentPolicy', 'allatonce')],
    })
    assert.deepEqual(stored, [
      setting(COMMAND, 'IgnoreHealthCheck', 'TRUE'),
      setting(COMMAND, 'DeploymentPolicy', 'allatonce'),
    ])
  })

  it('of `eb create` are taken, and those without effect are named', () => {
    const { withoutEffect, configuration } = resolve({ given: EB_CREATE })
    assert.deepEqual(
      withoutEffect.map(({ optionName }) => optionName),
      [
        'BatchSize',
        'ConnectionDrainingEnabled',
        'CrossZone',
        'RollingUpdateEnabled',
        'RollingUpdateType',
        'IamInstanceProfile',
        'ServiceRole',
      ],
    )
    assert.deepEqual(configuration, configurationOf('python', []))
  })
})

describe('precedence', () => {
  it('puts the call over the template over what is stored over the defaults', () => {
    const { configuration } = resolve({
      stored: [setting(ASG, 'MinSize', '2'), setting(ASG, 'MaxSize', '9'), setting(ASG, 'Cooldown', '30')],
      template: [setting(ASG, 'MinSize', '3'), setting(ASG, 'MaxSize', '8')],
      given: [option(ASG, 'MinSize', '4')],
    })
    const { minSize, maxSize, cooldownSeconds, commandTimeoutSeconds } = configuration
    assert.deepEqual([minSize, maxSize, cooldownSeconds, commandTimeoutSeconds], [4, 8, 30, 600])
  })

  it('lets a removed option fall back to its default, but not one that the call gives', () => {
    const stored = [setting(ENV, 'A', '1'), setting(ENV, 'B', '2'), setting(ASG, 'MaxSize', '9')]
    const remove = [
      option(ENV, 'A'),
      option('AWS:autoscaling:asg', 'MaxSize', undefined, 'AWSEBAutoScalingGroup'),
      option(ENV, 'B'),
    ]
    const { configuration, stored: kept } = resolve({ stored, remove, given: [option(ENV, 'B', '3')] })
    assert.deepEqual([configuration.env, configuration.maxSize], [{ B: '3' }, 4])
    assert.deepEqual(kept, [setting(ENV, 'B', '3')])
  })

  it('lets an instance type replace a stored list of types, and the other way round', () => {
    const stored = [setting('aws:ec2:instances', 'InstanceTypes', 't3.large')]
    assert.equal(
      resolve({ stored, given: [option(LAUNCH, 'InstanceType', 't3.small')] }).configuration.instanceType,
      't3.small',
    )
    const other = [setting(LAUNCH, 'InstanceType', 't3.large')]
    const given = [option('aws:ec2:instances', 'InstanceTypes', 't3.nano')]
    assert.equal(resolve({ stored: other, given }).configuration.instanceType, 't3.nano')
  })
})

describe('a wrong setting', () => {
  const value = (given: string, namespace: string, name: string, complaint: string) =>
    `Configuration validation exception: Invalid option value: '${given}' (Namespace: '${namespace}', OptionName: '${name}'): ${complaint}`
  const specification = (namespace: string, name: string, complaint: string) =>
    `Configuration validation exception: Invalid option specification (Namespace: '${namespace}', OptionName: '${name}'): ${complaint}`
  const NOT_YET = 'Polebean does not implement this value yet.'

  const cases: [name: string, given: ReturnType<typeof option>[], message: string][] = [
    [
      'MinSize above the default MaxSize',
      [option(ASG, 'MinSize', '6')],
      value('6', ASG, 'MinSize', 'MinSize is greater than MaxSize'),
    ],
    [
      'MaxSize below the default MinSize',
      [option(ASG, 'MaxSize', '0')],
      value('1', ASG, 'MinSize', 'MinSize is greater than MaxSize'),
    ],
    [
      'an unknown option',
      [option(ASG, 'MinSiz', '1')],
      specification(ASG, 'MinSiz', 'Unknown configuration setting.'),
    ],
    [
      'an unknown namespace',
      [option('foo:bar', 'X', '1')],
      specification('foo:bar', 'X', 'Unknown configuration setting.'),
    ],
    ['no value', [option(ASG, 'MinSize')], value('null', ASG, 'MinSize', 'Specify a value.')],
    [
      'a number that is none',
      [option(ASG, 'MinSize', 'x')],
      value('x', ASG, 'MinSize', 'Value is not a number: x'),
    ],
    [
      'a policy that is to come',
      [option(COMMAND, 'DeploymentPolicy', 'Rolling')],
      value('Rolling', COMMAND, 'DeploymentPolicy', `${NOT_YET} It takes: AllAtOnce.`),
    ],
    [
      'a network load balancer',
      [option(ENVIRONMENT, 'LoadBalancerType', 'network')],
      value('network', ENVIRONMENT, 'LoadBalancerType', `${NOT_YET} It takes: application, classic.`),
    ],
    [
      'immutable updates',
      [option('aws:autoscaling:updatepolicy:rollingupdate', 'RollingUpdateType', 'Immutable')],
      value(
        'Immutable',
        'aws:autoscaling:updatepolicy:rollingupdate',
        'RollingUpdateType',
        `${NOT_YET} It takes: Time, Health.`,
      ),
    ],
    [
      'spot instances',
      [option('aws:ec2:instances', 'EnableSpot', 'true')],
      value('true', 'aws:ec2:instances', 'EnableSpot', NOT_YET),
    ],
    [
      'a scheduled action without a name',
      [option('aws:autoscaling:scheduledaction', 'MinSize', '1')],
      specification(
        'aws:autoscaling:scheduledaction',
        'MinSize',
        'The scheduled action name cannot be blank',
      ),
    ],
    [
      'a secret',
      [option('aws:elasticbeanstalk:application:environmentsecrets', 'A', 'arn:x')],
      value('arn:x', 'aws:elasticbeanstalk:application:environmentsecrets', 'A', NOT_YET),
    ],
    [
      'a property with a blank in its name',
      [option(ENV, 'A B', '1')],
      specification(
        ENV,
        'A B',
        'The name of an environment property has 1 to 128 of the characters A-Z a-z 0-9 _ . : / + \\ - @.',
      ),
    ],
    [
      'a batch of more than 100 %',
      [option(COMMAND, 'BatchSize', '101')],
      value('101', COMMAND, 'BatchSize', 'Value exceeds maximum allowed value: 100'),
    ],
    [
      'a check that takes as long as its interval',
      [option(PROCESS, 'HealthCheckInterval', '5')],
      value('5', PROCESS, 'HealthCheckTimeout', 'Health check interval must be greater than the timeout.'),
    ],
    [
      'a health check by TCP',
      [option('aws:elasticbeanstalk:application', 'Application Healthcheck URL', 'TCP:80')],
      value(
        'TCP:80',
        'aws:elasticbeanstalk:application',
        'Application Healthcheck URL',
        `${NOT_YET} It takes a path, as in /health, or HTTP:80/health.`,
      ),
    ],
    [
      'static files outside of the bundle',
      [option('aws:elasticbeanstalk:environment:proxy:staticfiles', '/x', '../etc')],
      value(
        '../etc',
        'aws:elasticbeanstalk:environment:proxy:staticfiles',
        '/x',
        "Value does not satisfy regex: '^(?!.*\\.\\.)[A-Za-z0-9_.][A-Za-z0-9_./-]*$'",
      ),
    ],
    [
      'static files at a path that would end an nginx directive',
      [option('aws:elasticbeanstalk:environment:proxy:staticfiles', '/x;', 'static')],
      specification(
        'aws:elasticbeanstalk:environment:proxy:staticfiles',
        '/x;',
        'The URL path of static files starts with / and has only the characters A-Z a-z 0-9 . _ ~ / -.',
      ),
    ],
  ]
  for (const [name, given, message] of cases)
    it(`(${name}) is answered in AWS's words`, () => {
      assert.throws(() => resolve({ given }), {
        code: 'ConfigurationValidationException',
        httpStatus: 400,
        message,
      })
    })

  it('is one whose properties together have more than 4,096 bytes', () => {
    const given = (bytes: number) => [option(ENV, 'KEY', 'x'.repeat(bytes - 'KEY='.length))]
    assert.equal(resolve({ given: given(4096) }).stored.length, 1)
    assert.throws(
      () => resolve({ given: given(4097) }),
      /OptionName: 'EnvironmentVariables'\): .*must not exceed 4096 bytes/,
    )
    const umlauts = [option(ENV, 'KEY', 'ü'.repeat(2047))]
    assert.throws(() => resolve({ given: umlauts }), /4098 bytes/)
  })

  it('cannot change the type of a load balancer', () => {
    assert.throws(
      () => resolve({ stored: [], given: [option(ENVIRONMENT, 'LoadBalancerType', 'network')] }),
      {
        message: 'Configuration validation exception: LoadBalancer type option cannot be changed.',
      },
    )
  })
})

describe('validating without throwing', () => {
  it('answers every error without the prefix, and warnings', () => {
    const given = [
      option(ASG, 'MinSiz', '1'),
      option(COMMAND, 'Timeout', '0'),
      option(LAUNCH, 'IamInstanceProfile', 'me'),
    ]
    const findings = validateConfiguration({ platform: 'python', stored: [], given })
    assert.deepEqual(
      findings.map(({ severity, optionName, message }) => [severity, optionName, message]),
      [
        [
          'error',
          'MinSiz',
          `Invalid option specification (Namespace: '${ASG}', OptionName: 'MinSiz'): Unknown configuration setting.`,
        ],
        [
          'error',
          'Timeout',
          `Invalid option value: '0' (Namespace: '${COMMAND}', OptionName: 'Timeout'): Value is less than minimum allowed value: 1`,
        ],
        [
          'warning',
          'IamInstanceProfile',
          `This value has no effect here (Namespace: '${LAUNCH}', OptionName: 'IamInstanceProfile'): Permissions of roles are not enforced here, and instances get no AWS credentials.`,
        ],
      ],
    )
  })
})

describe('the settings that are shown', () => {
  const shown = shownSettings(
    'python',
    resolve({ given: [...EB_CREATE, option(ENV, 'Z', '1'), option(ENV, 'A', '')] }).stored,
  )

  it('are sorted by namespace and name', () => {
    const names = shown.map(({ namespace, optionName }) => `${namespace} ${optionName}`)
    assert.deepEqual(names, names.toSorted())
  })

  it('begin with the EnvironmentType in its namespace, for `eb scale`', () => {
    const first = shown.find(({ namespace }) => namespace === ENVIRONMENT)
    assert.deepEqual([first?.optionName, first?.value], ['EnvironmentType', 'LoadBalanced'])
  })

  it('have what `eb` and Terraform read', () => {
    const valueOf = (namespace: string, name: string) =>
      shown.find((each) => each.namespace === namespace && each.optionName === name)?.value
    assert.equal(valueOf(ENVIRONMENT, 'LoadBalancerIsShared'), 'false')
    assert.equal(valueOf(ENVIRONMENT, 'LoadBalancerType'), 'application')
    assert.equal(valueOf('aws:elasticbeanstalk:healthreporting:system', 'SystemType'), 'enhanced')
    assert.equal(valueOf('aws:elasticbeanstalk:cloudwatch:logs', 'StreamLogs'), 'false')
    assert.equal(valueOf(COMMAND, 'BatchSize'), '30')
    assert.equal(valueOf(ENV, 'A'), '')
    assert.equal(valueOf(LAUNCH, 'EC2KeyName'), null)
    // `eb open` would take OFF for "https only".
    assert.equal(valueOf('aws:elb:loadbalancer', 'LoadBalancerHTTPPort'), undefined)
  })

  it("show the one instance type also as the list, and the list's first as the type", () => {
    const of = (given: Setting) => {
      const all = shownSettings('python', [given])
      return ['InstanceType', 'InstanceTypes'].map(
        (name) => all.find(({ optionName }) => optionName === name)?.value,
      )
    }
    assert.deepEqual(of(setting(LAUNCH, 'InstanceType', 't3.large')), ['t3.large', 't3.large'])
    assert.deepEqual(of(setting('aws:ec2:instances', 'InstanceTypes', 't3.nano,t3.large')), [
      't3.nano',
      't3.nano,t3.large',
    ])
  })
})

describe('a change of settings', () => {
  const stored = [setting(ASG, 'MinSize', '1'), setting(ENV, 'A', '1'), setting(ENV, 'B', '2')]
  const cases: [name: string, given: ReturnType<typeof option>[], impact: string, restarts: boolean][] = [
    ['nothing', [], 'none', false],
    ['the same value', [option(ASG, 'MinSize', '01')], 'none', false],
    ['the default said aloud', [option(COMMAND, 'Timeout', '600')], 'none', false],
    ['an option without effect', [option(LAUNCH, 'IamInstanceProfile', 'x')], 'none', false],
    ['the size', [option(ASG, 'MaxSize', '9')], 'in-place', false],
    ['a health check', [option(PROCESS, 'HealthCheckPath', '/h')], 'in-place', false],
    ['a property', [option(ENV, 'A', '2')], 'in-place', true],
    ['the same properties in another order', [option(ENV, 'B', '2'), option(ENV, 'A', '1')], 'none', false],
    [
      'a platform option',
      [option('aws:elasticbeanstalk:container:python', 'NumThreads', '4')],
      'in-place',
      true,
    ],
    ['the instance type', [option(LAUNCH, 'InstanceType', 't3.large')], 'replace', false],
    ['metadata without tokens', [option(LAUNCH, 'DisableIMDSv1', 'false')], 'replace', false],
    [
      'the instance type and a property',
      [option(LAUNCH, 'InstanceType', 't3.large'), option(ENV, 'A', '2')],
      'replace',
      true,
    ],
    ['the default type as a list', [option('aws:ec2:instances', 'InstanceTypes', 't3.micro')], 'none', false],
  ]
  for (const [name, given, impact, restarts] of cases)
    it(`(${name}) has the impact ${impact}`, () => {
      const { change } = resolve({ stored, given })
      assert.deepEqual([change.impact, change.restartsApplication], [impact, restarts])
    })

  it('names the options that changed', () => {
    const { change } = resolve({
      stored,
      given: [option(ASG, 'MaxSize', '9'), option(ASG, 'MinSize', '1')],
      remove: [option(ENV, 'A')],
    })
    assert.deepEqual(change.options, [`${ASG}:MaxSize`, `${ENV}:A`])
  })
})
