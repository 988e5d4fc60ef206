import assert from 'node:assert/strict'
import { beforeEach, describe, it } from 'node:test'
import { onLogs } from './test-logs.ts'

const bench = onLogs()
const { logs, at, filter, group, stream, put, every } = bench

describe('log groups', () => {
  it('are made, described page by page, and deleted', () => {
    for (const name of ['/aws/b', '/aws/a', 'other']) group(name, { tags: { team: 'web' } })
    const { logGroups, nextToken } = logs().describeLogGroups(bench.world.context, { limit: 2 })
    assert.deepEqual(
      logGroups!.map((one) => one.logGroupName),
      ['/aws/a', '/aws/b'],
    )
    const [first] = logGroups!
    assert.deepEqual(first, {
      ...{ logGroupName: '/aws/a', creationTime: at(), metricFilterCount: 0, storedBytes: 0 },
      arn: 'arn:aws:logs:us-west-2:000000000000:log-group:/aws/a:*',
      logGroupArn: 'arn:aws:logs:us-west-2:000000000000:log-group:/aws/a',
      logGroupClass: 'STANDARD',
    })
    const rest = logs().describeLogGroups(bench.world.context, { limit: 2, nextToken })
    assert.deepEqual([rest.logGroups!.length, rest.nextToken], [1, undefined])
    const names = (input: object) =>
      logs()
        .describeLogGroups(bench.world.context, input)
        .logGroups!.map((one) => one.logGroupName)
    assert.deepEqual(names({ logGroupNamePrefix: '/aws/' }), ['/aws/a', '/aws/b'])
    assert.deepEqual(names({ logGroupNamePattern: 'ther' }), ['other'])
    assert.deepEqual(names({ logGroupIdentifiers: [first!.arn!, 'other'] }), ['/aws/a', 'other'])
    logs().deleteLogGroup(bench.world.context, { logGroupName: '/aws/a' })
    assert.deepEqual(names({}), ['/aws/b', 'other'])
  })

  it('have nothing of one of the same name that was deleted', async () => {
    group('app')
    stream('app', 's')
    put('app', 's', 'before')
    logs().deleteLogGroup(bench.world.context, { logGroupName: 'app' })
    group('app')
    assert.deepEqual(logs().describeLogStreams(bench.world.context, { logGroupName: 'app' }).logStreams, [])
    assert.deepEqual(every(), [])
    await bench.world.clock.run(30_000)
    const left = (table: string) => bench.world.logEvents.all(`select * from ${table}`).length
    assert.deepEqual(['log_stream', 'log_block', 'log_garbage'].map(left), [0, 0, 0])
  })

  it('have a retention that AWS knows', () => {
    group('app')
    logs().putRetentionPolicy(bench.world.context, { logGroupName: 'app', retentionInDays: 7 })
    const days = () => logs().describeLogGroups(bench.world.context, {}).logGroups![0]!.retentionInDays
    assert.equal(days(), 7)
    logs().deleteRetentionPolicy(bench.world.context, { logGroupName: 'app' })
    assert.equal(days(), undefined)
    assert.throws(
      () => logs().putRetentionPolicy(bench.world.context, { logGroupName: 'app', retentionInDays: 2 }),
      {
        name: 'InvalidParameterException',
        message: /Value '2' at 'retentionInDays' .*enum value set: \[1, 3/,
      },
    )
  })

  it('have tags, by name and by ARN', () => {
    group('app', { tags: { a: '1' } })
    const resourceArn = 'arn:aws:logs:us-west-2:000000000000:log-group:app'
    logs().tagResource(bench.world.context, { resourceArn, tags: { b: '2' } })
    logs().tagLogGroup(bench.world.context, { logGroupName: 'app', tags: { c: '3' } })
    logs().untagResource(bench.world.context, { resourceArn: `${resourceArn}:*`, tagKeys: ['a'] })
    logs().untagLogGroup(bench.world.context, { logGroupName: 'app', tags: ['b'] })
    assert.deepEqual({ ...logs().listTagsForResource(bench.world.context, { resourceArn }).tags }, { c: '3' })
    assert.deepEqual(
      { ...logs().listTagsLogGroup(bench.world.context, { logGroupName: 'app' }).tags },
      { c: '3' },
    )
    const many = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`k${index}`, 'v']))
    assert.throws(() => logs().tagResource(bench.world.context, { resourceArn, tags: many }), {
      name: 'TooManyTagsException',
    })
    assert.throws(() => logs().tagResource(bench.world.context, { resourceArn, tags: { 'aws:x': 'v' } }), {
      name: 'InvalidParameterException',
    })
    assert.throws(() => logs().listTagsForResource(bench.world.context, { resourceArn: 'arn:aws:s3:::b' }), {
      name: 'ResourceNotFoundException',
    })
  })

  const bad: [what: string, input: object, message: RegExp][] = [
    ['no name', { logGroupName: '' }, /length greater than or equal to 1/],
    ['a long name', { logGroupName: 'a'.repeat(513) }, /length less than or equal to 512/],
    [
      'a name with a blank',
      { logGroupName: 'a b' },
      /regular expression pattern: \[\\\.\\-_\/#A-Za-z0-9\]\+/,
    ],
    ["AWS's own", { logGroupName: 'aws/lambda' }, /Log groups starting with AWS\/ are reserved for AWS\./],
    ['a key', { logGroupName: 'a', kmsKeyId: 'arn:aws:kms:x' }, /kmsKeyId is not supported by Polebean/],
    ['another class', { logGroupName: 'a', logGroupClass: 'INFREQUENT_ACCESS' }, /not supported by Polebean/],
    ['protection', { logGroupName: 'a', deletionProtectionEnabled: true }, /not supported by Polebean/],
  ]
  for (const [what, input, message] of bad)
    it(`are refused with ${what}`, () =>
      assert.throws(() => group('', input), { name: 'InvalidParameterException', message }))

  it('are refused twice, and missed by those who name one that is not there', () => {
    group('app')
    assert.throws(() => group('app'), {
      name: 'ResourceAlreadyExistsException',
      message: 'The specified log group already exists',
    })
    const missing = { name: 'ResourceNotFoundException', message: 'The specified log group does not exist.' }
    assert.throws(() => logs().deleteLogGroup(bench.world.context, { logGroupName: 'no' }), missing)
    assert.throws(() => stream('no', 's'), missing)
    assert.throws(() => put('no', 's', 'x'), missing)
    assert.throws(() => filter({ logGroupName: 'no' }), missing)
    assert.throws(() => logs().describeLogGroups(bench.world.context, { limit: 51 }), {
      message: /Value '51' at 'limit' .*less than or equal to 50/,
    })
    const both = { logGroupNamePrefix: 'a', logGroupNamePattern: 'a' }
    assert.throws(() => logs().describeLogGroups(bench.world.context, both), {
      message: /mutually exclusive/,
    })
    assert.throws(() => logs().describeLogGroups(bench.world.context, { nextToken: 'x' }), {
      message: 'The specified nextToken is invalid.',
    })
  })
})

describe('log streams', () => {
  beforeEach(() => void group('app'))

  it('are listed by name, or by their last event', () => {
    for (const name of ['b', 'a', 'c', 'silent']) stream('app', name)
    put('app', 'c', [at(-2_000), 'x'])
    put('app', 'a', [at(-1_000), 'x'])
    put('app', 'b', [at(), 'x'])
    const list = (input: object) => {
      const names: (string | undefined)[] = []
      for (let nextToken: string | undefined; ;) {
        const page = logs().describeLogStreams(bench.world.context, {
          ...{ logGroupName: 'app', limit: 1, ...input },
          ...(nextToken ? { nextToken } : {}),
        })
        names.push(...page.logStreams!.map((one) => one.logStreamName))
        nextToken = page.nextToken
        if (!nextToken) return names.join(' ')
      }
    }
    assert.equal(list({}), 'a b c silent')
    assert.equal(list({ descending: true }), 'silent c b a')
    assert.equal(list({ orderBy: 'LastEventTime' }), 'silent c a b')
    assert.equal(list({ orderBy: 'LastEventTime', descending: true }), 'b a c silent')
    assert.equal(list({ logStreamNamePrefix: 's' }), 'silent')
    const [found] = logs().describeLogStreams(bench.world.context, {
      ...{ logGroupName: 'app', logStreamNamePrefix: 'a' },
    }).logStreams!
    const { uploadSequenceToken, ...rest } = found!
    assert.match(uploadSequenceToken!, /^\d{56}$/)
    assert.deepEqual(rest, {
      ...{ logStreamName: 'a', creationTime: at(), storedBytes: 0, lastIngestionTime: at() },
      ...{ firstEventTimestamp: at(-1_000), lastEventTimestamp: at(-1_000) },
      arn: 'arn:aws:logs:us-west-2:000000000000:log-group:app:log-stream:a',
    })
  })

  it('are refused by AWS’s rules', () => {
    stream('app', 's')
    const failing: [() => unknown, RegExp][] = [
      [() => stream('app', 's'), /The specified log stream already exists/],
      [() => stream('app', 'a:b'), /regular expression pattern: \[\^:\*\]\*/],
      [() => stream('app', ''), /greater than or equal to 1/],
      [
        () => logs().deleteLogStream(bench.world.context, { logGroupName: 'app', logStreamName: 'no' }),
        /The specified log stream does not exist\./,
      ],
      [
        () =>
          logs().describeLogStreams(bench.world.context, {
            ...{ logGroupName: 'app', orderBy: 'LastEventTime', logStreamNamePrefix: 's' },
          }),
        /Cannot order by LastEventTime with a logStreamNamePrefix\./,
      ],
      [
        () =>
          logs().describeLogStreams(bench.world.context, { logGroupName: 'app', orderBy: 'Size' as never }),
        /enum value set: \[LogStreamName, LastEventTime\]/,
      ],
      [
        () =>
          logs().describeLogStreams(bench.world.context, { logGroupName: 'app', logGroupIdentifier: 'app' }),
        /mutually exclusive/,
      ],
      [() => logs().describeLogStreams(bench.world.context, {}), /must be given/],
    ]
    for (const [act, message] of failing) assert.throws(act, { message })
  })

  it('are gone with their events', () => {
    stream('app', 's')
    put('app', 's', 'x')
    logs().deleteLogStream(bench.world.context, { logGroupName: 'app', logStreamName: 's' })
    assert.deepEqual(every(), [])
    stream('app', 's')
    assert.deepEqual(every(), [])
  })
})
