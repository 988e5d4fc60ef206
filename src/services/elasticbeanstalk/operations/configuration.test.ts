import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { makeCatalogue } from '../../../platforms/catalogue.ts'
import { openStore, type Store } from '../../../store/store.ts'
import { inTransactions } from '../../in-transactions.ts'
import { systemContext } from '../../service.ts'
import type { DescribedSettings } from '../configuration/describe.ts'
import { configurationMigration, makeFindTemplate } from '../configuration/store.ts'
import { elasticbeanstalkMigration } from '../store.ts'
import { makeConfigurationOperations } from './configuration.ts'
import { makeTemplateOperations } from './templates.ts'

const context = systemContext('000000000000', 'us-west-2', 'request-1')
const STACK = '64bit Amazon Linux 2023 v4.0.1 running Python 3.11'
const ARN =
  'arn:aws:elasticbeanstalk:us-west-2::platform/Python 3.11 running on 64bit Amazon Linux 2023/4.0.1'
const ASG = 'aws:autoscaling:asg'
const option = (Namespace: string, OptionName: string, Value: string) => ({ Namespace, OptionName, Value })

const catalogue = makeCatalogue([
  { family: 'python', language: '3.11', program: '/usr/bin/python3', build: 'b' },
  { family: 'nodejs', language: '26', program: '/usr/bin/node', build: 'b' },
])

function service() {
  const store = openStore(':memory:', [elasticbeanstalkMigration, configurationMigration])
  let now = 1_000_000
  const clock = { now: () => (now += 1000), monotonic: () => now, sleep: async () => {} }
  const ec2 = {
    describeImages: () => ({ Images: [{ Architecture: 'x86_64' as const }] }),
    describeInstanceTypes: () => ({
      InstanceTypes: [{ InstanceType: 't3.micro' as const }, { InstanceType: 't3.small' as const }],
    }),
  }
  const cloud = {
    ec2: {
      ...ec2,
      describeSecurityGroups: () => ({}),
      describeKeyPairs: () => ({}),
      describeVpcs: () => ({ Vpcs: [{ VpcId: 'vpc-1' }] }),
    },
    s3: { hasBucket: () => false },
    elasticloadbalancingv2: {
      describeSSLPolicies: () => ({}),
      describeLoadBalancers: () => ({}),
      describeListeners: () => ({}),
    },
    acm: { certificatePem: () => undefined },
    iam: { certificatePem: () => undefined },
  }
  const parts = { store, clock, cloud, catalogue }
  const scope = { account: context.account, region: context.region }
  store.insert('application', { ...scope, name: 'shop', lifecycle: '{}', createdAt: 1, updatedAt: 1 })
  return {
    store,
    ...inTransactions(store, { ...makeConfigurationOperations(parts), ...makeTemplateOperations(parts) }),
  }
}

function addEnvironment(store: Store, set: object = {}) {
  store.insert('environment', {
    id: 'e-abcdefghij',
    account: context.account,
    region: context.region,
    name: 'shop-prod',
    applicationName: 'shop',
    cnamePrefix: 'shop',
    tier: { Name: 'WebServer', Type: 'Standard', Version: '1.0' },
    solutionStackName: STACK,
    platformArn: ARN,
    settings: [{ namespace: ASG, optionName: 'MinSize', resourceName: null, value: '02' }],
    status: 'Ready',
    health: 'Green',
    healthStatus: 'Ok',
    causes: '[]',
    refreshedAt: 1,
    statusSince: 1,
    abortable: 0,
    deploymentId: 1,
    targetDeploymentId: 1,
    expectedDeploymentId: 1,
    resources: '{}',
    requestId: 'r',
    createdAt: 1000,
    updatedAt: 2000,
    ...set,
  })
}

const create = (more: object = {}) => ({
  ApplicationName: 'shop',
  TemplateName: 'small',
  SolutionStackName: STACK,
  ...more,
})
const valueIn = (described: DescribedSettings | undefined, name: string) =>
  described?.OptionSettings?.find(({ OptionName }) => OptionName === name)?.Value

describe('DescribeConfigurationSettings', () => {
  const asked = { ApplicationName: 'shop', EnvironmentName: 'shop-prod' }

  it('shows what runs, with tier, platform and values verbatim', () => {
    const { store, describeConfigurationSettings } = service()
    addEnvironment(store)
    const [settings, ...others]: DescribedSettings[] =
      describeConfigurationSettings(context, asked).ConfigurationSettings ?? []
    assert.equal(others.length, 0)
    assert.deepEqual(settings?.Tier, { Name: 'WebServer', Type: 'Standard', Version: '1.0' })
    assert.deepEqual(
      [settings?.PlatformArn, settings?.SolutionStackName, settings?.DeploymentStatus],
      [ARN, STACK, 'deployed'],
    )
    assert.deepEqual([valueIn(settings, 'MinSize'), valueIn(settings, 'MaxSize')], ['02', '4'])
    const size = settings?.OptionSettings?.find(({ OptionName }) => OptionName === 'MaxSize')
    assert.equal(size?.ResourceName, 'AWSEBAutoScalingGroup')
  })

  it('shows what an update is bringing as a second configuration, and pending while the first is made', () => {
    const { store, describeConfigurationSettings } = service()
    const draft = [{ namespace: ASG, optionName: 'MinSize', resourceName: null, value: '3' }]
    addEnvironment(store, { draft, draftState: 'pending', draftAt: 5000, expectedDeploymentId: null })
    const described = describeConfigurationSettings(context, asked).ConfigurationSettings ?? []
    assert.deepEqual(
      described.map((each) => each.DeploymentStatus),
      ['pending', 'pending'],
    )
    assert.deepEqual(
      described.map((each) => valueIn(each, 'MinSize')),
      ['02', '3'],
    )
  })

  it('wants one of environment and template, and one that exists', () => {
    const { describeConfigurationSettings: ask } = service()
    assert.throws(() => ask(context, { ApplicationName: 'shop' }), { code: 'MissingRequiredParameter' })
    assert.throws(() => ask(context, { ...asked, TemplateName: 'x' }), {
      code: 'InvalidParameterCombination',
    })
    assert.throws(() => ask(context, asked), {
      message: "No Environment found for EnvironmentName = 'shop-prod'.",
    })
    assert.throws(() => ask(context, { ApplicationName: 'no', EnvironmentName: 'x' }), {
      message: "No Application named 'no' found.",
    })
    assert.throws(() => ask(context, { ApplicationName: 'shop', TemplateName: 'x' }), {
      code: 'InvalidParameterValue',
      message: "No Configuration Template named 'shop/x' found.",
    })
  })
})

describe('DescribeConfigurationOptions', () => {
  it('describes the options of a platform', () => {
    const { describeConfigurationOptions } = service()
    const { Options = [], PlatformArn } = describeConfigurationOptions(context, { SolutionStackName: STACK })
    assert.equal(PlatformArn, ARN)
    assert.deepEqual(
      Options.find(({ Name }) => Name === 'MinSize'),
      {
        Namespace: ASG,
        Name: 'MinSize',
        DefaultValue: '1',
        ChangeSeverity: 'NoInterruption',
        UserDefined: false,
        ValueType: 'Scalar',
        MinValue: 0,
        MaxValue: 10000,
      },
    )
    assert.ok(Options.some(({ Name }) => Name === 'WSGIPath'))
    // The AWS CLI reads these as whole numbers and fails on others.
    for (const { MinValue = 0, MaxValue = 0 } of Options)
      assert.ok(Number.isInteger(MinValue) && Number.isInteger(MaxValue))
    const node = describeConfigurationOptions(context, {
      SolutionStackName: '64bit Amazon Linux 2023 v6.5.0 running Node.js 26',
    })
    assert.ok(!node.Options?.some(({ Name }) => Name === 'WSGIPath'))
  })

  it("answers only those that are asked for, and marks properties as the user's", () => {
    const { store, describeConfigurationOptions } = service()
    const namespace = 'aws:elasticbeanstalk:application:environment'
    addEnvironment(store, { settings: [{ namespace, optionName: 'A', resourceName: null, value: '1' }] })
    const Options = [{ Namespace: namespace.toUpperCase() }, { Namespace: ASG, OptionName: 'MaxSize' }]
    const asked = { ApplicationName: 'shop', EnvironmentName: 'shop-prod', Options }
    const found = describeConfigurationOptions(context, asked).Options ?? []
    assert.deepEqual(
      found.map(({ Name, UserDefined }) => [Name, UserDefined]),
      [
        ['MaxSize', false],
        ['A', true],
      ],
    )
  })
})

describe('ValidateConfigurationSettings', () => {
  it('merges with what the environment has, and answers errors and warnings', () => {
    const { store, validateConfigurationSettings } = service()
    addEnvironment(store)
    const check = (...OptionSettings: object[]) =>
      validateConfigurationSettings(context, {
        ApplicationName: 'shop',
        EnvironmentName: 'shop-prod',
        OptionSettings,
      }).Messages
    assert.deepEqual(check(), [])
    const message = `Invalid option value: '2' (Namespace: '${ASG}', OptionName: 'MinSize'): MinSize is greater than MaxSize`
    assert.deepEqual(check(option(ASG, 'MaxSize', '1')), [
      { Severity: 'error', Namespace: ASG, OptionName: 'MinSize', Message: message },
    ])
    const launch = 'aws:autoscaling:launchconfiguration'
    assert.equal(check(option(launch, 'IamInstanceProfile', 'k'))?.[0]?.Severity, 'warning')
    assert.equal(check(option(launch, 'InstanceType', 'x9.huge'))?.[0]?.Severity, 'error')
  })
})

describe('configuration templates', () => {
  it('are created, described, updated and deleted', () => {
    const { store, createConfigurationTemplate, describeConfigurationSettings, ...rest } = service()
    const named = { ApplicationName: 'shop', TemplateName: 'small' }
    const made = createConfigurationTemplate(
      context,
      create({ OptionSettings: [option(ASG, 'MaxSize', '2')], Description: 'd' }),
    )
    assert.deepEqual([made.TemplateName, made.SolutionStackName, made.Description], ['small', STACK, 'd'])
    rest.updateConfigurationTemplate(context, {
      ...named,
      OptionSettings: [{ ...option(ASG, 'MinSize', '2'), ResourceName: 'AWSEBAutoScalingGroup' }],
      OptionsToRemove: [{ Namespace: ASG, OptionName: 'MaxSize', ResourceName: 'AWSEBAutoScalingGroup' }],
    })
    const [described] = describeConfigurationSettings(context, named).ConfigurationSettings ?? []
    assert.deepEqual(
      [valueIn(described, 'MinSize'), valueIn(described, 'MaxSize'), described?.Description],
      ['2', '4', 'd'],
    )
    assert.equal(makeFindTemplate(store)(context, 'shop', 'small')?.settings[0]?.value, '2')
    rest.deleteConfigurationTemplate(context, named)
    assert.throws(() => rest.deleteConfigurationTemplate(context, named), {
      message: "No Configuration Template named 'shop/small' found.",
    })
  })

  it('take their start from a platform, a template or an environment', () => {
    const { store, createConfigurationTemplate: make } = service()
    addEnvironment(store)
    const first = make(context, { ApplicationName: 'shop', TemplateName: 'a', EnvironmentId: 'e-abcdefghij' })
    assert.deepEqual([first.SolutionStackName, valueIn(first, 'MinSize')], [STACK, '02'])
    const SourceConfiguration = { ApplicationName: 'shop', TemplateName: 'a' }
    const second = make(context, {
      ApplicationName: 'shop',
      TemplateName: 'b',
      SourceConfiguration,
      OptionSettings: [option(ASG, 'MaxSize', '3')],
    })
    assert.deepEqual([valueIn(second, 'MinSize'), valueIn(second, 'MaxSize')], ['02', '3'])
    const saved = {
      ApplicationName: 'shop',
      TemplateName: 'c',
      TemplateSpecification: { TemplateSource: { EnvironmentName: 'shop-prod' } },
    }
    assert.equal(valueIn(make(context, saved), 'MinSize'), '02')
  })

  it("are refused in AWS's words", () => {
    const { createConfigurationTemplate: make } = service()
    make(context, create())
    const cases: [input: object, code: string, message: RegExp][] = [
      [{}, 'InvalidParameterValue', /^Configuration Template small already exists\.$/],
      [{ ApplicationName: 'no' }, 'InvalidParameterValue', /^No Application named 'no' found\.$/],
      [
        { TemplateName: 'x', SolutionStackName: undefined },
        'InvalidParameterValue',
        /^You must specify either SolutionStackName or SourceConfiguration or EnvironmentId$/,
      ],
      [
        { TemplateName: 'x', PlatformArn: ARN },
        'InvalidParameterCombination',
        /^You cannot specify both solution stack and platform as modifiers$/,
      ],
      [
        { TemplateName: 'x', SolutionStackName: 'nope' },
        'InvalidParameterValue',
        /^No Solution Stack named 'nope' found\.$/,
      ],
      [{ TemplateName: 'x'.repeat(101) }, 'ValidationError', /less than or equal to 100/],
      [{ TemplateName: 'a/b' }, 'InvalidParameterValue', /must not contain/],
      [
        { TemplateName: 'x', OptionSettings: [option(ASG, 'MinSize', '6')] },
        'ConfigurationValidationException',
        /MinSize is greater than MaxSize/,
      ],
      [
        { TemplateName: 'x', SourceConfiguration: { TemplateName: 'gone' } },
        'InvalidParameterValue',
        /'shop\/gone'/,
      ],
    ]
    for (const [more, code, message] of cases)
      assert.throws(() => make(context, create(more)), { code, message })
  })

  it('go with their application', () => {
    const { store, createConfigurationTemplate } = service()
    createConfigurationTemplate(context, create())
    store.remove('application', { name: 'shop' })
    assert.deepEqual(store.all('select * from configuration_template'), [])
  })

  it('are at most 2,000', () => {
    const { store, createConfigurationTemplate } = service()
    const row = {
      account: context.account,
      region: context.region,
      applicationName: 'shop',
      solutionStackName: STACK,
      platformArn: ARN,
      settings: '[]',
      createdAt: 1,
      updatedAt: 1,
    }
    store.transaction(() => {
      for (let count = 0; count < 2000; count++)
        store.insert('configuration_template', { ...row, templateName: `t${count}` })
    })
    assert.throws(() => createConfigurationTemplate(context, create()), {
      code: 'TooManyConfigurationTemplatesException',
    })
  })
})

describe('DeleteEnvironmentConfiguration', () => {
  const asked = { ApplicationName: 'shop', EnvironmentName: 'shop-prod' }

  it('forgets a draft that failed', () => {
    const { store, deleteEnvironmentConfiguration } = service()
    addEnvironment(store, { draft: [], draftState: 'failed', draftAt: 1 })
    deleteEnvironmentConfiguration(context, asked)
    deleteEnvironmentConfiguration(context, asked)
    assert.deepEqual(store.get('select draft, draft_state, draft_at from environment'), {
      draft: null,
      draftState: null,
      draftAt: null,
    })
  })

  it('leaves a draft alone that is being brought', () => {
    const { store, deleteEnvironmentConfiguration } = service()
    addEnvironment(store, { draft: [], draftState: 'pending', draftAt: 1, status: 'Updating' })
    assert.throws(() => deleteEnvironmentConfiguration(context, asked), {
      message: 'Environment named shop-prod is in an invalid state for this operation. Must be Ready.',
    })
  })
})
