// CloudWatch Logs on a real environment: what its instances write is searched, followed as `aws logs tail` follows it, and neither lost
// nor doubled when the server is killed; what AWS's clients write themselves comes back.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import * as logs from '@aws-sdk/client-cloudwatch-logs'
import { readCredentials } from '../src/home.ts'
import { makeTestHome, root, type AwsAnswer } from './support/home.ts'
import { writeProbeApp } from './support/probe-app.ts'
import { daemonPid, kill, until } from './support/world.ts'

const OF_LOGS = 'aws:elasticbeanstalk:cloudwatch:logs'
const ACCESS = '/aws/elasticbeanstalk/probe-app/var/log/nginx/access.log'

describe('logs', { concurrency: 1, timeout: 300_000 }, () => {
  const home = makeTestHome()
  after(async () => assert.deepEqual(await home.remove(), []))
  let host = ''
  let client: logs.CloudWatchLogsClient
  let visits = 0

  const visit = async () => {
    const { status } = await home.get(host, `/visit/${++visits}`)
    assert.equal(status, 200)
    return `/visit/${visits} `
  }
  const set = (...options: [namespace: string, name: string, value: string][]) =>
    home.aws([
      ...['elasticbeanstalk', 'update-environment', '--environment-name', 'probe-app', '--option-settings'],
      ...options.map(
        ([namespace, name, value]) => `Namespace=${namespace},OptionName=${name},Value=${value}`,
      ),
    ])
  const groups = async () => {
    const { logGroups = [] } = await client.send(
      new logs.DescribeLogGroupsCommand({ logGroupNamePrefix: '/aws/elasticbeanstalk/probe-app/' }),
    )
    return logGroups.map(
      (one) => `${one.logGroupName!.slice('/aws/elasticbeanstalk/probe-app/'.length)} ${one.retentionInDays}`,
    )
  }
  /** What `aws logs tail GROUP --since 1h` of version 2 asks. */
  const tail = async (logGroupName: string) => {
    const found: logs.FilteredLogEvent[] = []
    const input = { logGroupName, startTime: Date.now() - 3_600_000, interleaved: true }
    for await (const page of logs.paginateFilterLogEvents({ client }, input))
      found.push(...(page.events ?? []))
    return found.map((one) => one.message!)
  }
  const seen = async (lines: string[]) => {
    const found = await tail(ACCESS)
    return lines.every((line) => found.some((one) => one.includes(line)))
  }
  const untilSeen = (...lines: string[]) => until('lines are in the logs', () => seen(lines), 60_000)

  before(async () => {
    const { stdout } = await home.polebean(['up', writeProbeApp(join(home.dir, '../probe-app'), 'v1')])
    host = new URL(stdout.trim()).hostname
    client = new logs.CloudWatchLogsClient({
      endpoint: `http://127.0.0.1:${home.settings().ports.api}`,
      region: 'us-west-2',
      credentials: readCredentials(home.dir),
    })
  })

  it('of instances come when their environment says so', async () => {
    const before = await visit()
    await set([OF_LOGS, 'StreamLogs', 'true'], [`${OF_LOGS}:health`, 'HealthStreamingEnabled', 'true'])
    await untilSeen(before)
    assert.deepEqual(await groups(), [
      'environment-health.log 7',
      'var/log/eb-engine.log 7',
      'var/log/nginx/access.log 7',
      'var/log/nginx/error.log 7',
      'var/log/web.stdout.log 7',
    ])
    const startedAt = performance.now()
    await untilSeen(await visit())
    assert.ok(performance.now() - startedAt < 10_000)
    const { logStreams } = (await home.aws(['logs', 'describe-log-streams', '--log-group-name', ACCESS])) as {
      logStreams: { logStreamName: string }[]
    }
    assert.match(logStreams[0]!.logStreamName, /^i-[0-9a-f]{17}$/)
    const engine = await tail('/aws/elasticbeanstalk/probe-app/var/log/eb-engine.log')
    assert.match(engine.join('\n'), /Deployment 1: application version .*\n[^]*completed successfully/)
    assert.equal(statSync(join(home.dir, 'logs.db')).mode & 0o777, 0o600)
  })

  it('are searched by the AWS CLI', async () => {
    await home.get(host, '/needle')
    const pattern = '[ip, dash, user, time, request = *needle*, status = 2*, ...]'
    const found = await until(
      'the needle is found',
      async () => {
        const { events } = (await home.aws([
          ...['logs', 'filter-log-events', '--log-group-name', ACCESS, '--filter-pattern', pattern],
        ])) as { events: { message: string }[] }
        return events.length > 0 && events
      },
      30_000,
    )
    assert.equal(found.length, 1)
    assert.match(found[0]!.message, /"GET \/needle HTTP/)
    assert.match(
      await home.awsFails([
        'logs',
        'filter-log-events',
        '--log-group-name',
        ACCESS,
        '--filter-pattern',
        '{ x',
      ]),
      /InvalidParameterException.*Invalid filter pattern/,
    )
  })

  it('are neither lost nor doubled when the server is killed and logs are rotated', async () => {
    const [instance] = await instanceIds()
    const lines: string[] = []
    for (let round = 0; round < 6; round++) {
      for (let count = 0; count < 20; count++) lines.push(await visit())
      if (round === 1 || round === 4) await until('the log is rotated', () => rotate(instance!), 60_000)
      if (round % 2 === 0) kill(daemonPid(home.settings(), 'server')!)
      await sleep(1_500)
    }
    // Which are lost, if any, is said by what follows.
    await untilSeen(...lines).catch(() => undefined)
    const found = await tail(ACCESS)
    assert.deepEqual(
      lines.filter((line) => !found.some((one) => one.includes(line))),
      [],
      'lost',
    )
    const doubled = lines.filter((line) => found.filter((one) => one.includes(line)).length !== 1)
    assert.deepEqual(doubled, [])
  })

  it('are followed as `aws logs tail --follow` does', async () => {
    const shown: string[] = []
    const over = new AbortController()
    const follow = async () => {
      const ids = new Map<number, Set<string>>()
      const input: logs.FilterLogEventsCommandInput = { logGroupName: ACCESS, interleaved: true }
      input.startTime = Date.now() - 600_000
      while (!over.signal.aborted) {
        const { events = [], nextToken } = await client.send(new logs.FilterLogEventsCommand(input))
        for (const { timestamp = 0, eventId = '', message = '' } of events) {
          const known = ids.get(timestamp) ?? new Set<string>()
          if (!known.has(eventId)) shown.push(message)
          ids.set(timestamp, known.add(eventId))
        }
        const newest = Math.max(...ids.keys())
        for (const time of ids.keys()) if (time !== newest) ids.delete(time)
        if (nextToken !== undefined) input.nextToken = nextToken
        else {
          delete input.nextToken
          if (ids.size > 0) input.startTime = newest
          await sleep(300)
        }
      }
    }
    const following = follow()
    const lines: string[] = []
    for (let count = 0; count < 100; count++) lines.push(await visit())
    await until(
      'all is shown',
      async () => lines.every((line) => shown.some((one) => one.includes(line))),
      30_000,
    )
    over.abort()
    await following
    assert.deepEqual(
      lines.filter((line) => shown.filter((one) => one.includes(line)).length !== 1),
      [],
    )
  })

  it('of one’s own come back as they were put', async () => {
    const named = { logGroupName: 'mine', logStreamName: 's' }
    await home.aws(['logs', 'create-log-group', '--log-group-name', 'mine', '--tags', 'team=web'])
    await home.aws(['logs', 'create-log-stream', '--log-group-name', 'mine', '--log-stream-name', 's'])
    const now = Date.now()
    const logEvents = Array.from({ length: 10_000 }, (_, index) => ({
      timestamp: now + index,
      message: `${index} ü\n${'x'.repeat(60)}`,
    }))
    await client.send(new logs.PutLogEventsCommand({ ...named, logEvents }))
    kill(daemonPid(home.settings(), 'server')!)
    const found: string[] = []
    await until(
      'the server answers',
      async () => {
        const answer: unknown = await client.send(new logs.DescribeLogGroupsCommand({})).catch(() => false)
        return answer !== false
      },
      60_000,
    )
    let nextToken: string | undefined
    for (;;) {
      const page: logs.GetLogEventsCommandOutput = await client.send(
        new logs.GetLogEventsCommand({ ...named, startFromHead: true, nextToken }),
      )
      found.push(...page.events!.map((one) => one.message!))
      if (page.nextForwardToken === nextToken) break
      nextToken = page.nextForwardToken
    }
    assert.deepEqual(
      found,
      logEvents.map(({ message }) => message),
    )
    await assert.rejects(
      client.send(new logs.PutLogEventsCommand({ ...named, logEvents: [logEvents[1]!, logEvents[0]!] })),
      { name: 'InvalidParameterException', message: /must be in chronological order/ },
    )
    await home.aws(['logs', 'put-retention-policy', '--log-group-name', 'mine', '--retention-in-days', '1'])
    await home.aws(['logs', 'delete-log-group', '--log-group-name', 'mine'])
  })

  it('go with their environment when it says so', async () => {
    await set([OF_LOGS, 'DeleteOnTerminate', 'true'])
    await until('it is Ready', async () => (await environmentStatus()) === 'Ready', 60_000)
    await home.aws(['elasticbeanstalk', 'terminate-environment', '--environment-name', 'probe-app'])
    await until('it is gone', async () => (await environmentStatus()) === 'Terminated', 120_000)
    await sleep(3_000)
    assert.deepEqual(await groups(), ['environment-health.log 7'])
    const health = await tail('/aws/elasticbeanstalk/probe-app/environment-health.log')
    assert.ok(health.some((line) => JSON.parse(line).HealthStatus === 'Ok'))
  })

  async function rotate(instance: string): Promise<boolean> {
    const script = 'cd /var/log/nginx && cp access.log access.log.1 && : >access.log'
    const ran = await home.client([join(root, 'bin/polebean'), 'ssh', instance, '--', 'sh', '-c', script])
    return ran.status === 0
  }
  async function instanceIds(): Promise<string[]> {
    const answer: AwsAnswer = await home.aws(['autoscaling', 'describe-auto-scaling-instances'])
    return (answer.AutoScalingInstances as { InstanceId: string }[]).map((one) => one.InstanceId)
  }
  async function environmentStatus(): Promise<string> {
    const answer: AwsAnswer = await home.aws([
      ...[
        'elasticbeanstalk',
        'describe-environments',
        '--environment-names',
        'probe-app',
        '--include-deleted',
      ],
    ])
    return (answer.Environments as { Status: string }[])[0]!.Status
  }
})
