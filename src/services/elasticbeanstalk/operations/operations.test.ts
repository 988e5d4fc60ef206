import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { DeclaredError } from '../../../kernel/errors.ts'
import { BUCKET, STACK, makeBench, type Bench } from '../test-bench.ts'

let bench: Bench
beforeEach(() => {
  bench = makeBench()
})
afterEach(() => bench.end())

const refuses = (call: () => unknown, message: string, code = 'InvalidParameterValue') =>
  assert.throws(call, { code, message })

describe('errors in the words of AWS', () => {
  it('name what exists already', () => {
    bench.version('v1')
    bench.create()
    refuses(
      () => bench.api.createApplication(bench.context(), { ApplicationName: 'shop' }),
      'Application shop already exists.',
    )
    refuses(() => bench.version('v1'), 'Application Version v1 already exists.')
    refuses(() => bench.create({ CNAMEPrefix: 'other' }), 'Environment shop-prod already exists.')
    refuses(
      () => bench.create({ EnvironmentName: 'other', CNAMEPrefix: 'SHOP' }),
      'DNS name (shop.us-west-2.elasticbeanstalk.localhost) is not available.',
    )
  })

  it('name how many environments there may be', () => {
    bench.version('v1')
    bench.create()
    bench.hooks.environmentsMax = 1
    refuses(
      () => bench.create({ EnvironmentName: 'other', CNAMEPrefix: 'other' }),
      'You cannot have more than 1 Environments. Either remove some Environments or request a limit increase.',
      'TooManyEnvironmentsException',
    )
    bench.hooks.environmentsMax = 2
    bench.create({ EnvironmentName: 'other', CNAMEPrefix: 'other' })
  })

  it('name what does not exist', () => {
    refuses(() => bench.create(), "No Application named 'shop' found.")
    bench.version('v1')
    refuses(() => bench.create({ VersionLabel: 'v9' }), "No Application Version named 'v9' found.")
    const old = '64bit Amazon Linux 2018.03 v2.0.0 running Python 2.7'
    refuses(() => bench.create({ SolutionStackName: old }), `No Solution Stack named '${old}' found.`)
    const arn = 'arn:aws:elasticbeanstalk:us-west-2::platform/COBOL running on 64bit Amazon Linux 2023/1.0.0'
    refuses(
      () => bench.create({ SolutionStackName: undefined, PlatformArn: arn }),
      `No Platform named '${arn}' found.`,
    )
    refuses(
      () => bench.create({ SolutionStackName: undefined }),
      'Unable to determine base for template pack (no solution stack)',
    )
    refuses(
      () => bench.create({ SolutionStackName: undefined, TemplateName: 'mine' }),
      "No Configuration Template named 'shop/mine' found.",
    )
    refuses(
      () => bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'none' }),
      "No Environment found for EnvironmentName = 'none'.",
    )
    refuses(
      () => bench.api.terminateEnvironment(bench.context(), { EnvironmentId: 'e-0123456789' }),
      "No Environment found for EnvironmentId = 'e-0123456789'.",
    )
    refuses(
      () =>
        bench.api.deleteApplicationVersion(bench.context(), { ApplicationName: 'shop', VersionLabel: 'v9' }),
      "No Application Version named 'v9' found.",
    )
    refuses(
      () =>
        bench.api.createApplicationVersion(bench.context(), { ApplicationName: 'none', VersionLabel: 'v1' }),
      "No Application named 'none' found.",
    )
    refuses(
      () =>
        bench.api.createApplicationVersion(bench.context(), {
          ApplicationName: 'shop',
          VersionLabel: 'v2',
          SourceBundle: { S3Bucket: BUCKET, S3Key: 'none.zip' },
        }),
      `Unable to download from S3 location (Bucket: ${BUCKET}  Key: none.zip). Reason: Not Found`,
      'InvalidParameterCombination',
    )
  })

  it('check names and lengths', () => {
    bench.version('v1')
    refuses(
      () => bench.create({ EnvironmentName: 'dev' }),
      "1 validation error detected: Value 'dev' at 'environmentName' failed to satisfy constraint: Member must have length greater than or equal to 4",
      'ValidationError',
    )
    const long = 'a'.repeat(41)
    refuses(
      () => bench.create({ EnvironmentName: long }),
      `1 validation error detected: Value '${long}' at 'environmentName' failed to satisfy constraint: Member must have length less than or equal to 40`,
      'ValidationError',
    )
    refuses(
      () => bench.create({ EnvironmentName: 'shop_prod' }),
      "Value shop_prod at 'EnvironmentName' failed to satisfy constraint: Member must contain only letters, digits, and the dash character and may not start or end with a dash",
    )
    assert.throws(() => bench.create({ CNAMEPrefix: 'a.b.c.d' }), { code: 'InvalidParameterValue' })
    assert.throws(() => bench.api.createApplication(bench.context(), { ApplicationName: 'a/b' }), {
      code: 'InvalidParameterValue',
    })
    assert.throws(() => bench.api.createApplication(bench.context(), { ApplicationName: undefined }), {
      code: 'ValidationError',
    })
    assert.throws(() => bench.api.describeEvents(bench.context(), { MaxRecords: 1001 }), {
      code: 'ValidationError',
    })
    refuses(
      () => bench.api.describeEvents(bench.context(), { MaxRecords: 2.5 }),
      "'2.5' at 'maxRecords' is not an integer",
      'MalformedInput',
    )
  })

  it('come from the settings, and leave nothing behind', () => {
    bench.version('v1')
    refuses(
      () =>
        bench.create({
          OptionSettings: [{ Namespace: 'aws:autoscaling:asg', OptionName: 'Sizes', Value: '1' }],
        }),
      "Configuration validation exception: Invalid option specification (Namespace: 'aws:autoscaling:asg', OptionName: 'Sizes'): Unknown configuration setting.",
      'ConfigurationValidationException',
    )
    assert.equal(bench.environment(), undefined)
    assert.deepEqual(bench.events(), [])
  })

  it('refuse what is not there yet, by name', () => {
    bench.version('v1')
    assert.throws(
      () => bench.create({ Tier: { Name: 'Worker', Type: 'SQS/HTTP' } }),
      /Worker is not implemented/,
    )
    assert.throws(
      () => bench.create({ VersionLabel: undefined }),
      /without VersionLabel .* is not implemented/,
    )
    assert.throws(
      () =>
        bench.api.updateApplicationResourceLifecycle(bench.context(), {
          ApplicationName: 'shop',
          ResourceLifecycleConfig: {
            VersionLifecycleConfig: { MaxCountRule: { Enabled: true, MaxCount: 5 } },
          },
        }),
      /lifecycle rule is not implemented/,
    )
  })
})

describe('applications', () => {
  it('are created, changed, described and deleted, with events that carry the request', () => {
    const context = bench.context()
    const { Application } = bench.api.createApplication(context, {
      ApplicationName: 'shop',
      Description: 'sells',
      Tags: [{ Key: 'team', Value: 'a' }],
    })
    assert.equal(
      Application?.ApplicationArn,
      'arn:aws:elasticbeanstalk:us-west-2:000000000000:application/shop',
    )
    assert.deepEqual(bench.texts({ EnvironmentName: undefined, RequestId: context.requestId }), [
      'INFO createApplication is starting.',
      'INFO Created new Application: shop',
      'INFO createApplication completed successfully.',
    ])
    bench.api.updateApplication(bench.context(), { ApplicationName: 'shop', Description: '' })
    const [shown] =
      bench.api.describeApplications(bench.context(), { ApplicationNames: ['shop'] }).Applications ?? []
    assert.deepEqual(
      [shown?.Description, shown?.Versions, shown?.ConfigurationTemplates],
      [undefined, [], []],
    )
    bench.api.deleteApplication(bench.context(), { ApplicationName: 'shop' })
    assert.deepEqual(bench.api.describeApplications(bench.context(), {}).Applications, [])
    assert.equal(
      bench.texts({ EnvironmentName: undefined }).at(-1),
      'INFO The application has been deleted successfully.',
    )
  })

  it('accept disabled lifecycle rules without a role, as Terraform sends them', () => {
    bench.version('v1')
    const rules = { MaxCountRule: { Enabled: false }, MaxAgeRule: { Enabled: false } }
    const answer = bench.api.updateApplicationResourceLifecycle(bench.context(), {
      ApplicationName: 'shop',
      ResourceLifecycleConfig: { VersionLifecycleConfig: rules },
    })
    assert.deepEqual(answer.ResourceLifecycleConfig?.VersionLifecycleConfig, rules)
  })
})

describe('application versions', () => {
  it('are processed when they are asked to be, and say so', async () => {
    bench.world.objects.set(`${BUCKET}/a.zip`, { id: 'body', bytes: 1, sha256Hex: 'a'.repeat(64) })
    const context = bench.context()
    const answer = bench.api.createApplicationVersion(context, {
      ApplicationName: 'shop',
      VersionLabel: 'v1',
      AutoCreateApplication: true,
      Process: true,
      SourceBundle: { S3Bucket: BUCKET, S3Key: 'a.zip' },
    })
    assert.equal(answer.ApplicationVersion?.Status, 'PROCESSING')
    const status = () =>
      bench.api.describeApplicationVersions(bench.context(), { VersionLabels: ['v1'] })
        .ApplicationVersions?.[0]?.Status
    await bench.clock.runUntil(() => String(status()) === 'PROCESSED', 10_000)
    assert.deepEqual(bench.texts({ EnvironmentName: undefined, RequestId: context.requestId }), [
      'INFO Created new Application: shop',
      'INFO createApplicationVersion is starting.',
      'INFO Created new Application Version: v1',
      'INFO Finished processing application version v1. Version status: PROCESSED.',
    ])
  })

  it('stay UNPROCESSED otherwise, page by page, newest first', async () => {
    for (const label of ['v1', 'v2', 'v3']) {
      bench.version(label)
      await bench.clock.run(1_000)
    }
    const first = bench.api.describeApplicationVersions(bench.context(), { MaxRecords: 2 })
    assert.deepEqual(
      first.ApplicationVersions?.map(({ VersionLabel, Status }) => `${VersionLabel} ${Status}`),
      ['v3 UNPROCESSED', 'v2 UNPROCESSED'],
    )
    const second = bench.api.describeApplicationVersions(bench.context(), {
      MaxRecords: 2,
      NextToken: first.NextToken,
    })
    assert.deepEqual(
      [second.ApplicationVersions?.map(({ VersionLabel }) => VersionLabel), second.NextToken],
      [['v1'], undefined],
    )
  })

  it('are paged by what was shown, whatever comes or goes meanwhile', async () => {
    for (const label of ['v1', 'v2', 'v3', 'v4']) {
      bench.version(label)
      await bench.clock.run(1_000)
    }
    const page = (NextToken?: string) =>
      bench.api.describeApplicationVersions(bench.context(), { MaxRecords: 2, NextToken })
    const first = page()
    bench.version('v5')
    bench.api.deleteApplicationVersion(bench.context(), { ApplicationName: 'shop', VersionLabel: 'v3' })
    assert.deepEqual(
      [...first.ApplicationVersions!, ...page(first.NextToken).ApplicationVersions!].map(
        ({ VersionLabel }) => VersionLabel,
      ),
      ['v4', 'v3', 'v2', 'v1'],
    )
    refuses(() => page('b3V0'), 'The specified NextToken is invalid.')
  })

  it('are deleted when their bundle has gone already, and kept when it cannot be deleted', () => {
    const remove = () =>
      bench.api.deleteApplicationVersion(bench.context(), {
        ApplicationName: 'shop',
        VersionLabel: 'v1',
        DeleteSourceBundle: true,
      })
    const fail = (code: string) => {
      bench.world.objects.delete = () => {
        throw new DeclaredError(code, 'It is so.')
      }
    }
    bench.version('v1')
    fail('AccessDenied')
    refuses(
      remove,
      'Unable to delete the source bundle: It is so. (AccessDenied)',
      'SourceBundleDeletionFailure',
    )
    assert.equal(
      bench.api.describeApplicationVersions(bench.context(), {}).ApplicationVersions?.length,
      1,
      'it is still there',
    )
    fail('NoSuchBucket')
    remove()
    assert.deepEqual(bench.api.describeApplicationVersions(bench.context(), {}).ApplicationVersions, [])
  })

  it('cannot be deleted while they are deployed, and take their bundle along when told so', async () => {
    bench.version('v1')
    bench.version('v2')
    bench.create()
    const remove = (VersionLabel: string) =>
      bench.api.deleteApplicationVersion(bench.context(), {
        ApplicationName: 'shop',
        VersionLabel,
        DeleteSourceBundle: true,
      })
    refuses(
      () => remove('v1'),
      'Unable to delete application version: It is currently deployed.',
      'OperationInProgressFailure',
    )
    remove('v2')
    assert.deepEqual([...bench.world.objects.keys()], [`${BUCKET}/v1.zip`])
  })
})

describe('events', () => {
  it('come newest first, filtered, in pages, with stamps that strictly increase', async () => {
    bench.version('v1')
    bench.create()
    await bench.until('Ready')
    const all = bench.api.describeEvents(bench.context(), {}).Events ?? []
    const stamps = all.map(({ EventDate }) => EventDate?.getTime() ?? 0)
    assert.ok(stamps.every((stamp, index) => index === 0 || stamp < stamps[index - 1]!))
    const oldest = all.at(-1)?.EventDate?.getTime() ?? 0
    assert.equal(
      bench.api.describeEvents(bench.context(), { StartTime: new Date(oldest + 1) }).Events?.length,
      all.length - 1,
    )
    const paged: (string | undefined)[] = []
    let NextToken: string | undefined
    do {
      const page = bench.api.describeEvents(bench.context(), { MaxRecords: 4, NextToken })
      paged.push(...(page.Events ?? []).map(({ Message }) => Message))
      NextToken = page.NextToken
    } while (NextToken)
    assert.deepEqual(
      paged,
      all.map(({ Message }) => Message),
    )
    assert.deepEqual(bench.api.describeEvents(bench.context(), { Severity: 'ERROR' }).Events, [])
    assert.deepEqual(bench.api.describeEvents(bench.context(), { EnvironmentId: 'e-none' }).Events, [])
  })

  it('are forgotten after 90 days', async () => {
    bench.version('v1')
    bench.clock.setWall(91 * 24 * 3600_000)
    await bench.clock.run(10_000)
    assert.deepEqual(bench.api.describeEvents(bench.context(), {}).Events, [])
  })
})

describe('an environment, looked at', () => {
  beforeEach(async () => {
    bench.version('v1')
    bench.create({ Tags: [{ Key: 'team', Value: 'a' }] })
    await bench.until('Ready')
  })

  it('names its resources as Terraform expects them', () => {
    const { EnvironmentResources: found } = bench.api.describeEnvironmentResources(bench.context(), {
      EnvironmentName: 'shop-prod',
    })
    assert.match(found?.AutoScalingGroups?.[0]?.Name ?? '', /^awseb.+?AutoScalingGroup/)
    assert.match(found?.LaunchConfigurations?.[0]?.Name ?? '', /^awseb.+?AutoScalingLaunch/)
    assert.match(found?.Instances?.[0]?.Id ?? '', /^i-[0-9a-f]{17}$/)
    assert.match(found?.LoadBalancers?.[0]?.Name ?? '', /arn:aws:elasticloadbalancing/)
    const triggers = found?.Triggers?.map(({ Name }) => Name?.replace(/-[A-Z0-9]{12}$/, ''))
    const stack = found?.AutoScalingGroups?.[0]?.Name?.replace(/-AWSEBAuto.*/, '')
    assert.deepEqual(triggers, [`${stack}-AWSEBCloudwatchAlarmHigh`, `${stack}-AWSEBCloudwatchAlarmLow`])
    assert.deepEqual(found?.Queues, [])
  })

  it('shows the health that eb reads, member by member', async () => {
    await bench.clock.run(20_000)
    const health = bench.api.describeEnvironmentHealth(bench.context(), {
      EnvironmentName: 'shop-prod',
      AttributeNames: ['All'],
    })
    assert.deepEqual(
      [health.HealthStatus, health.Color, health.Status, health.InstancesHealth?.Ok],
      ['Ok', 'Green', 'Ready', 1],
    )
    const { InstanceHealthList: list = [] } = bench.api.describeInstancesHealth(bench.context(), {
      EnvironmentName: 'shop-prod',
      AttributeNames: ['All'],
    })
    assert.equal(list.length, 1)
    assert.deepEqual(
      [
        list[0]?.HealthStatus,
        list[0]?.Deployment?.DeploymentId,
        list[0]?.Deployment?.VersionLabel,
        list[0]?.Deployment?.Status,
      ],
      ['Ok', 1, 'v1', 'Deployed'],
    )
    assert.ok(list[0]?.LaunchedAt instanceof Date)
    assert.deepEqual(list[0]?.System, { CPUUtilization: { User: 25, System: 5, Idle: 70 } })
    assert.deepEqual(Object.keys(list[0]?.ApplicationMetrics ?? {}), [
      'Duration',
      'RequestCount',
      'StatusCodes',
      'Latency',
    ])
    assert.deepEqual([list[0]?.AvailabilityZone, list[0]?.InstanceType], ['us-west-2a', 't3.micro'])
  })

  it('stands alone under its name, however often the name was used', async () => {
    const list = (input: object) =>
      bench.api
        .describeEnvironments(bench.context(), input)
        .Environments!.map(({ EnvironmentId, Status }) => `${EnvironmentId} ${Status}`)
    const first = bench.environment()?.EnvironmentId
    bench.api.terminateEnvironment(bench.context(), { EnvironmentName: 'shop-prod' })
    await bench.until('Terminated')
    assert.deepEqual(list({ EnvironmentNames: ['shop-prod'] }), [`${first} Terminated`])
    await bench.clock.run(1_000)
    const second = bench.create().EnvironmentId
    // The waiters of the AWS CLI want every row to be Ready.
    assert.deepEqual(list({ EnvironmentNames: ['shop-prod'] }), [`${second} Launching`])
    assert.deepEqual(list({ EnvironmentIds: [first] }), [`${first} Terminated`])
    assert.deepEqual(list({ IncludeDeleted: true }), [`${second} Launching`, `${first} Terminated`])
    assert.deepEqual(list({ IncludeDeleted: false }), [`${second} Launching`])
  })

  it('has tags of its own beside those of AWS', () => {
    const ResourceArn = bench.environment()?.EnvironmentArn
    const context = bench.context()
    bench.api.updateTagsForResource(context, {
      ResourceArn,
      TagsToAdd: [{ Key: 'stage', Value: 'prod' }],
      TagsToRemove: ['team'],
    })
    const { ResourceTags = [] } = bench.api.listTagsForResource(bench.context(), { ResourceArn })
    assert.deepEqual(
      ResourceTags.map(({ Key }) => Key),
      ['stage', 'Name', 'elasticbeanstalk:environment-id', 'elasticbeanstalk:environment-name'],
    )
    assert.equal(
      bench.texts({ RequestId: context.requestId }).at(-1),
      'INFO Environment tag update completed successfully.',
    )
    assert.throws(() => bench.api.listTagsForResource(bench.context(), { ResourceArn: `${ResourceArn}x` }), {
      code: 'ResourceNotFoundException',
    })
  })

  it('makes its name unavailable', () => {
    const check = (CNAMEPrefix: string) => bench.api.checkDNSAvailability(bench.context(), { CNAMEPrefix })
    assert.deepEqual(check('shop'), {
      Available: false,
      FullyQualifiedCNAME: 'shop.us-west-2.elasticbeanstalk.localhost',
    })
    assert.equal(check('other').Available, true)
  })

  it('can be cloned', () => {
    const clone = bench.api.createEnvironment(bench.context(), {
      ApplicationName: 'shop',
      EnvironmentName: 'shop-clone',
      VersionLabel: 'v1',
      ...{ TemplateSpecification: { TemplateSource: { EnvironmentName: 'shop-prod' } } },
    })
    assert.equal(clone.SolutionStackName, STACK)
    assert.match(clone.CNAME ?? '', /^shop-clone\.eba-[a-z0-9]{8}\.us-west-2\./)
  })
})

describe('the storage location', () => {
  it('is a bucket of the account, made when it is first asked for', () => {
    assert.deepEqual(bench.api.createStorageLocation(bench.context(), {}), { S3Bucket: BUCKET })
    assert.ok(bench.world.buckets.has(BUCKET))
  })
})
