import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { listing, makeBench, type Bench } from '../test-bench.ts'

let bench: Bench
beforeEach(() => {
  bench = makeBench()
  bench.version('v1')
})
afterEach(() => bench.end())

describe('creating an environment', () => {
  it('tells what it does in the words and the order of AWS', async () => {
    const { EnvironmentId: id } = bench.create()
    await bench.until('Ready')
    const shown = bench
      .texts()
      .map((text) =>
        text.replaceAll(id ?? '', 'e-ID').replace(/-(?=[A-Z0-9]*[A-Z])[A-Z0-9]{12,13}(?=$|[/:])/g, '-SUFFIX'),
      )
    assert.deepEqual(shown, [
      'INFO createEnvironment is starting.',
      'INFO Using elasticbeanstalk-us-west-2-000000000000 as Amazon S3 storage bucket for environment data.',
      'INFO Environment health has transitioned to Pending. Initialization in progress (running for 0 seconds). There are no instances.',
      'INFO Created target group named: arn:aws:elasticloadbalancing:us-west-2:000000000000:targetgroup/awseb-AWSEB-SUFFIX/1',
      'INFO Created security group named: sg-00000000000000001',
      'INFO Created security group named: awseb-e-ID-stack-AWSEBSecurityGroup-SUFFIX',
      'INFO Created Auto Scaling launch configuration named: awseb-e-ID-stack-AWSEBAutoScalingLaunchConfiguration-SUFFIX',
      'INFO Created Auto Scaling group named: awseb-e-ID-stack-AWSEBAutoScalingGroup-SUFFIX',
      'INFO Waiting for EC2 instances to launch. This may take a few minutes.',
      'INFO Created Auto Scaling group policy named: arn:aws:autoscaling:us-west-2:000000000000:scalingPolicy:1:autoScalingGroupName/awseb-e-ID-stack-AWSEBAutoScalingGroup-SUFFIX:policyName/awseb-e-ID-stack-AWSEBAutoScalingScaleDownPolicy-SUFFIX',
      'INFO Created Auto Scaling group policy named: arn:aws:autoscaling:us-west-2:000000000000:scalingPolicy:1:autoScalingGroupName/awseb-e-ID-stack-AWSEBAutoScalingGroup-SUFFIX:policyName/awseb-e-ID-stack-AWSEBAutoScalingScaleUpPolicy-SUFFIX',
      'INFO Created CloudWatch alarm named: awseb-e-ID-stack-AWSEBCloudwatchAlarmLow-SUFFIX',
      'INFO Created CloudWatch alarm named: awseb-e-ID-stack-AWSEBCloudwatchAlarmHigh-SUFFIX',
      'INFO Created load balancer named: arn:aws:elasticloadbalancing:us-west-2:000000000000:loadbalancer/app/awseb-AWSEB-SUFFIX/1',
      'INFO Created Load Balancer listener named: arn:aws:elasticloadbalancing:us-west-2:000000000000:loadbalancer/app/awseb-AWSEB-SUFFIX/1/listener',
      'INFO Added instance [i-00000000000000003] to your environment.',
      'INFO Instance deployment completed successfully.',
      'INFO Application available at shop.us-west-2.elasticbeanstalk.localhost.',
      'INFO Successfully launched environment: shop-prod',
      'INFO Environment health has transitioned from Pending to Ok. Initialization completed 0 seconds ago and took 10 seconds.',
    ])
  })

  it('stamps every event with the request that caused it, except those of health and membership', async () => {
    bench.create()
    await bench.until('Ready')
    const own = bench.events({ RequestId: 'request-2' })
    assert.equal(own[0]?.Message, 'createEnvironment is starting.')
    assert.equal(own.at(-1)?.Message, 'Successfully launched environment: shop-prod')
    const others = bench.events().filter(({ RequestId }) => RequestId !== 'request-2')
    assert.deepEqual(
      others.map(({ RequestId }) => RequestId),
      [undefined, undefined, undefined],
    )
  })

  it('answers Launching and Grey at once, and ends Ready and Green', async () => {
    const answer = bench.create()
    assert.deepEqual([answer.Status, answer.Health], ['Launching', 'Grey'])
    assert.match(answer.EnvironmentId ?? '', /^e-[a-z0-9]{10}$/)
    await bench.until('Ready')
    const shown = bench.environment()
    assert.deepEqual([shown?.Health, shown?.HealthStatus, shown?.VersionLabel], ['Green', 'Ok', 'v1'])
    assert.match(shown?.EndpointURL ?? '', /^awseb-AWSEB-/)
    assert.deepEqual(bench.world.names, [
      { hosts: ['shop.us-west-2.elasticbeanstalk.localhost'], loopbackPort: 18_000 },
    ])
  })

  it('gives every instance the properties and the layers', async () => {
    bench.create({
      OptionSettings: [
        { Namespace: 'aws:autoscaling:asg', OptionName: 'MinSize', Value: '2' },
        { Namespace: 'aws:elasticbeanstalk:application:environment', OptionName: 'GREETING', Value: 'hello' },
      ],
    })
    await bench.until('Ready')
    const intents = bench.world.instances().map(({ intent }) => intent)
    assert.equal(intents.length, 2)
    for (const intent of intents) {
      assert.equal(intent?.env['GREETING'], 'hello')
      assert.deepEqual(
        intent?.layers.map(({ digest }) => digest.startsWith('digest-of-')),
        [true, true],
      )
    }
  })

  it('says once that another program has its port, and when it has gone', async () => {
    bench.create()
    await bench.until('Ready')
    const portEvents = () =>
      bench.texts({ EnvironmentName: 'shop-prod' }).filter((text) => /\bports?\b/.test(text))
    for (const pid of [12, 13]) {
      bench.world.impairment = `port 18000 is taken by node (pid ${pid})`
      await bench.clock.run(12_000)
    }
    const taken =
      'WARN On this machine port 18000 is taken by node (pid 12); the environment answers at its name.'
    assert.deepEqual(portEvents(), [taken])
    bench.world.impairment = ''
    await bench.clock.run(12_000)
    assert.deepEqual(
      new Set(portEvents()),
      new Set([taken, 'INFO The environment is reached at all of its ports again.']),
    )
  })

  it('keeps two environments that are created at once apart', async () => {
    bench.create()
    bench.create({ EnvironmentName: 'shop-test', CNAMEPrefix: 'shop-test' })
    await bench.until('Ready')
    await bench.until('Ready', 'shop-test')
    assert.equal(bench.world.groups.size, 2)
    assert.deepEqual(
      bench.world.names.map(({ loopbackPort }) => loopbackPort),
      [18_000, 18_001],
    )
    assert.ok(
      bench
        .texts({ EnvironmentName: 'shop-test' })
        .includes('INFO Successfully launched environment: shop-test'),
    )
    assert.equal(bench.layers.length, 2, 'layers are built once')
  })

  it('says why a version cannot be built, with the end of what the build printed', async () => {
    const output = [
      ...Array.from({ length: 60 }, (_, index) => `line ${index}`),
      'ERROR: No matching distribution found for flsk',
    ].join('\n')
    bench.hooks.build = ({ key }) =>
      key.startsWith('python-') ? { exit: 1, output } : { exit: 0, output: '' }
    bench.create()
    await bench.until('Ready')
    const texts = bench.texts({ Severity: 'ERROR' })
    assert.match(texts[0] ?? '', /^ERROR Building application version v1 failed: .*flsk/)
    assert.ok(texts[0]?.includes('line 59') && !texts[0].includes('line 3\n'))
    assert.equal(
      texts[1],
      'ERROR Create environment operation is complete, but with errors. For more information, see troubleshooting documentation.',
    )
    assert.equal(
      bench.texts().findLast((text) => !text.includes('health')),
      'INFO Launched environment: shop-prod. However, there were issues during launch. See event log for details.',
    )
    assert.deepEqual([bench.environment()?.Status, bench.environment()?.Health], ['Ready', 'Red'])
  })

  it('can be repaired by a better version after a failed build', async () => {
    bench.hooks.build = () => ({ exit: 1, output: 'broken' })
    bench.create()
    await bench.until('Ready')
    bench.hooks.build = () => ({ exit: 0, output: '' })
    bench.version('v2')
    bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', VersionLabel: 'v2' })
    await bench.clock.runUntil(() => bench.environment()?.Health === 'Green', 600_000)
    assert.equal(bench.environment()?.VersionLabel, 'v2')
  })

  it('says what an application that does not start said', async () => {
    bench.world.starts = () => "[await-start] outcome=died\nModuleNotFoundError: No module named 'flask'"
    bench.create()
    await bench.until('Ready')
    const [id] = bench.world.instances().map((one) => one.id)
    const texts = bench
      .texts()
      .filter((text) => !text.includes('health'))
      .slice(-7)
    assert.equal(texts[0], `INFO Added instance [${id}] to your environment.`)
    assert.equal(texts[1], "ERROR Instance deployment failed. For details, see 'eb-engine.log'.")
    assert.match(
      texts[2] ?? '',
      /^ERROR \[Instance: i-\w+\] Command failed on instance. Return code: 1 Output: Engine execution has encountered an error\.\.\n.*flask/,
    )
    assert.deepEqual(texts.slice(3), [
      'INFO Command execution completed on all instances. Summary: [Successful: 0, Failed: 1].',
      `ERROR Unsuccessful command execution on instance id(s) '${id}'. Aborting the operation.`,
      'ERROR Create environment operation is complete, but with errors. For more information, see troubleshooting documentation.',
      'INFO Launched environment: shop-prod. However, there were issues during launch. See event log for details.',
    ])
    assert.deepEqual([bench.environment()?.Status, bench.environment()?.HealthStatus], ['Ready', 'Severe'])
  })

  it('ends by the command timeout when a start never ends', async () => {
    bench.world.starts = () => null
    bench.create({
      OptionSettings: [{ Namespace: 'aws:elasticbeanstalk:command', OptionName: 'Timeout', Value: '60' }],
    })
    await bench.until('Ready')
    assert.ok(bench.clock.monotonic() >= 300_000)
    assert.ok(
      bench
        .texts()
        .some((text) =>
          text.startsWith(
            'WARN The following instances have not responded in the allowed command timeout time',
          ),
        ),
    )
    assert.ok(
      bench
        .texts()
        .includes(
          'ERROR Create environment operation is complete, but with command timeouts. Try increasing the timeout period.',
        ),
    )
  })

  it('does not wait long for instances that the machine has no room for', async () => {
    bench.world.launchFailure = 'We currently do not have sufficient t3.micro capacity.'
    bench.create()
    await bench.until('Ready')
    assert.ok(bench.clock.monotonic() < 120_000)
    assert.ok(
      bench
        .texts()
        .includes(
          'ERROR 1 of the instances could not be launched. We currently do not have sufficient t3.micro capacity.',
        ),
    )
    assert.equal(bench.environment()?.HealthStatus, 'Severe')
  })

  it('says what the load balancer does not like', async () => {
    bench.world.checks = () => 'Target.ResponseCodeMismatch: Health checks failed with these codes: [404]'
    bench.create()
    await bench.until('Ready')
    assert.ok(
      bench
        .texts()
        .some(
          (text) =>
            text.startsWith('ERROR The load balancer does not find these instances healthy: i-') &&
            text.includes('[404]'),
        ),
    )
    assert.equal(bench.environment()?.Health, 'Red')
  })

  it('fails with the reason of a bundle that cannot be processed', async () => {
    bench.hooks.inspect = () => ({
      kind: 'problem',
      problem: 'The bundle is not a zip file that can be read.',
    })
    bench.create()
    await bench.until('Ready')
    assert.ok(
      bench
        .texts()
        .includes(
          'ERROR Building application version v1 failed: The bundle is not a zip file that can be read.',
        ),
    )
    assert.equal(
      bench.api.describeApplicationVersions(bench.context(), {}).ApplicationVersions?.[0]?.Status,
      'FAILED',
    )
  })

  it('refuses a bundle with files that would have no effect', async () => {
    bench.hooks.inspect = () => ({ ...listing(), unsupported: ['.ebextensions/01.config'] })
    bench.create()
    await bench.until('Ready')
    assert.ok(bench.texts({ Severity: 'ERROR' })[0]?.includes('.ebextensions/01.config'))
  })

  it('says that it failed when a service refuses, and is Red with nothing running', async () => {
    bench.world.groups.set = () => {
      throw new Error('AutoScalingGroups limit of 500 exceeded.')
    }
    bench.create()
    await bench.until('Ready')
    const texts = bench.texts({ Severity: 'ERROR' })
    assert.match(
      texts[0] ?? '',
      /aborted operation. Current state: 'CREATE_FAILED' {2}Reason: AutoScalingGroups limit/,
    )
    assert.equal(texts[1], 'ERROR Failed to launch environment.')
    await bench.clock.run(60_000)
    const { Status, Health, HealthStatus } = bench.environment() ?? {}
    assert.deepEqual([Status, Health, HealthStatus], ['Ready', 'Red', 'Severe'])
  })

  for (const [what, part] of [
    ['group', 'groups'],
    ['load balancer', 'loadBalancers'],
    ['listener', 'listeners'],
  ] as const)
    it(`makes up for a ${what} that could not be made with the next update`, async () => {
      const things = bench.world[part]
      Object.assign(things, {
        [part === 'groups' ? 'set' : 'add']: () => {
          throw new Error('limit exceeded')
        },
      })
      bench.create()
      await bench.until('Ready')
      assert.equal(bench.environment()?.Health, 'Red')
      const made = bench.world.targetGroups.size
      Object.assign(things, {
        [part === 'groups' ? 'set' : 'add']: Object.getPrototypeOf(things)[part === 'groups' ? 'set' : 'add'],
      })
      bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', VersionLabel: 'v1' })
      await bench.until('Ready')
      assert.equal(
        bench.texts().findLast((text) => !text.includes('health')),
        'INFO Environment update completed successfully.',
      )
      assert.deepEqual(
        [bench.world.groups, bench.world.loadBalancers, bench.world.listeners].map(({ size }) => size),
        [1, 1, 1],
      )
      assert.deepEqual(
        [bench.world.targetGroups.size, bench.world.securityGroups.size],
        [made, 2],
        'nothing is made twice',
      )
      assert.equal(bench.world.instances().length, 1)
      assert.equal(bench.environment()?.Health, 'Green')
    })

  it('does not call an update a success that nothing could be launched for', async () => {
    const fails = () => {
      throw new Error('limit exceeded')
    }
    bench.world.groups.set = fails
    bench.create()
    await bench.until('Ready')
    bench.api.updateEnvironment(bench.context(), { EnvironmentName: 'shop-prod', VersionLabel: 'v1' })
    await bench.until('Ready')
    const texts = bench.texts()
    assert.ok(texts.includes('ERROR Failed to deploy application.'))
    assert.ok(!texts.some((text) => text.includes('New application version was deployed')))
    assert.equal(bench.environment()?.Health, 'Red')
  })

  it('gives a replaced instance the same software, and says who came and went', async () => {
    bench.create()
    await bench.until('Ready')
    const [first] = bench.world.instances().map(({ id }) => id)
    bench.world.kill(first ?? '')
    await bench.clock.run(30_000)
    const [second] = bench.world.instances()
    assert.notEqual(second?.id, first)
    assert.ok(second?.intent)
    const texts = bench.texts()
    assert.ok(texts.includes(`INFO Removed instance [${first}] from your environment.`))
    assert.ok(texts.includes(`INFO Added instance [${second.id}] to your environment.`))
    assert.equal(bench.environment()?.HealthStatus, 'Ok')
  })
})
