// The same walk by other clients, unmodified: boto3, the AWS SDK for JavaScript, `eb`, and single calls of `aws`.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { after, before, describe, it } from 'node:test'
import { ElasticBeanstalkClient } from '@aws-sdk/client-elastic-beanstalk'
import * as eb from '@aws-sdk/client-elastic-beanstalk'
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { readCredentials } from '../src/home.ts'
import { describeCalls } from './support/describing.ts'
import { makeTestHome, root, runProgram } from './support/home.ts'

describe('clients', { concurrency: 1 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  const folder = join(home.dir, '../shop')
  const bundle = join(home.dir, '../app.zip')
  let endpoint = ''

  before(async () => {
    mkdirSync(folder)
    cpSync(join(root, 'samples/flask-guestbook'), folder, { recursive: true })
    assert.equal((await runProgram(['zip', '-qr', bundle, '.'], { cwd: folder })).status, 0)
    await home.polebean(['up'])
    endpoint = `http://127.0.0.1:${home.settings().ports.api}`
  })

  describe('boto3', () => {
    it('walks from a zip file to a terminated environment', async () => {
      const port = String(home.settings().ports.http)
      const ran = await home.client(['python', join(root, 'test/support/walk.py'), bundle, port])
      assert.equal(ran.status, 0, ran.stderr)
      const saw = JSON.parse(ran.stdout)
      assert.equal(saw.health, 'Green')
      assert.equal(saw.greeting, 'grüße & <boto>')
      assert.equal(saw.kept, 'grüße & <boto>')
      const fqdn = 'boto-shop.us-west-2.elasticbeanstalk.localhost'
      assert.deepEqual(saw.taken, ['InvalidParameterValue', `DNS name (${fqdn}) is not available.`])
      assert.ok(saw.newestFirst, 'events are newest first, each at a millisecond of its own')
      assert.equal(saw.messages.at(-1), 'createEnvironment is starting.')
      assert.ok(saw.messages.includes('Successfully launched environment: boto-prod'))
      assert.equal(saw.instances, 1)
      assert.deepEqual(saw.applications, ['flask-guestbook'])
    })
  })

  describe('the AWS SDK for JavaScript', () => {
    it('walks from a zip file to a terminated environment', async () => {
      const region = home.settings().region
      const settings = { endpoint, region, credentials: readCredentials(home.dir) }
      const client = new ElasticBeanstalkClient(settings)
      const { S3Bucket } = await client.send(new eb.CreateStorageLocationCommand())
      const s3 = new S3Client({ ...settings, forcePathStyle: true })
      await s3.send(
        new PutObjectCommand({ Bucket: S3Bucket, Key: 'sdk/app.zip', Body: readFileSync(bundle) }),
      )
      const version = { ApplicationName: 'sdk-shop', VersionLabel: 'v1' }
      await client.send(
        new eb.CreateApplicationVersionCommand({
          ...version,
          AutoCreateApplication: true,
          SourceBundle: { S3Bucket, S3Key: 'sdk/app.zip' },
        }),
      )
      const { SolutionStacks } = await client.send(new eb.ListAvailableSolutionStacksCommand())
      const { CNAME, Status } = await client.send(
        new eb.CreateEnvironmentCommand({
          ...version,
          EnvironmentName: 'sdk-prod',
          SolutionStackName: SolutionStacks?.find((name) => name.includes('Python')),
          OptionSettings: [
            { Namespace: 'aws:autoscaling:asg', OptionName: 'MinSize', Value: '2' },
            {
              Namespace: 'aws:elasticbeanstalk:application:environment',
              OptionName: 'GREETING',
              Value: 'grüße & <sdk>',
            },
          ],
        }),
      )
      assert.equal(Status, 'Launching')
      const until = async (status: string) => {
        for (let tries = 0; tries < 600; tries++, await sleep(200)) {
          const { Environments } = await client.send(
            new eb.DescribeEnvironmentsCommand({ EnvironmentNames: ['sdk-prod'] }),
          )
          if (Environments?.[0]?.Status === status) return Environments[0]
        }
        throw new Error(`sdk-prod did not become ${status}`)
      }
      assert.equal((await until('Ready')).Health, 'Green')
      const instances = new Set<string>()
      for (let request = 0; request < 20; request++) {
        const { status, body } = await home.get(CNAME!, '/whoami')
        assert.equal(status, 200)
        const { greeting, instance } = JSON.parse(body) as { greeting: string; instance: string }
        assert.equal(greeting, 'grüße & <sdk>')
        instances.add(instance)
      }
      assert.equal(instances.size, 2, 'two instances share the requests')
      await client.send(new eb.TerminateEnvironmentCommand({ EnvironmentName: 'sdk-prod' }))
      await until('Terminated')
      await assert.rejects(
        client.send(
          new eb.DescribeConfigurationSettingsCommand({ ApplicationName: 'none', EnvironmentName: 'none' }),
        ),
        { name: 'InvalidParameterValue' },
      )
    })
  })

  describe('eb', () => {
    const ebRan = async (args: string[], status = 0) => {
      const ran = await home.client(['eb', ...args], { cwd: folder })
      assert.equal(ran.status, status, `eb ${args.join(' ')}\n${ran.stdout}\n${ran.stderr}`)
      return ran.stdout
    }
    const events = async () => {
      const { Events } = await home.aws([
        'elasticbeanstalk',
        'describe-events',
        '--environment-name',
        'shop-eb',
      ])
      return (Events as { Message: string }[]).map(({ Message }) => Message)
    }
    const cname = 'shop-eb-test.us-west-2.elasticbeanstalk.localhost'

    it('creates an environment with its recommended settings', async () => {
      assert.match(
        await ebRan(['init', 'eb-shop', '-p', 'python-3.11', '--region', 'us-west-2']),
        /has been created/,
      )
      const said = await ebRan(['create', 'shop-eb', '--elb-type', 'application', '-c', 'shop-eb-test'])
      assert.match(said, /Successfully launched environment: shop-eb\n/)
      assert.match(said, /CNAME: shop-eb-test\.us-west-2\.elasticbeanstalk\.localhost/)
      assert.equal((await home.get(cname)).status, 200)
    })
    it('shows status, health, events and logs', async () => {
      assert.match(await ebRan(['status']), /Status: Ready\n +Health: Green/)
      assert.match(await ebRan(['status', '-v']), /Running instances: 1\n +i-[0-9a-f]{17}: healthy/)
      assert.match(await ebRan(['health']), /i-[0-9a-f]{17} +Ok[^]*Deployed/)
      assert.match(await ebRan(['events']), /createEnvironment is starting\.[^]*Added instance \[i-/)
      assert.match(await ebRan(['logs']), /web\.stdout\.log[^]*gunicorn[^]*access\.log[^]*GET \//)
      assert.match(await ebRan(['list']), /^\* shop-eb$/m)
    })
    it('sets and prints properties', async () => {
      assert.match(
        await ebRan(['setenv', 'GREETING=by eb']),
        /Successfully deployed new configuration to environment/,
      )
      assert.match(await ebRan(['printenv']), /GREETING = by eb/)
      assert.match((await home.get(cname)).body, /by eb/)
      const warnings = (await events()).filter((message) => message.includes('have no effect'))
      assert.equal(warnings.length, 1, 'the settings without effect are named once')
    })
    it('deploys a changed folder', async () => {
      writeFileSync(join(folder, 'templates/book.html'), 'deployed by eb')
      assert.match(await ebRan(['deploy']), /Environment update completed successfully/)
      assert.equal((await home.get(cname)).body, 'deployed by eb')
    })
    it('scales', async () => {
      await ebRan(['scale', '2'])
      assert.match(await ebRan(['list', '-v']), /\* shop-eb : \['i-\w+', 'i-\w+'\]/)
    })
    it('says what failed when a version does not start', async () => {
      writeFileSync(join(folder, 'application.py'), 'import nothing_of_that_name\n')
      const said = await ebRan(['deploy'], 4)
      assert.match(said, /The module 'nothing_of_that_name' is not installed \(application\.py:1\)/)
    })
    it('terminates', async () => {
      assert.match(
        await ebRan(['terminate', 'shop-eb', '--force']),
        /terminateEnvironment completed successfully/,
      )
      assert.equal((await home.get(cname)).status, 404)
      const waiter = ['wait', 'environment-terminated', '--environment-names', 'shop-eb']
      const waited = await home.client(['aws', 'elasticbeanstalk', ...waiter])
      assert.equal(waited.status, 0, waited.stderr)
    })
  })

  describe('aws', () => {
    it('waits for an update', async () => {
      const named = ['--environment-name', 'flask-guestbook']
      const setting =
        'Namespace=aws:elasticbeanstalk:application:environment,OptionName=GREETING,Value=updated'
      await home.aws(['elasticbeanstalk', 'update-environment', ...named, '--option-settings', setting])
      for (const waiter of ['environment-updated', 'environment-exists']) {
        const args = ['wait', waiter, '--environment-names', 'flask-guestbook']
        const waited = await home.client(['aws', 'elasticbeanstalk', ...args])
        assert.equal(waited.status, 0, waited.stderr)
      }
      const { body } = await home.get('flask-guestbook.us-west-2.elasticbeanstalk.localhost')
      assert.match(body, /updated/)
    })

    it('describes what the environment consists of, the same in every service', async () => {
      const { EnvironmentResources: resources } = await home.aws([
        ...['elasticbeanstalk', 'describe-environment-resources', '--environment-name', 'flask-guestbook'],
      ])
      const { AutoScalingGroups, Instances, LoadBalancers } = resources as Record<
        string,
        { Name: string; Id: string }[]
      >
      const id = Instances![0]!.Id
      const { Reservations } = await home.aws(['ec2', 'describe-instances', '--instance-ids', id])
      const [instance] = (Reservations as { Instances: Record<string, unknown>[] }[])[0]!.Instances
      assert.deepEqual((instance!.State as { Name: string }).Name, 'running')
      const groupIds = (instance!.SecurityGroups as { GroupId: string }[]).map(({ GroupId }) => GroupId)
      const { SecurityGroups } = await home.aws([
        'ec2',
        'describe-security-groups',
        '--group-ids',
        ...groupIds,
      ])
      assert.match(
        (SecurityGroups as { GroupName: string }[])[0]!.GroupName,
        /^awseb-e-\w+-stack-AWSEBSecurityGroup-/,
      )
      const asg = ['describe-auto-scaling-groups', '--auto-scaling-group-names', AutoScalingGroups![0]!.Name]
      const { AutoScalingGroups: groups } = await home.aws(['autoscaling', ...asg])
      const [group] = groups as {
        Instances: Record<string, string>[]
        TargetGroupARNs: string[]
        DesiredCapacity: number
      }[]
      assert.equal(group!.DesiredCapacity, 1)
      assert.deepEqual(
        group!.Instances.map((one) => [one.InstanceId, one.LifecycleState, one.HealthStatus]),
        [[id, 'InService', 'Healthy']],
      )
      const { TargetHealthDescriptions: targets } = await home.aws([
        ...['elbv2', 'describe-target-health', '--target-group-arn', group!.TargetGroupARNs[0]!],
      ])
      const [target] = targets as { Target: { Id: string; Port: number }; TargetHealth: { State: string } }[]
      assert.deepEqual([target!.Target, target!.TargetHealth.State], [{ Id: id, Port: 80 }, 'healthy'])
      const { LoadBalancers: balancers } = await home.aws([
        ...['elbv2', 'describe-load-balancers', '--load-balancer-arns', LoadBalancers![0]!.Name],
      ])
      assert.equal((balancers as { State: { Code: string } }[])[0]!.State.Code, 'active')
    })

    it('describes with every describe operation of ec2, autoscaling and elbv2', async () => {
      const first = async (args: string[], list: string, name: string) => {
        const answer = await home.aws(args)
        return (answer[list] as Record<string, string>[])[0]![name]!
      }
      const loadBalancer = await first(
        ['elbv2', 'describe-load-balancers'],
        'LoadBalancers',
        'LoadBalancerArn',
      )
      const of = ['--load-balancer-arn', loadBalancer]
      const calls = describeCalls({
        loadBalancer,
        listener: await first(['elbv2', 'describe-listeners', ...of], 'Listeners', 'ListenerArn'),
        targetGroup: await first(['elbv2', 'describe-target-groups'], 'TargetGroups', 'TargetGroupArn'),
        vpc: await first(['ec2', 'describe-vpcs'], 'Vpcs', 'VpcId'),
        instance: await first(['ec2', 'describe-instance-status'], 'InstanceStatuses', 'InstanceId'),
        group: await first(
          ['autoscaling', 'describe-auto-scaling-groups'],
          'AutoScalingGroups',
          'AutoScalingGroupName',
        ),
      })
      assert.ok(calls.length >= 34, `${calls.length} calls`)
      const empty: string[] = []
      for (const call of calls) {
        const answer = await home.aws(call)
        const [members] = Object.values(answer)
        assert.ok(members !== undefined, `aws ${call.join(' ')} answered nothing`)
        if (Array.isArray(members) && members.length === 0) empty.push(call[1]!)
      }
      // An environment makes none of them.
      assert.deepEqual(empty.toSorted(), [
        'describe-addresses',
        'describe-instance-refreshes',
        'describe-key-pairs',
        'describe-launch-template-versions',
        'describe-launch-templates',
        'describe-lifecycle-hooks',
        'describe-listener-certificates',
        'describe-scheduled-actions',
      ])
    })

    it('puts a metric and reads it, and sees what the environment measures and watches', async () => {
      const cloudwatch = (...args: string[]) => home.aws(['cloudwatch', ...args])
      const metric = ['--namespace', 'Shop', '--metric-name', 'Orders']
      const put = await home.client(['aws', 'cloudwatch', 'put-metric-data', ...metric, '--value', '3'])
      assert.equal(put.status, 0, put.stderr)
      const [start, end] = [-300_000, 60_000].map((ms) => new Date(Date.now() + ms).toISOString())
      const { Datapoints } = await cloudwatch(
        ...['get-metric-statistics', ...metric, '--statistics', 'Sum', '--period', '60'],
        ...['--start-time', start!, '--end-time', end!],
      )
      assert.deepEqual(
        (Datapoints as { Sum: number }[]).map(({ Sum }) => Sum),
        [3],
      )
      const { MetricAlarms } = await cloudwatch('describe-alarms')
      const alarms = (MetricAlarms as { AlarmName: string }[]).map(({ AlarmName }) => AlarmName)
      assert.ok(
        alarms.some((name) => /^awseb-e-.*-stack-AWSEBCloudwatchAlarmHigh-/.test(name)),
        alarms.join(),
      )
      const { Metrics } = await cloudwatch('list-metrics', '--namespace', 'AWS/EC2')
      const names = new Set((Metrics as { MetricName: string }[]).map(({ MetricName }) => MetricName))
      assert.ok(names.has('CPUUtilization') && names.has('NetworkOut'), [...names].join())
      const refused = await home.client(['aws', 'cloudwatch', 'delete-alarms', '--alarm-names', 'none'])
      assert.match(refused.stderr, /\(ResourceNotFound\)/)
    })

    it('copies 9 MB by multipart, and curl reads it by a presigned URL', async () => {
      const content = Buffer.alloc(9 << 20, 'nine megabytes ')
      const file = join(home.dir, '../nine')
      writeFileSync(file, content)
      const { S3Bucket } = await home.aws(['elasticbeanstalk', 'create-storage-location'])
      const url = `s3://${String(S3Bucket)}/big/ni ne+ü`
      const up = await home.client(['aws', 's3', 'cp', '--only-show-errors', file, url])
      assert.equal(up.status, 0, up.stderr)
      const head = await home.aws([
        's3api',
        'head-object',
        '--bucket',
        String(S3Bucket),
        '--key',
        'big/ni ne+ü',
      ])
      assert.match(String(head.ETag), /-2"$/, 'it went up in two parts')
      const presigned = (await home.client(['aws', 's3', 'presign', url])).stdout.trim()
      const got = await runProgram(['curl', '-sf', '-o', `${file}.back`, presigned])
      assert.equal(got.status, 0, presigned)
      const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
      assert.equal(digest(`${file}.back`), digest(file))
      const forged = presigned.replace(/Signature=[^&]{4}/, 'Signature=AAAA')
      assert.equal(
        (await runProgram(['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', forged])).stdout,
        '403',
      )
    })

    it('is refused unsigned, with a wrong secret, an unknown key, a foreign token or another region', async () => {
      const call = ['aws', 'elasticbeanstalk', 'describe-environments']
      const cases: [string, string[], Record<string, string>, RegExp][] = [
        ['unsigned', ['--no-sign-request'], {}, /MissingAuthenticationToken/],
        ['wrong secret', [], { AWS_SECRET_ACCESS_KEY: 'x'.repeat(40) }, /SignatureDoesNotMatch/],
        ['unknown key', [], { AWS_ACCESS_KEY_ID: 'PBLNNOSUCHKEY0000000' }, /InvalidClientTokenId/],
        ['foreign token', [], { AWS_SESSION_TOKEN: 'IQoJb3JpZ2luX2VjEXAMPLE' }, /InvalidClientTokenId/],
        ['another region', ['--region', 'eu-west-1'], {}, /eu-west-1/],
      ]
      for (const [what, args, env, expected] of cases) {
        const changed = Object.entries(env).map(([name, value]) => `${name}=${value}`)
        const ran = await home.client(['env', ...changed, ...call, ...args])
        assert.notEqual(ran.status, 0, what)
        assert.match(ran.stderr, expected, what)
      }
      const s3 = await runProgram([
        'curl',
        '-s',
        '-w',
        '%{http_code}',
        `${endpoint}/elasticbeanstalk-us-west-2-000000000000`,
      ])
      assert.match(s3.stdout, /<Code>AccessDenied<\/Code>[^]*403$/)
    })
  })
})
